//! The origin's own challenge, rewritten: our document exactly once, whatever the origin says and
//! however it writes it.

use mcp_edge_auth::origin::challenge::rewritten;
use proptest::prelude::*;

use crate::support::arbitrary::quick;
use crate::support::{for_each_row, same};

const OURS: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

/// What the origin sends, and what follows `Bearer resource_metadata="…"`; `None`: there is no
/// challenge.
const ROWS: [(&str, Option<&str>); 52] = [
    (
        r#"Bearer error="insufficient_scope", scope="a b""#,
        Some(r#", error="insufficient_scope", scope="a b""#),
    ),
    (
        r#"Bearer resource_metadata="https://o/", error="insufficient_scope""#,
        Some(r#", error="insufficient_scope""#),
    ),
    (
        r#"Bearer Resource_Metadata="https://o/", RESOURCE_METADATA=x, error="insufficient_scope""#,
        Some(r#", error="insufficient_scope""#),
    ),
    (
        r#"Bearer error="insufficient_scope", resource_metadata="https://o/""#,
        Some(r#", error="insufficient_scope""#),
    ),
    (r#"bearer error=insufficient_scope"#, Some(r#", error="insufficient_scope""#)),
    (
        r#"BEARER   error = "insufficient_scope" ,scope="a""#,
        Some(r#", error="insufficient_scope", scope="a""#),
    ),
    (
        r#"Bearer error_description="first", error="insufficient_scope", scope="a""#,
        Some(r#", error="insufficient_scope", scope="a", error_description="first""#),
    ),
    (
        r#"Bearer scope="a", scope="b", error="insufficient_scope""#,
        Some(r#", scope="a", error="insufficient_scope""#),
    ),
    (r#"Bearer realm="x", error="insufficient_scope""#, Some(r#", realm="x", error="insufficient_scope""#)),
    (
        r#"Bearer realm="x, Basic y=\"z\"", error="insufficient_scope""#,
        Some(r#", realm="x, Basic y=z", error="insufficient_scope""#),
    ),
    (
        r#"Bearer error_description="caf\é \"quoted\"	tab", error="insufficient_scope""#,
        Some(r#", error="insufficient_scope", error_description="caf quotedtab""#),
    ),
    (r#"Bearer scope="""#, Some(r#", scope="""#)),
    (r#"Bearer x_resource_metadata="https://o/", scope="a""#, Some(r#", scope="a""#)),
    (r#"Bearer x_scope="b", scope="a""#, Some(r#", scope="a""#)),
    (r#"Bearer X-SCOPE-X=b, scope="a", scopes="c""#, Some(r#", scope="a""#)),
    (r#"Bearer my_error="x", error_code="y", error="z""#, Some(r#", error="z""#)),
    (r#"Bearer x_realm="x", realm="y""#, Some(r#", realm="y""#)),
    (r#"Bearer realm="scope=b", scope="a""#, Some(r#", scope="a""#)),
    (r#"Bearer realm="a SCOPE  = b", scope="a""#, Some(r#", scope="a""#)),
    ("Bearer realm=\"sc\\ope\t=b\", scope=\"a\"", Some(r#", scope="a""#)),
    (r#"Bearer realm="sco\"pe=b", scope="a""#, Some(r#", scope="a""#)),
    (r#"Bearer realm="a, error=invalid_token", error="x""#, Some(r#", error="x""#)),
    (r#"Bearer realm="error_description=b""#, Some("")),
    (r#"Bearer realm="resource_metadata=https://o/""#, Some("")),
    (r#"Bearer realm="Resource_Metadata: https://o/", scope="a""#, Some(r#", scope="a""#)),
    (r#"Bearer scope="a resource_metadata=https://o/", scope="b""#, Some(r#", scope="b""#)),
    (r#"Bearer error_description="x, resource_metadata=https://o/", scope="a""#, Some(r#", scope="a""#)),
    (r#"Bearer error_uri="https://o/?scope=b", scope="a""#, Some(r#", scope="a""#)),
    (
        r#"Bearer error_description="missing scope, an error of this realm", error_uri="https://o/?q=scope""#,
        Some(
            r#", error_uri="https://o/?q=scope", error_description="missing scope, an error of this realm""#,
        ),
    ),
    (r#"Bearer scope="a=b files:write", x="y=z""#, Some(r#", scope="a=b files:write", x="y=z""#)),
    ("Bearer", Some("")),
    ("Bearer ", Some("")),
    ("Bearer,", Some("")),
    (", Bearer", Some("")),
    (r#"Basic realm="a", Bearer error="insufficient_scope""#, Some(r#", error="insufficient_scope""#)),
    (r#"Bearer error="insufficient_scope", Basic realm="a""#, Some(r#", error="insufficient_scope""#)),
    (
        r#"Bearer error="insufficient_scope", DPoP error="x", resource_metadata="https://o/""#,
        Some(r#", error="insufficient_scope""#),
    ),
    (r#"Negotiate abc+/def==, Bearer error="insufficient_scope""#, Some(r#", error="insufficient_scope""#)),
    (
        r#"Bearer error="invalid_token", Bearer error="insufficient_scope", scope="a""#,
        Some(r#", error="insufficient_scope", scope="a""#),
    ),
    (
        r#"Bearer error="insufficient_scope", scope="a", Bearer error="insufficient_scope", scope="b""#,
        Some(r#", error="insufficient_scope", scope="a""#),
    ),
    (r#"Bearer error="invalid_token", Bearer realm="x""#, Some(r#", error="invalid_token""#)),
    (
        r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple", Bearer scope="a""#,
        Some(r#", scope="a""#),
    ),
    ("Bearer abc123", Some("")),
    ("", None),
    (" , ", None),
    (r#"Basic realm="a""#, None),
    ("Negotiate", None),
    ("Bearerish error=insufficient_scope", None),
    (r#"Bearer error="insufficient_scope"#, None),
    (r#"Bearer error="insufficient_scope" scope="a""#, None),
    (r#"error="insufficient_scope""#, None),
    ("Bearer error=\"insufficient_scope\", \u{1f642}", None),
];

#[test]
fn rows() {
    for_each_row(ROWS, |(header, expected)| {
        let expected = expected.map(|rest| format!("Bearer resource_metadata=\"{OURS}\"{rest}"));
        same(header, rewritten(header, Some(OURS)), expected)
    });
}

#[test]
fn without_a_document_none_is_named() {
    for_each_row(ROWS, |(header, expected)| {
        let expected =
            expected.map(|rest| format!("Bearer {}", rest.trim_start_matches(", ")).trim_end().to_owned());
        same(header, rewritten(header, None), expected)
    });
}

/// What a client of the SDKs in TypeScript and Python finds: `name=(?:"([^"]+)"|([^\s,]+))`, at its
/// first place, whatever stands before it.
fn found(line: &str, name: &str) -> Option<String> {
    line.match_indices(&format!("{name}=")).find_map(|(at, matched)| {
        let rest = &line[at + matched.len()..];
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(value, _)| value);
        let bare = rest.split([' ', '\t', ',']).next();
        quoted.or(bare).filter(|value| !value.is_empty()).map(str::to_owned)
    })
}

/// What the line says by its grammar, which is known to be strict.
fn said(line: &str, name: &str) -> Option<String> {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        if before.rsplit(' ').next() == Some(name) {
            return Some(value.to_owned()).filter(|value| !value.is_empty());
        }
        rest = after;
    }
    None
}

proptest! {
    #![proptest_config(quick(256))]

    /// Whatever comes, what goes out is one line that names our document once and has nothing in it
    /// to stumble over.
    #[test]
    fn any_header(header in r#"(Bearer|Basic|bearer|[ ,="\\a-zé]|error="insufficient_scope"|resource_metadata=("https://o/"|x)|, ){0,12}"#) {
        if let Some(line) = rewritten(&header, Some(OURS)) {
            let start = format!("Bearer resource_metadata=\"{OURS}\"");
            prop_assert!(line.starts_with(&start), "{}", line);
            prop_assert_eq!(line.to_ascii_lowercase().matches("resource_metadata=\"").count(), 1);
            prop_assert!(line.bytes().all(|b| matches!(b, 0x20..=0x7e)) && !line.contains('\\'));
            // It reads back as what it is.
            prop_assert_eq!(rewritten(&line, Some(OURS)), Some(line));
        }
    }
    /// A pattern finds the parameter that the grammar finds, and none where there is none.
    #[test]
    fn a_pattern_finds_what_the_grammar_finds(
        parameters in proptest::collection::vec(
            r#"(x_|X-)?(realm|scope|SCOPE|error|error_description|error_uri|resource_metadata|acr_values|max_age)(_x|s)?="(Resource_Metadata|scope|SCOPE|error|error_description|realm|max_age| |=|,|a|https://o/|\\"|\t){0,6}""#,
            1..6,
        ),
        ours in proptest::option::of(Just(OURS)),
    ) {
        let line = rewritten(&format!("Bearer {}", parameters.join(", ")), ours).unwrap();
        prop_assert_eq!(found(&line, "resource_metadata"), ours.map(str::to_owned), "{}", line);
        for name in ["realm", "scope", "error", "error_description", "error_uri", "acr_values", "max_age"] {
            prop_assert_eq!(found(&line, name), said(&line, name), "{} in {}", name, line);
            let lower = line.to_ascii_lowercase();
            prop_assert_eq!(found(&lower, name), said(&lower, name), "{} in {}", name, lower);
        }
    }
}
