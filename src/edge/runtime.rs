//! What the runtime gives with a request, and what our own JavaScript modules do in one crossing.

use std::time::Duration;

use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{CryptoKey, Request, Response};
use worker::Delay;

/// The variables and bindings of the Worker.
pub(super) use worker::Env;
/// One request's context, as the runtime gives it. Not `worker::Context`, whose `wait_until` panics
/// where the runtime throws.
pub(super) use worker::worker_sys::Context;

/// A moment on this request's own timer.
pub(super) fn pause(milliseconds: u64) -> Delay {
    Delay::from(Duration::from_millis(milliseconds))
}

#[wasm_bindgen(raw_module = "./glue.mjs")]
extern "C" {
    /// A forwarded request that waits for its answer, as JavaScript holds it.
    pub type Exchange;

    #[wasm_bindgen(method, getter)]
    pub(super) fn request(this: &Exchange) -> Request;

    #[wasm_bindgen(method, getter)]
    pub(super) fn line(this: &Exchange) -> String;

    #[wasm_bindgen(method, getter)]
    pub(super) fn started(this: &Exchange) -> f64;

    /// Who asked, if lists in the answer are to be filtered.
    #[wasm_bindgen(method, getter)]
    pub(super) fn sieve(this: &Exchange) -> Option<String>;

    /// Whose session a new one will be; undefined if they are not bound.
    #[wasm_bindgen(method, getter)]
    pub(super) fn owner(this: &Exchange) -> Option<String>;

    /// Headers that the answer gets, beside CORS.
    #[wasm_bindgen(method, setter)]
    pub(super) fn set_added(this: &Exchange, headers: &str);

    pub(super) fn names(message: &JsValue) -> String;

    pub(super) fn log(line: &str, status: u16, started: f64);

    #[wasm_bindgen(catch)]
    pub(super) fn answer(
        status: u16,
        set: &str,
        body: Option<&str>,
        line: &str,
        started: f64,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn check(
        parameters: &Object,
        key: &CryptoKey,
        signature: &[u8],
        input: &[u8],
        id: f64,
        request: &Request,
        env: &Env,
        context: &Context,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn send(
        request: &Request,
        target: &str,
        deleted: &str,
        set: &str,
        init: &JsValue,
        cors: &str,
        vary: Option<&str>,
        line: &str,
        started: f64,
        body: &JsValue,
        sieve: Option<&str>,
        fetcher: &JsValue,
        owner: Option<&str>,
        notice: f64,
        limit: f64,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    pub(super) fn pass(response: &Response, deleted: &Array, exchange: &Exchange)
    -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(raw_module = "./keys.mjs")]
extern "C" {
    #[wasm_bindgen(catch, js_name = importKey)]
    pub(super) fn import(
        jwk: &Object,
        algorithm: &Object,
        id: f64,
        request: &Request,
        env: &Env,
        context: &Context,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = pause)]
    pub(super) fn promised_pause(milliseconds: i32) -> Promise;

    pub(super) fn wait(end: &Promise, id: f64, request: &Request, env: &Env, context: &Context) -> JsValue;
}

#[wasm_bindgen(raw_module = "./bodies.mjs")]
extern "C" {
    #[wasm_bindgen(catch)]
    pub(super) fn read(request: &Request, limit: f64, whole: bool, id: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = passEvents)]
    pub(super) fn pass_events(
        response: &Response,
        deleted: &Array,
        exchange: &Exchange,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = passList)]
    pub(super) fn pass_list(response: &Response, limit: f64, exchange: &Exchange)
    -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = withBody)]
    pub(super) fn with_body(body: &JsValue, response: &Response) -> Result<Response, JsValue>;
}

#[wasm_bindgen(raw_module = "./sign.mjs")]
extern "C" {
    /// As `send`; `set` ends where the assertion begins.
    #[wasm_bindgen(catch, js_name = signAndSend)]
    pub(super) fn sign_and_send(
        parameters: &Object,
        key: &CryptoKey,
        input: &str,
        id: f64,
        request: &Request,
        target: &str,
        deleted: &str,
        set: &str,
        init: &JsValue,
        cors: &str,
        vary: Option<&str>,
        line: &str,
        started: f64,
        body: &JsValue,
        sieve: Option<&str>,
        fetcher: &JsValue,
        owner: Option<&str>,
        notice: f64,
        limit: f64,
    ) -> Result<JsValue, JsValue>;
}

/// What the runtime says of an error.
pub(super) fn said(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(String::new, |error| String::from(error.to_string()))
}
