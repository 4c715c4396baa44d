//! What is said of the server, in the metadata document (RFC 9728 section 2) and on the page for
//! people.

use super::urls;
use super::variables::Variables;
use crate::documents::metadata::About;
use crate::fault::Faults;
use crate::http::url;
use crate::limits;
use crate::plain;

pub(super) fn read(variables: &Variables, faults: &mut Faults) -> About {
    About {
        name: name(variables, faults),
        documentation: url(variables, "RESOURCE_DOCUMENTATION", faults),
        policy_uri: url(variables, "RESOURCE_POLICY_URI", faults),
        tos_uri: url(variables, "RESOURCE_TOS_URI", faults),
    }
}

pub(super) const NAME: &str = "RESOURCE_NAME";

fn name(variables: &Variables, faults: &mut Faults) -> Option<String> {
    let found = variables.get(NAME, faults)?;
    let name = found.value.as_str().map(str::trim).filter(|name| {
        name.chars().count() <= limits::RESOURCE_NAME_CHARS && name.chars().all(plain::is_plain)
    });
    if name.is_none() {
        let expected = "one line of text, 100 characters at most";
        faults.add(found.name, "", expected);
    }
    name.map(str::to_owned)
}

fn url(variables: &Variables, name: &str, faults: &mut Faults) -> Option<String> {
    let found = variables.get(name, faults)?;
    let url = found.value.as_str().filter(|text| url::public_page(text));
    if url.is_none() {
        let hint = urls::found(&found.value, urls::Kind::Page);
        faults.add_hinted(found.name, "", urls::PUBLIC_PAGE, hint);
    }
    url.map(str::to_owned)
}

/// A variable that is true or false.
pub(super) fn switch(variables: &Variables, name: &'static str, default: bool, faults: &mut Faults) -> bool {
    let Some(found) = variables.get(name, faults) else { return default };
    let choice = found.switch();
    if choice.is_none() {
        faults.add(found.name, "", "true or false");
    }
    choice.unwrap_or(default)
}
