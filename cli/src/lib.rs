//! What people type: `npm run check` and `npm run doctor`, which judge settings, deployments and
//! tokens with the Worker's own code. The programs of that name are thin, so the native tests call
//! what they call.
//!
//! The feature `doctor`, on unless somebody says otherwise, brings the cryptography with it.
//! `cli/commands/check.mjs` says otherwise: nobody who checks settings waits for it.

pub mod check;
pub mod deployment;
#[cfg(feature = "doctor")]
pub mod doctor;
#[cfg(feature = "doctor")]
pub mod signatures;
