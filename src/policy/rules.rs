//! A policy as it stands in the settings, and what it says of a caller and an operation.

use std::collections::{BTreeMap, BTreeSet};

use super::arguments::{self, Arguments, Asked};
use super::caller::Caller;
use super::decision::Decide;
use super::demands::{Demand, MemberDemand};
use super::denial::Denial;
use super::limits::Limit;
use super::operation::Operation;
use super::pattern::{MethodPattern, NamePattern};
use crate::refusal::Refusal;

/// `MCP_SERVER_AUTH_POLICY`.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub mode: Mode,
    pub required_scopes: Vec<Demand>,
    /// Client ids; none: any.
    pub clients: Option<Vec<String>>,
    pub anonymous_methods: Vec<MethodPattern>,
    pub filter_lists: bool,
    pub rules: Rules,
    /// How often, in the order of the settings.
    pub limits: Vec<Limit>,
    /// Who decides beside the rules.
    pub decide: Option<Decide>,
}

/// Rules, in the order of the settings.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    all: Vec<Rule>,
    /// Those for one method each, by that method; the others have to be looked at for every one.
    by_method: BTreeMap<String, Vec<usize>>,
    others: Vec<usize>,
    /// Those that demand something of arguments.
    of_arguments: Vec<usize>,
}

/// Whether a refusal of the policy's is carried out, or only said in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Enforce,
    Report,
}

/// What is demanded of whom it matches.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// None: every method.
    pub methods: Option<Vec<MethodPattern>>,
    /// None: every name, and what has none.
    pub names: Option<Vec<NamePattern>>,
    /// Every name but these. Never beside `names`.
    pub except: Option<Vec<NamePattern>>,
    /// All of these.
    pub scopes: Vec<Demand>,
    /// One of these.
    pub any_scopes: Vec<Demand>,
    pub claims: Vec<MemberDemand>,
    /// All of these, of the call of a tool.
    pub arguments: Vec<MemberDemand>,
    pub deny: bool,
}

impl Rule {
    /// Whether it closes something to callers of some kind, whatever their arguments.
    pub fn demands_of_callers(&self) -> bool {
        let is_free = self.scopes.is_empty() && self.any_scopes.is_empty() && self.claims.is_empty();
        self.deny || !is_free
    }

    /// The method, if there is but one.
    fn only_method(&self) -> Option<&str> {
        match self.methods.as_deref() {
            Some([MethodPattern::Exact(method)]) => Some(method),
            _ => None,
        }
    }

    fn matches(&self, operation: &Operation<'_>) -> bool {
        // A response has no method: only what is demanded of everything is demanded of it.
        let method = operation.method.unwrap_or_default();
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(|m| m.matches(method)))
            && self.names_match(operation)
    }

    fn names_match(&self, operation: &Operation<'_>) -> bool {
        let one_of = |patterns: &[NamePattern], name: &str| patterns.iter().any(|one| one.matches(name));
        let mut names = operation.names.iter().flatten();
        match (&self.names, &self.except) {
            (None, None) => true,
            (Some(matched), _) => names.any(|name| one_of(matched, name)),
            (None, Some(spared)) => operation.has_odd_name || names.any(|name| !one_of(spared, name)),
        }
    }
}

impl Rules {
    pub fn new(all: Vec<Rule>) -> Self {
        let mut rules = Self { all, ..Self::default() };
        for (index, rule) in rules.all.iter().enumerate() {
            match rule.only_method() {
                Some(method) => rules.by_method.entry(method.to_owned()).or_default().push(index),
                None => rules.others.push(index),
            }
            if !rule.arguments.is_empty() {
                rules.of_arguments.push(index);
            }
        }
        rules
    }

    pub fn all(&self) -> &[Rule] {
        &self.all
    }

    /// The rules that match one of the operations, each once.
    fn matching(&self, operations: &[Operation<'_>]) -> Vec<(usize, &Rule)> {
        let mut found: BTreeSet<usize> = BTreeSet::new();
        let is = |index: usize, matches: &dyn Fn(&Rule) -> bool| self.all.get(index).is_some_and(matches);
        for operation in operations {
            let exact = operation.method.and_then(|method| self.by_method.get(method)).into_iter().flatten();
            found.extend(exact.filter(|index| is(**index, &|rule| rule.names_match(operation))));
            found.extend(self.others.iter().filter(|index| is(**index, &|rule| rule.matches(operation))));
        }
        found.into_iter().filter_map(|index| Some((index, self.all.get(index)?))).collect()
    }

    /// What is demanded of the arguments of these operations.
    fn asked<'r>(&'r self, operations: &[Operation<'_>]) -> Vec<Asked<'r>> {
        let mut asked = Vec::new();
        for (rule, of_it) in
            self.of_arguments.iter().filter_map(|index| Some((*index, self.all.get(*index)?)))
        {
            for (message, _) in operations.iter().enumerate().filter(|(_, one)| of_it.matches(one)) {
                asked.extend(of_it.arguments.iter().map(|demand| Asked { message, rule, demand }));
            }
        }
        asked
    }
}

impl Policy {
    pub fn has_rules(&self) -> bool {
        !self.rules.all.is_empty()
    }

    /// Whether the body of every POST is read.
    pub fn reads_bodies(&self) -> bool {
        self.has_rules() || !self.limits.is_empty() || self.decide.is_some()
    }

    /// Whether lists in answers are filtered.
    pub fn filters(&self) -> bool {
        self.filter_lists && self.mode == Mode::Enforce
    }

    pub fn has_anonymous_methods(&self) -> bool {
        !self.anonymous_methods.is_empty()
    }

    pub fn is_anonymous(&self, method: &str) -> bool {
        self.anonymous_methods.iter().any(|pattern| pattern.matches(method))
    }

    /// Judges the operations of one request, all of which must be permitted.
    ///
    /// # Errors
    /// One is not.
    pub fn authorize(
        &self,
        caller: &Caller<'_>,
        operations: &[Operation<'_>],
        arguments: Arguments<'_>,
    ) -> Result<(), Denial> {
        if let Some(clients) = &self.clients
            && !caller.is_nobody()
            && !caller.is_client_of(clients)
        {
            return Err(Refusal::ClientNotAllowed.into());
        }
        let rules = self.rules.matching(operations);
        for (index, rule) in &rules {
            let refusal = if rule.deny {
                Refusal::RuleDenies
            } else if !rule.claims.iter().all(|demand| caller.meets(demand)) {
                Refusal::ClaimNotMet
            } else {
                continue;
            };
            return Err(Denial { rule: Some(*index), ..refusal.into() });
        }
        self.authorize_arguments(operations, arguments)?;
        self.authorize_scopes(caller, &rules)
    }

    fn authorize_arguments(
        &self,
        operations: &[Operation<'_>],
        arguments: Arguments<'_>,
    ) -> Result<(), Denial> {
        let Arguments::Of(body) = arguments else { return Ok(()) };
        let asked = self.rules.asked(operations);
        let unmet = if asked.is_empty() { None } else { arguments::first_unmet(body, &asked) };
        let Some(Asked { rule, demand, .. }) = unmet else { return Ok(()) };
        let argument = Some(demand.path.clone());
        Err(Denial { rule: Some(rule), argument, ..Refusal::ArgumentNotMet.into() })
    }

    fn authorize_scopes(&self, caller: &Caller<'_>, rules: &[(usize, &Rule)]) -> Result<(), Denial> {
        // Somebody without a token was let in by method, not by scope.
        let required =
            self.required_scopes.iter().filter(|_| !caller.is_nobody()).map(|demand| (None, demand));
        let of_rules = rules.iter().flat_map(|(index, rule)| {
            let any = rule.any_scopes.iter().find(|demand| caller.has(demand)).or(rule.any_scopes.first());
            rule.scopes.iter().chain(any).map(|demand| (Some(*index), demand))
        });
        let needed: Vec<(Option<usize>, &Demand)> = required.chain(of_rules).collect();
        let Some((rule, _)) = needed.iter().find(|(_, demand)| !caller.has(demand)) else { return Ok(()) };
        let mut scopes: Vec<String> = Vec::new();
        for (_, demand) in &needed {
            if !scopes.contains(&demand.scope) {
                scopes.push(demand.scope.clone());
            }
        }
        Err(Denial { rule: *rule, scopes, ..Refusal::ScopeInsufficient.into() })
    }
}
