//! The native engine: the pipeline of the Worker, with key sets from a closure and signatures
//! checked by jwt-simple.

use std::rc::Rc;

use cli::signatures;
use mcp_edge_auth::keys::cache::Need;
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::policy::{self, Authorized, Head, PolicyInput};
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::credential::Credential;
use mcp_edge_auth::token::introspection::Told;
use mcp_edge_auth::token::verify::{Check, Step, Verification, Verified};

/// A key set, or the seconds until one can be asked for again.
pub type KeysAnswer = Result<Rc<KeySet>, u64>;

/// What a run of the engine showed.
pub struct Run {
    pub verdict: Result<Verified, Refusal>,
    /// The key sets that were asked for: the source's number, and why.
    pub asked: Vec<(usize, Need)>,
    /// The signature checks that were made.
    pub checks: usize,
    /// How often the client's certificate was asked for.
    pub certificates: usize,
    /// The issuer of the entry that was asked last.
    pub issuer: Option<String>,
}

impl Run {
    /// The exact reason of a refusal, or `accepted`.
    pub fn reason(&self) -> &'static str {
        self.verdict.as_ref().map_or_else(|refusal| refusal.row().reason, |_| "accepted")
    }

    /// The value of an identity header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.verdict.as_ref().ok()?.permit().identity().headers();
        headers.find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

/// Verifies a token as the Worker does.
pub fn run(resource: &Resource, token: &str, now: u64, keys: impl FnMut(usize, Need) -> KeysAnswer) -> Run {
    run_shown(resource, token, None, now, keys)
}

/// The same of a client with a certificate, of which the runtime says this.
pub fn run_shown(
    resource: &Resource,
    token: &str,
    certificate: Option<&str>,
    now: u64,
    mut keys: impl FnMut(usize, Need) -> KeysAnswer,
) -> Run {
    let mut run =
        Run { verdict: Err(Refusal::NotFound), asked: Vec::new(), checks: 0, certificates: 0, issuer: None };
    let mut verification = match Verification::new(&resource.entries, Credential::bearer(token), now) {
        Ok(verification) => verification,
        Err(refusal) => {
            run.verdict = Err(refusal);
            return run;
        }
    };
    loop {
        match verification.step() {
            Step::KeySet(id, need) => {
                run.asked.push((id.index(), need));
                verification.key_set(keys(id.index(), need));
            }
            Step::Signature(check) => {
                run.checks += 1;
                let good = is_good(&check);
                verification.signature(good);
            }
            Step::Introspection(_) => verification.introspection(Told::NotAsked(7)),
            Step::Certificate => {
                run.certificates += 1;
                verification.certificate(certificate);
            }
            Step::Proof | Step::ProofSignature(_) => panic!("a proof is asked for beside a Bearer token"),
            Step::Done => break,
        }
    }
    run.issuer = verification.issuer().map(str::to_owned);
    run.verdict = verification.verdict();
    run
}

/// Verifies a token with one key set for every source.
pub fn run_with(resource: &Resource, token: &str, set: &Rc<KeySet>) -> Run {
    run(resource, token, super::NOW, |_, _| Ok(Rc::clone(set)))
}

/// A good token without a policy: the right to be forwarded.
pub fn cleared(resource: &Resource, token: &str, set: &Rc<KeySet>) -> Authorized {
    let verified = run_with(resource, token, set).verdict.unwrap();
    let asked = PolicyInput::Head(Head { method: "POST", ..Head::default() });
    policy::authorize(None, Some(verified), &asked).1.unwrap().authorized().unwrap()
}

/// One signature check. A key that is no key vouches for nothing.
pub fn is_good(check: &Check) -> bool {
    signatures::is_good(check).unwrap_or_else(|error| panic!("the row belongs to tests/e2e: {error:?}"))
}
