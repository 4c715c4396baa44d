//! What the runtime offers and `web_sys` does not name, and what `glue.mjs` does in one crossing.

use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{CryptoKey, Request, Response};

use super::passage::Passage;
use super::proxy::Exchange;

#[wasm_bindgen]
extern "C" {
    /// The variables and bindings of the Worker.
    #[derive(Clone)]
    pub type Env;

    /// One request's context.
    #[derive(Clone)]
    pub type Context;

    /// Keeps the request's context alive until the promise is settled, though its client may leave.
    #[wasm_bindgen(method, js_name = waitUntil)]
    pub(super) fn wait_until(this: &Context, promise: &Promise);

    /// A KV namespace.
    pub(super) type KvNamespace;

    #[wasm_bindgen(method, catch)]
    pub(super) fn get(this: &KvNamespace, key: &str, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(super) fn put(
        this: &KvNamespace,
        key: &str,
        value: &str,
        options: &Object,
    ) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/edge/glue.mjs")]
extern "C" {
    pub(super) fn names(message: &JsValue) -> String;

    #[wasm_bindgen(catch)]
    pub(super) fn answer(status: u16, set: &str, body: Option<&str>) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn check(
        parameters: &Object,
        key: &CryptoKey,
        signature: &[u8],
        input: &[u8],
        passage: Passage,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn send(
        request: &Request,
        target: &str,
        deleted: &str,
        set: &str,
        init: &JsValue,
        exchange: Exchange,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn pass(
        response: &Response,
        deleted: &str,
        set: &str,
        vary: Option<&str>,
    ) -> Result<JsValue, JsValue>;
}
