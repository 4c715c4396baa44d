//! How tokens are sent by DPoP: the members of an entry that say what proofs have to be like, and
//! `MCP_SERVER_AUTH_DPOP_NONCE_KEY`.

use super::object_reader::ObjectReader;
use super::variables::Variables;
use super::{algorithms, sessions};
use crate::fault::Faults;
use crate::limits;
use crate::secret::MacKeys;
use crate::token::binding::Use;
use crate::token::dpop::Terms;
use crate::token::nonce::Nonces;
use crate::token::trusted_issuer::TrustedIssuer;

/// The secret.
pub(super) const KEY: &str = "MCP_SERVER_AUTH_DPOP_NONCE_KEY";

/// What nonces are made with, as far as it can be seen; none where it is not set.
pub(super) fn nonces(variables: &Variables, faults: &mut Faults) -> Option<Nonces> {
    let count = faults.count();
    match sessions::texts(variables, "DPOP_NONCE_KEY", limits::DPOP_NONCE_KEY_BYTES, faults) {
        Some(keys) => MacKeys::new(&keys).map(Nonces::new),
        None => {
            let is_told = faults.count() > count;
            (is_told || variables.secrets_are_elsewhere()).then(Nonces::default)
        }
    }
}

/// Whether nonces are wanted whose secret was not seen.
pub(super) fn is_unseen(entries: &[TrustedIssuer]) -> bool {
    entries.iter().any(|entry| entry.dpop.nonces.as_ref().is_some_and(Nonces::is_unseen))
}

/// What an entry demands of proofs.
pub(super) fn terms(entry: &mut ObjectReader<'_>, used: Use, nonces: Option<&Nonces>) -> Terms {
    let mut terms = Terms::default();
    if used == Use::Off {
        for name in ["dpop_algorithms", "dpop_nonce", "dpop_max_age"] {
            if entry.has(name) {
                entry.fault(name, "nothing, unless dpop is accept or require");
            }
        }
        return terms;
    }
    match entry.get("dpop_algorithms").map(algorithms::read) {
        None => {}
        Some(Ok(algorithms)) => terms.algorithms = algorithms,
        Some(Err(hint)) => entry.fault_hinted("dpop_algorithms", algorithms::expected(), hint),
    }
    if entry.switch("dpop_nonce") == Some(true) {
        terms.nonces = nonces.cloned();
        if nonces.is_none() {
            let expected = format!("the secret {KEY} beside it: npx mcp-edge-auth keygen --session");
            entry.fault("dpop_nonce", expected);
        }
    }
    match entry.get("dpop_max_age").map(|v| v.as_u64().filter(|s| limits::DPOP_MAX_AGE.contains(s))) {
        None => {}
        Some(Some(seconds)) => terms.max_age = seconds,
        Some(None) => entry.fault("dpop_max_age", "a whole number of seconds, 10 to 300"),
    }
    terms
}
