//! What `cli/core.mjs` calls: the only module here that knows JavaScript. What crosses is text,
//! JSON but for the schema.

use js_sys::{Function, Promise};
use mcp_edge_auth::plain;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::check;
use crate::doctor::{self, Network, Report};

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// Judges what `readSettings` has read of a deployment.
#[wasm_bindgen(js_name = check)]
pub fn check_settings(read: &str) -> String {
    json(&check::run(&serde_json::from_str(read).unwrap_or_default()))
}

/// The JSON Schema of all settings.
#[wasm_bindgen]
pub fn schema() -> String {
    mcp_edge_auth::settings::schema()
}

/// The providers, and what an entry says with each.
#[wasm_bindgen]
pub fn providers() -> String {
    json(&crate::providers::all())
}

/// Judges an order to `revoke`, and carries it out on a document, if it is given one.
#[wasm_bindgen]
pub fn revoke(given: &str) -> String {
    let given = serde_json::from_str(given).unwrap_or_default();
    match crate::revoke::run(&given) {
        Ok(outcome) => json(&outcome),
        Err(refused) => json(&refused),
    }
}

/// Examines a deployment; whether nothing failed. `exchange` is asked for one HTTP exchange and
/// gives the promise of the answer, `tell` gets each line of the report as it is found.
///
/// # Errors
/// Where `given` is not what the doctor is given.
#[wasm_bindgen(js_name = doctor)]
pub async fn examine(given: String, exchange: Function, tell: Function) -> Result<bool, JsError> {
    let given = serde_json::from_str(&given)?;
    let network = Network::new(move |request| {
        let promise = exchange.call1(&JsValue::NULL, &request.into());
        Box::pin(async move {
            let promise = promise.ok()?.dyn_into::<Promise>().ok()?;
            JsFuture::from(promise).await.ok()?.as_string()
        })
    });
    let mut report = Report::new(move |line| {
        let _thrown = tell.call1(&JsValue::NULL, &json(line).into());
    });
    doctor::run(&given, &network, &mut report).await;
    Ok(!report.has_failed())
}

fn json(value: &impl Serialize) -> String {
    plain::json(serde_json::to_string(value).unwrap_or_default())
}
