//! What is demanded of a caller: a scope, or a claim.

use crate::json::Node;

/// A scope, and the scopes that include it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    pub scope: String,
    /// The scope itself is one of them.
    pub satisfied_by: Vec<String>,
}

/// A claim, and the values of it that are accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimDemand {
    /// Member names with dots between them.
    pub path: String,
    pub accepted: Vec<Accepted>,
}

/// A value of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    Text(String),
    /// A whole number that `f64` holds exactly.
    Number(f64),
    Bool(bool),
}

impl ClaimDemand {
    /// Types count: `true` is not `"true"`.
    pub(super) fn accepts(&self, claim: Node<'_>) -> bool {
        self.accepted.iter().any(|accepted| match (accepted, claim) {
            (Accepted::Text(text), Node::String(claim)) => text == claim,
            (Accepted::Number(number), Node::Number(claim)) => *number == claim,
            (Accepted::Bool(choice), Node::Bool(claim)) => *choice == claim,
            _ => false,
        })
    }
}
