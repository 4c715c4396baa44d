//! An issuer whose tokens are accepted, and on what terms.

use crate::keys::algorithm::Algorithm;
use crate::keys::source::SourceId;
use crate::refusal::DpopOffer;
use crate::token::binding::Use;
use crate::token::claims::Rules;
use crate::token::dpop::Terms;
use crate::token::introspection::Introspection;

/// An authorization server, and what is demanded of its tokens.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// Absent in the single-issuer form.
    pub authorization_server_url: Option<String>,
    pub source: SourceId,
    pub algorithms: Vec<Algorithm>,
    /// Whether a token must say `typ: at+jwt`: its issuer signs other kinds of JWT, too.
    pub only_at_jwt: bool,
    /// Whether its tokens come in the header of Cloudflare Access, and nowhere else.
    pub from_access: bool,
    pub rules: Rules,
    /// How it is asked about tokens, if it is.
    pub introspection: Option<Box<Introspection>>,
    /// What proofs of possession have to be like, where tokens are sent by DPoP.
    pub dpop: Terms,
}

impl TrustedIssuer {
    /// Whether its authorization server is asked about JWTs that are good.
    pub fn asks_about_jwts(&self) -> bool {
        self.introspection.as_ref().is_some_and(|asking| asking.jwts)
    }
}

/// How tokens may be sent by DPoP, as these entries have it together; none where it is off in all.
pub fn dpop_offer(entries: &[TrustedIssuer]) -> Option<DpopOffer> {
    let mut algorithms = Vec::new();
    for entry in entries.iter().filter(|entry| entry.rules.dpop != Use::Off) {
        for name in entry.dpop.algorithms.iter().map(|algorithm| algorithm.row().name) {
            if !algorithms.contains(&name) {
                algorithms.push(name);
            }
        }
    }
    let is_alone = entries.iter().all(|entry| entry.rules.dpop == Use::Require);
    (!algorithms.is_empty()).then_some(DpopOffer { algorithms, is_alone })
}
