//! HTTP as the Worker reads and writes it: paths, addresses, header names, `Accept`, CORS
//! and its own answers.

pub mod accept;
pub mod address;
pub mod cors;
pub mod header_names;
pub(crate) mod path;
pub mod response;
pub mod trace;
pub mod url;
