//! `MCP_SERVER_AUTH_COMPATIBILITY`: words for what is switched on.

use super::variables::Variables;
use super::written::Shape;
use super::{issuers, spelling};
use crate::fault::Faults;
use crate::resource::compatibility::{ACCEPT, CHALLENGE, COPY, Compatibility};
use crate::token::trusted_issuer::TrustedIssuer;

pub(super) fn read(variables: &Variables, entries: &[TrustedIssuer], faults: &mut Faults) -> Compatibility {
    let Some(found) = variables.get("COMPATIBILITY", faults) else { return Compatibility::default() };
    let known = |word: &String| [COPY, CHALLENGE, ACCEPT].contains(&word.as_str());
    let words = found.words().filter(|_| !found.is_broken_json());
    let expected =
        format!("some of {COPY} {CHALLENGE} {ACCEPT}, as an array of strings or a space-separated string");
    let Some(words) = words else {
        found.fault(&expected, Shape::Texts, faults);
        return Compatibility::default();
    };
    if let Some(unknown) = words.iter().find(|word| !known(word)) {
        let hint = spelling::did_you_mean(unknown, &[COPY, CHALLENGE, ACCEPT]);
        faults.add_hinted(found.name, "", expected, hint);
        return Compatibility::default();
    }
    let has = |word: &str| words.iter().any(|w| w == word);
    let copied_issuer = has(COPY).then(|| issuer(entries)).flatten();
    // Without entries, what is wrong with those is said already.
    if has(COPY) && copied_issuer.is_none() && !entries.is_empty() {
        faults.add(
            found.name,
            "",
            format!("no {COPY} where no entry names an authorization server: there is none to copy from"),
        );
    }
    Compatibility { copied_issuer, invalid_token_challenge: has(CHALLENGE), accept_header: has(ACCEPT) }
}

/// Of the first entry that clients are told of; where its issuer is no URL, of the URL itself.
fn issuer(entries: &[TrustedIssuer]) -> Option<String> {
    let url = |entry: &TrustedIssuer| entry.authorization_server_url.clone();
    let (entry, url) = entries.iter().find_map(|entry| Some((entry, url(entry)?)))?;
    let issuer = entry.rules.issuer.as_str();
    Some(if issuers::is_url(issuer) { issuer.to_owned() } else { url })
}
