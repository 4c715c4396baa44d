//! Behind Cloudflare Access: its assertion is the credential, and nothing else is.
//!
//! 1. Access puts a JWT of its own into `Cf-Access-Jwt-Assertion`. It is verified as any token is:
//!    on a way around Access anybody can write that header.
//! 2. `Authorization` is no credential there: with managed OAuth it has an opaque token of
//!    Access's.
//! 3. No header of Access's and no cookie that gets in there reaches the origin, which is told by
//!    the Worker who is calling.
//! 4. The assertion may have been a cookie, which a browser sends along for a page of any site:
//!    only pages of listed origins may call, and where no `Origin` says whose page it was,
//!    `Sec-Fetch-Site` has to.

use crate::http::header_names;
use crate::refusal::Refusal;
use crate::token::credential::{Credential, is_token68};

/// Where the assertion is.
pub const HEADER: &str = "Cf-Access-Jwt-Assertion";

/// How far a page that sends a request is from where it goes (W3C Fetch Metadata); browsers send
/// it, and no page can.
pub const FETCH_SITE: &str = "Sec-Fetch-Site";

/// What the names of Access's headers begin with: the assertion, a service token's id and secret, a
/// linked application's token, the user's address.
pub const PREFIX: &str = "cf-access-";

/// The cookies that get in: the assertion, and what it may be bound to.
const COOKIES: [&str; 2] = ["CF_Authorization", "CF_Binding"];

/// The credential in the value of the assertion's header. Two headers reach us joined by a comma,
/// which no token has.
pub fn read(assertion: Option<&str>) -> Result<Credential<'_>, Refusal> {
    let token = assertion.ok_or(Refusal::AccessAssertionMissing)?.trim_matches([' ', '\t']);
    match token {
        "" => Err(Refusal::AccessAssertionMissing),
        token if is_token68(token) => Ok(Credential::bearer(token)),
        _ => Err(Refusal::CredentialsMalformed),
    }
}

/// Whether a page of another origin sent this request, whose `Origin` is in `origin`. With it, the
/// list of origins decides. Without it, a browser's request is its user's own or this origin's.
pub fn is_of_another_origin(origin: Option<&str>, fetch_site: Option<&str>) -> bool {
    origin.is_none() && fetch_site.is_some_and(|site| !matches!(site, "none" | "same-origin"))
}

/// Whether some server could take a header for one of Access's.
pub fn is_header(name: &str) -> bool {
    header_names::begins_with(name, PREFIX)
}

/// What is left of a `Cookie` header without Access's cookies; none if it has none of them. Several
/// headers may reach us joined by commas.
pub fn without_cookies(cookie: &str) -> Option<String> {
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default().trim();
        !COOKIES.iter().any(|own| header_names::same(own, name))
    };
    let part = |part: &str| {
        let kept: Vec<&str> = part.split(',').filter(is_kept).collect();
        (!kept.is_empty()).then(|| kept.join(","))
    };
    let kept: Vec<String> = cookie.split(';').filter_map(part).collect();
    let kept = kept.join(";").trim_matches([' ', '\t', ',']).to_owned();
    (!cookie.split([';', ',']).all(|pair| is_kept(&pair))).then_some(kept)
}
