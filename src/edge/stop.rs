//! Why a request goes no further.

use wasm_bindgen::JsValue;

use crate::refusal::Refusal;

pub(super) enum Stop {
    Refused(Refusal),
    /// The runtime threw.
    Runtime(JsValue),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<JsValue> for Stop {
    fn from(error: JsValue) -> Self {
        Self::Runtime(error)
    }
}
