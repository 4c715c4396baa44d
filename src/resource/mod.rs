//! The model that a request meets.

pub mod compatibility;
