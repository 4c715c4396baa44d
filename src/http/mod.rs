//! HTTP as the Worker reads and writes it: paths, header names, `Accept`, CORS and its own answers.

pub mod accept;
pub mod cors;
pub mod header_names;
pub(crate) mod path;
pub mod response;
pub mod rpc;
pub mod trace;
pub mod url;
