//! Rows of tokens: a name, a token, the exact reason.

use mcp_edge_auth::refusal::Refusal;
use serde_json::Value;

use super::engine::{Run, run_with};
use super::es256::{header, trusted};
use super::{claims, config, for_each_row, resource, same, settings, with};

pub type Row = (&'static str, String, &'static str);

/// Verifies a token at the sound settings, with the trusted issuer's key.
pub fn verify(token: &str) -> Run {
    run_with(resource(&config(&settings())), token, &trusted().key_set())
}

/// What is refused before the signature costs no check of one; what is refused after it had a good
/// one.
pub fn expect(rows: Vec<Row>) {
    for_each_row(rows, |(name, token, reason)| {
        let run = verify(token);
        same(name, run.reason(), reason)?;
        match run.verdict {
            Err(refusal) if refusal < Refusal::SignatureInvalid => same(name, run.checks, 0),
            _ => same(name, run.checks, 1),
        }
    });
}

/// A token, soundly signed, over a header with these changes.
pub fn headed(changes: Value) -> String {
    trusted().token(&with(header(), changes).to_string(), &claims().to_string())
}

/// A token, soundly signed, over a header of any text.
pub fn with_header(header: &str) -> String {
    trusted().token(header, &claims().to_string())
}
