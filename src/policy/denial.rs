//! A no of the policy.

use crate::refusal::Refusal;

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub refusal: Refusal,
    /// The JSON of the request's id.
    pub id: Option<String>,
    /// Every scope that the operation needs, in the order of the settings.
    pub scopes: Vec<String>,
    /// The rule, counted from 0.
    pub rule: Option<usize>,
    /// The argument that is not accepted, by its path.
    pub argument: Option<String>,
    /// The limit that is exceeded, counted from 0.
    pub limit: Option<u32>,
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, id: None, scopes: Vec::new(), rule: None, argument: None, limit: None }
    }
}
