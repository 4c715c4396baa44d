//! `challenge::rewritten`: an origin's challenge as the client gets it. The first line of the input
//! is `none` where there is no document of ours; the rest is the origin's `WWW-Authenticate`.
//!
//! 1. What comes out is one well-formed Bearer challenge in printable ASCII, no parameter twice.
//! 2. `resource_metadata` is ours, or absent where we have none.
//! 3. A client that searches the line by pattern, as the SDKs do, finds of each parameter of the
//!    specifications exactly what a parser finds.
//! 4. Rewritten again, the line stays as it is.

use mcp_edge_auth::origin::challenge::rewritten;

use super::first_line;

const OURS: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

/// RFC 9728 section 5.1, RFC 6750 section 3, RFC 9470 section 3.
const SOUGHT: [&str; 8] = [
    "resource_metadata",
    "realm",
    "scope",
    "error",
    "error_description",
    "error_uri",
    "acr_values",
    "max_age",
];

pub(super) fn check(data: &[u8]) {
    let (mode, header) = first_line(data);
    let header = String::from_utf8_lossy(header);
    let ours = (mode != b"none").then_some(OURS);
    let Some(line) = rewritten(&header, ours) else { return };
    assert!(line.bytes().all(|b| matches!(b, b' '..=b'~')), "{line:?}");
    let parameters = parse(&line).unwrap_or_else(|| panic!("not well formed: {line}"));
    let mut names: Vec<String> = parameters.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), parameters.len(), "a parameter twice: {line}");
    let found: Vec<&str> = named(&parameters, "resource_metadata").collect();
    assert_eq!(found, ours.into_iter().collect::<Vec<_>>(), "{line}");
    for name in SOUGHT {
        let parsed = named(&parameters, name).next();
        assert_eq!(searched(&line, name), parsed.filter(|value| !value.is_empty()), "{name}: {line}");
    }
    assert_eq!(rewritten(&line, ours).as_deref(), Some(line.as_str()));
}

/// `Bearer name="value", name="value"`, and nothing else.
fn parse(line: &str) -> Option<Vec<(&str, &str)>> {
    let rest = line.strip_prefix("Bearer")?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let mut rest = rest.strip_prefix(' ')?;
    let mut parameters = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) {
            return None;
        }
        let (value, after) = after.split_once('"')?;
        if value.contains('\\') {
            return None;
        }
        parameters.push((name, value));
        if after.is_empty() {
            return Some(parameters);
        }
        rest = after.strip_prefix(", ")?;
    }
}

/// The values of the parameters of this name, which are compared without regard to case.
fn named<'l>(parameters: &[(&'l str, &'l str)], name: &str) -> impl Iterator<Item = &'l str> {
    parameters.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

/// `name=(?:"([^"]+)"|([^\s",]+))` without regard to case, as SDKs search a challenge.
fn searched<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let pattern = format!("{name}=");
    let found = |(at, _): (usize, &str)| {
        let rest = &line[at + pattern.len()..];
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(value, _)| value);
        quoted.or_else(|| rest.split([' ', ',', '\t']).next()).filter(|value| !value.is_empty())
    };
    line.to_ascii_lowercase().match_indices(&pattern).find_map(found)
}
