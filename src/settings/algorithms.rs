//! The signature algorithms of an entry.

use serde_json::Value;

use super::spelling;
use super::variables::one_or_more;
use super::written::{self, Shape};
use crate::keys::algorithm::Algorithm;

/// Algorithms whose key both sides have (RFC 7518 section 3.1): whoever verifies could also sign.
const SHARED_SECRET: [&str; 3] = ["HS256", "HS384", "HS512"];

pub(super) fn expected() -> String {
    format!("one or more of {}", Algorithm::ALL.map(|a| a.row().name).join(" "))
}

/// # Errors
/// What was found instead.
pub(super) fn read(value: &Value) -> Result<Vec<Algorithm>, String> {
    let is_json = |names: &Vec<String>| !names.iter().any(|name| written::looks_structured(name));
    let names = one_or_more(value).filter(is_json);
    let names = names.ok_or_else(|| written::variable(value, Shape::Texts, false))?;
    names.iter().map(|name| Algorithm::from_name(name).ok_or_else(|| hint(name))).collect()
}

fn hint(name: &str) -> String {
    let capitals = name.trim().to_ascii_uppercase();
    if SHARED_SECRET.contains(&capitals.as_str()) {
        return format!("{capitals} is made with a shared secret; have it sign with RS256 or ES256");
    }
    spelling::did_you_mean(name, &Algorithm::ALL.map(|a| a.row().name))
}
