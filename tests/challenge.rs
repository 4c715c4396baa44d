//! The origin's own challenge, rewritten: our document exactly once, whatever the origin says and however it writes it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is amiss"
)]

mod support;

use mcp_edge_auth::challenge::rewritten;
use proptest::prelude::*;
use support::{for_each_row, same};

const OURS: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

/// What the origin sends, and what follows `Bearer resource_metadata="…"`; `None`: there is no challenge.
const ROWS: [(&str, Option<&str>); 35] = [
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

proptest! {
    /// Whatever comes, what goes out is one line that names our document once and has nothing in it to stumble over.
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
}
