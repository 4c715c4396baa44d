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

pub mod access;
pub mod binding;
pub mod claims;
pub mod credential;
pub mod dpop;
pub mod identity;
pub mod jose;
pub mod nonce;
pub mod replays;
pub mod trusted_issuer;
pub mod verify;
