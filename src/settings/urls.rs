//! Which URLs are taken. They are parsed to be judged, and kept as they were written.

use serde_json::Value;

use super::hosts;
use super::variables::Variables;
use super::written::{character, kind};
use crate::fault::Faults;
use crate::http::path::leads_elsewhere;
use crate::http::url::{absolute, authority, is_normal, is_safe_character, parse, path, public};

pub(super) const PUBLIC_URL: &str =
    "an https URL (or http on 127.0.0.0/8, ::1 or localhost) without fragment, userinfo or whitespace";
const ORIGIN_URL: &str = "an http or https URL without query, fragment, userinfo or whitespace";

pub(super) const PUBLIC_PAGE: &str =
    "an https URL (or http on 127.0.0.0/8, ::1 or localhost) without userinfo or whitespace";

/// What a URL has to be, beside http or https in safe characters. All but an origin: https, or http
/// on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    /// With or without a fragment.
    Page,
    /// What tokens name, and where metadata is looked for.
    Issuer,
    KeySet,
    /// `ORIGIN_URL`.
    Origin,
}

/// Documents in which a key set is named.
const METADATA: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// A URL of an issuer or a key set, as it was written.
///
/// # Errors
/// What was found instead.
pub(super) fn read(value: &Value, kind: Kind) -> Result<String, String> {
    let text = value.as_str().filter(|text| public(text).is_some()).ok_or_else(|| found(value, kind))?;
    let path = path(text);
    match kind {
        Kind::Issuer if path.contains("/.well-known") => {
            Err("found the URL of a document: write the issuer, without /.well-known/…".to_owned())
        }
        Kind::KeySet if METADATA.iter().any(|document| path.contains(document)) => {
            Err("found the URL of metadata: write its jwks_uri, or leave this out".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

/// What was found where such a URL was expected: the first thing that is wrong with it.
#[cold]
pub(super) fn found(value: &Value, expected: Kind) -> String {
    let Some(text) = value.as_str() else { return format!("found {}", kind(value)) };
    if let Some(odd) = odd_character("", text) {
        return odd;
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let authority = authority(rest);
    let url = parse(text);
    let what = if text.is_empty() {
        "an empty text"
    } else if scheme.is_empty() {
        "no https:// at the beginning"
    } else if !["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        "another scheme than https"
    } else if authority.contains('@') {
        "userinfo (what stands before @)"
    } else if authority.is_empty() {
        "no host"
    } else if url.is_none() {
        "a host or a port that is none"
    } else if text.contains('#') && expected != Kind::Page {
        "a fragment (from # on)"
    } else if text.contains('?') && expected == Kind::Origin {
        "a query (from ? on)"
    } else if expected != Kind::Origin && public(text).is_none() {
        "http, on a host that is not this machine"
    } else {
        "a path that no request has: dot segments, or something else that is rewritten on the way"
    };
    format!("found {what}")
}

/// The first character that no URL here may have: where it stands, its code point, and what the
/// same is in ASCII. Only of a host more is told than the character itself. `lead`: what the text
/// lacks of a URL.
#[cold]
pub(super) fn odd_character(lead: &str, text: &str) -> Option<String> {
    let (at, odd) = text.char_indices().find(|(_, c)| !is_safe_character(*c))?;
    let place = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
    let url = [lead, text].concat();
    let start = url.find("://").map_or(0, |at| at + 3);
    let authority = authority(url.get(start..).unwrap_or_default());
    let in_host = start > 0
        && (start..start + authority.len()).contains(&(lead.len() + at))
        && !authority.contains('@');
    let ascii = match hosts::in_ascii(authority) {
        _ if !in_host || odd.is_ascii() => format!("in ASCII: {}", percent_encoded(odd)),
        Some(host) => format!("the host in ASCII: {host}"),
        None => "a host is written in ASCII, in the form that begins with xn--".to_owned(),
    };
    Some(format!("found {} as character {place}; {ascii}", character(odd)))
}

fn percent_encoded(c: char) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub(super) fn read_origin_url(variables: &Variables, faults: &mut Faults) -> Option<String> {
    let Some(found) = variables.named("ORIGIN_URL") else {
        faults.add("ORIGIN_URL", "", format!("{ORIGIN_URL}; it is required"));
        return None;
    };
    let text = found
        .value
        .as_str()
        .filter(|text| absolute(text).is_some_and(|url| is_normal(text, &url) && !text.contains('?')));
    match text {
        None => faults.add_hinted(found.name, "", ORIGIN_URL, self::found(&found.value, Kind::Origin)),
        Some(text) if leads_elsewhere(path(text)) => {
            faults.add(found.name, "", "a path without dot segments, in any spelling");
        }
        Some(_) => {}
    }
    text.map(str::to_owned)
}
