//! Whom a policy judges.

use serde::Serialize;
use serde_json::value::RawValue;

use super::demands::{Condition, Demand, MemberDemand};
use crate::json::{Document, Members, Node};
use crate::token::verify::Verified;

/// What a verified token says of its bearer, or that there is none.
#[derive(Clone, Debug, Default)]
pub struct Caller<'v> {
    scopes: Vec<&'v str>,
    client: Option<&'v str>,
    /// None: nobody's.
    claims: Option<Members<'v>>,
}

/// A caller as text, for when the answer comes.
#[derive(Serialize)]
struct Kept<'v> {
    scopes: Vec<&'v str>,
    client: Option<&'v str>,
    claims: Option<&'v RawValue>,
}

impl<'v> Caller<'v> {
    pub fn new(verified: &'v Verified) -> Self {
        let claims = Some(verified.claims().members());
        Self { scopes: verified.scopes().collect(), client: verified.client_id(), claims }
    }

    /// Somebody without a token: has no scope and meets no claim.
    pub fn nobody() -> Self {
        Self::default()
    }

    pub const fn is_nobody(&self) -> bool {
        self.claims.is_none()
    }

    /// All of the caller, as JSON.
    pub fn to_json(verified: Option<&Verified>) -> String {
        let kept = Kept {
            scopes: verified.map(|v| v.scopes().collect()).unwrap_or_default(),
            client: verified.and_then(Verified::client_id),
            claims: verified.and_then(|v| serde_json::from_str(v.claims().json()).ok()),
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// A caller that was kept. From anything else: nobody.
    pub fn from_json(document: &'v Document) -> Self {
        let scopes = match document.get("scopes") {
            Some(Node::Array(scopes)) => scopes.values().filter_map(Node::as_str).collect(),
            _ => Vec::new(),
        };
        let claims = match document.get("claims") {
            Some(Node::Object(claims)) => Some(claims),
            _ => None,
        };
        Self { scopes, client: document.get("client").and_then(Node::as_str), claims }
    }

    pub(super) fn is_client_of(&self, clients: &[String]) -> bool {
        self.client.is_some_and(|client| clients.iter().any(|c| c == client))
    }

    pub(super) fn has(&self, demand: &Demand) -> bool {
        demand.satisfied_by.iter().any(|scope| self.scopes.contains(&scope.as_str()))
    }

    pub(super) fn meets(&self, demand: &MemberDemand) -> bool {
        let Some(claims) = self.claims.map(Node::Object) else { return false };
        match &demand.condition {
            Condition::Present(false) => !leads(claims, Some(&demand.path), &|_| true),
            condition => leads(claims, Some(&demand.path), &|claim| condition.accepts(claim)),
        }
    }
}

/// Whether a path leads to such a claim. A member name may have dots in it
/// (`https://example.com/roles`), so each way to cut the path is tried.
fn leads(claim: Node<'_>, path: Option<&str>, is_it: &impl Fn(Node<'_>) -> bool) -> bool {
    match (path, claim) {
        (None, claim) => is_it(claim),
        (Some(path), Node::Object(members)) => members.into_iter().any(|(name, value)| {
            name == path && leads(value, None, is_it)
                || path
                    .strip_prefix(name)
                    .and_then(|rest| rest.strip_prefix('.'))
                    .is_some_and(|rest| leads(value, Some(rest), is_it))
        }),
        (Some(_), _) => false,
    }
}
