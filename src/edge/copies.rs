//! Copies of authorization servers' metadata: carries out what `compatibility::copy` decides, and writes down what came of it.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::isolate::{Isolate, now};
use super::keys::pause;
use super::log::{self, Line};
use super::runtime::Context;
use super::{own, upstream};
use crate::compatibility::copy::{self, Kept, Next};
use crate::discovery;
use crate::limits::{self, Seconds};
use crate::refusal::Refusal;

/// The promise of the answer.
pub(super) fn serve(
    isolate: &'static Isolate,
    issuer: &'static str,
    context: &Context,
    line: Line,
) -> JsValue {
    let context = context.clone();
    let answered = async move {
        match obtain(isolate, issuer, &context).await {
            Ok(document) => own(&copy::answer(Ok(&document)), &line.served("authorization_server_metadata")),
            Err(seconds) => {
                own(&copy::answer(Err(seconds)), &line.unavailable(Refusal::MetadataUnavailable(seconds)))
            }
        }
    };
    future_to_promise(answered).into()
}

async fn obtain(
    isolate: &'static Isolate,
    issuer: &'static str,
    context: &Context,
) -> Result<Rc<str>, Seconds> {
    loop {
        match with(isolate, issuer, |kept| kept.next(now())) {
            Next::Serve(document) => return Ok(document),
            Next::Unavailable(seconds) => return Err(seconds),
            Next::Wait => pause(limits::POLL_MILLISECONDS).await,
            Next::Fetch => {
                with(isolate, issuer, |kept| kept.fetch_started(now()));
                let fetched = future_to_promise(async move {
                    let document = fetch(issuer).await;
                    with(isolate, issuer, |kept| kept.fetched(document, now()));
                    Ok(JsValue::UNDEFINED)
                });
                context.wait_until(&fetched); // it belongs to the isolate, not to the client that asked first
                let _ended = JsFuture::from(fetched).await;
            }
        }
    }
}

/// The issuer's metadata, from where its keys would be discovered.
async fn fetch(issuer: &str) -> Option<String> {
    let deadline = upstream::deadline();
    let mut reason = String::new();
    for url in discovery::metadata_urls(issuer) {
        match upstream::document(&url, &deadline).await {
            Ok(document) => match discovery::metadata(&document.text, issuer) {
                Ok(_) => return Some(document.text),
                Err(unusable) => {
                    log::copy_failed(issuer, unusable.reason());
                    return None;
                }
            },
            Err(failure) => reason = failure.reason(),
        }
    }
    log::copy_failed(issuer, &reason);
    None
}

/// Looks at or changes what is known of an issuer's metadata; never over an await.
fn with<T>(isolate: &'static Isolate, issuer: &'static str, f: impl FnOnce(&mut Kept) -> T) -> T {
    let mut copies = isolate.copies.borrow_mut();
    if let Some((_, kept)) = copies.iter_mut().find(|(of, _)| *of == issuer) {
        return f(kept);
    }
    let mut kept = Kept::default();
    let result = f(&mut kept);
    copies.push((issuer, kept));
    result
}
