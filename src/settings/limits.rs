//! `limits` of the policy: how often something may be done. A limit that would count nothing, or
//! with nothing, is a fault.

use serde_json::Value;

use super::object_reader::ObjectReader;
use super::patterns;
use super::table::LIMIT;
use super::written::Shape;
use crate::limits::{LIMIT_PERIODS, LIMITS, Seconds};
use crate::policy::limits::{By, Limit};

const BINDING: &str = "the name of a rate limiter that is bound, as in [[ratelimits]]";

/// `is_limiter`: whether a rate limiter of this name is bound.
pub(super) fn read(members: &mut ObjectReader<'_>, is_limiter: &dyn Fn(&str) -> bool) -> Vec<Limit> {
    const NAME: &str = "limits";
    let mut all = Vec::new();
    match members.get(NAME) {
        None => {}
        Some(Value::Array(limits)) if limits.len() <= LIMITS => {
            for (at, value) in limits.iter().enumerate() {
                let limit = members.inner(&format!(".{NAME}[{at}]"), value, &LIMIT);
                all.extend(limit.and_then(|mut members| self::limit(&mut members, is_limiter)));
            }
        }
        Some(_) => members.misshapen(NAME, &format!("an array of {LIMITS} limits at most"), Shape::Array),
    }
    all
}

/// `None`: it has a fault.
fn limit(members: &mut ObjectReader<'_>, is_limiter: &dyn Fn(&str) -> bool) -> Option<Limit> {
    let (by, binding, period) = (by(members), binding(members, is_limiter), period(members));
    let methods = patterns::methods(members);
    let names = patterns::names(members, "names");
    let by = by?;
    if by.needs_tool() && methods.as_ref().is_some_and(|all| !all.iter().any(|m| m.matches("tools/call"))) {
        members.fault("methods", "tools/call among them: only the call of a tool is counted by tool");
    }
    Some(Limit { by, binding: binding?, period: period?, methods, names })
}

fn by(members: &mut ObjectReader<'_>) -> Option<By> {
    let text = members.get("by").and_then(Value::as_str);
    let by = By::ALL.iter().find(|(name, _)| text == Some(name)).map(|(_, by)| *by);
    if by.is_none() {
        let names = By::ALL.map(|(name, _)| name).join(", ");
        members.fault("by", format!("one of {names}"));
    }
    by
}

fn binding(members: &mut ObjectReader<'_>, is_limiter: &dyn Fn(&str) -> bool) -> Option<String> {
    let is_identifier =
        |name: &&str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'));
    let name = members.get("binding").and_then(Value::as_str).filter(is_identifier);
    let name = name.filter(|name| is_limiter(name)).map(str::to_owned);
    if name.is_none() {
        members.fault("binding", BINDING);
    }
    name
}

fn period(members: &mut ObjectReader<'_>) -> Option<Seconds> {
    let [short, long] = LIMIT_PERIODS;
    let Some(value) = members.get("period") else { return Some(long) };
    let period = value.as_u64().filter(|period| LIMIT_PERIODS.contains(period));
    if period.is_none() {
        members.fault("period", format!("{short} or {long}, the seconds of the rate limiter's own period"));
    }
    period
}
