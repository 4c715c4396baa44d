//! Sessions of the older eras, bound to their caller: whoever holds another's `Mcp-Session-Id`
//! holds nothing (MCP 2025-11-25, Security Best Practices, Session Hijacking).
//!
//! 1. The id that the origin gives reaches the client as `id.mac`. The MAC is HMAC-SHA-256 over the
//!    resource, the caller (issuer, subject, client) and the id, each framed by its length, so that
//!    no two of them can be read as two others. Nothing is kept anywhere.
//! 2. On the way in, the MAC is checked for the caller of that request, whose token was verified in
//!    that request, and cut off. Any other id is answered as an unknown session is: bare, altered,
//!    another caller's, of another resource. A session id never stands in for a token.
//! 3. A caller without a token is nobody: what is bound to nobody is no user's, and what is a
//!    user's is not nobody's.
//! 4. From 2026-07-28 on there are no sessions, and an id is to be ignored: it is taken out, so
//!    that no origin of two eras sees one that was not checked.
//! 5. An id that cannot be bound (not visible ASCII, or too long) is not passed on: a session is
//!    bound, or there is none.

use crate::limits;
use crate::refusal::Refusal;
use crate::secret::{MacKeys, frame};
use crate::token::verify::Verified;

pub const HEADER: &str = "Mcp-Session-Id";

/// The first version without sessions. Versions are dates, so their order is that of their text.
const SESSIONLESS: &str = "2026-07-28";

/// What a MAC of this kind begins with, so that the key's other uses, should there ever be any,
/// cannot be played off against it.
const LABEL: &str = "mcp-edge-auth session 1";

const SEPARATOR: char = '.';

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'c> {
    /// There was no token.
    Nobody,
    User {
        issuer: &'c str,
        subject: &'c str,
        client: Option<&'c str>,
    },
}

impl<'v> Holder<'v> {
    /// Who was verified, if anybody was.
    pub fn of(verified: Option<&'v Verified>) -> Self {
        let Some(verified) = verified else { return Self::Nobody };
        let identity = verified.permit().identity();
        let (issuer, subject) = (identity.issuer(), identity.subject());
        Self::User { issuer, subject, client: verified.client_id() }
    }
}

/// The keys that bind: the first attaches, all are accepted.
#[derive(Clone, Debug)]
pub struct Sessions(MacKeys);

impl Sessions {
    pub fn new(keys: &[String]) -> Option<Self> {
        MacKeys::new(keys).map(Self)
    }

    /// The origin's id with the MAC attached. `owner`: see [`owner`].
    ///
    /// # Errors
    /// The id cannot be bound.
    pub fn attach(&self, owner: &str, id: &str) -> Result<String, Refusal> {
        let mac = self.0.tag(&[LABEL, owner, id]).filter(|_| is_id(id)).ok_or(Refusal::SessionUnbindable)?;
        let attached = format!("{id}{SEPARATOR}{mac}");
        if attached.len() > limits::SESSION_ID_BYTES { Err(Refusal::SessionUnbindable) } else { Ok(attached) }
    }

    /// The origin's id out of an attached one, if it is the owner's.
    pub fn check<'a>(&self, owner: &str, attached: &'a str) -> Result<&'a str, Refusal> {
        if attached.len() > limits::SESSION_ID_BYTES {
            return Err(Refusal::SessionMalformed);
        }
        let (id, tag) = attached.rsplit_once(SEPARATOR).ok_or(Refusal::SessionMalformed)?;
        let good = self.0.is_tag(tag, &[LABEL, owner, id]).filter(|_| is_id(id));
        if good.ok_or(Refusal::SessionMalformed)? { Ok(id) } else { Err(Refusal::SessionMismatch) }
    }

    /// What becomes of the id of a request: the origin's id, or `None` where there is to be none.
    /// `version`: the request's `MCP-Protocol-Version`.
    pub fn incoming<'a>(
        &self,
        owner: &str,
        attached: &'a str,
        version: Option<&str>,
    ) -> Result<Option<&'a str>, Refusal> {
        if version.is_some_and(|version| version >= SESSIONLESS) {
            return Ok(None);
        }
        self.check(owner, attached).map(Some)
    }
}

/// The resource and the caller in one text, each part behind its length.
pub fn owner(resource: &str, caller: Holder<'_>) -> String {
    let mut owner = String::with_capacity(128);
    frame(&mut owner, resource);
    match caller {
        Holder::Nobody => owner.push('-'),
        Holder::User { issuer, subject, client } => {
            owner.push('+');
            frame(&mut owner, issuer);
            frame(&mut owner, subject);
            if let Some(client) = client {
                frame(&mut owner, client);
            }
        }
    }
    owner
}

/// Visible ASCII (MCP 2025-11-25, Streamable HTTP, Session Management).
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| matches!(b, 0x21..=0x7e))
}
