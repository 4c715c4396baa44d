//! Variables → `Config`, or every fault at once.
//!
//! With a fault there is no `Config`, and the Worker fails closed. URLs are kept, compared and served as the operator wrote them; a parser only judges them.
//! A fault names the variable, the field and what was expected, never the value, which may be a secret in the wrong place.

mod about;
mod across;
mod algorithms;
mod assertion;
mod authorization_servers;
mod canonical;
mod compatibility;
mod faults;
mod form;
#[cfg(not(target_arch = "wasm32"))]
mod hints;
mod issuers;
mod object_reader;
mod origin;
mod origins;
mod policy;
pub mod presets;
mod providers;
mod resources;
mod scopes;
mod sessions;
mod setting;
mod slips;
mod summary;
mod table;
mod urls;
mod variables;
mod warnings;
mod written;

pub use canonical::Canonical;
pub use faults::{Fault, Warning};
#[cfg(not(target_arch = "wasm32"))]
pub use hints::{hints, meant_variable};
pub use origins::AllowedOrigins;
#[cfg(target_arch = "wasm32")]
pub(crate) use urls::Url;
pub use variables::{Variables, is_ours};

use crate::documents::landing::Page;
use crate::documents::metadata;
use crate::limits::{self, Seconds};
use crate::origin::assertion::Assertion;
use crate::origin::assertion::keys::SigningKeys;
use crate::origin::headers::Delivery;
use crate::origin::sessions::Sessions;
use crate::policy::Policy;
use crate::refusal::Challenges;
use crate::resource::compatibility::Compatibility;
use crate::token::claims::Rules;
use crate::token::jose::Algorithm;
use faults::Faults;

/// Settings without a fault.
#[derive(Clone, Debug)]
pub struct Config {
    /// In the order of `MCP_SERVER_AUTH_RESOURCES`; one in the single form.
    pub resources: Vec<Resource>,
    /// Whether they have several hosts, so that a request's host decides, too.
    pub by_host: bool,
    /// Where key sets come from, each once; `SourceId` counts in it.
    pub sources: Vec<KeySource>,
    pub cache_ttl: Seconds,
    /// Whether the log names the subject.
    pub log_subject: bool,
    /// What assertions are signed with, if there are any. Before `SigningKeys::publish` has judged them, nothing may be served.
    pub signing: Option<SigningKeys>,
    /// What session ids are bound with, if they are.
    pub sessions: Option<Sessions>,
    /// Secrets that must be there and were not seen; only where they cannot be (`Variables::without_secrets`).
    pub unseen_secrets: Vec<String>,
    /// What is sound, and yet will surprise.
    pub warnings: Vec<Warning>,
}

/// An MCP server behind the Worker.
#[derive(Clone, Debug)]
pub struct Resource {
    pub canonical: Canonical,
    /// What follows its canonical path in those of the resources that are nested in it, as `path::names` has it.
    pub nested: Vec<Vec<String>>,
    pub entries: Vec<Entry>,
    /// The RFC 9728 document; none in the single-issuer form.
    pub metadata: Option<String>,
    pub challenges: Challenges,
    pub compatibility: Compatibility,
    /// The page for people; none if it is switched off.
    pub page: Option<Page>,
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
    /// Whether a request without a credential may be asked what it wants.
    pub fn may_be_anonymous(&self, method: &str) -> bool {
        method == "POST" && self.policy.as_ref().is_some_and(Policy::has_anonymous_methods)
    }
}

/// An authorization server, and what is demanded of its tokens.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Absent in the single-issuer form.
    pub authorization_server_url: Option<String>,
    pub source: SourceId,
    pub algorithms: Vec<Algorithm>,
    /// Whether a token must say `typ: at+jwt`: its issuer signs other kinds of JWT, too.
    pub only_at_jwt: bool,
    pub rules: Rules,
}

/// Whether a URL may be a key set's or an issuer's: https, or http on loopback.
pub fn is_public_url(text: &str) -> bool {
    urls::public(text).is_some()
}

/// Which of `Config::sources`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

impl SourceId {
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Where a key set comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    JwksUri(String),
    /// The `jwks_uri` in this issuer's metadata.
    Discovery(String),
}

impl KeySource {
    pub fn url(&self) -> &str {
        match self {
            Self::JwksUri(url) | Self::Discovery(url) => url,
        }
    }
}

impl Config {
    /// Reads the settings.
    pub fn read(variables: &Variables) -> Result<Self, Vec<Fault>> {
        resources::read(variables)
    }

    /// Reads the single form, or what one of several resources comes to. Key sets are counted in `sources`, which the caller keeps. `has_binding`: whether its
    /// origin is reached by one.
    fn of_one(
        variables: &Variables,
        has_binding: bool,
        sources: &mut Vec<KeySource>,
    ) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        variables.check_names(&mut faults);
        let canonical = canonical::read(variables, &mut faults);
        let entries = authorization_servers::read(variables, canonical.as_ref(), sources, &mut faults);
        let scopes_supported = scopes::read(variables, "SCOPES_SUPPORTED", &mut faults);
        let challenge_scopes = scopes::read(variables, "DEFAULT_CHALLENGE_SCOPES", &mut faults);
        let cache_ttl = cache_ttl(variables, &mut faults);
        let log_subject = about::switch(variables, "LOG_SUBJECT", false, &mut faults);
        let loopback = canonical.as_ref().is_some_and(Canonical::is_loopback);
        let allowed_origins = origins::read(variables, loopback, &mut faults);
        let origin_url = urls::read_origin_url(variables, &mut faults);
        let origin_timeout = origin::timeout(variables, &mut faults);
        if let (Some(canonical), Some(origin_url), false) = (&canonical, &origin_url, has_binding)
            && canonical.is_below(origin_url)
        {
            let expected = "an address other than the canonical URL and what is below it: that is the Worker itself, and requests would go in a loop";
            faults.add("ORIGIN_URL", "", expected);
        }
        let (assertion, signing) =
            assertion::read(variables, canonical.as_ref(), origin_url.as_deref(), &mut faults);
        let delivery = origin::read(variables, assertion.as_ref(), &mut faults);
        let (sessions, binds_sessions) = sessions::read(variables, &mut faults);
        let policy = policy::read(variables, &mut faults);
        let about = about::read(variables, &mut faults);
        let compatibility = compatibility::read(variables, &entries, &mut faults);
        let has_page = about::switch(variables, "LANDING_PAGE", true, &mut faults);
        let mut warnings = faults.into_result()?;
        // Without a fault, both are there.
        let (Some(canonical), Some(origin_url)) = (canonical, origin_url) else { return Err(Vec::new()) };
        warnings.extend(warnings::of_scopes(
            variables,
            policy.as_ref(),
            &scopes_supported,
            &challenge_scopes,
        ));
        let metadata = metadata::document(&canonical, &entries, &scopes_supported, &about);
        let metadata_url = metadata.as_ref().map(|_| canonical.metadata_url());
        let unseen = [
            (assertion::KEY, assertion.is_some() && signing.is_none()),
            (sessions::KEY, binds_sessions && sessions.is_none()),
        ];
        let unseen_secrets =
            unseen.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned()).collect();
        let page = has_page.then(|| Page::new(&canonical, &about, metadata_url.as_deref()));
        let mut challenges = Challenges::new(metadata_url, &challenge_scopes);
        if compatibility.invalid_token_challenge {
            challenges = challenges.with_entry_error();
        }
        let resource = Resource {
            compatibility,
            page,
            challenges,
            canonical,
            nested: Vec::new(),
            entries,
            metadata,
            allowed_origins,
            policy,
            origin_url,
            origin_timeout,
            binding: None,
            is_default: true,
            binds_sessions,
            assertion,
            delivery,
        };
        Ok(Self {
            resources: vec![resource],
            by_host: false,
            sources: Vec::new(),
            cache_ttl,
            log_subject,
            signing,
            sessions,
            unseen_secrets,
            warnings,
        })
    }
}

fn cache_ttl(variables: &Variables, faults: &mut Faults) -> Seconds {
    let found = variables.get("CACHE_TTL", faults);
    variables::seconds(found, limits::CACHE_TTL, limits::CACHE_TTL_DEFAULT, faults)
}
