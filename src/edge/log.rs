//! One JSON line per request, through `console.log`. Never a token, a secret, or a claim; `sub`
//! only where the settings ask for it.

use serde::Serialize;
use serde_json::json;
use worker::console_log;

use super::exchange::Exchange;
use crate::admission::Refused;
use crate::limits::{self, Seconds};
use crate::plain;
use crate::policy::{Authorized, Denial, RpcSummary};
use crate::refusal::Refusal;
use crate::resource::Resource;
use crate::resource::logging::{Lines, Logging};
use crate::token::pseudonym::Pseudonyms;
use crate::token::verify::{Verification, Verified};

/// The line of a usual request fits without growing.
const USUAL_BYTES: usize = 384;

/// A request's line, as it grows. Its end is written where it is known; `line.mjs` adds the event,
/// the status, the milliseconds and what the runtime says of the request, and prints it.
#[derive(Serialize)]
pub(super) struct Line {
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'static str>,
    /// What a token calls its issuer, where that is nobody's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    /// Where the key set came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<&'static str>,
    /// Seconds that a stale one still serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stale_for: Option<Seconds>,
    /// Who said that the token is active, or is not: its server just now, or memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) introspection: Option<&'static str>,
    /// The client that the token was given to, once that is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    /// The token's own name, once it is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<String>,
    /// No credential was sent, and none was needed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    anonymous: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_name: Option<String>,
    /// How many messages a batch has.
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_batch: Option<usize>,
    /// The trace that the message names, where no header does.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// The rule that refuses, or would, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<usize>,
    /// The argument that it does not accept, by its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    argument: Option<String>,
    /// The limit that is exceeded, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    /// What a policy decision point says of its no, or why there is no decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    /// What report mode let through: the reason that it would have been refused for.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_refuse: Option<&'static str>,
    /// Whether there is to be a line.
    #[serde(skip)]
    logging: Logging,
    /// Whether the request is reported.
    #[serde(skip)]
    audits: bool,
    /// What its caller is called there.
    #[serde(skip)]
    caller: Option<String>,
    /// Whether a header names the trace, which is written with the line's end.
    #[serde(skip)]
    pub(super) is_traced: bool,
}

impl Line {
    pub(super) fn new(method: &str, logging: Logging, audits: bool) -> Self {
        Self {
            method: method.to_owned(),
            resource: None,
            issuer: None,
            iss: None,
            alg: None,
            kid: None,
            keys: None,
            stale_for: None,
            introspection: None,
            client: None,
            jti: None,
            sub: None,
            anonymous: false,
            rpc_method: None,
            rpc_name: None,
            rpc_batch: None,
            trace: None,
            rule: None,
            argument: None,
            limit: None,
            decision: None,
            would_refuse: None,
            logging,
            audits,
            caller: None,
            is_traced: false,
        }
    }

    pub(super) fn method(&self) -> &str {
        &self.method
    }

    pub(super) fn served(&self, what: &str) -> End {
        let line = self.written(false, |members| ended(members, None, "served", what));
        End { line, point: self.point("served", what) }
    }

    /// Of a request that is sent on the members: what JavaScript adds, it adds when the answer is
    /// there. What is refused after all has the line of `members_of`.
    pub(super) fn forwarded(&self) -> End {
        let line = self.written(self.would_refuse.is_some(), str::to_owned);
        End { line, point: self.point("forwarded", self.would_refuse.unwrap_or("ok")) }
    }

    pub(super) fn refused(mut self, refused: &Refused<'static, '_>) -> End {
        self.resource = refused.resource().map(|r| r.canonical.as_str());
        self.unavailable(refused.refusal)
    }

    /// A refusal where nothing is protected.
    pub(super) fn unavailable(&self, refusal: Refusal) -> End {
        let line = self.written(true, |members| self::refused(members, refusal, None));
        End { line, point: self.point("refused", refusal.row().reason) }
    }

    /// The line, from its members; empty if there is to be none. `refused`: or would have been, in
    /// report mode.
    fn written(&self, refused: bool, line: impl FnOnce(&str) -> String) -> String {
        match self.logging.takes(refused, js_sys::Math::random) {
            true => line(&self.members()),
            false => String::new(),
        }
    }

    /// What is reported of it, if it is: the parts as `audit.mjs` takes them, one a line.
    fn point(&self, outcome: &str, reason: &str) -> Option<String> {
        let resource = plain::line(self.resource.unwrap_or_default());
        let index = resource.get(..resource.floor_char_boundary(limits::AUDIT_INDEX_BYTES));
        let own = |text: &Option<String>| plain::line(text.as_deref().unwrap_or_default());
        self.audits.then(|| {
            [
                outcome,
                reason,
                index.unwrap_or_default(),
                &plain::line(self.rpc_method.as_deref().unwrap_or(&self.method)),
                &own(&self.rpc_name),
                &own(&self.client),
                &own(&self.caller),
                self.keys.unwrap_or_default(),
            ]
            .join("\n")
        })
    }

    /// Whether anything that is noted can be written or reported.
    fn is_wanted(&self) -> bool {
        self.audits || self.logging.lines != Lines::None
    }

    /// It is for this resource.
    pub(super) fn at(&mut self, resource: &'static Resource) {
        self.resource = Some(resource.canonical.as_str());
    }

    /// What a token said of itself, as far as that is safe to print: a known algorithm, a bounded
    /// `kid`.
    pub(super) fn token(&mut self, verification: &Verification<'static>) {
        if !self.is_wanted() {
            return;
        }
        self.issuer = verification.issuer();
        self.iss =
            verification.untrusted_issuer().map(|iss| plain::printable(iss, limits::LOGGED_DETAIL_CHARS));
        self.alg = verification.algorithm().map(|alg| alg.row().name);
        self.kid = verification.kid().map(|kid| kid.chars().take(limits::LOGGED_KID_CHARS).collect());
    }

    /// Whose token it is, now that it is verified.
    pub(super) fn verified(&mut self, verified: &Verified) {
        if !self.is_wanted() {
            return;
        }
        self.client =
            verified.client_id().map(|client| plain::printable(client, limits::LOGGED_CLIENT_CHARS));
        self.jti = verified.token_id().map(|jti| plain::printable(jti, limits::LOGGED_JTI_CHARS));
    }

    /// What its caller is called in reports.
    pub(super) fn called(&mut self, verified: &Verified, pseudonyms: Option<&Pseudonyms>) {
        if self.audits {
            self.caller = pseudonyms.map(|names| names.of(verified.permit().identity()));
        }
    }

    /// What was asked for.
    pub(super) fn heard(&mut self, heard: RpcSummary) {
        self.rpc_method = heard.method;
        self.rpc_name = heard.name;
        self.rpc_batch = heard.batch;
        self.trace = heard.trace.filter(|_| !self.is_traced);
    }

    /// Whom the policy let through, and whether only for now.
    pub(super) fn cleared(&mut self, clearance: &Authorized) {
        self.anonymous = clearance.verified().is_none();
        if let Some(unmet) = &clearance.would_refuse {
            self.would_refuse(unmet);
        }
    }

    /// What was said of a decision from outside, if anything was.
    pub(super) fn decided(&mut self, said: Option<&str>) {
        self.decision = said.map(|said| plain::printable(said, limits::LOGGED_DETAIL_CHARS));
    }

    /// Report mode lets it through.
    pub(super) fn would_refuse(&mut self, unmet: &Denial) {
        self.unmet(unmet);
        self.would_refuse = Some(unmet.refusal.row().reason);
    }

    /// What of the policy is not met.
    pub(super) fn unmet(&mut self, unmet: &Denial) {
        self.rule = unmet.rule;
        self.argument.clone_from(&unmet.argument);
        self.limit = unmet.limit;
    }

    /// The members, without their braces.
    pub(super) fn members(&self) -> String {
        let mut text = Vec::with_capacity(USUAL_BYTES);
        let _written = serde_json::to_writer(&mut text, self); // into memory: it cannot fail
        let members = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        plain::json(String::from_utf8_lossy(members).into_owned())
    }
}

/// How a request ended.
pub(super) struct End {
    /// Of the log; empty if it is to have none.
    pub(super) line: String,
    /// What is reported of it, if it is.
    pub(super) point: Option<String>,
}

impl End {
    /// Of a request that was sent on, and is refused after all: what was noted of it stays.
    pub(super) fn after_all(line: String, audits: bool, refusal: Refusal) -> Self {
        let point = audits.then(|| ["refused", refusal.row().reason].join("\n"));
        Self { line, point }
    }

    pub(super) fn note(&self, exchange: &Exchange) {
        if let Some(point) = &self.point {
            exchange.note(point);
        }
    }
}

/// The end of a forwarded request's line, behind its members.
pub(super) const FORWARDED: &str = r#","outcome":"forwarded","reason":"ok""#;

/// The members of the line of a request that was sent on: those that were written, or the least.
pub(super) fn members_of(exchange: &Exchange, resource: Option<&'static Resource>) -> String {
    let written = exchange.line();
    if !written.is_empty() {
        return written;
    }
    let mut line = Line::new(&exchange.request().method(), Logging::ALL, false);
    if let Some(resource) = resource {
        line.at(resource);
    }
    line.members()
}

/// The line of a refused request. `said`: a member that says more, and its value.
pub(super) fn refused(members: &str, refusal: Refusal, said: Option<(&str, &str)>) -> String {
    ended(members, said, "refused", refusal.row().reason)
}

/// A line, all but what JavaScript adds.
fn ended(members: &str, said: Option<(&str, &str)>, outcome: &str, reason: &str) -> String {
    let said = said
        .map(|(name, value)| {
            format!(r#","{name}":{}"#, json!(plain::printable(value, limits::LOGGED_DETAIL_CHARS)))
        })
        .unwrap_or_default();
    let said = plain::json(said);
    [members, &said, r#","outcome":""#, outcome, r#"","reason":""#, reason, "\""].concat()
}

/// A forwarded request has waited for its answer. `members`: of its line.
pub(super) fn waiting(members: &str) {
    console_log!(r#"{{"event":"waiting",{members},"seconds":{}}}"#, limits::ORIGIN_NOTICE);
}
