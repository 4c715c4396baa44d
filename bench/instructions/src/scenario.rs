//! The scenarios: what is asked with which settings, how it must end, and the way there.

use std::hint::black_box;
use std::rc::Rc;

use mcp_edge_auth::admission::{Decision, Head, Refused, decide};
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::origin::request;
use mcp_edge_auth::policy::{self, PolicyInput};
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::route::Protected;
use mcp_edge_auth::token::credential::Credential;
use mcp_edge_auth::token::introspection::Told;
use mcp_edge_auth::token::verify::{Step, Verification};

use crate::fixtures::{self, NOW};

/// What a request that is let through ends with.
const FORWARDED: &str = "forwarded";

/// A request, and what the isolate that gets it holds.
pub(crate) struct Scenario {
    config: Config,
    key_set: Rc<KeySet>,
    method: &'static str,
    url: &'static str,
    authorization: Option<String>,
    /// `forwarded`, what is served, or the refusal's reason.
    pub(crate) outcome: &'static str,
}

impl Scenario {
    pub(crate) const NAMES: [&'static str; 8] =
        ["yes", "expired", "garbage", "no-credential", "metadata", "yes-16KiB", "100-servers", "60-keys"];

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let yes = || fixtures::usual_token(1, 1, NOW + 3000);
        let (servers, keys) = match name {
            "100-servers" => (100, 1),
            "60-keys" => (1, 60),
            _ => (1, 1),
        };
        let (authorization, outcome) = match name {
            "yes" => (Some(yes()), FORWARDED),
            "expired" => (Some(fixtures::usual_token(1, 1, NOW - 3000)), "token_expired"),
            "garbage" => (Some("Z2FyYmFnZQ".repeat(40)), "token_parts"),
            "no-credential" => (None, "credentials_missing"),
            "metadata" => (None, "metadata"),
            "yes-16KiB" => (Some(fixtures::large_token()), FORWARDED),
            // The last of them all, which is the longest way to find.
            "100-servers" => (Some(fixtures::usual_token(100, 1, NOW + 3000)), FORWARDED),
            "60-keys" => (Some(fixtures::usual_token(1, 60, NOW + 3000)), FORWARDED),
            _ => return Err(format!("there is no scenario {name}")),
        };
        let (method, url) = if name == "metadata" {
            ("GET", "https://mcp.example.com/.well-known/oauth-protected-resource/mcp")
        } else {
            ("POST", "https://mcp.example.com/mcp")
        };
        Ok(Self {
            config: fixtures::config(servers)?,
            key_set: Rc::new(fixtures::key_set(keys)?),
            method,
            url,
            authorization: authorization.map(|token| format!("Bearer {token}")),
            outcome,
        })
    }

    /// One request; how it ends.
    #[inline(never)]
    pub(crate) fn request(&self) -> &'static str {
        let head = Head {
            method: self.method,
            url: self.url,
            origin: None,
            authorization: self.authorization.as_deref(),
            access_assertion: None,
            fetch_site: None,
            requested_headers: None,
        };
        match decide(Some(&self.config), &head) {
            Decision::Serve(answer, what) => {
                black_box(answer);
                what
            }
            Decision::Refuse(refused) => refuse(&refused),
            Decision::Visit(visit) => refuse(visit.refused()),
            Decision::Verify(credential, protected) => {
                let resource = protected.resource();
                match self.verify(resource, credential, &protected) {
                    Ok(()) => FORWARDED,
                    Err(refusal) => refuse(&Refused::at(resource, head.origin, refusal)),
                }
            }
            Decision::Anonymous(_) => "anonymous",
            Decision::Copy(_) => "copy",
        }
    }

    fn verify(
        &self,
        resource: &Resource,
        credential: Credential<'_>,
        protected: &Protected<'_>,
    ) -> Result<(), Refusal> {
        let mut verification = Verification::new(&resource.entries, credential, NOW)?;
        loop {
            match verification.step() {
                Step::KeySet(..) => verification.key_set(Ok(Rc::clone(&self.key_set))),
                Step::Signature(check) => {
                    black_box((check.signing_input(), check.signature()));
                    verification.signature(true);
                }
                Step::Introspection(_) => verification.introspection(Told::NotAsked(0)),
                Step::Certificate => verification.certificate(None),
                Step::Proof | Step::ProofSignature(_) | Step::Done => break,
            }
        }
        let verified = verification.verdict()?;
        let asked = PolicyInput::Head(policy::Head { method: "POST", ..policy::Head::default() });
        let clearance = policy::authorize(resource.policy.as_ref(), Some(verified), &asked)
            .1
            .map_err(|unmet| unmet.refusal)?;
        let Ok(clearance) = clearance.authorized() else { return Err(Refusal::RateLimited(0)) };
        black_box(request::plan(&clearance, protected.target()));
        Ok(())
    }
}

fn refuse(refused: &Refused<'_, '_>) -> &'static str {
    black_box(refused.answer());
    refused.refusal.row().reason
}
