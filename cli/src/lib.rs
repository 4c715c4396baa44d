//! What people type: `check`, `doctor`, `init`, `revoke` and `schema`, which judge settings,
//! deployments and tokens with the Worker's own code.
//!
//! It is compiled to wasm, which Node runs in the process of the command: `cli/core.mjs` loads it,
//! and `node` is what that calls. Reading files, asking servers and printing is JavaScript's; here
//! is neither file, network, clock nor terminal. The native tests use the same crate as a library.

pub mod check;
pub mod deployment;
pub mod doctor;
pub mod node;
mod platform;
pub mod providers;
pub mod revoke;
pub mod signatures;
