//! Documents from issuers, fetched with bounds: 5 s in all, 64 KiB read at most, no redirects,
//! status 200 only, no credentials, no cache.

use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, ReadableStreamDefaultReader, Request, RequestCache, RequestInit, RequestRedirect, Response,
    WorkerGlobalScope,
};

use crate::keys::discovery::ACCEPT;
use crate::limits;

/// Firewalls of issuers drop requests that do not say what they are.
pub(super) const USER_AGENT: &str = concat!("mcp-edge-auth/", env!("CARGO_PKG_VERSION"));

/// A document, and what its server says of keeping it.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) cache_control: Option<String>,
}

/// Why there is no document.
pub(super) enum Failure {
    Unreachable,
    Status(u16),
    TooLarge,
    NotText,
}

impl Failure {
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Unreachable => "unreachable, or no answer within 5 s".to_owned(),
            Self::Status(status) => format!("status {status}"),
            Self::TooLarge => "larger than 64 KiB".to_owned(),
            Self::NotText => "not UTF-8".to_owned(),
        }
    }
}

/// Ends every fetch of one attempt, whatever it is waiting for.
pub(super) fn deadline() -> AbortSignal {
    AbortSignal::timeout_with_u32(limits::FETCH_SECONDS as u32 * 1000)
}

/// The document at a URL.
pub(super) async fn document(url: &str, deadline: &AbortSignal) -> Result<Document, Failure> {
    let response = get(url, deadline).await.map_err(|_| Failure::Unreachable)?;
    if response.status() != 200 {
        discard(&response);
        return Err(Failure::Status(response.status()));
    }
    let bytes = read(&response).await.map_err(|_| Failure::Unreachable)?.ok_or(Failure::TooLarge)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::NotText)?;
    Ok(Document { text, cache_control: response.headers().get("cache-control").unwrap_or_default() })
}

async fn get(url: &str, deadline: &AbortSignal) -> Result<Response, JsValue> {
    let headers = Object::new();
    Reflect::set(&headers, &"Accept".into(), &ACCEPT.into())?;
    Reflect::set(&headers, &"User-Agent".into(), &USER_AGENT.into())?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_cache(RequestCache::NoStore);
    init.set_signal(Some(deadline));
    let request = Request::new_with_str_and_init(url, &init)?;
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    Ok(JsFuture::from(scope.fetch_with_request(&request)).await?.unchecked_into())
}

/// The whole body, or `None` if it is larger than it may be.
async fn read(response: &Response) -> Result<Option<Vec<u8>>, JsValue> {
    let mut bytes = Vec::new();
    let Some(body) = response.body() else { return Ok(Some(bytes)) };
    let reader = ReadableStreamDefaultReader::new(&body)?;
    loop {
        let chunk = JsFuture::from(reader.read()).await?;
        if Reflect::get(&chunk, &"done".into())?.is_truthy() {
            return Ok(Some(bytes));
        }
        let chunk: Uint8Array = Reflect::get(&chunk, &"value".into())?.unchecked_into();
        if bytes.len() + chunk.length() as usize > limits::DOCUMENT_BYTES {
            let _abandoned = reader.cancel();
            return Ok(None);
        }
        bytes.extend(chunk.to_vec());
    }
}

/// Lets go of a body that nobody will read; the connection is free again.
pub(super) fn discard(response: &Response) {
    if let Some(body) = response.body() {
        let _abandoned = body.cancel();
    }
}
