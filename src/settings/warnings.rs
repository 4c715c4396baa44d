//! What `check` warns of: settings that are sound, and yet will surprise.

use super::variables::Variables;
use crate::fault::Warning;
use crate::policy::{MethodPattern, NamePattern, Policy, Rule};

const CHALLENGE: &str = "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES";
const SUPPORTED: &str = "MCP_SERVER_AUTH_SCOPES_SUPPORTED";
const POLICY: &str = "MCP_SERVER_AUTH_POLICY";

pub(super) fn of_scopes(
    variables: &Variables,
    policy: Option<&Policy>,
    supported: &[String],
    challenge: &[String],
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |variable: &str, field: String, text: String| {
        warnings.push(Warning { variable: variable.to_owned(), field, text });
    };
    for (variable, scopes) in [(CHALLENGE, challenge), (SUPPORTED, supported)] {
        if scopes.iter().any(|scope| scope == "offline_access") {
            let text = "offline_access should not be listed: whether a client gets refresh tokens is between it and the authorization server";
            warn(variable, String::new(), text.to_owned());
        }
    }
    let Some(policy) = policy else { return warnings };
    let demands = !policy.required_scopes.is_empty() || policy.clients.is_some() || policy.has_rules();
    let is_limited = !policy.limits.is_empty() || policy.decide.is_some();
    if !demands && !is_limited && policy.anonymous_methods.is_empty() {
        warn(POLICY, String::new(), "demands nothing: a good token opens everything".to_owned());
    }
    let lacking = policy
        .required_scopes
        .iter()
        .filter(|demand| !demand.satisfied_by.iter().any(|s| challenge.contains(s)));
    let lacking: Vec<&str> = lacking.map(|demand| demand.scope.as_str()).collect();
    if !lacking.is_empty() {
        let text = format!(
            "lacks {}, which {}.required_scopes demands of every request: clients log in without, and have to do so twice",
            lacking.join(" "),
            variables.called("POLICY")
        );
        warn(CHALLENGE, String::new(), text);
    }
    if policy.has_anonymous_methods() {
        let text = "some clients only log in when initialize is answered with 401: with anonymous methods they may never ask for a login";
        warn(POLICY, ".anonymous_methods".to_owned(), text.to_owned());
    }
    for (at, rule) in policy.rules.all().iter().enumerate() {
        let spares_all = |except: &[NamePattern]| except.iter().any(NamePattern::matches_all);
        if rule.except.as_deref().is_some_and(spares_all) {
            let text = "matches nothing: * stands for every name".to_owned();
            warn(POLICY, format!(".rules[{at}].except"), text);
        }
        if rule.deny && !rule.arguments.is_empty() {
            let text = "has no effect beside deny = true, which refuses the call whatever its arguments";
            warn(POLICY, format!(".rules[{at}].arguments"), text.to_owned());
        }
        let is_of_all_names = rule.names.is_none() && rule.except.is_none() && rule.demands_of_callers();
        if is_of_all_names && policy.anonymous_methods.iter().any(|method| is_closed(rule, method)) {
            let text = "matches an anonymous method, which is refused to whoever has no token all the same"
                .to_owned();
            warn(POLICY, format!(".rules[{at}]"), text);
        }
    }
    warnings
}

/// Whether a rule matches every method that a pattern matches.
fn is_closed(rule: &Rule, anonymous: &MethodPattern) -> bool {
    let (MethodPattern::Exact(start) | MethodPattern::Prefix(start)) = anonymous;
    rule.methods.as_ref().is_none_or(|methods| {
        methods.iter().any(|method| match method {
            MethodPattern::Exact(_) => method == anonymous,
            MethodPattern::Prefix(_) => method.matches(start),
        })
    })
}
