//! Redirects of the origin's, as clients get them.

use url::Url;
use wasm_bindgen::JsValue;
use web_sys::Response;

use super::header_lists::joined;
use super::isolate::{Isolate, protected};
use super::runtime::Exchange;
use super::{log, passing};
use crate::origin::request;
use crate::resource::Resource;

const LOCATION: &str = "Location";

/// A redirect. One to a place below the origin's URL leads to its public address, since clients do
/// not reach the origin itself; another one passes, and the log says so once.
pub(super) fn passed(
    response: &Response,
    exchange: &Exchange,
    session: Option<&str>,
) -> Result<JsValue, JsValue> {
    let sent = response.headers().get(LOCATION)?;
    if let (Some(sent), Some(protected)) = (sent, protected(&exchange.request())) {
        let resource = protected.resource();
        // What is no URL is no place below the origin's either.
        let url = Url::parse(&protected.target()).and_then(|asked| asked.join(&sent));
        if let (Ok(url), Ok(origin)) = (url, Url::parse(&resource.origin_url)) {
            match request::relocated(resource.canonical.public(), origin.as_str(), url.as_str()) {
                Some(public) => {
                    let location = [LOCATION, &public].join("\n");
                    exchange.set_added(&joined(&[session.unwrap_or_default(), &location]));
                }
                None => log_redirect(resource, &url.origin().ascii_serialization()),
            }
        }
    }
    passing::pass(response, exchange)
}

/// Says once per resource that its origin sends clients elsewhere. `to`: scheme and host.
fn log_redirect(resource: &'static Resource, to: &str) {
    let Some(isolate) = Isolate::held().filter(|_| to != resource.canonical.origin()) else { return };
    let canonical = resource.canonical.as_str();
    let mut said = isolate.redirects.borrow_mut();
    if !said.contains(&canonical) {
        said.push(canonical);
        log::redirect(canonical, to);
    }
}
