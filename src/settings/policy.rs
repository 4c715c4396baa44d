//! `MCP_SERVER_AUTH_POLICY`: who may do what. A mistake here could open what it was meant to close,
//! so everything that is not understood is a fault.

use serde_json::Value;

use super::object_reader::ObjectReader;
use super::table::{self, POLICY, RULE};
use super::variables::Variables;
use super::written::Shape;
use super::{conditions, decide, limits, patterns, scopes};
use crate::fault::Faults;
use crate::json::Object;
use crate::policy::{Demand, MethodPattern, Mode, Policy, Rule, Rules};
use crate::token::identity::is_scope;

const SCOPES: &str = "one or more scopes, as an array of strings or a space-separated string";
const ANONYMOUS: &str =
    "one or more JSON-RPC methods such as tools/list, or notifications/* for all that begin so; not * alone";

/// Each scope of the hierarchy, and all that it includes.
type Hierarchy = Vec<(String, Vec<String>)>;

/// `None`: no policy, or one with faults.
pub(super) fn read(variables: &Variables, faults: &mut Faults) -> Option<Policy> {
    let found = variables.get("POLICY", faults)?;
    let before = faults.count();
    let Some(object) = found.value.as_object() else {
        let expected = format!("an object with {}", table::names(&POLICY).join(", "));
        found.fault(&expected, Shape::Object, faults);
        return None;
    };
    let mut members = ObjectReader::new(found.name, String::new(), object, faults);
    members.check_names(&table::names(&POLICY));
    let policy = policy(&mut members, variables);
    (faults.count() == before).then_some(policy)
}

fn policy(members: &mut ObjectReader<'_>, variables: &Variables) -> Policy {
    let hierarchy = hierarchy(members);
    let rules = rules(members, &hierarchy);
    let policy = Policy {
        mode: mode(members),
        required_scopes: demands(members, "required_scopes", &hierarchy),
        clients: members.one_or_more("clients", patterns::STRINGS),
        anonymous_methods: patterns::list(members, "anonymous_methods", ANONYMOUS, |text| {
            MethodPattern::new(text).filter(|_| text != "*")
        })
        .unwrap_or_default(),
        filter_lists: members.switch("filter_lists").unwrap_or_default(),
        rules: Rules::new(rules),
        limits: limits::read(members, &|name| variables.has_limiter(name)),
        decide: decide::read(members, variables),
    };
    if policy.filter_lists && !policy.has_rules() {
        members.fault("filter_lists", "rules, by which lists could be filtered");
    }
    policy
}

fn rules(members: &mut ObjectReader<'_>, hierarchy: &Hierarchy) -> Vec<Rule> {
    let mut all = Vec::new();
    match members.get("rules") {
        None => {}
        Some(Value::Array(rules)) => {
            for (at, value) in rules.iter().enumerate() {
                let rule = members.inner(&format!(".rules[{at}]"), value, &RULE);
                all.extend(rule.map(|mut members| self::rule(&mut members, hierarchy)));
            }
        }
        Some(_) => members.misshapen("rules", "an array of rules", Shape::Array),
    }
    all
}

fn rule(members: &mut ObjectReader<'_>, hierarchy: &Hierarchy) -> Rule {
    let before = members.count();
    if members.has("names") && members.has("except") {
        members.fault("except", "no names beside it: a rule says which names it matches, or which not");
    }
    let methods = patterns::methods(members);
    let rule = Rule {
        arguments: conditions::arguments(members, methods.as_deref()),
        methods,
        names: patterns::names(members, "names"),
        except: patterns::names(members, "except"),
        scopes: demands(members, "scopes", hierarchy),
        any_scopes: demands(members, "any_scopes", hierarchy),
        claims: conditions::claims(members),
        deny: members.switch("deny").unwrap_or_default(),
    };
    let demands = rule.demands_of_callers() || !rule.arguments.is_empty();
    if !demands && members.count() == before {
        members
            .fault_here("something that is demanded: scopes, any_scopes, claims, arguments, or deny = true");
    }
    rule
}

fn mode(members: &mut ObjectReader<'_>) -> Mode {
    match members.get("mode").map(Value::as_str) {
        None | Some(Some("enforce")) => Mode::Enforce,
        Some(Some("report")) => Mode::Report,
        Some(_) => {
            members.fault("mode", "enforce or report");
            Mode::Enforce
        }
    }
}

/// At least one scope, where something is set.
#[inline(never)]
fn some_scopes(members: &mut ObjectReader<'_>, name: &str) -> Vec<String> {
    let Some(value) = members.get(name) else { return Vec::new() };
    match scopes::list(value) {
        Ok(scopes) if !scopes.is_empty() => return scopes,
        found => members.fault_hinted(name, SCOPES, found.err().unwrap_or_default()),
    }
    Vec::new()
}

#[inline(never)]
fn demands(members: &mut ObjectReader<'_>, name: &str, hierarchy: &Hierarchy) -> Vec<Demand> {
    let mut demands = Vec::new();
    for scope in some_scopes(members, name) {
        let mut satisfied_by = vec![scope.clone()];
        for (other, included) in hierarchy {
            if included.contains(&scope) {
                satisfied_by.push(other.clone());
            }
        }
        demands.push(Demand { scope, satisfied_by });
    }
    demands
}

/// Each scope with all that it includes, over any number of steps.
fn hierarchy(members: &mut ObjectReader<'_>) -> Hierarchy {
    const NAME: &str = "scope_hierarchy";
    let Some(value) = members.get(NAME) else { return Vec::new() };
    let is_sound = |object: &&Object| object.keys().all(|scope| is_scope(scope));
    let Some(object) = value.as_object().filter(is_sound) else {
        members.misshapen(NAME, "an object: a scope, and the scopes that it includes", Shape::Object);
        return Vec::new();
    };
    let names: Vec<&String> = object.keys().collect();
    let mut object = members.map(NAME, object);
    let mut direct: Hierarchy = Vec::new();
    for name in &names {
        direct.push(((*name).clone(), some_scopes(&mut object, name)));
    }
    let mut all = Vec::new();
    for name in names {
        let included = reachable(&direct, name);
        if included.contains(name) {
            object.fault(name, "no scope that includes itself, over however many steps");
        }
        all.push((name.clone(), included));
    }
    all
}

fn reachable(direct: &Hierarchy, from: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut next = vec![from];
    while let Some(scope) = next.pop() {
        for (_, included) in direct.iter().filter(|(name, _)| name == scope) {
            for scope in included.iter().filter(|scope| !found.contains(scope)).collect::<Vec<_>>() {
                found.push(scope.clone());
                next.push(scope);
            }
        }
    }
    found
}
