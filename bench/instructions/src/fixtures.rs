//! Settings, key sets and tokens, the same in every run. Nobody signed the tokens: the signature
//! check says yes to anything here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::settings::Variables;
use serde_json::{Value, json};

/// The time it always is, in seconds since the Unix epoch.
pub(crate) const NOW: u64 = 1_800_000_000;

const CANONICAL: &str = "https://mcp.example.com/mcp";

/// Bytes of an RSA key of 2048 bits, and of its signatures.
const RSA_BYTES: usize = 256;

/// As many as fit into a token of 16 KiB; one more, and it is refused.
const GROUPS: usize = 320;

/// Settings with this many authorization servers.
pub(crate) fn config(servers: usize) -> Result<Config, String> {
    let entry =
        |n| json!({ "authorization_server_url": issuer(n), "jwks_uri": format!("{}/jwks", issuer(n)) });
    let settings = [
        ("MCP_SERVER_AUTH_CANONICAL_URL", json!(CANONICAL)),
        ("MCP_SERVER_AUTH_AUTHORIZATION_SERVERS", (1..=servers).map(entry).collect()),
        ("ORIGIN_URL", json!("https://origin.example.com/mcp")),
    ];
    let variables: Variables = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    mcp_edge_auth::settings::read(&variables)
        .map_err(|faults| format!("the settings have faults: {faults:?}"))
}

/// A key set of this many RSA keys.
pub(crate) fn key_set(keys: usize) -> Result<KeySet, String> {
    let key = |n| json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid(n), "n": modulus(n), "e": "AQAB" });
    let document = json!({ "keys": (1..=keys).map(key).collect::<Value>() });
    KeySet::parse(&document.to_string()).map_err(|unusable| unusable.reason().to_owned())
}

/// A token of about 0.8 KiB, with the claims that authorization servers put into access tokens:
/// from the n-th of them, for the n-th key.
pub(crate) fn usual_token(server: usize, key: usize, exp: u64) -> String {
    let claims = format!(
        r#"{{"iss":"{}","aud":"{CANONICAL}","sub":"user-10001","client_id":"3f9d2c1e-8a54-4b6f-9d0e-7c2b1a5e4f30","scope":"mcp:tools mcp:resources offline_access","email":"user-10001@example.com","iat":{},"exp":{exp},"jti":"c1f0b7d2a94e4c7f8b3d5e6a70819f2c"}}"#,
        issuer(server),
        exp - 3600,
    );
    token(&kid(key), &claims)
}

/// A token of 16 KiB: few claims, and groups as large organisations have them.
pub(crate) fn large_token() -> String {
    let groups: Vec<_> = (0..GROUPS).map(|n| format!("9d0e7c2b1a5e4f303f9d2c1e8a54{n:06}")).collect();
    let claims = format!(
        r#"{{"iss":"{}","aud":"{CANONICAL}","sub":"u101","exp":{},"groups":["{}"]}}"#,
        issuer(1),
        NOW + 3000,
        groups.join(r#"",""#),
    );
    token(&kid(1), &claims)
}

fn token(kid: &str, claims: &str) -> String {
    let header = format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{kid}"}}"#);
    [header.as_bytes(), claims.as_bytes(), &[0x5a; RSA_BYTES]].map(base64url).join(".")
}

fn issuer(n: usize) -> String {
    format!("https://as.example.com/as-{n:03}")
}

fn kid(n: usize) -> String {
    format!("key-{n:03}")
}

/// Odd, and of 2048 bits; no two keys have the same.
fn modulus(n: usize) -> String {
    let mut bytes = [0xc5; RSA_BYTES];
    let number = n.to_be_bytes();
    bytes.iter_mut().skip(1).zip(number).for_each(|(byte, of_number)| *byte = of_number);
    base64url(&bytes)
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
