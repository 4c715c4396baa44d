//! An issuer whose tokens are accepted, and on what terms.

use crate::keys::algorithm::Algorithm;
use crate::keys::source::SourceId;
use crate::token::claims::Rules;

/// An authorization server, and what is demanded of its tokens.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// Absent in the single-issuer form.
    pub authorization_server_url: Option<String>,
    pub source: SourceId,
    pub algorithms: Vec<Algorithm>,
    /// Whether a token must say `typ: at+jwt`: its issuer signs other kinds of JWT, too.
    pub only_at_jwt: bool,
    pub rules: Rules,
}
