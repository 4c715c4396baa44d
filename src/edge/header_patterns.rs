//! The headers of a request that are looked at, found by their names in one crossing: the list of
//! all of them would cost more than what is done with it.

use js_sys::RegExp;
use wasm_bindgen::JsValue;

use super::exchange::Exchange;
use crate::origin::request;

/// The patterns that names of headers are looked for with.
pub(super) struct Patterns {
    /// Those that may have to be removed or are looked at (`Resource::looked_at`).
    looked_at: RegExp,
    all: RegExp,
}

impl Patterns {
    pub(super) fn new(looked_at: &str) -> Self {
        Self { looked_at: RegExp::new(looked_at, ""), all: RegExp::new("", "") }
    }
}

/// The request's headers that may have to be removed, or are looked at.
pub(super) struct Names {
    /// Each followed by a newline.
    pub(super) text: String,
    /// The value of `Connection`.
    pub(super) connection: Option<String>,
}

impl Names {
    pub(super) fn of(exchange: &Exchange, patterns: &Patterns) -> Result<Self, JsValue> {
        let mut names = Self { text: exchange.names(&patterns.looked_at)?, connection: None };
        names.connection = names.value(exchange, "connection")?;
        if names.connection.as_deref().is_some_and(request::nominates) {
            names.text = exchange.names(&patterns.all)?;
        }
        Ok(names)
    }

    /// The value of a header, which is asked for only if it was sent.
    pub(super) fn value(&self, exchange: &Exchange, name: &str) -> Result<Option<String>, JsValue> {
        match self.text.split('\n').any(|sent| sent.eq_ignore_ascii_case(name)) {
            true => exchange.header(name),
            false => Ok(None),
        }
    }
}
