//! The model that a request meets: what the settings come to.

pub mod canonical;
pub mod compatibility;
pub mod logging;

use crate::fault::Warning;
use crate::http::cors::{AllowedOrigins, Cors};
use crate::http::header_names;
use crate::keys::source::KeySource;
use crate::limits::Seconds;
use crate::origin::assertion::Assertion;
use crate::origin::assertion::keys::SigningKeys;
use crate::origin::headers::Delivery;
use crate::origin::request;
use crate::origin::sessions::{self, Sessions};
use crate::policy::Policy;
use crate::refusal::Challenges;
use crate::token::dpop;
use crate::token::pseudonym::Pseudonyms;
use crate::token::trusted_issuer::TrustedIssuer;
use canonical::Canonical;
use compatibility::Compatibility;
use logging::Logging;

/// Settings without a fault.
#[derive(Clone, Debug)]
pub struct Config {
    /// In the order of `MCP_SERVER_AUTH_RESOURCES`; one in the single form.
    pub resources: Vec<Resource>,
    /// Whether they have several hosts, so that a request's host decides, too.
    pub by_host: bool,
    /// Whether any of them is behind Cloudflare Access.
    pub behind_access: bool,
    /// Where key sets come from, each once; `SourceId` counts in it.
    pub sources: Vec<KeySource>,
    pub cache_ttl: Seconds,
    /// Whether the log names the subject.
    pub log_subject: bool,
    /// Whether the list of revoked tokens is heeded.
    pub revocation: bool,
    /// Which requests the log has a line of.
    pub logging: Logging,
    /// Whether each request gets a name that its origin and its client are told.
    pub request_ids: bool,
    /// What callers are called in reports, if they are named there.
    pub pseudonyms: Option<Pseudonyms>,
    /// What assertions are signed with, if there are any. Before `SigningKeys::publish` has judged
    /// them, nothing may be served.
    pub signing: Option<SigningKeys>,
    /// What session ids are bound with, if they are.
    pub sessions: Option<Sessions>,
    /// Secrets that must be there and were not seen; only where they cannot be
    /// (`Variables::without_secrets`).
    pub unseen_secrets: Vec<String>,
    /// What is sound, and yet will surprise.
    pub warnings: Vec<Warning>,
}

/// An MCP server behind the Worker.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its place in `Config::resources`.
    pub index: usize,
    pub canonical: Canonical,
    /// What follows its canonical path in those of the resources that are nested in it, as
    /// `path::names` has it.
    pub nested: Vec<Vec<String>>,
    pub entries: Vec<TrustedIssuer>,
    /// The RFC 9728 document; none in the single-issuer form.
    pub metadata: Option<String>,
    pub challenges: Challenges,
    pub compatibility: Compatibility,
    /// The page for people; none if it is switched off.
    pub page: Option<String>,
    pub allowed_origins: AllowedOrigins,
    /// None: every good token opens everything.
    pub policy: Option<Policy>,
    /// `ORIGIN_URL`.
    pub origin_url: String,
    /// How long the origin may take to begin its answer.
    pub origin_timeout: Seconds,
    /// The binding by which the origin is reached; `None`: by the public network.
    pub binding: Option<String>,
    /// Whether its document is the one at the root, too.
    pub is_default: bool,
    /// Whether session ids are bound to their caller.
    pub binds_sessions: bool,
    /// What the origin is told about the caller in a way that it can verify.
    pub assertion: Option<Assertion>,
    pub delivery: Delivery,
}

impl Resource {
    /// Whether an incoming header is kept from the origin.
    pub fn removes(&self, name: &str) -> bool {
        request::is_removed(&self.delivery, self.policy.is_some(), name)
            || (self.challenges.offer_dpop() && header_names::same(name, dpop::HEADER))
    }

    /// The CORS headers of its answers to a request with this `Origin`.
    pub fn cors(&self, origin: Option<&str>) -> Cors {
        Cors { dpop: self.challenges.offer_dpop(), ..Cors::new(&self.allowed_origins, origin) }
    }

    /// Whether the credential is Cloudflare Access's assertion.
    pub const fn is_behind_access(&self) -> bool {
        self.delivery.behind_access
    }

    /// Which headers of a request have to be looked at (`request::looked_at`).
    pub fn looked_at(&self) -> String {
        let others = [(sessions::HEADER, self.binds_sessions), (dpop::HEADER, self.challenges.offer_dpop())];
        let others: Vec<&str> = others.into_iter().filter_map(|(name, is)| is.then_some(name)).collect();
        request::looked_at(&self.delivery, &others)
    }

    /// Whether a request without a credential may be asked what it wants.
    pub fn may_be_anonymous(&self, method: &str) -> bool {
        method == "POST" && self.policy.as_ref().is_some_and(Policy::has_anonymous_methods)
    }
}
