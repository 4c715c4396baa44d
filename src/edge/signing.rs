//! For `npm run bench:sign` only: an assertion signed by jwt-simple in wasm, and a session's MAC by
//! this Worker's own code, both called from outside.

#![expect(unreachable_pub, reason = "wasm-bindgen exports what is pub")]

use std::cell::LazyCell;

use jwt_simple::prelude::*;
use wasm_bindgen::prelude::*;

use crate::origin::sessions::{Holder, Sessions, owner};

#[derive(Clone, Serialize, Deserialize)]
struct Said {
    client_id: String,
    scope: String,
    idp: String,
}

thread_local! {
    static ES256: LazyCell<ES256KeyPair> = LazyCell::new(ES256KeyPair::generate);
    static EDDSA: LazyCell<Ed25519KeyPair> = LazyCell::new(Ed25519KeyPair::generate);
    static SESSIONS: LazyCell<Option<Sessions>> = LazyCell::new(|| Sessions::new(&["k".repeat(43)]));
}

fn claims() -> JWTClaims<Said> {
    let said = Said {
        client_id: "3f9d2c1e-8a54-4b6f-9d0e-7c2b1a5e4f30".to_owned(),
        scope: "mcp:tools mcp:resources offline_access".to_owned(),
        idp: "https://as.example.com/as-0".to_owned(),
    };
    Claims::with_custom_claims(said, Duration::from_secs(60))
        .with_issuer("https://mcp.example.com")
        .with_audience("https://origin.example.com/upstream")
        .with_subject("user-10000")
        .with_jwt_id("7f1c8a52-9f3e-4c55-8d4b-1f0c2f6d9a11")
}

#[wasm_bindgen(js_name = signES256)]
pub fn sign_es256() -> Option<String> {
    ES256.with(|key| key.sign(claims()).ok())
}

#[wasm_bindgen(js_name = signEdDSA)]
pub fn sign_eddsa() -> Option<String> {
    EDDSA.with(|key| key.sign(claims()).ok())
}

/// A MAC that is made and then checked.
#[wasm_bindgen(js_name = bindSession)]
pub fn bind_session(issuer: &str, subject: &str, id: &str) -> bool {
    let owner =
        owner("https://mcp.example.com/mcp", Holder::User { issuer, subject, client: Some("client-1") });
    let attached = SESSIONS.with(|sessions| sessions.as_ref()?.attach(&owner, id).ok());
    attached.is_some_and(|attached| {
        SESSIONS.with(|sessions| {
            sessions.as_ref().is_some_and(|sessions| sessions.check(&owner, &attached).is_ok())
        })
    })
}
