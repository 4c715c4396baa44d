//! Answers of the Worker's own, refusals among them.

use wasm_bindgen::JsValue;

use super::exchange::Exchange;
use super::header_lists::list;
use super::isolate::names_requests;
use super::log::{End, Line};
use crate::admission::Refused;
use crate::documents::copy;
use crate::http::cors;
use crate::http::response::LocalResponse;
use crate::limits::Seconds;
use crate::refusal::Refusal;

pub(super) fn answer(exchange: &Exchange, answer: &LocalResponse, end: &End) -> Result<JsValue, JsValue> {
    end.note(exchange);
    let exposed = if names_requests() { answer.header(cors::EXPOSE_HEADERS) } else { None };
    let exposed = exposed.map(cors::with_request_id);
    let headers = answer.headers.iter().map(|(name, value)| match (*name, &exposed) {
        (cors::EXPOSE_HEADERS, Some(exposed)) => (*name, exposed.as_str()),
        (name, _) => (name, value.as_ref()),
    });
    exchange.respond(answer.status, &list(headers), answer.body.as_deref(), &end.line)
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
    let end = line.unavailable(Refusal::MetadataUnavailable(seconds));
    answer(exchange, &copy::answer(Err(seconds)), &end)
}
