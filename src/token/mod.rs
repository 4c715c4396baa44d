//! From a credential to a permit, in this order:
//!
//! 1. `bearer`: the token in `Authorization`.
//! 2. `jose`: the token is taken apart.
//! 3. `verify`: an issuer that is trusted (`trusted_issuer`) and a key are found for it, and its
//!    signature is checked.
//! 4. `claims`: times, issuer, audience and subject are checked.
//! 5. `binding`: what the token is bound to is shown. The outcome is a `Permit`.
//! 6. `identity`: who is calling, as headers for the origin.
//! 7. `revocation`: a token with a permit may be revoked all the same, by the list in KV, which
//!    `revocation_reading` says when to read.

pub mod bearer;
pub mod binding;
pub mod claims;
pub mod identity;
pub mod jose;
pub mod revocation;
pub mod revocation_reading;
pub mod trusted_issuer;
pub mod verify;
