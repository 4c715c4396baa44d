//! Several MCP servers behind one Worker: no token for the one opens the other because of where
//! their origins are.

use mcp_edge_auth::fault::Fault;
use mcp_edge_auth::resource::Config;
use serde_json::{Value, json};

use crate::support::resources::many;
use crate::support::{self, for_each_row, read, same, with};

fn places(read: Result<Config, Vec<Fault>>) -> Vec<String> {
    read.err().unwrap_or_default().into_iter().map(|f| format!("{}{}", f.variable, f.field)).collect()
}

#[test]
fn origins_that_one_token_would_open() {
    let origin = |canonical: &str, origin: &str| json!({ "canonical_url": canonical, "origin_url": origin });
    let two = |one: (&str, &str), other: (&str, &str)| {
        many(json!([origin(one.0, one.1), origin(other.0, other.1)]))
    };
    const FILES: &str = "https://mcp.example/files";
    const ADMIN: &str = "https://mcp.example/files/admin";
    const ISSUES: &str = "https://mcp.example/issues";
    let first: &[&str] = &["MCP_SERVER_AUTH_RESOURCES[0].origin_url"];
    let second: &[&str] = &["MCP_SERVER_AUTH_RESOURCES[1].origin_url"];
    let rows: Vec<(&str, Value, &[&str])> = vec![
        ("apart", two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/b")), &[]),
        ("the same", two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/a")), second),
        ("the same, nested", two((FILES, "https://o.example/a"), (ADMIN, "https://o.example/a")), second),
        ("a slash", two((FILES, "https://o.example/a/"), (ISSUES, "https://o.example/a")), second),
        ("roots", two((FILES, "https://o.example"), (ISSUES, "https://o.example/")), second),
        ("below", two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/a/b")), second),
        (
            "below, the other way round",
            two((ISSUES, "https://o.example/a/b"), (FILES, "https://o.example/a")),
            first,
        ),
        ("below a slash", two((FILES, "https://o.example/a/"), (ISSUES, "https://o.example/a/b/c")), second),
        ("below a root", two((FILES, "https://o.example"), (ISSUES, "https://o.example/issues")), second),
        (
            "beside a name that starts alike",
            two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/ab")),
            &[],
        ),
        ("nested alike", two((FILES, "https://o.example/a"), (ADMIN, "https://o.example/a/admin")), &[]),
        (
            "nested alike in a root",
            two((FILES, "https://o.example/"), (ADMIN, "https://o.example/admin")),
            &[],
        ),
        (
            "nested alike, the other way round",
            two((ADMIN, "https://o.example/a/admin"), (FILES, "https://o.example/a")),
            &[],
        ),
        (
            "nested by another name",
            two((FILES, "https://o.example/a"), (ADMIN, "https://o.example/a/b")),
            second,
        ),
        (
            "nested deeper",
            two((FILES, "https://o.example/a"), (ADMIN, "https://o.example/a/x/admin")),
            second,
        ),
        (
            "nested upside down",
            two((FILES, "https://o.example/a/admin"), (ADMIN, "https://o.example/a")),
            first,
        ),
        (
            "nested alike at another host",
            two(
                (FILES, "https://o.example/a"),
                ("https://mcp.example.org/files/admin", "https://o.example/a/admin"),
            ),
            second,
        ),
        ("case of the path", two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/A/b")), second),
        (
            "nested alike but for case",
            two((FILES, "https://o.example/a"), (ADMIN, "https://o.example/A/ADMIN")),
            &[],
        ),
        (
            "case of both paths",
            two((FILES, "https://o.example/a"), ("https://mcp.example/FILES", "https://o.example/A")),
            second,
        ),
        ("encoded", two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/%61/b")), second),
        ("encoded twice", two((FILES, "https://o.example/%2561"), (ISSUES, "https://o.example/a/b")), second),
        (
            "an encoded slash",
            two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/a%2fb")),
            second,
        ),
        ("two slashes", two((FILES, "https://o.example/a/b"), (ISSUES, "https://o.example//a//b")), second),
        ("parameters", two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/a;v=1/b")), second),
        ("a blank", two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/a%20/b")), second),
        ("case of the host", two((FILES, "https://o.example/a"), (ISSUES, "https://O.Example/a")), second),
        ("another scheme", two((FILES, "https://o.example/a"), (ISSUES, "http://o.example/a")), second),
        (
            "the default port",
            two((FILES, "https://o.example/a"), (ISSUES, "https://o.example:443/a")),
            second,
        ),
        (
            "a port of the other scheme",
            two((FILES, "https://o.example/a"), (ISSUES, "https://o.example:80/a")),
            second,
        ),
        (
            "a dot at the end of the host",
            two((FILES, "https://o.example/a"), (ISSUES, "https://o.example./a")),
            second,
        ),
        ("that and a port", two((FILES, "http://o.example:1/a"), (ISSUES, "http://o.example.:1/a")), second),
        ("another notation", two((FILES, "http://127.0.0.1:1/a"), (ISSUES, "http://0x7f.1:1/a")), second),
        ("IPv6", two((FILES, "http://[::1]:1/a"), (ISSUES, "http://[0:0::1]:1/a")), second),
        ("another host", two((FILES, "https://o.example/a"), (ISSUES, "https://p.example/a")), &[]),
        ("another port", two((FILES, "http://o.example:1/a"), (ISSUES, "http://o.example:2/a")), &[]),
        (
            "two of three",
            many(json!([
                origin(FILES, "https://o.example/a"),
                origin(ISSUES, "https://p.example/a"),
                origin("https://mcp.example/x", "https://p.example/a/x"),
                origin("https://mcp.example/y", "https://o.example/a/y"),
            ])),
            &["MCP_SERVER_AUTH_RESOURCES[2].origin_url", "MCP_SERVER_AUTH_RESOURCES[3].origin_url"],
        ),
    ];
    for_each_row(rows, |(name, settings, expected)| {
        same(name, places(read(settings)), expected.iter().map(|place| (*place).to_owned()).collect())
    });
    let faults = read(&two((FILES, "https://o.example/a"), (ISSUES, "https://o.example/a/b"))).unwrap_err();
    assert_eq!(
        faults[0].expected,
        "a URL that is not at or below [0].origin_url, unless canonical_url is below [0].canonical_url in the same way: a token for that server would open this one"
    );
}

#[test]
fn origins_behind_bindings() {
    let bound = |canonical: &str, changes: Value| with(json!({ "canonical_url": canonical }), changes);
    let found = |one: Value, other: Value| {
        let names = ["FILES", "ISSUES"].iter().map(|name| (*name).to_owned());
        places(mcp_edge_auth::settings::read(
            &support::variables(&many(json!([one, other]))).with_bindings(names),
        ))
    };
    let rows = [
        // Asked for their canonical URLs, which are apart, or nested alike.
        ("one binding", json!({ "binding": "FILES" }), json!({ "binding": "FILES" }), false),
        (
            "one binding and one URL",
            json!({ "binding": "FILES", "origin_url": "http://x/mcp" }),
            json!({ "binding": "FILES", "origin_url": "http://x/mcp" }),
            true,
        ),
        (
            "two bindings and one URL",
            json!({ "binding": "FILES", "origin_url": "http://x/mcp" }),
            json!({ "binding": "ISSUES", "origin_url": "http://x/mcp" }),
            false,
        ),
        (
            "one bound, one not",
            json!({ "binding": "FILES", "origin_url": "http://x/mcp" }),
            json!({ "origin_url": "http://x/mcp" }),
            false,
        ),
    ];
    for_each_row(rows, |(name, one, other, is_fault)| {
        let expected = is_fault.then(|| "MCP_SERVER_AUTH_RESOURCES[1].origin_url".to_owned());
        for second in ["https://a.example/b", "https://a.example/a/b"] {
            same(
                name,
                found(bound("https://a.example/a", one.clone()), bound(second, other.clone())),
                expected.clone().into_iter().collect(),
            )?;
        }
        Ok(())
    });
}
