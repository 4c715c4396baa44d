//! Settings of several resources.

use serde_json::{Value, json};

use super::{SERVERS, entry};

pub const RESOURCES: &str = "MCP_SERVER_AUTH_RESOURCES";

/// These resources, and one authorization server for all of them.
pub fn many(resources: Value) -> Value {
    json!({ SERVERS: [entry()], RESOURCES: resources })
}

/// A resource whose origin tells it from others.
pub fn at(canonical: &str) -> Value {
    let (_, place) = canonical.split('?').next().unwrap().split_once("://").unwrap();
    let origin = format!("http://origin.internal.example/{place}");
    json!({ "canonical_url": canonical, "origin_url": origin })
}
