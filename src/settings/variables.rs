//! The variables as they come: both spellings, strings and structured values.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::names::{PREFIX, SECOND_PREFIX, bare};
use super::setting::{Setting, Spelling};
use super::table::{self, SETTINGS};
use super::written::{self, Shape};
use super::{names, spelling};
use crate::fault::Faults;
use crate::json;
use crate::limits::Seconds;

/// Whether a binding of this name is one of our settings.
pub fn is_ours(name: &str) -> bool {
    bare(name).len() != name.len() || table::of_variable(name).is_some()
}

/// The Worker's variables: strings, or the JSON of structured ones.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    values: BTreeMap<String, Value>,
    secrets_elsewhere: bool,
    outside_cloudflare: bool,
    /// The names of the bindings that answer requests.
    bindings: Vec<String>,
    /// The variables that entries name as those of their secrets.
    named: Vec<String>,
    /// The names of the bindings that count (rate limiters).
    limiters: Vec<String>,
    /// Of one of several resources: which variables are its own, and where it is written.
    own: Vec<String>,
    place: String,
}

impl FromIterator<(String, Value)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(variables: I) -> Self {
        let mut ours = BTreeMap::new();
        let mut others = Vec::new();
        for (name, value) in variables {
            if is_ours(&name) {
                ours.insert(name, value);
            } else {
                others.push((name, value));
            }
        }
        let mut named = Vec::new();
        let servers = |name: &str| [names::AUTHORIZATION_SERVERS, names::RESOURCES].contains(&bare(name));
        for (_, value) in ours.iter().filter(|(name, _)| servers(name)) {
            name_secrets(value, &mut named);
        }
        for (name, value) in others.into_iter().filter(|(name, _)| named.contains(name)) {
            ours.insert(name, value);
        }
        Self { values: ours, named, ..Self::default() }
    }
}

/// The names of variables in `introspection.client_secret`, wherever it stands.
fn name_secrets(value: &Value, named: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains(names::CLIENT_SECRET) => {
            if let Some(value) = json::value(text.as_bytes()).filter(|value| !value.is_string()) {
                name_secrets(&value, named);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| name_secrets(item, named)),
        Value::Object(members) => {
            for (name, value) in members {
                match value.get(names::CLIENT_SECRET).and_then(Value::as_str) {
                    Some(secret) if name == names::INTROSPECTION => named.push(secret.to_owned()),
                    _ => name_secrets(value, named),
                }
            }
        }
        _ => {}
    }
}

/// A variable that is set.
#[derive(Clone, Debug)]
pub(super) struct Found<'v> {
    pub(super) name: &'v str,
    /// A string that holds JSON is read as that JSON.
    pub(super) value: Value,
}

impl Variables {
    /// The secrets among them: settings that whoever reads them must not know.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str).filter(|name| self.is_secret(name))
    }

    /// Whether an entry names this variable as that of a secret.
    pub fn is_named(&self, name: &str) -> bool {
        self.named.iter().any(|named| named == name)
    }

    fn is_secret(&self, name: &str) -> bool {
        is_secret(name) || self.is_named(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// A variable that is no setting, as it is written.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_str()
    }

    /// The same, beside bindings that answer requests (services, VPC services, mTLS
    /// certificates …).
    #[must_use]
    pub fn with_bindings(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.bindings.extend(names);
        self
    }

    /// The same, beside bindings that count.
    #[must_use]
    pub fn with_limiters(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.limiters.extend(names);
        self
    }

    pub(super) fn has_limiter(&self, name: &str) -> bool {
        self.limiters.iter().any(|limiter| limiter == name)
    }

    pub(super) fn has_binding(&self, name: &str) -> bool {
        self.bindings.iter().any(|binding| binding == name)
    }

    /// What is expected where a binding is named that is not there.
    pub(super) const fn expected_binding(&self) -> &'static str {
        match self.outside_cloudflare {
            true => "nothing: outside Cloudflare no binding answers requests. Take it out, and say the URL",
            false => {
                "the name of a binding that answers requests: a service, a VPC service, an mTLS certificate"
            }
        }
    }

    /// The same without some, and with others, which are the own ones of a resource at this place.
    pub(super) fn overlaid(
        &self,
        is_kept: &dyn Fn(&str) -> bool,
        others: Vec<(String, Value)>,
        place: String,
    ) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in self.values.iter().filter(|(name, _)| is_kept(name)) {
            values.insert(name.clone(), value.clone());
        }
        let own = others.iter().map(|(name, _)| name.clone()).collect();
        for (name, value) in others {
            values.insert(name, value);
        }
        let (bindings, limiters, named) = (self.bindings.clone(), self.limiters.clone(), self.named.clone());
        let Self { secrets_elsewhere, outside_cloudflare, .. } = *self;
        Self { values, secrets_elsewhere, outside_cloudflare, bindings, limiters, named, own, place }
    }

    /// What is set and no secret, as it is read.
    #[cfg(feature = "commands")]
    pub(super) fn readable(&self) -> impl Iterator<Item = (&str, Value)> {
        let all = self.values.keys().filter(|name| !self.is_secret(name));
        all.filter_map(|name| self.found(name)).map(|found| (found.name, found.value))
    }

    /// What a text may call the variable of this name without prefix: as the operator wrote it.
    pub(super) fn called(&self, name: &str) -> String {
        let first = [PREFIX, name].concat();
        if self.own.contains(&first) {
            return format!("{}.{}", self.place, name.to_ascii_lowercase());
        }
        let second = [SECOND_PREFIX, name].concat();
        if self.values.contains_key(&second) { second } else { first }
    }

    /// The variables that hold headers for an origin.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str).filter(|name| names::is_origin_headers(name))
    }

    /// The same, read where secrets cannot be seen, so that one which is not here is no fault.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        self.secrets_elsewhere = true;
        self
    }

    pub(super) const fn secrets_are_elsewhere(&self) -> bool {
        self.secrets_elsewhere
    }

    /// The same for a Worker that runs outside Cloudflare, if it does.
    #[must_use]
    pub const fn outside_cloudflare(mut self, is_outside: bool) -> Self {
        self.outside_cloudflare = is_outside;
        self
    }

    pub(super) const fn is_outside_cloudflare(&self) -> bool {
        self.outside_cloudflare
    }

    /// A variable with our prefix that does not exist is a fault: it may be a misspelt one that was
    /// meant to protect something.
    pub(super) fn check_names(&self, faults: &mut Faults) {
        let is_setting = |name: &str| table::of_variable(name).is_some() || self.is_named(name);
        for name in self.values.keys().filter(|name| !is_setting(name)) {
            let known: Vec<&str> = prefixed().map(|setting| setting.name).collect();
            let expected = format!("no such variable; there are {PREFIX}{{{}}}", known.join(", "));
            let meant = spelling::nearest(bare(name), &known);
            let hint = meant.map(|meant| format!("did you mean {PREFIX}{meant}?")).unwrap_or_default();
            faults.add_hinted(name, "", expected, hint);
        }
    }

    /// `MCP_SERVER_AUTH_<name>`, in either spelling.
    pub(super) fn get(&self, name: &str, faults: &mut Faults) -> Option<Found<'_>> {
        let spelled = |prefix: &str| self.found(&format!("{prefix}{name}"));
        match (spelled(PREFIX), spelled(SECOND_PREFIX)) {
            (Some(first), Some(second)) => {
                if first.value != second.value && scalar(&first.value) != scalar(&second.value) {
                    faults.add(
                        first.name,
                        "",
                        format!("the same value as {}, or only one of them", second.name),
                    );
                }
                Some(first)
            }
            (first, second) => first.or(second),
        }
    }

    /// A variable that has one spelling.
    pub(super) fn named(&self, name: &str) -> Option<Found<'_>> {
        self.found(name)
    }

    fn found(&self, name: &str) -> Option<Found<'_>> {
        let (name, value) = self.values.get_key_value(name)?;
        let value = match value {
            value if is_blank(value) && may_be_empty(name) => return None,
            Value::String(text) if text.trim_start().starts_with(['[', '{']) => {
                json::value(text.as_bytes()).unwrap_or_else(|| value.clone())
            }
            value => value.clone(),
        };
        Some(Found { name, value })
    }
}

impl Found<'_> {
    /// A fault of the variable as a whole, with what was found instead.
    #[cold]
    pub(super) fn fault(&self, expected: &str, shape: Shape, faults: &mut Faults) {
        let found = written::variable(&self.value, shape, is_secret(self.name));
        faults.add_hinted(self.name, "", expected, found);
    }

    /// Whether it was meant to be JSON and is none.
    pub(super) fn is_broken_json(&self) -> bool {
        self.value.as_str().is_some_and(written::looks_structured)
    }

    /// One text, or an array of at least one; none of them empty.
    pub(super) fn one_or_more(&self) -> Option<Vec<String>> {
        one_or_more(&self.value).filter(|_| !self.is_broken_json())
    }

    /// `true` or `false`, as such or as text.
    pub(super) fn switch(&self) -> Option<bool> {
        self.value.as_str().map_or(self.value.as_bool(), |text| text.trim().parse().ok())
    }

    /// An array of strings, or a string of words.
    pub(super) fn words(&self) -> Option<Vec<String>> {
        words(&self.value)
    }
}

/// A number of seconds in a range, or the default where nothing is set.
pub(super) fn seconds(
    found: Option<Found<'_>>,
    range: RangeInclusive<Seconds>,
    default: Seconds,
    faults: &mut Faults,
) -> Seconds {
    let Some(found) = found else { return default };
    let seconds = match found.value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => found.value.as_u64(),
    };
    seconds.filter(|seconds| range.contains(seconds)).unwrap_or_else(|| {
        let expected = format!("a whole number of seconds, {} to {}", range.start(), range.end());
        faults.add(found.name, "", expected);
        default
    })
}

/// Whether a variable with an empty text is one that is not set.
pub(super) fn may_be_empty(name: &str) -> bool {
    table::of_variable(name).is_some_and(|setting| setting.may_be_empty)
}

/// An empty text, or one of white space.
pub(super) fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The variables with a prefix.
fn prefixed() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.spelling == Spelling::Prefixed)
}

/// All names that are read.
#[cfg(feature = "commands")]
pub(super) fn known() -> Vec<String> {
    let both = prefixed().flat_map(|setting| [PREFIX, SECOND_PREFIX].map(|p| [p, setting.name].concat()));
    let others = SETTINGS.iter().filter(|setting| setting.spelling == Spelling::Bare);
    both.chain(others.map(|setting| setting.name.to_owned())).collect()
}

/// Whether a variable is a setting that whoever reads it must not know.
fn is_secret(name: &str) -> bool {
    table::of_variable(name).is_some_and(|setting| setting.is_secret)
}

/// A number or a switch is the same as its text: TOML has both spellings of it.
fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An array of strings, or a string of words.
pub(super) fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split_ascii_whitespace().map(str::to_owned).collect()),
        value => strings(value),
    }
}

/// An array of strings.
pub(super) fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// One string, or an array of at least one; none of them empty.
pub(super) fn one_or_more(value: &Value) -> Option<Vec<String>> {
    let all = match value {
        Value::String(one) => vec![one.clone()],
        value => strings(value)?,
    };
    (!all.is_empty() && all.iter().all(|s| !s.trim().is_empty())).then_some(all)
}
