//! Answers of the Worker's own, refusals among them.

use wasm_bindgen::JsValue;

use super::exchange::Exchange;
use super::header_lists::list;
use super::log::Line;
use crate::admission::Refused;
use crate::documents::copy;
use crate::http::response::LocalResponse;
use crate::limits::Seconds;
use crate::refusal::Refusal;

/// `line`: as `log::ended` writes it.
pub(super) fn answer(exchange: &Exchange, answer: &LocalResponse, line: &str) -> Result<JsValue, JsValue> {
    let headers = answer.headers.iter().map(|(name, value)| (*name, value.as_ref()));
    exchange.respond(answer.status, &list(headers), answer.body.as_deref(), line)
}

pub(super) fn refuse(
    exchange: &Exchange,
    refused: &Refused<'static, '_>,
    line: Line,
) -> Result<JsValue, JsValue> {
    answer(exchange, &refused.answer(), &line.refused(refused))
}

/// Where there is no copy of an issuer's metadata: seconds until it is worth asking again.
pub(super) fn no_copy(exchange: &Exchange, seconds: Seconds, line: Line) -> Result<JsValue, JsValue> {
    let line = line.unavailable(Refusal::MetadataUnavailable(seconds));
    answer(exchange, &copy::answer(Err(seconds)), &line)
}
