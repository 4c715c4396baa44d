//! Builds for `npm run bench` that leave a part of the work out, so that the part's cost can be
//! told. Compiled in by a Cargo feature, which the builder never lets into `build/`; and such a
//! build serves no host but one that nobody can have.

use crate::fault::Fault;
use crate::resource::Config;

/// Every signature is taken for good.
pub(super) const UNSIGNED: bool = cfg!(feature = "bench-unsigned");

/// A permitted request is answered here and not forwarded.
pub(super) const ANSWER: bool = cfg!(feature = "bench-answer");

/// Signs in other ways than the Worker does, too: `signing`.
const SIGNING: bool = cfg!(feature = "bench-signing");

/// Reserved by RFC 2606.
const NOBODYS: &str = "https://mcp.example.com/";

/// The settings, unless this is a build for measuring and they are anybody's.
pub(super) fn only_nobodys(config: Result<Config, Vec<Fault>>) -> Result<Config, Vec<Fault>> {
    let config = config?;
    let nobodys = config.resources.iter().all(|resource| resource.canonical.as_str().starts_with(NOBODYS));
    if (UNSIGNED || ANSWER || SIGNING) && !nobodys {
        let expected = format!("a URL below {NOBODYS}: this build is for measuring");
        return Err(vec![Fault::new("MCP_SERVER_AUTH_CANONICAL_URL", "", expected)]);
    }
    Ok(config)
}
