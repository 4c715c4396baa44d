//! What the native tests share: a clock that stands still, sound settings to spoil, an issuer that
//! signs anything, and a native engine.

#![allow(unreachable_pub, reason = "the modules of a program are public to one another")]

pub mod algorithms;
pub mod arbitrary;
pub mod check;
pub mod engine;
pub mod es256;
pub mod found;
pub mod policy;
pub mod proofs;
pub mod providers;
pub mod resources;
pub mod rows;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp_edge_auth::admission::{Decision, Head, decide};
use mcp_edge_auth::fault::Fault;
use mcp_edge_auth::http::response::LocalResponse;
use mcp_edge_auth::json::Document;
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::settings::Variables;
use serde_json::{Value, json};

/// The time it always is, in seconds since the Unix epoch.
pub const NOW: u64 = 1_800_000_000;

pub const CANONICAL: &str = "https://mcp.example.com/mcp";
pub const ISSUER: &str = "https://auth.example.com";
pub const JWKS_URI: &str = "https://auth.example.com/jwks";
pub const ORIGIN: &str = "https://origin.internal.example/srv";

pub const CANONICAL_URL: &str = "MCP_SERVER_AUTH_CANONICAL_URL";
pub const SERVERS: &str = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS";
pub const ALLOWED_ORIGINS: &str = "MCP_SERVER_AUTH_ALLOWED_ORIGINS";
pub const SCOPES_SUPPORTED: &str = "MCP_SERVER_AUTH_SCOPES_SUPPORTED";
pub const CHALLENGE_SCOPES: &str = "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES";

/// Sound settings with one ES256 entry.
pub fn settings() -> Value {
    json!({
        "MCP_SERVER_AUTH_CANONICAL_URL": CANONICAL,
        "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS": [entry()],
        "ORIGIN_URL": ORIGIN,
    })
}

/// One sound entry.
pub fn entry() -> Value {
    json!({ "authorization_server_url": ISSUER, "jwks_uri": JWKS_URI, "algorithm": "ES256" })
}

/// Sound settings in the single-issuer form.
pub fn single_issuer_settings() -> Value {
    json!({
        "MCP_SERVER_AUTH_CANONICAL_URL": CANONICAL,
        "MCP_SERVER_AUTH_JWKS_URI": JWKS_URI,
        "MCP_SERVER_AUTH_ISSUER": ISSUER,
        "MCP_SERVER_AUTH_AUDIENCE": CANONICAL,
        "ORIGIN_URL": ORIGIN,
    })
}

/// An object with other members: `changes` replace or add, and those that are `"<absent>"` are
/// taken away.
pub fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        let members = object.as_object_mut().unwrap();
        if value == "<absent>" {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    object
}

/// Settings with these entries.
pub fn with_entries(entries: Value) -> Value {
    with(settings(), json!({ SERVERS: entries }))
}

/// Rate limiters that are bound in every test.
pub const LIMITERS: [&str; 3] = ["CALLS", "BURSTS", "ADDRESSES"];

pub fn variables(settings: &Value) -> Variables {
    let all = settings.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone()));
    let all: Variables = all.collect();
    all.with_limiters(LIMITERS.map(str::to_owned))
}

pub fn read(settings: &Value) -> Result<Config, Vec<Fault>> {
    mcp_edge_auth::settings::read(&variables(settings))
}

/// The settings of a test that is not about settings.
pub fn config(settings: &Value) -> Config {
    read(settings).unwrap_or_else(|faults| panic!("the test's settings have faults: {faults:?}"))
}

pub fn resource(config: &Config) -> &Resource {
    &config.resources[0]
}

/// As a token's claims are read.
pub fn object(value: &Value) -> Document {
    Document::read(value.to_string().into_bytes()).unwrap()
}

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of a good token.
pub fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": CANONICAL, "sub": "user-1", "exp": NOW + 300, "iat": NOW, "nbf": NOW })
}

/// A request's head without any of the headers.
pub const fn head<'r>(method: &'r str, url: &'r str) -> Head<'r> {
    Head {
        method,
        url,
        origin: None,
        authorization: None,
        access_assertion: None,
        fetch_site: None,
        requested_headers: None,
    }
}

/// What came of a request's head.
#[derive(Debug)]
pub enum Decided {
    Served(LocalResponse, &'static str),
    Refused(Refusal, LocalResponse),
    Verify(String),
    Anonymous,
    Copy(String),
}

impl Decided {
    pub fn answer(&self) -> &LocalResponse {
        match self {
            Self::Served(answer, _) | Self::Refused(_, answer) => answer,
            Self::Verify(token) => panic!("no answer: the token {token} is to be verified"),
            Self::Anonymous => panic!("no answer: the body decides"),
            Self::Copy(issuer) => panic!("no answer: the metadata of {issuer} is to be copied"),
        }
    }

    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal, _) => *refusal,
            other => panic!("not refused: {other:?}"),
        }
    }
}

pub fn decided(config: &Config, head: &Head<'_>) -> Decided {
    match decide(Some(config), head) {
        Decision::Serve(answer, what) => Decided::Served(answer, what),
        Decision::Refuse(refused) => Decided::Refused(refused.refusal, refused.answer()),
        Decision::Visit(visit) => Decided::Refused(visit.refused().refusal, visit.answer(None)),
        Decision::Verify(credential, _) => Decided::Verify(credential.token.to_owned()),
        Decision::Anonymous(_) => Decided::Anonymous,
        Decision::Copy(issuer) => Decided::Copy(issuer.to_owned()),
    }
}

/// Compares with a file under `tests/golden`, whose last line end does not count.
pub fn assert_golden(file: &str, actual: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("tests/golden/{file}: {e}"));
    assert_eq!(actual, expected.strip_suffix('\n').unwrap_or(&expected), "tests/golden/{file}");
}

/// Runs rows and tells of all that failed, not of the first one only.
pub fn for_each_row<R>(rows: impl IntoIterator<Item = R>, check: impl Fn(&R) -> Result<(), String>) {
    let failed: Vec<String> = rows.into_iter().filter_map(|row| check(&row).err()).collect();
    assert!(failed.is_empty(), "{} row(s) failed:\n{}", failed.len(), failed.join("\n"));
}

/// The verdict of one row.
pub fn same<T: PartialEq + std::fmt::Debug>(name: &str, actual: T, expected: T) -> Result<(), String> {
    if actual == expected { Ok(()) } else { Err(format!("{name}: expected {expected:?}, got {actual:?}")) }
}

/// What `b64` has written.
pub fn unb64(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
