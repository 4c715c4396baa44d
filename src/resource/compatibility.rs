//! For clients and servers that know no better: what `MCP_SERVER_AUTH_COMPATIBILITY` switches on.
//! Everything is off by default; docs/compatibility.md says who needs what. Nothing here lets
//! anybody in.

/// What is switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compatibility {
    /// The issuer of whose metadata a copy is served.
    pub copied_issuer: Option<String>,
    pub invalid_token_challenge: bool,
    pub accept_header: bool,
}

/// The words of the setting.
pub const COPY: &str = "authorization-server-metadata";
pub const CHALLENGE: &str = "invalid-token-challenge";
pub const ACCEPT: &str = "accept-header";

impl Compatibility {
    /// The words for what is on.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let words = [
            (COPY, self.copied_issuer.is_some()),
            (CHALLENGE, self.invalid_token_challenge),
            (ACCEPT, self.accept_header),
        ];
        words.into_iter().filter(|(_, on)| *on).map(|(word, _)| word.to_owned())
    }

    /// Whether a request's `Accept` may have to be repaired: messages are posted to the endpoint
    /// itself.
    pub fn repairs_accept(&self, method: &str, is_endpoint: bool) -> bool {
        self.accept_header && method == "POST" && is_endpoint
    }
}
