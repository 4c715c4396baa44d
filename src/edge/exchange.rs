//! A request as JavaScript holds it (`exchange.mjs` and its neighbours), and what JavaScript does
//! with it in one crossing.

use std::pin::Pin;

use js_sys::{Array, JSON, Object, Promise, Reflect, RegExp};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::{CryptoKey, Request, Response};
use worker::Env;

#[wasm_bindgen(raw_module = "./exchange.mjs")]
extern "C" {
    /// One request, what the runtime gave with it, and what is to become of its answer.
    #[derive(Clone)]
    pub type Exchange;

    #[wasm_bindgen(method, getter)]
    pub(super) fn request(this: &Exchange) -> Request;

    /// The variables and bindings of the Worker.
    #[wasm_bindgen(method, getter)]
    pub(super) fn env(this: &Exchange) -> Env;

    #[wasm_bindgen(method, getter)]
    pub(super) fn context(this: &Exchange) -> Context;

    /// A header of the request.
    #[wasm_bindgen(method, catch)]
    pub(super) fn header(this: &Exchange, name: &str) -> Result<Option<String>, JsValue>;

    /// The names of the request's headers that a pattern finds, a newline after each.
    #[wasm_bindgen(method, catch)]
    pub(super) fn names(this: &Exchange, pattern: &RegExp) -> Result<String, JsValue>;

    /// Names the request, for the log and, in a header of this name, for its origin and its client.
    #[wasm_bindgen(method, catch)]
    pub(super) fn identify(this: &Exchange, header: &str) -> Result<(), JsValue>;

    /// Keeps what is reported of the request, one part a line; or the first parts of it anew.
    #[wasm_bindgen(method)]
    pub(super) fn note(this: &Exchange, text: &str);

    /// Starts a signature check; `on_signature` goes on with what it comes to.
    #[wasm_bindgen(method, catch)]
    pub(super) fn verify(
        this: &Exchange,
        parameters: &Object,
        key: &CryptoKey,
        signature: &[u8],
        input: &[u8],
    ) -> Result<JsValue, JsValue>;

    /// An answer of the Worker's own. `line`: of the log, as `log::ended` writes it.
    #[wasm_bindgen(method, catch)]
    pub(super) fn respond(
        this: &Exchange,
        status: u16,
        set: &str,
        body: Option<&str>,
        line: &str,
    ) -> Result<JsValue, JsValue>;

    /// Sends the request on; `on_response` or `on_failure` goes on with what comes of it. `plan`:
    /// `Plan::text`. `notice`, `limit`: milliseconds.
    #[wasm_bindgen(method, catch)]
    pub(super) fn forward(
        this: &Exchange,
        plan: &str,
        signer: &JsValue,
        resource: u32,
        notice: f64,
        limit: f64,
    ) -> Result<JsValue, JsValue>;

    /// The origin's response.
    #[wasm_bindgen(method, getter)]
    pub(super) fn response(this: &Exchange) -> Response;

    /// Which resource the request is for; none before it was sent on or has to wait.
    #[wasm_bindgen(method, getter)]
    pub(super) fn resource(this: &Exchange) -> Option<u32>;

    /// The plan's, where the request was sent on.
    #[wasm_bindgen(method, getter)]
    pub(super) fn target(this: &Exchange) -> String;

    #[wasm_bindgen(method, getter)]
    pub(super) fn cors(this: &Exchange) -> String;

    #[wasm_bindgen(method, getter)]
    pub(super) fn owner(this: &Exchange) -> String;

    #[wasm_bindgen(method, getter)]
    pub(super) fn caller(this: &Exchange) -> String;

    #[wasm_bindgen(method, getter)]
    pub(super) fn line(this: &Exchange) -> String;

    /// The origin's response as it came.
    #[wasm_bindgen(method, catch, js_name = handBack)]
    pub(super) fn hand_back(this: &Exchange) -> Result<JsValue, JsValue>;

    /// A response with other headers.
    #[wasm_bindgen(method, catch)]
    pub(super) fn rebuild(
        this: &Exchange,
        response: &Response,
        removed: &Array,
        added: &str,
    ) -> Result<JsValue, JsValue>;

    /// One request's context, as the runtime gives it. Not `worker::Context`, whose `wait_until`
    /// panics where the runtime throws.
    pub(super) type Context;

    #[wasm_bindgen(method, catch, js_name = waitUntil)]
    pub(super) fn wait_until(this: &Context, promise: &Promise) -> Result<(), JsValue>;
}

#[wasm_bindgen(raw_module = "./keys.mjs")]
extern "C" {
    /// Starts to import a key; `on_key` goes on with what it comes to.
    #[wasm_bindgen(catch, js_name = importKey)]
    pub(super) fn import_key(
        exchange: &Exchange,
        jwk: &Object,
        algorithm: &Object,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = pause)]
    pub(super) fn promised_pause(milliseconds: i32) -> Promise;

    /// `on_wait` goes on once a promise is settled. `resource`: the one that the request is for.
    pub(super) fn wait(exchange: &Exchange, end: &Promise, resource: Option<u32>) -> JsValue;
}

#[wasm_bindgen(raw_module = "./proof.mjs")]
extern "C" {
    /// Starts to check a proof's signature; `on_proof` goes on with what it comes to. `parameters`:
    /// those to import the key with, and those to check with. The bytes are copied, since the check
    /// begins only once the key is there.
    #[wasm_bindgen(catch)]
    pub(super) fn prove(
        exchange: &Exchange,
        jwk: &Object,
        parameters: &Array,
        signature: Vec<u8>,
        input: Vec<u8>,
    ) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(raw_module = "./introspect.mjs")]
extern "C" {
    /// Asks an authorization server about a token; `on_introspection` goes on with what comes of
    /// it. `request`: the parts of `introspecting::Asking::text`. `limit`: bytes of an answer.
    #[wasm_bindgen(catch)]
    pub(super) fn introspect(
        exchange: &Exchange,
        request: &str,
        resource: u32,
        milliseconds: f64,
        limit: f64,
    ) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(raw_module = "./bodies.mjs")]
extern "C" {
    /// Reads the request's body; `on_body` goes on with it.
    #[wasm_bindgen(catch)]
    pub(super) fn read(exchange: &Exchange, limit: f64, whole: bool) -> Result<JsValue, JsValue>;

    /// Reads the origin's answer; `on_list` goes on with it. `added`: headers that it gets.
    #[wasm_bindgen(catch, js_name = readList)]
    pub(super) fn read_list(exchange: &Exchange, limit: f64, added: &str) -> Result<JsValue, JsValue>;

    /// A response whose events `events` filters.
    #[wasm_bindgen(catch, js_name = throughFilter)]
    pub(super) fn through_filter(exchange: &Exchange) -> Result<Response, JsValue>;

    #[wasm_bindgen(catch, js_name = withBody)]
    pub(super) fn with_body(body: &JsValue, response: &Response) -> Result<Response, JsValue>;
}

#[wasm_bindgen(raw_module = "./limiting.mjs")]
extern "C" {
    /// Asks rate limiters; `on_counted` goes on with what they say. `asked`: names of bindings and
    /// keys in turn, a newline between them. `limit`: milliseconds.
    #[wasm_bindgen(catch)]
    pub(super) fn count(exchange: &Exchange, asked: &str, limit: f64) -> Result<JsValue, JsValue>;

    /// The client's address, where the runtime knows whose socket it is.
    pub(super) fn socket(exchange: &Exchange) -> Option<String>;
}

#[wasm_bindgen(raw_module = "./deciding.mjs")]
extern "C" {
    /// Asks a policy decision point; `on_decided` goes on with what it says. `questions`: JSON
    /// texts, a NUL between them. `limit`: bytes of an answer.
    #[wasm_bindgen(catch)]
    pub(super) fn decide(
        exchange: &Exchange,
        binding: &str,
        url: &str,
        questions: &str,
        milliseconds: f64,
        limit: f64,
    ) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(raw_module = "./sign.mjs")]
extern "C" {
    /// A name that no other assertion has.
    #[wasm_bindgen(catch, js_name = uniqueName)]
    pub(super) fn unique_name() -> Result<String, JsValue>;
}

/// What the runtime says of the client's certificate, as JSON; none where it says nothing.
pub(super) fn certificate(exchange: &Exchange) -> Option<String> {
    let cf = Reflect::get(&exchange.request(), &"cf".into()).ok()?;
    let told = Reflect::get(&cf, &"tlsClientAuth".into()).ok()?;
    JSON::stringify(&told).ok()?.as_string()
}

/// The promise of a future. Boxed, or each future would have a runner of its own.
pub(super) fn promise(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    let future: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>> = Box::pin(future);
    future_to_promise(future)
}

/// What the runtime says of an error.
pub(super) fn said(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(String::new, |error| String::from(error.to_string()))
}
