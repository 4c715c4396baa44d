//! What the Worker itself serves: the metadata document of a resource, the page for people, and the
//! copy of an issuer's metadata.

pub mod copy;
pub mod landing;
pub mod metadata;
