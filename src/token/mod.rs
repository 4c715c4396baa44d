//! From a credential to a permit: the bearer token is taken apart, an entry and a key are found for
//! it, its signature is checked, and then its claims.

pub mod bearer;
pub mod claims;
pub mod identity;
pub mod jose;
pub mod trusted_issuer;
pub mod verify;
