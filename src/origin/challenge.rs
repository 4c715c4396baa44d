//! An origin's own 403 challenge, as the client gets it (RFC 6750 section 3.1, RFC 9728 section
//! 5.1, MCP 2026-07-28 Authorization, Scope Challenge Handling).
//!
//! 1. One `Bearer` challenge in one line: the one with `error="insufficient_scope"`, else the
//!    first. Other schemes are not ours to speak of: a client of this resource has a Bearer token
//!    and nothing else.
//! 2. `resource_metadata` is ours, exactly once; what the origin says of it would lead the client
//!    around the Worker. Without a document there is none.
//! 3. Every other parameter is passed on once and quoted, without what a quoted string or a simple
//!    parser stumbles over; `error_description` comes last.
//! 4. Most clients look for a parameter by a pattern such as `scope="([^"]+)"`, which finds it in
//!    other names and values, too. A parameter that would be found in place of another is dropped.
//! 5. What cannot be read as challenges is dropped.

const METADATA: &str = "resource_metadata";

/// What clients look for besides (RFC 6750 section 3, RFC 9470 section 3).
const SOUGHT: [&str; 7] =
    ["realm", "scope", "error", "error_description", "error_uri", "acr_values", "max_age"];

/// The line for the client, if there is one. `header`: the origin's `WWW-Authenticate`, its lines
/// joined by commas.
pub fn rewritten(header: &str, resource_metadata: Option<&str>) -> Option<String> {
    let challenges = read(header)?;
    let is_bearer = |challenge: &&Challenge<'_>| challenge.scheme.eq_ignore_ascii_case("Bearer");
    let mut bearers = challenges.iter().filter(is_bearer);
    let first = bearers.clone().next()?;
    let chosen = bearers.find(|challenge| challenge.is("error", "insufficient_scope")).unwrap_or(first);

    let mut parameters: Vec<(&str, String)> = Vec::new();
    parameters.extend(resource_metadata.map(|url| (METADATA, url.to_owned())));
    let description = |name: &str| name.eq_ignore_ascii_case("error_description");
    let (last, others): (Vec<_>, Vec<_>) = chosen.parameters.iter().partition(|(name, _)| description(name));
    for (name, value) in others.into_iter().chain(last) {
        let known = |(other, _): &(&str, String)| other.eq_ignore_ascii_case(name);
        let value = plain(value);
        if !misleads(name, &value) && !parameters.iter().any(known) {
            parameters.push((name, value));
        }
    }
    let parameters: Vec<String> =
        parameters.into_iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    Some(if parameters.is_empty() {
        "Bearer".to_owned()
    } else {
        format!("Bearer {}", parameters.join(", "))
    })
}

/// Whether a pattern finds another parameter in this one: `x_scope="a"`, `realm="scope=a"`,
/// `realm="scope = a"`. The name of our document is not to be there at all.
fn misleads(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let value = value.to_ascii_lowercase().replace(' ', "");
    let is_sought = SOUGHT.contains(&name.as_str());
    let is_found =
        |sought: &&str| !is_sought && name.contains(sought) || value.contains(&[sought, "="].concat());
    name.contains(METADATA) || value.contains(METADATA) || SOUGHT.iter().any(is_found)
}

/// Printable ASCII without `"` and `\`.
fn plain(value: &str) -> String {
    value.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}

struct Challenge<'h> {
    scheme: &'h str,
    parameters: Vec<(&'h str, String)>,
}

impl Challenge<'_> {
    fn is(&self, name: &str, value: &str) -> bool {
        self.parameters.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v == value)
    }
}

/// `challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]` (RFC 9110 section 11.6.1), in a
/// list.
fn read(header: &str) -> Option<Vec<Challenge<'_>>> {
    let mut challenges: Vec<Challenge<'_>> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(challenges);
        }
        let (name, after) = token(rest)?;
        let spaced = after.trim_start_matches([' ', '\t']);
        if let (Some(value), Some(challenge)) = (spaced.strip_prefix('='), challenges.last_mut()) {
            let (value, after) = parameter_value(value.trim_start_matches([' ', '\t']))?;
            challenge.parameters.push((name, value));
            rest = separated(after)?;
            continue;
        }
        challenges.push(Challenge { scheme: name, parameters: Vec::new() });
        rest = without_token68(spaced);
    }
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// A token or a quoted string, and what follows.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    loop {
        match chars.next()? {
            (end, '"') => return Some((value, quoted.get(end + 1..)?)),
            (_, '\\') => value.push(chars.next()?.1),
            (_, c) => value.push(c),
        }
    }
}

/// A parameter ends where its list goes on, or ends.
fn separated(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '\t']);
    (text.is_empty() || text.starts_with(',')).then_some(text)
}

/// What follows a scheme without its token68, such as Negotiate has: all of it up to a comma, and
/// no name with a value.
fn without_token68(text: &str) -> &str {
    let end = text.find(',').unwrap_or(text.len());
    let Some((candidate, rest)) = text.split_at_checked(end) else { return text };
    let candidate = candidate.trim_end_matches([' ', '\t']);
    let body = candidate.trim_end_matches('=');
    let is_token68 =
        !body.is_empty() && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
    if is_token68 { rest } else { text }
}
