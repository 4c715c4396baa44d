//! `MCP_SERVER_AUTH_CANONICAL_URL`.

use super::urls;
use super::variables::Variables;
use crate::fault::Faults;
use crate::http::path::leads_elsewhere;
use crate::paths;
use crate::resource::canonical::Canonical;

pub(super) fn read(variables: &Variables, faults: &mut Faults) -> Option<Canonical> {
    let Some(found) = variables.get("CANONICAL_URL", faults) else {
        let expected = format!("{}; it is required", urls::PUBLIC_URL);
        faults.add("MCP_SERVER_AUTH_CANONICAL_URL", "", expected);
        return None;
    };
    let canonical = found.value.as_str().and_then(Canonical::parse);
    if canonical.is_none() {
        let hint = urls::found(&found.value, urls::Kind::Public);
        faults.add_hinted(found.name, "", urls::PUBLIC_URL, hint);
    }
    let canonical = canonical?;
    let path = canonical.path();
    if path == paths::HEALTH || path.starts_with(paths::RESOURCE_METADATA) || path.starts_with(paths::OWN) {
        faults.add(
            found.name,
            "",
            format!(
                "a path other than {}, {} and {}, which are the Worker's",
                paths::HEALTH,
                paths::RESOURCE_METADATA,
                paths::OWN
            ),
        );
    }
    if leads_elsewhere(canonical.path()) {
        faults.add(found.name, "", "a path without dot segments, in any spelling: no request would reach it");
    }
    Some(canonical)
}
