//! What a rule of the policy demands of claims and of arguments: paths and conditions. What is not
//! understood is a fault, which says at which path.

use serde_json::Value;

use super::object_reader::{ObjectReader, get, unknown};
use super::written::{self, Shape};
use super::{table, times};
use crate::json::Object;
use crate::limits;
use crate::plain;
use crate::policy::{Accepted, Condition, EXACT, MemberDemand, MethodPattern, NamePattern, Number};

const CLAIMS: &str = "an object: the path of a claim, and a string, whole number or boolean that is accepted, an array of them, { min, max } of numbers or times, or { present = true } or false";
const ARGUMENTS: &str = "an object: the path of an argument, and a string (in which each * stands for any characters), whole number or boolean that is accepted, an array of them, { min, max } of numbers, { max_length } of a text, or { present = true } or false";
const CALLS: &str = "methods = [\"tools/call\"] beside it: only the call of a tool has arguments";

/// What values are demanded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Claims,
    Arguments,
}

pub(super) fn claims(members: &mut ObjectReader<'_>) -> Vec<MemberDemand> {
    demands(members, "claims", CLAIMS, Of::Claims)
}

/// `methods`: those of the rule.
pub(super) fn arguments(
    members: &mut ObjectReader<'_>,
    methods: Option<&[MethodPattern]>,
) -> Vec<MemberDemand> {
    const NAME: &str = "arguments";
    let is_call =
        |method: &MethodPattern| matches!(method, MethodPattern::Exact(name) if name == "tools/call");
    if members.has(NAME) && !methods.is_some_and(|methods| methods.iter().all(is_call)) {
        members.fault(NAME, CALLS);
    }
    demands(members, NAME, ARGUMENTS, Of::Arguments)
}

#[inline(never)]
fn demands(members: &mut ObjectReader<'_>, name: &str, expected: &str, of: Of) -> Vec<MemberDemand> {
    let Some(value) = members.get(name) else { return Vec::new() };
    let mut demands = Vec::new();
    for (path, value) in value.as_object().into_iter().flatten() {
        let mut reader = DemandReader { of, fault: String::new() };
        match reader.condition_at(path, value) {
            Some(condition) => demands.push(MemberDemand { path: path.clone(), condition }),
            None => {
                members.fault_hinted(name, expected, [&plain::line(path), ": ", &reader.fault].concat());
                return Vec::new();
            }
        }
    }
    if demands.is_empty() {
        members.misshapen(name, expected, Shape::Object);
    }
    demands
}

/// Reads what is demanded at one path. Where it reads nothing, there is a fault.
struct DemandReader {
    of: Of,
    fault: String,
}

impl DemandReader {
    #[cold]
    #[inline(never)]
    fn fault(&mut self, pieces: &[&str]) {
        self.fault = pieces.concat();
    }

    fn condition_at(&mut self, path: &str, value: &Value) -> Option<Condition> {
        if path.split('.').any(str::is_empty) {
            self.fault(&["found a path with an empty name in it"]);
            return None;
        }
        let is_long = path.split('.').count() > limits::ARGUMENT_PATH_NAMES
            || path.chars().count() > limits::ARGUMENT_PATH_CHARS;
        if self.of == Of::Arguments && is_long {
            let [names, characters] = [limits::ARGUMENT_PATH_NAMES, limits::ARGUMENT_PATH_CHARS];
            let (names, characters) = (names.to_string(), characters.to_string());
            self.fault(&["found more than ", &names, " names or ", &characters, " characters in a path"]);
            return None;
        }
        match value {
            Value::Object(members) => self.condition(members),
            Value::Array(values) => {
                let mut all = Vec::new();
                for value in values {
                    all.push(self.accepted(value)?);
                }
                if all.is_empty() {
                    self.fault(&["found an empty array"]);
                    return None;
                }
                Some(Condition::OneOf(all))
            }
            value => Some(Condition::OneOf(vec![self.accepted(value)?])),
        }
    }

    #[inline(never)]
    fn accepted(&mut self, value: &Value) -> Option<Accepted> {
        match value {
            Value::String(text) => {
                let pattern = NamePattern::new(text).filter(|_| self.of == Of::Arguments);
                Some(Accepted::Text(pattern.unwrap_or_else(|| NamePattern::Exact(text.clone()))))
            }
            Value::Bool(choice) => Some(Accepted::Bool(*choice)),
            Value::Number(number) if number.as_i64().is_some() => self.number(number).map(Accepted::Number),
            Value::Number(_) => {
                self.fault(&["found a number that is not whole, or too large"]);
                None
            }
            value => {
                self.fault(&["found ", written::kind(value)]);
                None
            }
        }
    }

    #[inline(never)]
    fn number(&mut self, number: &serde_json::Number) -> Option<Number> {
        let exact = Number::new(number);
        if exact.is_none() {
            self.fault(&["found a number beyond ", &EXACT.to_string()]);
        }
        exact
    }

    fn condition(&mut self, members: &Object) -> Option<Condition> {
        let known = table::names(match self.of {
            Of::Claims => &table::CLAIM_CONDITION,
            Of::Arguments => &table::ARGUMENT_CONDITION,
        });
        if let [unknown, ..] = unknown(members, &known).as_slice() {
            self.fault(&["found ", &plain::line(unknown), ", which is none of ", &known.join(", ")]);
            return None;
        }
        let [present, length] = ["present", "max_length"].map(|name| get(members, name));
        let stands_alone = present.is_some() || length.is_some();
        if members.is_empty() || (stands_alone && members.len() > 1) {
            let together = "found what cannot stand together: min and max can, all others stand alone";
            self.fault(&[if members.is_empty() { "found an object with nothing in it" } else { together }]);
            return None;
        }
        match (present, length) {
            (Some(Value::Bool(is_wanted)), _) => Some(Condition::Present(*is_wanted)),
            (Some(_), _) => {
                self.fault(&["present is true or false"]);
                None
            }
            (_, Some(length)) => {
                let length = length.as_u64().and_then(|length| usize::try_from(length).ok());
                let length = length.filter(|length| *length <= limits::BODY_BYTES);
                if length.is_none() {
                    self.fault(&["max_length is a whole number, 0 to ", &limits::BODY_BYTES.to_string()]);
                }
                length.map(Condition::MaxLength)
            }
            (None, None) => self.range(members),
        }
    }

    fn range(&mut self, members: &Object) -> Option<Condition> {
        let [min, max] = ["min", "max"].map(|name| get(members, name).map(|value| self.bound(name, value)));
        if matches!(min, Some(None)) || matches!(max, Some(None)) {
            return None;
        }
        let (min, max) = (min.flatten(), max.flatten());
        if let (Some(min), Some(max)) = (&min, &max)
            && min.value() > max.value()
        {
            self.fault(&["min is more than max"]);
            return None;
        }
        Some(Condition::Within { min, max })
    }

    #[inline(never)]
    fn bound(&mut self, name: &str, value: &Value) -> Option<Number> {
        match value {
            Value::Number(number) => self.number(number),
            // Times in tokens are numbers of seconds (RFC 7519 section 2).
            Value::String(text) if self.of == Of::Claims => {
                let time = times::seconds(text).and_then(|seconds| Number::new(&seconds.into()));
                if time.is_none() {
                    self.fault(&[name, " is a text and no time such as 2026-01-31T12:00:00Z"]);
                }
                time
            }
            value => {
                self.fault(&[name, " is ", written::kind(value)]);
                None
            }
        }
    }
}
