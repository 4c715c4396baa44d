//! What the origin gets: the request's target and headers, the assertion that says who is calling,
//! session ids that belong to their caller; and what becomes of the origin's own challenge.
//!
//! `edge::forwarding` puts it together, with the headers that say who is calling
//! (`token::identity`).

pub mod assertion;
pub mod challenge;
pub mod headers;
pub mod request;
pub mod sessions;
