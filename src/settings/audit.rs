//! `MCP_SERVER_AUTH_AUDIT_KEY`. `AUDIT` is a binding and no variable.

use super::variables::Variables;
use crate::fault::Faults;
use crate::limits;
use crate::token::pseudonym::Pseudonyms;

/// What callers are called in reports, if there is a key for it.
pub(super) fn read(variables: &Variables, faults: &mut Faults) -> Option<Pseudonyms> {
    let found = variables.get("AUDIT_KEY", faults)?;
    let key = found.value.as_str().map(str::trim).filter(|key| key.len() >= limits::AUDIT_KEY_BYTES);
    let pseudonyms = key.and_then(Pseudonyms::new);
    if pseudonyms.is_none() {
        let expected = "a secret of at least 32 random bytes: npx mcp-edge-auth keygen --session";
        faults.add(found.name, "", expected);
    }
    pseudonyms
}
