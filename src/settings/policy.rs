//! `MCP_SERVER_AUTH_POLICY`: who may do what. A slip of the pen here could open what it was meant to close, so everything that is not understood is a fault.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::faults::Faults;
use super::variables::{Variables, one_or_more};
use super::written::{self, Shape};
use super::{scopes, slips};
use crate::json::Object;
use crate::policy::{Accepted, ClaimDemand, Demand, MethodPattern, Mode, NamePattern, Policy, Rule, Rules};
use crate::token::identity::is_scope;

const MEMBERS: [&str; 7] =
    ["required_scopes", "rules", "scope_hierarchy", "clients", "mode", "filter_lists", "anonymous_methods"];
const RULE_MEMBERS: [&str; 6] = ["methods", "names", "scopes", "any_scopes", "claims", "deny"];

const SCOPES: &str = "one or more scopes, as an array of strings or a space-separated string";
const METHODS: &str = "one or more JSON-RPC methods such as tools/call, or tools/* for all that begin so";
const ANONYMOUS: &str =
    "one or more JSON-RPC methods such as tools/list, or notifications/* for all that begin so; not * alone";
const STRINGS: &str = "one or more non-empty strings";
const CLAIMS: &str = "an object: the path of a claim, and a string, whole number or boolean that is accepted, or an array of them";

/// `None`: no policy, or one with faults.
pub(super) fn read(variables: &Variables, faults: &mut Faults) -> Option<Policy> {
    let found = variables.get("POLICY", faults)?;
    let before = faults.count();
    let mut reader = Reader { variable: found.name, faults, hierarchy: BTreeMap::new() };
    let policy = match found.value.as_object() {
        Some(object) => reader.policy(object),
        None => {
            found.fault(&format!("an object with {}", MEMBERS.join(", ")), Shape::Object, reader.faults);
            Policy::default()
        }
    };
    (faults.count() == before).then_some(policy)
}

struct Reader<'f> {
    variable: &'f str,
    faults: &'f mut Faults,
    /// Each scope of the hierarchy, and all that it includes.
    hierarchy: BTreeMap<String, BTreeSet<String>>,
}

impl Reader<'_> {
    fn fault(&mut self, field: &str, expected: impl Into<String>) {
        self.faults.add(self.variable, field, expected);
    }

    /// A fault of the shape, with what was found instead.
    fn misshapen(&mut self, field: &str, expected: impl Into<String>, value: &Value, shape: Shape) {
        self.faults.add_hinted(self.variable, field, expected, written::found(value, shape));
    }

    fn known(&mut self, object: &Object, prefix: &str, names: &[&str]) {
        for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
            let expected = format!("no such field; there are {}", names.join(", "));
            let hint = slips::did_you_mean(name, names);
            self.faults.add_hinted(self.variable, &format!("{prefix}.{name}"), expected, hint);
        }
    }

    fn policy(&mut self, object: &Object) -> Policy {
        self.known(object, "", &MEMBERS);
        self.hierarchy = self.scope_hierarchy(object.get("scope_hierarchy"));
        let rules = match object.get("rules") {
            None => Vec::new(),
            Some(Value::Array(rules)) => {
                rules.iter().enumerate().map(|(at, rule)| self.rule(at, rule)).collect()
            }
            Some(other) => {
                self.misshapen(".rules", "an array of rules", other, Shape::Array);
                Vec::new()
            }
        };
        let policy = Policy {
            mode: self.mode(object.get("mode")),
            required_scopes: self.demands(object, "", "required_scopes"),
            clients: self.list(object, "", "clients", STRINGS, |text| Some(text.to_owned())),
            anonymous_methods: self
                .list(object, "", "anonymous_methods", ANONYMOUS, |text| {
                    MethodPattern::new(text).filter(|_| text != "*")
                })
                .unwrap_or_default(),
            filter_lists: self.switch(object, "", "filter_lists"),
            rules: Rules::new(rules),
        };
        if policy.filter_lists && !policy.has_rules() {
            self.fault(".filter_lists", "rules, by which lists could be filtered");
        }
        policy
    }

    fn rule(&mut self, at: usize, value: &Value) -> Rule {
        let prefix = format!(".rules[{at}]");
        let Some(object) = value.as_object() else {
            let expected = format!("an object with {}", RULE_MEMBERS.join(", "));
            self.misshapen(&prefix, expected, value, Shape::Object);
            return Rule::default();
        };
        self.known(object, &prefix, &RULE_MEMBERS);
        let before = self.faults.count();
        let rule = Rule {
            methods: self.list(object, &prefix, "methods", METHODS, MethodPattern::new),
            names: self.list(object, &prefix, "names", STRINGS, NamePattern::new),
            scopes: self.demands(object, &prefix, "scopes"),
            any_scopes: self.demands(object, &prefix, "any_scopes"),
            claims: self.claims(object.get("claims"), &prefix),
            deny: self.switch(object, &prefix, "deny"),
        };
        let demands =
            rule.deny || !(rule.scopes.is_empty() && rule.any_scopes.is_empty() && rule.claims.is_empty());
        if !demands && self.faults.count() == before {
            self.fault(&prefix, "something that is demanded: scopes, any_scopes, claims, or deny = true");
        }
        rule
    }

    /// Strings, each of which `read` takes; `None` if the member is not there.
    fn list<T>(
        &mut self,
        object: &Object,
        prefix: &str,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = object.get(name)?;
        let all =
            one_or_more(value).and_then(|all| all.iter().map(|text| read(text)).collect::<Option<Vec<T>>>());
        if all.is_none() {
            self.misshapen(&format!("{prefix}.{name}"), expected, value, Shape::Texts);
        }
        all
    }

    fn switch(&mut self, object: &Object, prefix: &str, name: &str) -> bool {
        match object.get(name).map(Value::as_bool) {
            None => false,
            Some(Some(choice)) => choice,
            Some(None) => {
                let found = object.get(name).map(|value| format!("found {}", written::kind(value)));
                let field = format!("{prefix}.{name}");
                self.faults.add_hinted(self.variable, &field, "true or false", found.unwrap_or_default());
                false
            }
        }
    }

    fn mode(&mut self, value: Option<&Value>) -> Mode {
        match value.map(Value::as_str) {
            None | Some(Some("enforce")) => Mode::Enforce,
            Some(Some("report")) => Mode::Report,
            Some(_) => {
                self.fault(".mode", "enforce or report");
                Mode::Enforce
            }
        }
    }

    fn scopes(&mut self, value: &Value, field: &str) -> Vec<String> {
        match scopes::list(value) {
            Ok(scopes) if !scopes.is_empty() => return scopes,
            found => self.faults.add_hinted(self.variable, field, SCOPES, found.err().unwrap_or_default()),
        }
        Vec::new()
    }

    fn demands(&mut self, object: &Object, prefix: &str, name: &str) -> Vec<Demand> {
        let Some(value) = object.get(name) else { return Vec::new() };
        let scopes = self.scopes(value, &format!("{prefix}.{name}"));
        scopes.into_iter().map(|scope| self.demand(scope)).collect()
    }

    fn demand(&self, scope: String) -> Demand {
        let including = self.hierarchy.iter().filter(|(_, included)| included.contains(&scope));
        let satisfied_by =
            std::iter::once(scope.clone()).chain(including.map(|(name, _)| name.clone())).collect();
        Demand { scope, satisfied_by }
    }

    /// Each scope with all that it includes, over any number of steps.
    fn scope_hierarchy(&mut self, value: Option<&Value>) -> BTreeMap<String, BTreeSet<String>> {
        let Some(value) = value else { return BTreeMap::new() };
        let Some(object) = value.as_object().filter(|object| object.keys().all(|scope| is_scope(scope)))
        else {
            let expected = "an object: a scope, and the scopes that it includes";
            self.misshapen(".scope_hierarchy", expected, value, Shape::Object);
            return BTreeMap::new();
        };
        let direct: BTreeMap<String, Vec<String>> = object
            .iter()
            .map(|(scope, included)| {
                (scope.clone(), self.scopes(included, &format!(".scope_hierarchy.{scope}")))
            })
            .collect();
        let mut all = BTreeMap::new();
        for scope in direct.keys() {
            let included = reachable(&direct, scope);
            if included.contains(scope) {
                self.fault(
                    &format!(".scope_hierarchy.{scope}"),
                    "no scope that includes itself, over however many steps",
                );
            }
            all.insert(scope.clone(), included);
        }
        all
    }

    fn claims(&mut self, value: Option<&Value>, prefix: &str) -> Vec<ClaimDemand> {
        let Some(value) = value else { return Vec::new() };
        let claims = value.as_object().filter(|claims| !claims.is_empty()).and_then(|claims| {
            let demand = |(path, value): (&String, &Value)| {
                let sound = !path.is_empty() && !path.split('.').any(str::is_empty);
                Some(ClaimDemand { path: path.clone(), accepted: accepted(value)? }).filter(|_| sound)
            };
            claims.iter().map(demand).collect::<Option<Vec<_>>>()
        });
        if claims.is_none() {
            self.misshapen(&format!("{prefix}.claims"), CLAIMS, value, Shape::Object);
        }
        claims.unwrap_or_default()
    }
}

fn reachable(direct: &BTreeMap<String, Vec<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&String> = direct.get(from).into_iter().flatten().collect();
    while let Some(scope) = next.pop() {
        if found.insert(scope.clone()) {
            next.extend(direct.get(scope).into_iter().flatten());
        }
    }
    found
}

fn accepted(value: &Value) -> Option<Vec<Accepted>> {
    /// Beyond, `f64` takes different numbers for the same.
    const EXACT: i64 = (1 << 53) - 1;
    let one = |value: &Value| match value {
        Value::String(text) => Some(Accepted::Text(text.clone())),
        Value::Bool(choice) => Some(Accepted::Bool(*choice)),
        Value::Number(number) => {
            number.as_i64().filter(|n| (-EXACT..=EXACT).contains(n)).map(|n| Accepted::Number(n as f64))
        }
        _ => None,
    };
    match value {
        Value::Array(values) if !values.is_empty() => values.iter().map(one).collect(),
        value => Some(vec![one(value)?]),
    }
}
