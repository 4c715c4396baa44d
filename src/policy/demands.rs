//! What is demanded of a caller or of a call: a scope, a claim, an argument.

use super::numbers::Number;
use super::pattern::NamePattern;
use crate::json::Node;

/// A scope, and the scopes that include it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    pub scope: String,
    /// The scope itself is one of them.
    pub satisfied_by: Vec<String>,
}

/// A member of the claims, or of a call's arguments, and what is demanded of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberDemand {
    /// Member names with dots between them.
    pub path: String,
    pub condition: Condition,
}

/// What is demanded of a value. Types count: `true` is not `"true"`.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    OneOf(Vec<Accepted>),
    /// A number that is none of these less and none of those more; both bounds are accepted.
    Within {
        min: Option<Number>,
        max: Option<Number>,
    },
    /// A text of so many characters at most. Of arguments only.
    MaxLength(usize),
    /// It is there and not null; or it is not there at all.
    Present(bool),
}

/// A value that is accepted.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// Of claims always an exact one.
    Text(NamePattern),
    Number(Number),
    Bool(bool),
}

impl Condition {
    /// Whether a claim meets it; what is demanded of one that is not there is the caller's to know.
    pub(super) fn accepts(&self, claim: Node<'_>) -> bool {
        match (self, claim) {
            (Self::Present(is_wanted), claim) => *is_wanted && !matches!(claim, Node::Null),
            (condition, Node::Array(items)) => items.values().any(|item| condition.accepts_one(item)),
            (condition, claim) => condition.accepts_one(claim),
        }
    }

    #[inline(never)]
    fn accepts_one(&self, claim: Node<'_>) -> bool {
        match (self, claim) {
            (Self::OneOf(accepted), claim) => accepted.iter().any(|one| one.is(claim)),
            (Self::Within { min, max }, Node::Number(claim)) => {
                min.as_ref().is_none_or(|min| min.value() <= claim)
                    && max.as_ref().is_none_or(|max| claim <= max.value())
            }
            _ => false,
        }
    }
}

impl Accepted {
    fn is(&self, claim: Node<'_>) -> bool {
        match (self, claim) {
            (Self::Text(text), Node::String(claim)) => text.matches(claim),
            (Self::Number(number), Node::Number(claim)) => number.value() == claim,
            (Self::Bool(choice), Node::Bool(claim)) => *choice == claim,
            _ => false,
        }
    }
}
