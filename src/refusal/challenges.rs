//! What a refusal says to a client in `WWW-Authenticate` (RFC 9110 section 11.6.1): challenges for
//! Bearer (RFC 6750 section 3) and DPoP (RFC 9449 section 7.1), with the way to the metadata (RFC
//! 9728 section 5.1).

/// The `WWW-Authenticate` line of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    None,
    /// No credential was understood: where to learn more, and no `error` (RFC 6750 section 3.1).
    Entry,
    /// A token was read and refused.
    InvalidToken(Description),
    /// A token was read, and the proof beside it refused (RFC 9449 section 7.1).
    InvalidProof(Description),
    /// The proof wants a nonce (RFC 9449 section 9).
    UseNonce,
    /// A good token does not reach far enough (RFC 6750 section 3.1); the client may ask for one
    /// that does.
    InsufficientScope,
}

/// What a refusal says of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The JSON of the request's id.
    pub id: Option<String>,
    /// Every scope that the operation needs.
    pub scopes: Vec<String>,
    /// The argument that is not accepted, by its path.
    pub argument: Option<String>,
    /// Whether the token was sent by DPoP.
    pub by_dpop: bool,
    /// The nonce that the next proof is to have in it.
    pub nonce: Option<String>,
}

/// What a client can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Description {
    Malformed,
    Untrusted,
    Expired,
    Audience,
    Invalid,
    DpopWanted,
    ProofMissing,
    ProofInvalid,
    ProofElsewhere,
    ProofTime,
    ProofReplayed,
}

impl Description {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "The access token is malformed",
            Self::Untrusted => "The access token's issuer is not trusted",
            Self::Expired => "The access token expired",
            Self::Audience => "The access token is not for this resource",
            Self::Invalid => "The access token is invalid",
            Self::DpopWanted => "The access token has to be sent by DPoP with a proof by its key",
            Self::ProofMissing => "There is no DPoP proof",
            Self::ProofInvalid => "The DPoP proof is invalid",
            Self::ProofElsewhere => "The DPoP proof is for another request",
            Self::ProofTime => "The DPoP proof is too old or from the future",
            Self::ProofReplayed => "The DPoP proof was used before",
        }
    }
}

/// The parts of a resource's challenges that are the same for every request.
#[derive(Clone, Debug)]
pub struct Challenges {
    resource_metadata: Option<String>,
    scope: Option<String>,
    /// Of the challenge without a token, where clients want one.
    entry_error: Option<&'static str>,
    dpop: Option<DpopOffer>,
}

/// That tokens may be sent by DPoP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopOffer {
    /// The algorithms of proofs.
    pub algorithms: Vec<&'static str>,
    /// Whether no token may be sent as Bearer.
    pub is_alone: bool,
}

impl Challenges {
    /// Both values are checked settings: printable ASCII without `"` and `\`.
    pub fn new(resource_metadata: Option<String>, scopes: &[String]) -> Self {
        let scope = (!scopes.is_empty()).then(|| scopes.join(" "));
        Self { resource_metadata, scope, entry_error: None, dpop: None }
    }

    /// The same, with `error="invalid_token"` also where there was no token, which RFC 6750 section
    /// 3.1 advises against.
    pub fn with_entry_error(self) -> Self {
        Self { entry_error: Some("invalid_token"), ..self }
    }

    /// The same, where tokens may be sent by DPoP.
    pub fn with_dpop(self, dpop: Option<DpopOffer>) -> Self {
        Self { dpop, ..self }
    }

    /// Whether tokens may be sent by DPoP.
    pub const fn offer_dpop(&self) -> bool {
        self.dpop.is_some()
    }

    /// Where the document is, if there is one.
    pub fn resource_metadata(&self) -> Option<&str> {
        self.resource_metadata.as_deref()
    }

    /// One line that every client's parser takes: `Bearer`, and behind it `DPoP` where that is
    /// offered, each parameter once in all and quoted, `error_description` last. What is said of an
    /// error stands in the challenge of the scheme that the token was sent by.
    pub(super) fn line(&self, challenge: Challenge, detail: &Detail) -> Option<String> {
        let needed = (!detail.scopes.is_empty()).then(|| detail.scopes.join(" "));
        let entry = self.scope.as_deref();
        let (error, scope, description) = match challenge {
            Challenge::None => return None,
            Challenge::Entry => (self.entry_error, entry, None),
            Challenge::InvalidToken(description) => (Some("invalid_token"), entry, Some(description.text())),
            Challenge::InvalidProof(description) => {
                (Some("invalid_dpop_proof"), entry, Some(description.text()))
            }
            Challenge::UseNonce => (Some("use_dpop_nonce"), entry, None),
            Challenge::InsufficientScope => (Some("insufficient_scope"), needed.as_deref(), None),
        };
        let metadata = ("resource_metadata", self.resource_metadata.as_deref());
        let (error, scope) = (("error", error), ("scope", scope));
        let description = ("error_description", description);
        let mut line = String::new();
        let Some(DpopOffer { algorithms, is_alone }) = &self.dpop else {
            write(&mut line, "Bearer", &[metadata, error, scope, description]);
            return Some(line);
        };
        let algorithms = algorithms.join(" ");
        let algorithms = ("algs", Some(algorithms.as_str()));
        let of_dpop = detail.by_dpop && challenge != Challenge::Entry;
        match (is_alone, of_dpop) {
            (true, _) => write(&mut line, "DPoP", &[metadata, error, scope, algorithms, description]),
            (false, true) => {
                write(&mut line, "Bearer", &[metadata]);
                write(&mut line, ", DPoP", &[error, scope, algorithms, description]);
            }
            (false, false) => {
                write(&mut line, "Bearer", &[metadata, error, scope, description]);
                write(&mut line, ", DPoP", &[algorithms]);
            }
        }
        Some(line)
    }
}

/// Adds a challenge, with those parameters that have a value.
fn write(line: &mut String, scheme: &str, parameters: &[(&str, Option<&str>)]) {
    line.push_str(scheme);
    let mut before = " ";
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        [before, name, "=\"", value, "\""].iter().for_each(|part| line.push_str(part));
        before = ", ";
    }
}
