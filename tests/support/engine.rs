//! The native engine: the pipeline of the Worker, with key sets from a closure and signatures checked by jwt-simple.
//!
//! jwt-simple checks a token's claims after its signature and has no way to check a signature alone. It is made as tolerant as it can
//! be; what it still says other than "the signature is bad" is settled by a copy with a spoilt signature: if that one is refused for its
//! signature, then the signature of the token was looked at, and was good.

use std::rc::Rc;

use jwt_simple::JWTError;
use jwt_simple::prelude::*;
use mcp_edge_auth::config::Resource;
use mcp_edge_auth::jose::Algorithm;
use mcp_edge_auth::jwks::Need;
use mcp_edge_auth::keys::{KeySet, Material};
use mcp_edge_auth::policy::{self, Asked, Clearance};
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::verify::{Check, Step, Verification, Verified};

use super::b64;

/// A key set, or the seconds until one can be asked for again.
pub type KeysAnswer = Result<Rc<KeySet>, u64>;

/// What a run of the engine showed.
pub struct Run {
    pub verdict: Result<Verified, Refusal>,
    /// The key sets that were asked for: the source's number, and why.
    pub asked: Vec<(usize, Need)>,
    /// The signature checks that were made.
    pub checks: usize,
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
pub fn run(
    resource: &Resource,
    token: &str,
    now: u64,
    mut keys: impl FnMut(usize, Need) -> KeysAnswer,
) -> Run {
    let mut run = Run { verdict: Err(Refusal::NotFound), asked: Vec::new(), checks: 0, issuer: None };
    let mut verification = match Verification::new(resource, token, now) {
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
pub fn cleared(resource: &Resource, token: &str, set: &Rc<KeySet>) -> Clearance {
    let verified = run_with(resource, token, set).verdict.unwrap();
    let asked = Asked::Head { method: "POST", upgrade: false };
    policy::clear(None, Some(verified), &asked).1.unwrap()
}

/// One signature check. A key that is no key vouches for nothing.
pub fn is_good(check: &Check) -> bool {
    match check.algorithm {
        Algorithm::ES512 => return es512(check).is_some(),
        // jwt-simple has another error for these, which is that of a header it cannot read, too.
        Algorithm::EdDSA if check.signature().len() != 64 => return false,
        _ => {}
    }
    let Some(verify) = verifier(check) else { return false };
    match verify(&token(check.signing_input(), check.signature())) {
        Ok(()) => true,
        Err(error) if is_bad_signature(&error) => false,
        Err(error) => {
            let mut spoilt = check.signature().to_vec();
            if let Some(last) = spoilt.last_mut() {
                *last ^= 1;
            }
            match verify(&token(check.signing_input(), &spoilt)) {
                Err(e) if is_bad_signature(&e) => true,
                // It gave up at the header, a `jwk` object for one. What checks ES256 beneath it can still be asked.
                _ if check.algorithm == Algorithm::ES256 => es256(check).is_some(),
                _ => panic!("jwt-simple cannot read this header ({error}): the row belongs to tests/e2e"),
            }
        }
    }
}

fn token(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", b64(signature))
}

fn is_bad_signature(error: &jwt_simple::Error) -> bool {
    matches!(error.downcast_ref(), Some(JWTError::InvalidSignature))
}

type Verifier = Box<dyn Fn(&str) -> Result<(), jwt_simple::Error>>;

/// jwt-simple's verification with this key; `None` if it does not take the key.
fn verifier(check: &Check) -> Option<Verifier> {
    macro_rules! with {
        ($key:expr) => {{
            let key = $key.ok()?;
            Some(Box::new(move |token: &str| {
                key.verify_token::<NoCustomClaims>(token, Some(tolerant())).map(|_| ())
            }))
        }};
    }
    match (check.algorithm, &check.key.material) {
        (Algorithm::RS256, Material::Rsa { n, e }) => with!(RS256PublicKey::from_components(n, e)),
        (Algorithm::RS384, Material::Rsa { n, e }) => with!(RS384PublicKey::from_components(n, e)),
        (Algorithm::RS512, Material::Rsa { n, e }) => with!(RS512PublicKey::from_components(n, e)),
        (Algorithm::PS256, Material::Rsa { n, e }) => with!(PS256PublicKey::from_components(n, e)),
        (Algorithm::PS384, Material::Rsa { n, e }) => with!(PS384PublicKey::from_components(n, e)),
        (Algorithm::PS512, Material::Rsa { n, e }) => with!(PS512PublicKey::from_components(n, e)),
        (Algorithm::ES256, Material::Ec { x, y, .. }) => with!(ES256PublicKey::from_bytes(&point(x, y))),
        (Algorithm::ES384, Material::Ec { x, y, .. }) => with!(ES384PublicKey::from_bytes(&point(x, y))),
        (Algorithm::EdDSA, Material::Ed25519 { x }) => with!(Ed25519PublicKey::from_bytes(x)),
        (algorithm, material) => panic!("{algorithm:?} was to be checked with {material:?}"),
    }
}

fn tolerant() -> VerificationOptions {
    VerificationOptions {
        accept_future: true,
        artificial_time: Some(UnixTimeStamp::from_secs(0)),
        time_tolerance: Some(Duration::from_days(100_000)),
        max_header_length: Some(1 << 20),
        ..Default::default()
    }
}

/// SEC1's uncompressed form.
fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

fn es256(check: &Check) -> Option<()> {
    use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
    let Material::Ec { x, y, .. } = &check.key.material else { return None };
    let key = VerifyingKey::from_sec1_bytes(&point(x, y)).ok()?;
    let signature = Signature::from_slice(check.signature()).ok()?;
    key.verify(check.signing_input().as_bytes(), &signature).ok()
}

/// jwt-simple has no ES512.
fn es512(check: &Check) -> Option<()> {
    use p521::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
    let Material::Ec { x, y, .. } = &check.key.material else { return None };
    let key = VerifyingKey::from_sec1_bytes(&point(x, y)).ok()?;
    let signature = Signature::from_slice(check.signature()).ok()?;
    key.verify(check.signing_input().as_bytes(), &signature).ok()
}
