//! `decide` of the policy: who decides beside the rules, and what comes of no answer. What is not
//! understood is a fault.

use super::object_reader::ObjectReader;
use super::patterns;
use super::table::DECIDE;
use super::urls::{self, Kind, PUBLIC_URL};
use super::variables::Variables;
use crate::limits::{DECIDE_MILLISECONDS, DECIDE_MILLISECONDS_DEFAULT};
use crate::policy::decision::Decide;

/// Where a binding is asked, if nothing else is said (the path is AuthZEN's own).
const BEHIND_BINDING: &str = "https://authzen.internal/access/v1/evaluation";

/// `None`: it is not there, or has a fault.
pub(super) fn read(members: &mut ObjectReader<'_>, variables: &Variables) -> Option<Decide> {
    let value = members.get("decide")?;
    let mut members = members.inner(".decide", value, &DECIDE)?;
    let before = members.count();
    let binding = binding(&mut members, variables);
    if !members.has("binding") && !members.has("url") {
        members.fault_here("binding, or url: who decides");
    }
    let url = match members.get("url").map(|value| urls::read(value, Kind::Public)) {
        None => BEHIND_BINDING.to_owned(),
        Some(Ok(url)) => url,
        Some(Err(found)) => {
            members.fault_hinted("url", PUBLIC_URL, found);
            return None;
        }
    };
    word(&mut members, "format", &["authzen"]);
    let decide = Decide {
        binding,
        url,
        methods: patterns::methods(&mut members),
        names: patterns::names(&mut members, "names"),
        arguments: members.switch("arguments").unwrap_or_default(),
        lets_through: word(&mut members, "on_error", &["deny", "allow"]) == Some("allow"),
        milliseconds: milliseconds(&mut members),
    };
    (members.count() == before).then_some(decide)
}

fn binding(members: &mut ObjectReader<'_>, variables: &Variables) -> Option<String> {
    let value = members.get("binding")?;
    let name = value.as_str().filter(|name| variables.has_binding(name)).map(str::to_owned);
    if name.is_none() {
        members.fault("binding", variables.expected_binding());
    }
    name
}

/// One of these words. `None`: the member is not there, or has a fault.
fn word<'w>(members: &mut ObjectReader<'_>, name: &str, words: &[&'w str]) -> Option<&'w str> {
    let value = members.get(name)?;
    let word = words.iter().find(|word| value.as_str() == Some(word)).copied();
    if word.is_none() {
        members.fault(name, words.join(" or "));
    }
    word
}

fn milliseconds(members: &mut ObjectReader<'_>) -> u64 {
    let Some(value) = members.get("timeout_ms") else { return DECIDE_MILLISECONDS_DEFAULT };
    let milliseconds = value.as_u64().filter(|milliseconds| DECIDE_MILLISECONDS.contains(milliseconds));
    milliseconds.unwrap_or_else(|| {
        let (least, most) = (DECIDE_MILLISECONDS.start(), DECIDE_MILLISECONDS.end());
        members.fault("timeout_ms", format!("a whole number of milliseconds, {least} to {most}"));
        DECIDE_MILLISECONDS_DEFAULT
    })
}
