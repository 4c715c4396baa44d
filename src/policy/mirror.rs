//! The headers that mirror a body: `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name` (MCP
//! 2026-07-28, Streamable HTTP, Server Validation).
//!
//! 1. Nothing is decided on them. They must agree with the body, so that whoever reads only them,
//!    before us or after us, is not told a lie.
//! 2. From 2026-07-28 on a request must have them. Notifications and responses need none, and older
//!    versions do not know them; if sent, they agree all the same.
//! 3. `Mcp-Name` is decoded first, and means something only for methods that the specification
//!    names a source for.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::message::{Message, Messages, NameParam};
use crate::refusal::Refusal;

/// The first version with these headers. Versions are dates, so they compare as text.
const FIRST: &str = "2026-07-28";

pub const VERSION_HEADER: &str = "MCP-Protocol-Version";
pub const METHOD_HEADER: &str = "Mcp-Method";
pub const NAME_HEADER: &str = "Mcp-Name";

/// The headers, as sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardHeaders<'h> {
    pub version: Option<&'h str>,
    pub method: Option<&'h str>,
    pub name: Option<&'h str>,
}

impl<'h> StandardHeaders<'h> {
    /// # Errors
    /// A header is missing, or says something else than the body.
    pub fn check(&self, messages: &Messages<'_>) -> Result<(), Refusal> {
        let sent = self.without_blanks();
        if messages.batch && sent.version.is_some_and(is_mirrored) {
            return Err(Refusal::MessageInvalid); // "a single JSON-RPC request or notification"
        }
        messages.all.iter().try_for_each(|message| sent.agrees(message))
    }

    /// RFC 9110 section 5.5: they are no part of a value. workerd leaves those at the end.
    fn without_blanks(&self) -> Self {
        let value = |header: &'h str| header.trim_matches([' ', '\t']);
        Self { version: self.version.map(value), method: self.method.map(value), name: self.name.map(value) }
    }

    fn agrees(&self, message: &Message<'_>) -> Result<(), Refusal> {
        let version = message.version.as_deref();
        let required = message.has_id
            && message.method.is_some()
            && (self.version.is_some_and(is_mirrored) || version.is_some_and(is_mirrored));
        same(self.version.map(Cow::Borrowed), version, version.is_some(), required)?;
        let method = message.method.as_deref();
        let mirrored = self.method.map(plain).transpose()?;
        same(mirrored, method, true, required)?;
        let Some(source) = method.and_then(NameParam::mirrored) else { return Ok(()) };
        let name = self.name.map(decoded).transpose()?;
        same(name, message.member(source), true, required && source != NameParam::TaskId)
    }
}

/// Whether a version of MCP has these headers. What is no date is no version: the origin will say
/// so.
fn is_mirrored(version: &str) -> bool {
    let is_date = version.len() == FIRST.len()
        && version
            .bytes()
            .zip(FIRST.bytes())
            .all(|(b, like)| if like == b'-' { b == b'-' } else { b.is_ascii_digit() });
    is_date && version >= FIRST
}

/// Whether a header says what the body says. `compared`: the body has something to compare with, or
/// its having nothing is a difference.
fn same(
    header: Option<Cow<'_, str>>,
    body: Option<&str>,
    compared: bool,
    required: bool,
) -> Result<(), Refusal> {
    match header {
        None if required => Err(Refusal::MirrorMissing),
        None => Ok(()),
        Some(header) if compared && Some(&*header) != body => Err(Refusal::MirrorMismatch),
        Some(_) => Ok(()),
    }
}

/// `=?base64?…?=`, or the value itself, which is visible ASCII.
fn decoded(value: &str) -> Result<Cow<'_, str>, Refusal> {
    let encoded = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let Some(encoded) = encoded else { return plain(value) };
    let bytes = STANDARD.decode(encoded).map_err(|_| Refusal::MirrorMismatch)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Refusal::MirrorMismatch)
}

/// RFC 9110 section 5.5, without what is obsolete.
fn plain(value: &str) -> Result<Cow<'_, str>, Refusal> {
    let plain = value.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'));
    if plain { Ok(Cow::Borrowed(value)) } else { Err(Refusal::MirrorMismatch) }
}
