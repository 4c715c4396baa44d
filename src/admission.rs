//! What to do with a request, before its token is looked into. In this order: settings, path,
//! preflight, `Origin`, credentials.

use crate::documents::landing;
use crate::documents::metadata;
use crate::http::accept::prefers_html;
use crate::http::cors;
use crate::http::response::LocalResponse;
use crate::origin::assertion::keys::SigningKeys;
use crate::policy::Denial;
use crate::refusal::{Detail, Refusal};
use crate::resource::Config;
use crate::resource::Resource;
use crate::route::{Protected, Route, route};
use crate::token::access;
use crate::token::credential::{self, Credential, Scheme};

/// The parts of a request that are decided on.
#[derive(Clone, Copy, Debug)]
pub struct Head<'r> {
    /// As sent: case and all.
    pub method: &'r str,
    pub url: &'r str,
    pub origin: Option<&'r str>,
    pub authorization: Option<&'r str>,
    /// `Cf-Access-Jwt-Assertion`; it need not be there where no server is behind Access.
    pub access_assertion: Option<&'r str>,
    /// `Sec-Fetch-Site`; as the assertion.
    pub fetch_site: Option<&'r str>,
    /// `Access-Control-Request-Headers`.
    pub requested_headers: Option<&'r str>,
}

/// What to do.
#[derive(Debug)]
pub enum Decision<'c, 'r> {
    /// An answer of the Worker's own that is no refusal, and what it is, for the log.
    Serve(LocalResponse, &'static str),
    Refuse(Refused<'c, 'r>),
    /// Refuse; whether with a page for people is for `Accept` to say, which nothing else needs.
    Visit(BrowserRefusal<'c, 'r>),
    /// Serve a copy of this issuer's metadata.
    Copy(&'c str),
    /// Verify the token, then ask the policy, then forward.
    Verify(Credential<'r>, Protected<'c>),
    /// No credential was sent, and some methods need none: ask the policy.
    Anonymous(Protected<'c>),
}

/// A refusal, and whose it is.
#[derive(Debug)]
pub struct Refused<'c, 'r> {
    pub refusal: Refusal,
    detail: Detail,
    resource: Option<&'c Resource>,
    origin: Option<&'r str>,
}

impl<'c, 'r> Refused<'c, 'r> {
    /// A refusal at the MCP endpoint of a resource. `origin`: the request's `Origin`.
    pub fn at(resource: &'c Resource, origin: Option<&'r str>, refusal: Refusal) -> Self {
        Self { refusal, detail: Detail::default(), resource: Some(resource), origin }
    }

    /// A refusal of the policy's.
    pub fn unmet(resource: &'c Resource, origin: Option<&'r str>, unmet: Denial) -> Self {
        let Denial { refusal, id, scopes, argument, .. } = unmet;
        Self {
            refusal,
            detail: Detail { id, scopes, argument, ..Detail::default() },
            resource: Some(resource),
            origin,
        }
    }

    /// The same, of a token that was sent by DPoP or not. `nonce`: what its next proof is to have
    /// in it.
    #[must_use]
    pub fn of_scheme(mut self, by_dpop: bool, nonce: Option<String>) -> Self {
        self.detail.by_dpop = by_dpop;
        self.detail.nonce = nonce;
        self
    }

    /// A refusal where nothing is protected.
    pub fn elsewhere(refusal: Refusal) -> Self {
        Self { refusal, detail: Detail::default(), resource: None, origin: None }
    }

    pub const fn resource(&self) -> Option<&'c Resource> {
        self.resource
    }

    /// The answer, with CORS if it is the endpoint's.
    pub fn answer(&self) -> LocalResponse {
        let mut answer = self.refusal.answer(self.resource.map(|r| &r.challenges), &self.detail);
        if let Some(resource) = self.resource {
            resource.cors(self.origin).apply(&mut answer);
        }
        answer
    }
}

/// A refusal at the endpoint that a person may be looking at.
#[derive(Debug)]
pub struct BrowserRefusal<'c, 'r> {
    refused: Refused<'c, 'r>,
    page: &'c str,
}

impl<'c, 'r> BrowserRefusal<'c, 'r> {
    pub const fn refused(&self) -> &Refused<'c, 'r> {
        &self.refused
    }

    /// The refusal as every client gets it, or with the page for a body.
    pub fn answer(&self, accept: Option<&str>) -> LocalResponse {
        let mut answer = self.refused.answer();
        let vary = if answer.header("Vary").is_some() { "Origin, Accept" } else { "Accept" };
        answer.set("Vary", vary);
        if prefers_html(accept) {
            landing::put(self.page, &mut answer);
        }
        answer
    }
}

/// Decides. `None` stands for settings with faults.
pub fn decide<'c, 'r>(config: Option<&'c Config>, head: &Head<'r>) -> Decision<'c, 'r> {
    let Some(config) = config else {
        return Decision::Refuse(Refused::elsewhere(Refusal::Misconfigured));
    };
    match route(config, head.url) {
        Route::NotFound => Decision::Refuse(Refused::elsewhere(Refusal::NotFound)),
        Route::Health => health(head.method),
        Route::SigningKeys => {
            public(config.signing.as_ref().and_then(SigningKeys::answer), "signing_keys", head)
        }
        Route::Metadata(resource) => {
            public(resource.metadata.as_deref().map(metadata::answer), "metadata", head)
        }
        Route::Copy(issuer) => copy(issuer, head),
        Route::Protected(protected) => endpoint(protected, head),
    }
}

fn health<'c, 'r>(method: &str) -> Decision<'c, 'r> {
    match method {
        "GET" | "HEAD" => Decision::Serve(LocalResponse::json(200, r#"{"status":"ok"}"#), "health"),
        _ => Decision::Refuse(Refused::elsewhere(Refusal::MethodNotAllowed("GET, HEAD"))),
    }
}

/// A document that any page may read, if there is one.
fn public<'c, 'r>(document: Option<LocalResponse>, what: &'static str, head: &Head<'_>) -> Decision<'c, 'r> {
    let Some(mut answer) = document else {
        return Decision::Refuse(Refused::elsewhere(Refusal::NotFound));
    };
    match head.method {
        "GET" | "HEAD" => {
            answer.set(cors::ALLOW_ORIGIN, "*");
            Decision::Serve(answer, what)
        }
        "OPTIONS" => Decision::Serve(cors::metadata_preflight(head.requested_headers), "preflight"),
        _ => Decision::Refuse(Refused::elsewhere(Refusal::MethodNotAllowed(cors::METADATA_METHODS))),
    }
}

fn copy<'c, 'r>(issuer: &'c str, head: &Head<'_>) -> Decision<'c, 'r> {
    match head.method {
        "GET" | "HEAD" => Decision::Copy(issuer),
        "OPTIONS" => Decision::Serve(cors::metadata_preflight(head.requested_headers), "preflight"),
        _ => Decision::Refuse(Refused::elsewhere(Refusal::MethodNotAllowed(cors::METADATA_METHODS))),
    }
}

/// Methods that no origin is ever sent: the first two ask it to answer with what it got, operator's
/// headers and assertion included, and the third for a tunnel.
const NEVER_FORWARDED: [&str; 3] = ["TRACE", "TRACK", "CONNECT"];

fn endpoint<'c, 'r>(protected: Protected<'c>, head: &Head<'r>) -> Decision<'c, 'r> {
    let resource = protected.resource();
    if NEVER_FORWARDED.iter().any(|method| method.eq_ignore_ascii_case(head.method)) {
        let refusal = Refusal::MethodNotAllowed(cors::METHODS);
        return Decision::Refuse(Refused::at(resource, head.origin, refusal));
    }
    if head.method == "OPTIONS" {
        return Decision::Serve(
            cors::preflight(resource.cors(head.origin), head.requested_headers),
            "preflight",
        );
    }
    if head.origin.is_some_and(|origin| !resource.allowed_origins.allows(origin))
        || resource.is_behind_access() && access::is_of_another_origin(head.origin, head.fetch_site)
    {
        return Decision::Refuse(Refused::at(resource, head.origin, Refusal::OriginNotAllowed));
    }
    let credential = match resource.is_behind_access() {
        true => access::read(head.access_assertion),
        false => credential::read(head.authorization),
    };
    match credential {
        Ok(credential) if credential.scheme == Scheme::Dpop && !resource.challenges.offer_dpop() => {
            Decision::Refuse(Refused::at(resource, head.origin, Refusal::DpopNotAccepted))
        }
        Ok(credential) => Decision::Verify(credential, protected),
        // Only what a body says can be anonymous.
        Err(Refusal::CredentialsMissing | Refusal::AccessAssertionMissing)
            if resource.may_be_anonymous(head.method) =>
        {
            Decision::Anonymous(protected)
        }
        Err(refusal) => {
            let refused = Refused::at(resource, head.origin, refusal);
            match &resource.page {
                Some(page) if is_visit(&protected, head, refusal) => {
                    Decision::Visit(BrowserRefusal { refused, page })
                }
                _ => Decision::Refuse(refused),
            }
        }
    }
}

/// Whether a person may have sent this: they read the endpoint itself, and bring nothing along.
fn is_visit(protected: &Protected<'_>, head: &Head<'_>, refusal: Refusal) -> bool {
    refusal == Refusal::CredentialsMissing && matches!(head.method, "GET" | "HEAD") && protected.is_endpoint()
}
