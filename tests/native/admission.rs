//! The checks before the token come in the contract's order; `Origin` and CORS are what it says, on
//! every answer at the endpoint.

use mcp_edge_auth::admission::{Decision, Head, Refused, decide};
use mcp_edge_auth::http::cors::AllowedOrigins;
use mcp_edge_auth::http::cors::{EXPOSED, RESPONSE_HEADERS, with_request_id};
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::resource::Config;
use serde_json::{Value, json};

use crate::support::{
    self, CANONICAL, Decided, config, decided, for_each_row, head, resource, same, settings, with,
};

const LOOPBACK: &str = "http://127.0.0.1:8787/mcp";
const DEFAULT_HEADERS: &str = "Content-Type, Authorization, Accept, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID";

fn allowing(origins: Value) -> Config {
    config(&with(settings(), json!({ support::ALLOWED_ORIGINS: origins })))
}

fn on_loopback() -> Config {
    config(&with(settings(), json!({ support::CANONICAL_URL: LOOPBACK })))
}

fn request<'r>(
    method: &'r str,
    url: &'r str,
    origin: Option<&'r str>,
    authorization: Option<&'r str>,
) -> Head<'r> {
    Head { origin, authorization, ..head(method, url) }
}

/// What came of it, in a word.
fn outcome(decided: &Decided) -> &'static str {
    match decided {
        Decided::Served(_, what) => what,
        Decided::Refused(refusal, _) => refusal.row().reason,
        Decided::Verify(_) => "verify",
        Decided::Anonymous => "anonymous",
        Decided::Copy(_) => "copy",
    }
}

#[test]
fn the_order_of_the_checks() {
    let config = allowing(json!(["https://app.example.com"]));
    let evil = Some("https://evil.example");
    let elsewhere = "https://mcp.example.com/other";
    let rows = [
        ("path before preflight", request("OPTIONS", elsewhere, None, None), "not_found"),
        ("path before Origin", request("POST", elsewhere, evil, None), "not_found"),
        ("path before credentials", request("POST", elsewhere, None, Some("Bearer t")), "not_found"),
        ("preflight before Origin", request("OPTIONS", CANONICAL, evil, None), "preflight"),
        ("preflight before credentials", request("OPTIONS", CANONICAL, None, None), "preflight"),
        (
            "preflight even with credentials",
            request("OPTIONS", CANONICAL, None, Some("Bearer t")),
            "preflight",
        ),
        ("Origin before credentials", request("POST", CANONICAL, evil, None), "origin_not_allowed"),
        ("Origin before the token", request("POST", CANONICAL, evil, Some("Bearer t")), "origin_not_allowed"),
        ("no credentials", request("POST", CANONICAL, None, None), "credentials_missing"),
        ("another scheme", request("POST", CANONICAL, None, Some("Basic t")), "scheme_not_bearer"),
        ("an empty token", request("POST", CANONICAL, None, Some("Bearer")), "token_empty"),
        (
            "two credentials",
            request("POST", CANONICAL, None, Some("Bearer t, Bearer u")),
            "credentials_malformed",
        ),
        ("a token", request("POST", CANONICAL, None, Some("Bearer t")), "verify"),
        (
            "a token and an allowed origin",
            request("POST", CANONICAL, Some("https://app.example.com"), Some("Bearer t")),
            "verify",
        ),
        ("any method", request("BREW", CANONICAL, None, Some("Bearer t")), "verify"),
        ("TRACE", request("TRACE", CANONICAL, None, Some("Bearer t")), "method_not_allowed"),
        ("TRACE of nobody's", request("TRACE", CANONICAL, None, None), "method_not_allowed"),
        ("TRACE in another case", request("Trace", CANONICAL, None, None), "method_not_allowed"),
        ("TRACK", request("TRACK", CANONICAL, None, Some("Bearer t")), "method_not_allowed"),
        ("CONNECT", request("CONNECT", CANONICAL, evil, Some("Bearer t")), "method_not_allowed"),
        ("TRACE elsewhere", request("TRACE", elsewhere, None, None), "not_found"),
        ("a method's case counts", request("options", CANONICAL, None, None), "credentials_missing"),
        ("HEAD", request("HEAD", CANONICAL, None, None), "credentials_missing"),
        (
            "a token in the query",
            request("GET", "https://mcp.example.com/mcp?access_token=t", None, None),
            "credentials_missing",
        ),
        ("below", request("GET", "https://mcp.example.com/mcp/x", None, None), "credentials_missing"),
    ];
    for_each_row(rows, |(name, head, expected)| same(name, outcome(&decided(&config, head)), *expected));
}

#[test]
fn faulty_settings_close_every_path() {
    let paths = ["/mcp", "/healthz", "/.well-known/oauth-protected-resource", "/other", "/"];
    for_each_row(paths, |path| {
        for method in ["GET", "POST", "OPTIONS"] {
            let url = format!("https://mcp.example.com{path}");
            let head = request(method, &url, Some("https://evil.example"), Some("Bearer t"));
            let Decision::Refuse(refused) = decide(None, &head) else {
                return Err(format!("{path} is open"));
            };
            let answer = refused.answer();
            same(path, (refused.refusal, answer.status), (Refusal::Misconfigured, 503))?;
            same(path, answer.body.as_deref(), Some(r#"{"error":"server_misconfigured"}"#))?;
            same(path, (answer.header("WWW-Authenticate"), refused.resource().is_none()), (None, true))?;
        }
        Ok(())
    });
}

#[test]
fn health() {
    let url = "https://mcp.example.com/healthz";
    let config = allowing(json!(["https://app.example.com"]));
    for_each_row(["GET", "HEAD"], |method| {
        let decided = decided(&config, &request(method, url, Some("https://evil.example"), None));
        let answer = decided.answer();
        same(method, (answer.status, answer.body.as_deref()), (200, Some(r#"{"status":"ok"}"#)))?;
        same(method, answer.headers.len(), 2)?;
        same(method, answer.header("Cache-Control"), Some("no-store"))?;
        same(method, answer.header("Content-Type"), Some("application/json"))
    });
    for_each_row(["POST", "OPTIONS", "DELETE", "get"], |method| {
        let decided = decided(&config, &head(method, url));
        same(method, (decided.answer().status, decided.answer().header("Allow")), (405, Some("GET, HEAD")))
    });
}

/// A name, who is allowed, the request's origin, whether it may call, and what the answer allows.
type OriginRow = (&'static str, Config, Option<&'static str>, bool, Option<&'static str>);

#[test]
fn origins() {
    let star = || allowing(json!("*"));
    let list =
        || allowing(json!(["https://app.example.com", "http://localhost:6274", "vscode-webview://panel"]));
    let default = || config(&settings());
    let rows: Vec<OriginRow> = vec![
        ("default, no origin", default(), None, true, Some("*")),
        ("default", default(), Some("https://any.example"), true, Some("*")),
        ("default, null", default(), Some("null"), false, Some("*")),
        ("*", star(), Some("https://any.example"), true, Some("*")),
        ("*, null", star(), Some("null"), false, Some("*")),
        ("*, Null", star(), Some("Null"), false, Some("*")),
        ("* and null, null", allowing(json!(["*", "null"])), Some("null"), true, Some("*")),
        ("* and null, another", allowing(json!("null *")), Some("https://any.example"), true, Some("*")),
        (
            "* within a list",
            allowing(json!(["https://a.example", "*"])),
            Some("https://b.example"),
            true,
            Some("*"),
        ),
        ("null alone, null", allowing(json!(["null"])), Some("null"), true, Some("null")),
        ("null alone, another", allowing(json!(["null"])), Some("https://a.example"), false, None),
        ("a list, no origin", list(), None, true, None),
        ("a list, its first", list(), Some("https://app.example.com"), true, Some("https://app.example.com")),
        ("a list, its second", list(), Some("http://localhost:6274"), true, Some("http://localhost:6274")),
        ("a list, its third", list(), Some("vscode-webview://panel"), true, Some("vscode-webview://panel")),
        (
            "a list, in capitals",
            list(),
            Some("https://APP.example.com"),
            true,
            Some("https://APP.example.com"),
        ),
        ("a list, null", list(), Some("null"), false, None),
        ("a list, empty", list(), Some(""), false, None),
        ("a list, another port", list(), Some("http://localhost:6275"), false, None),
        ("a list, another scheme", list(), Some("http://app.example.com"), false, None),
        ("a list, a subdomain", list(), Some("https://x.app.example.com"), false, None),
        ("a list, a longer name", list(), Some("https://app.example.com.evil"), false, None),
        ("a list, with a slash", list(), Some("https://app.example.com/"), false, None),
        ("a list, two", list(), Some("https://app.example.com https://evil.example"), false, None),
        ("an empty list", allowing(json!([])), Some("https://app.example.com"), false, None),
        ("loopback, no origin", on_loopback(), None, true, None),
        (
            "loopback, localhost",
            on_loopback(),
            Some("http://localhost:6274"),
            true,
            Some("http://localhost:6274"),
        ),
        ("loopback, https", on_loopback(), Some("https://localhost"), true, Some("https://localhost")),
        ("loopback, 127.0.0.1", on_loopback(), Some("http://127.0.0.1:1"), true, Some("http://127.0.0.1:1")),
        ("loopback, 127.0.0.2", on_loopback(), Some("http://127.0.0.2"), true, Some("http://127.0.0.2")),
        ("loopback, ::1", on_loopback(), Some("http://[::1]:80000"), false, None),
        (
            "loopback, ::1 with a port",
            on_loopback(),
            Some("http://[::1]:8000"),
            true,
            Some("http://[::1]:8000"),
        ),
        ("loopback, null", on_loopback(), Some("null"), false, None),
        ("loopback, a page of the web", on_loopback(), Some("https://evil.example"), false, None),
        (
            "loopback, a name that starts like it",
            on_loopback(),
            Some("http://localhost.evil.example"),
            false,
            None,
        ),
        (
            "loopback, an address that starts like it",
            on_loopback(),
            Some("http://127.0.0.1.evil.example"),
            false,
            None,
        ),
        ("loopback, userinfo", on_loopback(), Some("http://localhost@evil.example"), false, None),
        ("loopback, behind userinfo", on_loopback(), Some("http://evil.example@localhost"), false, None),
        ("loopback, with a path", on_loopback(), Some("http://localhost/x"), false, None),
        ("loopback, another scheme", on_loopback(), Some("ftp://localhost"), false, None),
        ("loopback, a file", on_loopback(), Some("file://localhost"), false, None),
    ];
    for_each_row(rows, |(name, config, origin, allowed, allow_origin)| {
        let url = resource(config).canonical.as_str().to_owned();
        let asked = decided(config, &request("POST", &url, *origin, None));
        let expected = if *allowed { "credentials_missing" } else { "origin_not_allowed" };
        same(name, outcome(&asked), expected)?;
        same(name, asked.answer().header("Access-Control-Allow-Origin"), *allow_origin)?;
        let listed = !matches!(resource(config).allowed_origins, AllowedOrigins::Any { .. });
        same(name, asked.answer().header("Vary"), listed.then_some("Origin"))?;
        if !allowed {
            same(name, asked.answer().status, 403)?;
            same(name, asked.answer().body.as_deref(), Some(r#"{"error":"origin_not_allowed"}"#))?;
            same(name, asked.answer().header("WWW-Authenticate"), None)?;
        }
        // A preflight says the same.
        let preflight = decided(config, &request("OPTIONS", &url, *origin, None));
        same(name, preflight.answer().header("Access-Control-Allow-Origin"), *allow_origin)?;
        let vary =
            if listed { "Origin, Access-Control-Request-Headers" } else { "Access-Control-Request-Headers" };
        same(name, preflight.answer().header("Vary"), Some(vary))
    });
}

#[test]
fn cors_is_on_every_answer_of_the_endpoint_and_only_there() {
    let config = config(&settings());
    let page = Some("https://app.example.com");
    let heads = [
        request("POST", CANONICAL, page, None),
        request("POST", CANONICAL, page, Some("Basic x")),
        request("POST", CANONICAL, Some("null"), None),
        request("OPTIONS", CANONICAL, page, None),
    ];
    for_each_row(heads, |head| {
        let decided = decided(&config, head);
        same(head.method, decided.answer().header("Access-Control-Expose-Headers"), Some(EXPOSED))?;
        same(head.method, decided.answer().header("Access-Control-Allow-Credentials"), None)
    });
    // What is refused later, or by the origin, too.
    for_each_row(
        [Refusal::TokenExpired, Refusal::KeysUnavailable(9), Refusal::OriginUnreachable],
        |refusal| {
            let refused = Refused::at(resource(&config), page, *refusal);
            let answer = refused.answer();
            same("at the endpoint", answer.header("Access-Control-Allow-Origin"), Some("*"))?;
            same("at the endpoint", answer.header("Access-Control-Expose-Headers"), Some(EXPOSED))?;
            same("at the endpoint", refused.resource().is_some(), true)
        },
    );
    assert_eq!(EXPOSED, "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version");
    assert_eq!(with_request_id(EXPOSED), [EXPOSED, "X-MCP-Auth-Request-Id"].join(", "));
    let nowhere = decided(&config, &request("POST", "https://mcp.example.com/x", page, None));
    assert_eq!(nowhere.answer().header("Access-Control-Allow-Origin"), None);
    assert_eq!(nowhere.answer().header("Access-Control-Expose-Headers"), None);
}

#[test]
fn preflight() {
    let longest = "a".repeat(4096);
    let too_long = "a".repeat(4097);
    let rows: Vec<(&str, Option<&str>, &str)> = vec![
        ("none asked for", None, DEFAULT_HEADERS),
        ("empty", Some(""), DEFAULT_HEADERS),
        ("spaces", Some("  "), DEFAULT_HEADERS),
        ("one", Some("authorization"), "authorization"),
        (
            "several",
            Some("authorization,mcp-param-x, content-type"),
            "authorization,mcp-param-x, content-type",
        ),
        ("spaces around", Some(" x-a "), "x-a"),
        ("every character of a token", Some("!#$%&'*+-.^_`|~09azAZ"), "!#$%&'*+-.^_`|~09azAZ"),
        ("a line end", Some("x-a\r\nSet-Cookie: a"), DEFAULT_HEADERS),
        ("a colon", Some("x-a: b"), DEFAULT_HEADERS),
        ("a quote", Some("x-\"a\""), DEFAULT_HEADERS),
        ("beyond ASCII", Some("x-ä"), DEFAULT_HEADERS),
        ("a tab within", Some("x\ta"), DEFAULT_HEADERS),
        ("the longest", Some(&longest), &longest),
        ("too long", Some(&too_long), DEFAULT_HEADERS),
    ];
    let config = config(&settings());
    for_each_row(rows, |(name, requested, expected)| {
        for url in [
            CANONICAL,
            "https://mcp.example.com/mcp/x",
            "https://mcp.example.com/.well-known/oauth-protected-resource",
        ] {
            let decided = decided(&config, &Head { requested_headers: *requested, ..head("OPTIONS", url) });
            let answer = decided.answer();
            same(name, (answer.status, answer.body.as_deref()), (204, None))?;
            same(name, answer.header("Access-Control-Allow-Headers"), Some(*expected))?;
            same(name, answer.header("Access-Control-Max-Age"), Some("86400"))?;
            same(name, answer.header("Access-Control-Allow-Origin"), Some("*"))?;
            same(name, answer.header("Cache-Control"), Some("no-store"))?;
            same(name, answer.header("Vary"), Some("Access-Control-Request-Headers"))?;
            let methods =
                if url.contains("well-known") { "GET, HEAD, OPTIONS" } else { "GET, POST, DELETE, OPTIONS" };
            same(name, answer.header("Access-Control-Allow-Methods"), Some(methods))?;
        }
        Ok(())
    });
}

/// Those of the Fetch standard's section 3.2.3 and of Private Network Access;
/// tests/e2e/cors.test.mjs has an origin that sends them.
#[test]
fn an_origins_own_cors_headers_are_replaced() {
    let mut names = RESPONSE_HEADERS.map(|name| name.strip_prefix("Access-Control-").unwrap());
    names.sort_unstable();
    let expected = [
        "Allow-Credentials",
        "Allow-Headers",
        "Allow-Methods",
        "Allow-Origin",
        "Allow-Private-Network",
        "Expose-Headers",
        "Max-Age",
    ];
    assert_eq!(names, expected);
}
