//! The filter of one stream of events, as JavaScript holds it (`bodies.mjs`).

use wasm_bindgen::prelude::*;

use crate::policy::events::Stream;

/// It keeps no bytes: where a client leaves, JavaScript frees it late, and knows nothing of the
/// memory that it holds.
#[wasm_bindgen]
pub struct EventFilter(pub(super) Stream<'static>);

#[wasm_bindgen]
impl EventFilter {
    /// How many bytes of the next chunk belong to events that are whole with it. `held`: how many
    /// bytes of an event came before it.
    ///
    /// # Errors
    /// An event is too large, so the stream has to end.
    pub fn whole(&mut self, chunk: &[u8], held: usize) -> Result<usize, JsError> {
        self.0.whole(chunk, held).map_err(|_| unreadable())
    }

    /// Whole events, filtered. The end of a stream makes whole what has come of the last.
    ///
    /// # Errors
    /// An event cannot be read, so the stream has to end.
    pub fn events(&self, bytes: &[u8]) -> Result<Vec<u8>, JsError> {
        self.0.events(bytes).map_err(|_| unreadable())
    }
}

/// What the runtime's log says of a stream that was cut.
fn unreadable() -> JsError {
    JsError::new("list_unreadable: an event cannot be filtered, and its stream was ended")
}
