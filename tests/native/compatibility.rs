//! The compatibility switches: off by default, each one alone, and nothing but what it says.

use mcp_edge_auth::admission::Head;
use mcp_edge_auth::documents::copy::{self, Kept, Next};
use mcp_edge_auth::http::accept::repaired;
use mcp_edge_auth::keys::discovery::{Unusable, metadata};
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::resource::compatibility::Compatibility;
use mcp_edge_auth::route::{Route, route};
use serde_json::{Value, json};

use crate::support::{
    self, CANONICAL, CANONICAL_URL, Decided, ISSUER, NOW, SERVERS, config, entry, for_each_row, head,
    resource, same, settings, single_issuer_settings, with,
};

const COMPATIBILITY: &str = "MCP_SERVER_AUTH_COMPATIBILITY";
const COPY: &str = "authorization-server-metadata";
const CHALLENGE: &str = "invalid-token-challenge";
const ACCEPT: &str = "accept-header";

fn switched(words: Value) -> Config {
    config(&with(settings(), json!({ COMPATIBILITY: words })))
}

#[test]
fn words() {
    let on = |copied: bool, invalid_token_challenge, accept_header| Compatibility {
        copied_issuer: copied.then(|| ISSUER.to_owned()),
        invalid_token_challenge,
        accept_header,
    };
    let rows: &[(Value, Option<Compatibility>)] = &[
        (json!("<absent>"), Some(Compatibility::default())),
        (json!(""), Some(Compatibility::default())),
        (json!([]), Some(Compatibility::default())),
        (json!(COPY), Some(on(true, false, false))),
        (json!(CHALLENGE), Some(on(false, true, false))),
        (json!([ACCEPT]), Some(on(false, false, true))),
        (json!([COPY, CHALLENGE, ACCEPT]), Some(on(true, true, true))),
        (json!(format!("{ACCEPT}  {COPY}")), Some(on(true, false, true))),
        (json!(format!("[\"{ACCEPT}\"]")), Some(on(false, false, true))),
        (json!([ACCEPT, ACCEPT]), Some(on(false, false, true))),
        (json!("accept"), None),
        (json!("ACCEPT-HEADER"), None),
        (json!([ACCEPT, "all"]), None),
        (json!([ACCEPT, 1]), None),
        (json!({ ACCEPT: true }), None),
        (json!(true), None),
        (json!([""]), None),
    ];
    for_each_row(rows, |(value, expected)| {
        let read = support::read(&with(settings(), json!({ COMPATIBILITY: value })));
        let name = value.to_string();
        match (read, expected) {
            (Ok(config), Some(expected)) => same(&name, &resource(&config).compatibility, expected),
            (Err(faults), None) => {
                same(&name, faults.iter().map(|f| f.variable.as_str()).collect(), vec![COMPATIBILITY])
            }
            (read, _) => Err(format!("{name}: {read:?}")),
        }
    });
}

#[test]
fn the_summary_names_what_is_on() {
    let summary = |config: &Config| {
        mcp_edge_auth::settings::summary(config, resource(config))
            .into_iter()
            .find(|(name, _)| *name == "Compatibility")
            .map(|(_, words)| words)
    };
    assert_eq!(summary(&config(&settings())), None);
    assert_eq!(summary(&switched(json!([ACCEPT, COPY]))), Some(vec![COPY.to_owned(), ACCEPT.to_owned()]));
}

#[test]
fn whose_metadata_is_copied() {
    let other =
        |url: &str, issuer: &str| with(entry(), json!({ "authorization_server_url": url, "issuer": issuer }));
    let nobodys = json!({ "provider": "github-actions", "owner": "example" });
    let copied = |entries: Value| {
        let config = config(&with(settings(), json!({ SERVERS: entries, COMPATIBILITY: COPY })));
        resource(&config).compatibility.copied_issuer.clone().unwrap()
    };
    assert_eq!(
        copied(json!([other("https://eu.example", "https://auth.example"), entry()])),
        "https://auth.example"
    );
    // Where nobody can log in, clients are not sent either.
    assert_eq!(copied(json!([nobodys, entry()])), ISSUER);
    for settings in [
        with(single_issuer_settings(), json!({ COMPATIBILITY: COPY })),
        with(settings(), json!({ SERVERS: [nobodys], COMPATIBILITY: COPY })),
    ] {
        let faults = support::read(&settings).unwrap_err();
        assert_eq!(faults.iter().map(|f| f.variable.as_str()).collect::<Vec<_>>(), [COMPATIBILITY]);
    }
    assert!(
        support::read(&with(single_issuer_settings(), json!({ COMPATIBILITY: [CHALLENGE, ACCEPT] }))).is_ok()
    );
}

/// Which way a path goes, with the copy on and off.
fn ways(canonical: &str, path: &str) -> (String, String) {
    let way = |words: &str| {
        let config = config(&with(settings(), json!({ CANONICAL_URL: canonical, COMPATIBILITY: words })));
        match route(&config, &format!("https://mcp.example.com{path}")) {
            Route::Copy(issuer) => issuer.to_owned(),
            Route::Protected(_) => "protected".to_owned(),
            Route::NotFound => "none".to_owned(),
            other => format!("{other:?}"),
        }
    };
    (way(COPY), way(""))
}

#[test]
fn where_the_copy_is() {
    let rows = [
        ("https://mcp.example.com/mcp", "/.well-known/oauth-authorization-server", ISSUER, "none"),
        ("https://mcp.example.com/mcp", "/.well-known/oauth-authorization-server/mcp", ISSUER, "none"),
        ("https://mcp.example.com/mcp", "/.well-known/oauth-authorization-server/mcp/", ISSUER, "none"),
        ("https://mcp.example.com/mcp", "/.well-known/oauth-authorization-server?x", ISSUER, "none"),
        ("https://mcp.example.com/mcp/", "/.well-known/oauth-authorization-server/mcp", ISSUER, "none"),
        ("https://mcp.example.com/mcp", "/.well-known/oauth-authorization-server/", "none", "none"),
        ("https://mcp.example.com/mcp", "/.well-known/oauth-authorization-server/x", "none", "none"),
        ("https://mcp.example.com/mcp", "/.well-known/oauth-authorization-server/mcpx", "none", "none"),
        ("https://mcp.example.com/mcp", "/.well-known/oauth-authorization-serverx", "none", "none"),
        ("https://mcp.example.com/mcp", "/.well-known/openid-configuration", "none", "none"),
        (
            "https://mcp.example.com/mcp",
            "/mcp/.well-known/oauth-authorization-server",
            "protected",
            "protected",
        ),
        // Where the canonical URL has no path, it is the MCP server's unless it is switched on.
        ("https://mcp.example.com", "/.well-known/oauth-authorization-server", ISSUER, "protected"),
        ("https://mcp.example.com", "/.well-known/oauth-authorization-server/", ISSUER, "protected"),
        ("https://mcp.example.com", "/.well-known/oauth-authorization-server/x", "protected", "protected"),
    ];
    for_each_row(rows, |(canonical, path, on, off)| {
        same(&format!("{path} of {canonical}"), ways(canonical, path), (on.to_string(), off.to_string()))
    });
}

#[test]
fn methods_of_the_copy() {
    let config = switched(json!(COPY));
    let url = "https://mcp.example.com/.well-known/oauth-authorization-server";
    for method in ["GET", "HEAD"] {
        // A token, good or bad, changes nothing: it is public.
        let head = Head { authorization: Some("Bearer x"), origin: Some("null"), ..head(method, url) };
        assert!(matches!(support::decided(&config, &head), Decided::Copy(issuer) if issuer == ISSUER));
    }
    let preflight = support::decided(&config, &head("OPTIONS", url));
    assert_eq!(
        (preflight.answer().status, preflight.answer().header("Access-Control-Allow-Origin")),
        (204, Some("*"))
    );
    for method in ["POST", "DELETE", "get", ""] {
        let decided = support::decided(&config, &head(method, url));
        assert_eq!(
            (decided.answer().status, decided.answer().header("Allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
    }
}

#[test]
fn what_is_copied_is_the_issuers() {
    let rows: &[(&str, Result<(), Unusable>)] = &[
        (r#"{"issuer":"https://auth.example.com"}"#, Ok(())),
        (r#"{"issuer":"https://auth.example.com","x":null}"#, Ok(())),
        (r#"{"issuer":"https://auth.example.com/"}"#, Err(Unusable::IssuerMismatch)),
        (r#"{"issuer":"https://AUTH.example.com"}"#, Err(Unusable::IssuerMismatch)),
        (r#"{"issuer":["https://auth.example.com"]}"#, Err(Unusable::IssuerMismatch)),
        (r#"{"issuer":null}"#, Err(Unusable::IssuerMismatch)),
        ("{}", Err(Unusable::IssuerMismatch)),
        ("[]", Err(Unusable::NotMetadata)),
        ("<!doctype html>", Err(Unusable::NotMetadata)),
        ("", Err(Unusable::NotMetadata)),
        (
            r#"{"issuer":"https://other.example","issuer":"https://auth.example.com"}"#,
            Err(Unusable::NotMetadata),
        ),
        (r#"{"issuer":"https://auth.example.com"} x"#, Err(Unusable::NotMetadata)),
    ];
    for_each_row(rows, |(document, expected)| {
        same(document, metadata(document, ISSUER).map(|_| ()), *expected)
    });
}

/// What was done with a copy, and when.
#[derive(Clone, Copy)]
enum Did {
    Start(u64),
    Get(u64),
    Fail(u64),
}
use Did::{Fail, Get, Start};

#[test]
fn when_it_is_fetched() {
    const DAY: u64 = 24 * 3600;
    let serve = || Next::Serve("{}".into());
    let rows: &[(&str, &[Did], u64, Next)] = &[
        ("nothing yet", &[], 0, Next::Fetch),
        ("the first is running", &[Start(0)], 0, Next::Wait),
        ("it runs long", &[Start(0)], 7, Next::Wait),
        ("it was lost", &[Start(0)], 8, Next::Fetch),
        ("it is there", &[Start(0), Get(1)], 1, serve()),
        ("fresh to the last second", &[Start(0), Get(1)], 600, serve()),
        ("ten minutes old", &[Start(0), Get(1)], 601, Next::Fetch),
        ("old, and another is running", &[Start(0), Get(1), Start(700)], 701, serve()),
        ("old, and the other failed", &[Start(0), Get(1), Start(700), Fail(701)], 702, serve()),
        ("old, and tried again", &[Start(0), Get(1), Start(700), Fail(701)], 716, Next::Fetch),
        ("older than a day, and it fails", &[Get(0), Fail(DAY + 600)], DAY + 600, Next::Unavailable(15)),
        ("nearly so", &[Get(0), Fail(DAY + 599)], DAY + 599, serve()),
        ("older than a day, and one is running", &[Get(0), Start(DAY + 600)], DAY + 600, Next::Wait),
        ("it failed", &[Start(0), Fail(2)], 2, Next::Unavailable(15)),
        ("it failed a while ago", &[Start(0), Fail(2)], 16, Next::Unavailable(1)),
        ("it failed long ago", &[Start(0), Fail(2)], 17, Next::Fetch),
        ("the clock was set back", &[Start(100), Fail(100)], 1, Next::Unavailable(15)),
        ("the clock was set back over a good one", &[Get(100)], 1, serve()),
    ];
    for_each_row(rows, |(name, did, at, expected)| {
        let mut kept = Kept::default();
        for did in *did {
            match did {
                Start(at) => kept.fetch_started(NOW + at),
                Get(at) => kept.fetched(Some("{}".to_owned()), NOW + at),
                Fail(at) => kept.fetched(None, NOW + at),
            }
        }
        same(name, kept.next(NOW + at), expected.clone())
    });
}

#[test]
fn what_is_answered() {
    let good = copy::answer(Ok("{\"issuer\":1}"));
    assert_eq!((good.status, good.body.as_deref()), (200, Some("{\"issuer\":1}")));
    assert_eq!(good.header("Content-Type"), Some("application/json"));
    assert_eq!(good.header("Cache-Control"), Some("public, max-age=600"));
    assert_eq!(good.header("Access-Control-Allow-Origin"), Some("*"));
    for (seconds, retry_after) in [(0, "1"), (7, "7")] {
        let none = copy::answer(Err(seconds));
        assert_eq!(
            (none.status, none.body.as_deref()),
            (503, Some(r#"{"error":"temporarily_unavailable"}"#))
        );
        assert_eq!(none.header("Retry-After"), Some(retry_after));
        assert_eq!(none.header("Cache-Control"), Some("no-store"));
        assert_eq!(none.header("Access-Control-Allow-Origin"), Some("*"));
        assert_eq!(none.header("WWW-Authenticate"), None);
    }
}

#[test]
fn the_challenge_without_a_token() {
    let scopes = json!({ support::CHALLENGE_SCOPES: "a b" });
    let line = |words: &str, scopes: &Value, authorization: Option<&str>| {
        let settings = with(with(settings(), json!({ COMPATIBILITY: words })), scopes.clone());
        let head = Head { authorization, ..head("POST", CANONICAL) };
        let decided = support::decided(&config(&settings), &head);
        assert_eq!(decided.answer().body.as_deref(), Some(r#"{"error":"unauthorized"}"#));
        decided.answer().header("WWW-Authenticate").unwrap().to_owned()
    };
    const PLAIN: &str =
        r#"Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp""#;
    for authorization in [None, Some(""), Some("Bearer"), Some("Basic YTpi"), Some("Bearer a, b")] {
        assert_eq!(line("", &json!({}), authorization), PLAIN);
        assert_eq!(line("accept-header authorization-server-metadata", &json!({}), authorization), PLAIN);
        assert_eq!(line(CHALLENGE, &json!({}), authorization), format!(r#"{PLAIN}, error="invalid_token""#));
        let with_scopes = format!(r#"{PLAIN}, error="invalid_token", scope="a b""#);
        assert_eq!(line(CHALLENGE, &scopes, authorization), with_scopes);
    }
}

#[test]
fn whose_accept_is_repaired() {
    let protected = |config: &Config, url: &str, method: &str| match route(config, url) {
        Route::Protected(protected) => {
            protected.resource().compatibility.repairs_accept(method, protected.is_endpoint())
        }
        _ => panic!("{url} is not protected"),
    };
    let (on, off) = (switched(json!(ACCEPT)), switched(json!([COPY, CHALLENGE])));
    let rows = [
        ("POST", CANONICAL, true),
        ("POST", "https://mcp.example.com/mcp/", true),
        ("POST", "https://mcp.example.com/mcp?x", true),
        ("POST", "https://mcp.example.com/mcp/below", false),
        ("GET", CANONICAL, false),
        ("HEAD", CANONICAL, false),
        ("DELETE", CANONICAL, false),
        ("post", CANONICAL, false),
    ];
    for_each_row(rows, |(method, url, expected)| {
        same(
            &format!("{method} {url}"),
            (protected(&on, url, method), protected(&off, url, method)),
            (*expected, false),
        )
    });
}

#[test]
fn what_an_accept_is_repaired_to() {
    let rows: &[(Option<&str>, bool)] = &[
        (Some("application/json, text/event-stream"), false),
        (Some("text/event-stream,application/json"), false),
        (Some("Application/JSON;q=0.1, TEXT/event-stream;q=0.9, */*"), false),
        (Some("application/json; charset=utf-8, text/event-stream"), false),
        (None, true),
        (Some(""), true),
        (Some("*/*"), true),
        (Some("application/json"), true),
        (Some("text/event-stream"), true),
        (Some("application/*, text/*"), true),
        (Some("application/json, text/event-stream;q=0"), true),
        (Some("application/json;q=0, text/event-stream"), true),
        (Some("application/jsonx, text/event-stream"), true),
        (Some("application/json, text/event-stream;q=zzz"), true),
    ];
    for_each_row(rows, |(accept, is_repaired)| {
        let expected = is_repaired.then_some("application/json, text/event-stream");
        same(&format!("{accept:?}"), repaired(*accept), expected)
    });
}
