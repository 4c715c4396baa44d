//! From a credential to a permit, in this order:
//!
//! 1. `credential`: the token in `Authorization`, and how it was sent; `access`: the one
//!    that Cloudflare Access sends.
//! 2. `jose`: the token is taken apart.
//! 3. `verify`: an issuer that is trusted (`trusted_issuer`) and a key are found for it, and its
//!    signature is checked.
//! 4. `claims`: times, issuer, audience and subject are checked.
//! 5. `binding`: what the token is bound to is shown. The outcome is a `Permit`.
//! 6. `identity`: who is calling, as headers for the origin.
//! 7. `revocation`: a token with a permit may be revoked all the same, by the list in KV, which
//!    `revocation_reading` says when to read.
//!
//! Of an opaque token, and of a JWT that may be revoked, the authorization server is asked:
//! `introspection` says how, and how an answer is read; `inquiry` is one such question, and
//! `introspected` what an isolate remembers of the answers.

pub mod access;
pub mod binding;
pub mod claims;
pub mod credential;
pub mod dpop;
pub mod identity;
mod inquiry;
pub mod introspected;
pub mod introspection;
pub mod jose;
pub mod nonce;
pub mod pseudonym;
pub mod replays;
pub mod revocation;
pub mod revocation_reading;
pub mod trusted_issuer;
pub mod verify;
