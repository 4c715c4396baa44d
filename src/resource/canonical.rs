//! The canonical URL: resource identifier, default audience and public origin (RFC 9728 section
//! 1.2, RFC 8707 section 2).

use crate::http::url;
use crate::origin::request::Public;
use crate::paths;

/// A checked canonical URL, as the operator wrote it.
#[derive(Clone, Debug)]
pub struct Canonical {
    text: String,
    /// Where the path begins in `text`.
    path_start: usize,
    path: String,
    loopback: bool,
    /// Host and port as a request's URL has them.
    authority: String,
}

impl Canonical {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let url = url::public(text).filter(|url| url::is_normal(text, url))?;
        let scheme_end = text.find("://")? + 3;
        let path_start = scheme_end + url::authority(text.get(scheme_end..)?).len();
        let path = url::path(text).to_owned();
        let loopback = url.is_loopback();
        let authority = url.origin.split_once("://").map(|(_, authority)| bare(authority).to_owned())?;
        Some(Self { text: text.to_owned(), path_start, path, loopback, authority })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path as written, without a trailing slash: empty for the root.
    pub fn path(&self) -> &str {
        let path = self.path_as_set();
        path.strip_suffix('/').unwrap_or(path)
    }

    /// The path as written.
    pub fn path_as_set(&self) -> &str {
        &self.path
    }

    /// The absolute path form of RFC 9728 section 3.1: inserted between host and path, a slash that
    /// is all of the path dropped.
    pub fn metadata_url(&self) -> String {
        let (origin, rest) = self.text.split_at_checked(self.path_start).unwrap_or((&self.text, ""));
        let rest = match rest.strip_prefix('/') {
            Some(query) if query.is_empty() || query.starts_with('?') => query,
            _ => rest,
        };
        format!("{origin}{}{rest}", paths::RESOURCE_METADATA)
    }

    /// Scheme, host and port, as written.
    pub fn origin(&self) -> &str {
        self.text.get(..self.path_start).unwrap_or_default()
    }

    pub fn public(&self) -> Public<'_> {
        Public { origin: self.origin(), path: self.path_as_set() }
    }

    /// The host as written, without a port.
    pub fn host(&self) -> &str {
        let authority = self.origin().split("://").nth(1).unwrap_or_default();
        match authority.rfind(']') {
            Some(end) => authority.get(..=end).unwrap_or(authority),
            None => authority.split(':').next().unwrap_or(authority),
        }
    }

    pub fn is_https(&self) -> bool {
        self.text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// Whether a request was sent to this host. `authority`: the one of its URL.
    pub fn is_at(&self, authority: &str) -> bool {
        bare(authority).eq_ignore_ascii_case(&self.authority)
    }

    /// Whether another resource is at the same host.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.authority == other.authority
    }

    /// Whether a URL is at or below this one, whatever its scheme: requests for it come to the
    /// Worker.
    pub(crate) fn is_below(&self, url: &str) -> bool {
        let Some(parsed) = url::parse(url) else { return false };
        let authority = parsed.origin.split_once("://").map_or("", |(_, authority)| bare(authority));
        // This machine has many names.
        let is_here = self.loopback && parsed.is_loopback() && port(authority) == port(&self.authority);
        let below = url::path(url).strip_prefix(self.path());
        (is_here || self.is_at(authority))
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }
}

/// What follows the colon, if there is one. An IPv6 address has colons of its own, in brackets.
fn port(authority: &str) -> Option<&str> {
    let end = authority.rfind(']').unwrap_or_default();
    authority.get(end..)?.split_once(':').map(|(_, port)| port)
}

/// Without a default port, whichever it is: where TLS ends before the Worker, the scheme of a
/// request's URL is not the client's.
pub(crate) fn bare(authority: &str) -> &str {
    authority.strip_suffix(":443").or_else(|| authority.strip_suffix(":80")).unwrap_or(authority)
}
