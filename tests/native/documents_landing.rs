//! The page for people: who gets it, what stands in it, and that nothing from the settings stands
//! in it as markup.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcp_edge_auth::admission::{Decision, Head, decide};
use mcp_edge_auth::documents::landing::{SCRIPT, STYLE};
use mcp_edge_auth::http::accept::prefers_html;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{
    self, CANONICAL, CANONICAL_URL, config, for_each_row, head, resource, same, settings, with,
};

const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8";
const NAME: &str = "MCP_SERVER_AUTH_RESOURCE_NAME";
const DOCUMENTATION: &str = "MCP_SERVER_AUTH_RESOURCE_DOCUMENTATION";
const POLICY_URI: &str = "MCP_SERVER_AUTH_RESOURCE_POLICY_URI";
const TOS_URI: &str = "MCP_SERVER_AUTH_RESOURCE_TOS_URI";
const LANDING_PAGE: &str = "MCP_SERVER_AUTH_LANDING_PAGE";

#[test]
fn who_prefers_html() {
    let rows: &[(Option<&str>, bool)] = &[
        (Some(BROWSER), true),
        (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), true),
        (Some("text/html, application/xhtml+xml, */*"), true),
        (Some("text/html"), true),
        (Some("TEXT/HTML"), true),
        (Some(" text/html ; q=0.1 "), true),
        (Some("text/html;q=0.001"), true),
        (Some("text/html; level=1"), true),
        (Some("text/html; charset=utf-8; Q=0.5"), true),
        (Some("text/html, application/json;q=0.9"), true),
        (Some("text/html, text/event-stream;q=0"), true),
        (Some("application/json;q=0.4, text/html;q=0.5, */*;q=0.1"), true),
        (Some("text/html;q=0.5, text/event-stream;q=0.4, text/*"), true),
        (Some(",text/html,,"), true),
        // The clients of MCP, as they have been seen.
        (Some("application/json, text/event-stream"), false),
        (Some("text/event-stream, application/json"), false),
        (Some("text/event-stream"), false),
        (Some("application/json"), false),
        (Some("*/*"), false),
        (Some("application/json, text/event-stream, */*"), false),
        (Some("application/json, text/plain, */*"), false),
        (None, false),
        (Some(""), false),
        (Some(","), false),
        // Those that take HTML as well: as much as JSON is not more.
        (Some("text/html, application/json"), false),
        (Some("application/json, text/event-stream, text/html"), false),
        (Some("text/html, text/event-stream"), false),
        (Some("text/html;q=0.9, text/event-stream"), false),
        (Some("text/html;q=0.9, application/json"), false),
        (Some("text/html;q=0.5, application/json;q=0.5"), false),
        (Some("application/json;q=0.1, application/json, text/html"), false),
        (Some("text/html;q=0.5, */*"), false),
        (Some("text/html;q=0.5, text/*"), false),
        (Some("text/html;q=0.5, application/*;q=0.6"), false),
        (Some("text/html;q=0"), false),
        (Some("text/html;q=0.000"), false),
        (Some("text/*"), false),
        (Some("text/plain"), false),
        (Some("application/xhtml+xml"), false),
        (Some("text/htmlx"), false),
        (Some("xtext/html"), false),
        // What cannot be read asks for nothing.
        (Some("text/html;q=2"), false),
        (Some("text/html;q=1.5"), false),
        (Some("text/html;q="), false),
        (Some("text/html;q=x"), false),
        (Some("text/html;q=-1"), false),
        (Some("text/html;q=+0"), false),
        (Some("text/html;q=0.0001"), false),
        (Some("text/html;q=0.9999"), false),
        (Some("text/html;q=0.é"), false),
        (Some("text/html, application/json;q=zzz"), false),
    ];
    for_each_row(rows, |(accept, expected)| same(&format!("{accept:?}"), prefers_html(*accept), *expected));
}

/// A request's answer with an `Accept`; none if it is not a visit.
fn visit(
    settings: &Value,
    head: &Head<'_>,
    accept: Option<&str>,
) -> Option<mcp_edge_auth::http::response::LocalResponse> {
    match decide(Some(&config(settings)), head) {
        Decision::Visit(visit) => Some(visit.answer(accept)),
        _ => None,
    }
}

#[test]
fn only_who_reads_the_endpoint_and_brings_nothing_is_a_visitor() {
    let get = |url| head("GET", url);
    let with_credential = |authorization| Head { authorization: Some(authorization), ..get(CANONICAL) };
    let from = |origin| Head { origin: Some(origin), ..get(CANONICAL) };
    let rows: &[(&str, Head<'_>, bool)] = &[
        ("GET", get(CANONICAL), true),
        ("HEAD", head("HEAD", CANONICAL), true),
        ("a slash", get("https://mcp.example.com/mcp/"), true),
        ("a query", get("https://mcp.example.com/mcp?x=1"), true),
        ("a page that may call", from("https://app.example.com"), true),
        ("POST", head("POST", CANONICAL), false),
        ("DELETE", head("DELETE", CANONICAL), false),
        ("OPTIONS", head("OPTIONS", CANONICAL), false),
        ("get", head("get", CANONICAL), false),
        ("below", get("https://mcp.example.com/mcp/x"), false),
        ("two slashes", get("https://mcp.example.com/mcp//"), false),
        ("elsewhere", get("https://mcp.example.com/"), false),
        ("the document", get("https://mcp.example.com/.well-known/oauth-protected-resource/mcp"), false),
        ("a page that may not call", from("null"), false),
        ("a token", with_credential("Bearer a.b.c"), false),
        ("no token", with_credential("Bearer"), false),
        ("an empty credential", with_credential(""), false),
        ("another scheme", with_credential("Basic YTpi"), false),
        ("two credentials", with_credential("Bearer a, Bearer b"), false),
    ];
    for_each_row(rows, |(name, head, expected)| {
        same(name, visit(&settings(), head, Some(BROWSER)).is_some(), *expected)?;
        same(
            name,
            visit(&with(settings(), json!({ LANDING_PAGE: false })), head, Some(BROWSER)).is_some(),
            false,
        )
    });
}

#[test]
fn the_answer_is_the_401_of_every_client_with_another_body() {
    let json = visit(&settings(), &head("GET", CANONICAL), Some("*/*")).unwrap();
    let html = visit(&settings(), &head("GET", CANONICAL), Some(BROWSER)).unwrap();
    assert_eq!(json.body.as_deref(), Some(r#"{"error":"unauthorized"}"#));
    assert_eq!(json.header("Content-Type"), Some("application/json"));
    assert_eq!((html.status, json.status), (401, 401));
    for name in [
        "WWW-Authenticate",
        "Access-Control-Allow-Origin",
        "Access-Control-Expose-Headers",
        "Cache-Control",
        "Vary",
    ] {
        assert!(html.header(name).is_some(), "{name}");
        assert_eq!(html.header(name), json.header(name), "{name}");
    }
    assert_eq!(html.header("Vary"), Some("Accept"));
    assert_eq!(html.header("Cache-Control"), Some("no-store"));
    assert_eq!(html.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert_eq!(html.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(html.header("Referrer-Policy"), Some("no-referrer"));
    let policy = html.header("Content-Security-Policy").unwrap();
    for directive in ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.split("; ").any(|d| d == directive), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("//"), "{policy}");
    assert!(html.body.unwrap().starts_with("<!doctype html>"));
}

#[test]
fn vary_names_the_origin_too_where_the_answer_depends_on_it() {
    let limited = with(settings(), json!({ support::ALLOWED_ORIGINS: "https://app.example.com" }));
    for accept in [BROWSER, "*/*"] {
        let answer = visit(&limited, &head("GET", CANONICAL), Some(accept)).unwrap();
        assert_eq!(answer.header("Vary"), Some("Origin, Accept"));
    }
}

#[test]
fn switched_off_everything_is_as_it_was() {
    for off in [json!(false), json!("false")] {
        let config = config(&with(settings(), json!({ LANDING_PAGE: off })));
        let decided = support::decided(&config, &head("GET", CANONICAL));
        assert_eq!(decided.answer().body.as_deref(), Some(r#"{"error":"unauthorized"}"#));
        assert_eq!(decided.answer().header("Vary"), None);
    }
}

fn page(settings: &Value) -> String {
    let config = config(settings);
    resource(&config).page.as_ref().unwrap().as_str().to_owned()
}

fn full() -> Value {
    with(
        settings(),
        json!({
            NAME: "Example <b>Tools</b> & \"more\" 'here'",
            DOCUMENTATION: "https://docs.example.com/mcp?a=1&b='2'#start",
            POLICY_URI: "https://example.com/policy",
            TOS_URI: "https://example.com/tos",
        }),
    )
}

#[test]
fn what_it_says() {
    let page = page(&full());
    for part in [
        "<html lang=\"en\">",
        "<title>Example &lt;b&gt;Tools&lt;/b&gt; &amp; &quot;more&quot; &#39;here&#39;</title>",
        "<h1>Example &lt;b&gt;Tools&lt;/b&gt; &amp; &quot;more&quot; &#39;here&#39;</h1>",
        "href=\"https://docs.example.com/mcp?a=1&amp;b=&#39;2&#39;#start\">Documentation</a>",
        "href=\"https://example.com/policy\">Policy</a>",
        "href=\"https://example.com/tos\">Terms of service</a>",
        ">https://mcp.example.com/mcp</textarea>",
        "<label for=\"address\" id=\"addressl\">Address</label>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    for absent in ["<b>", "<script ", "<img", "<link", " onclick", "javascript:", "@import", "url("] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    // Nothing is said twice, and every box has its label.
    let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    for id in &ids {
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
        let used = page.split("for=\"").chain(page.split("labelledby=\"")).skip(1);
        let used = used.flat_map(|rest| rest.split('"').next().unwrap().split(' ')).any(|name| name == *id);
        assert!(used || *id == "addressl", "{id} is of no use");
    }
    assert_eq!(page.matches("<textarea").count(), page.matches("<label for=").count());
}

#[test]
fn without_a_name_and_links_it_stands_for_itself() {
    let page = page(&settings());
    assert!(page.contains("<h1>MCP server at mcp.example.com</h1>"), "{page}");
    assert!(!page.contains("<nav"));
}

#[test]
fn settings_cannot_leave_their_places() {
    let name = "</title></textarea><script>alert(1)</script><!--";
    let url = "https://mcp.example.com/mcp'&lt;/a;$(id)?x='\"";
    let rows = [
        with(settings(), json!({ NAME: name })),
        with(settings(), json!({ CANONICAL_URL: url.trim_end_matches('"') })),
    ];
    for settings in rows {
        let page = page(&settings);
        let body = page.replace(STYLE, "").replace(&format!("<script>{SCRIPT}</script>"), "");
        assert!(!body.contains("<script") && !body.contains("<!--"), "{body}");
        assert_eq!(body.matches("</title>").count(), 1);
        assert_eq!(body.matches("<textarea").count(), body.matches("</textarea>").count());
        let attributes_only = body.split('<').skip(1).map(|tag| tag.split('>').next().unwrap());
        attributes_only.for_each(|tag| assert_eq!(tag.matches('"').count() % 2, 0, "{tag}"));
    }
}

#[test]
fn it_is_below_12_kib_also_with_long_settings() {
    let long = with(
        full(),
        json!({
            CANONICAL_URL: format!("https://a-rather-long-name-for-a-host.internal.tools.example.com/{}", "path/".repeat(12)),
            NAME: "&".repeat(100),
            DOCUMENTATION: format!("https://docs.example.com/{}", "d/".repeat(100)),
        }),
    );
    let length = page(&long).len();
    assert!(length < 12 * 1024, "{length}");
    assert!(page(&settings()).len() < 9 * 1024, "{}", page(&settings()).len());
}

#[test]
fn in_the_single_issuer_form_there_is_no_document_to_name() {
    let page = page(&support::single_issuer_settings());
    assert!(!page.contains(".well-known"), "{page}");
}

#[test]
fn what_is_said_of_the_server_is_in_the_document_too() {
    let config = config(&full());
    let document: Value = serde_json::from_str(resource(&config).metadata.as_deref().unwrap()).unwrap();
    assert_eq!(document["resource_name"], "Example <b>Tools</b> & \"more\" 'here'");
    assert_eq!(document["resource_documentation"], "https://docs.example.com/mcp?a=1&b='2'#start");
    assert_eq!(document["resource_policy_uri"], "https://example.com/policy");
    assert_eq!(document["resource_tos_uri"], "https://example.com/tos");
}

#[test]
fn faults() {
    let rows: &[(&str, Value, bool)] = &[
        (NAME, json!("Example"), true),
        (NAME, json!("[Beta] tools"), true),
        (NAME, json!(""), true),
        (NAME, json!("x".repeat(100)), true),
        (NAME, json!("é".repeat(100)), true),
        (NAME, json!("x".repeat(101)), false),
        (NAME, json!("two\nlines"), false),
        (NAME, json!("a\u{202e}b"), false),
        (NAME, json!(5), false),
        (NAME, json!(["Example"]), false),
        (DOCUMENTATION, json!("https://docs.example.com"), true),
        (DOCUMENTATION, json!("https://docs.example.com/a?b#c"), true),
        (DOCUMENTATION, json!("http://127.0.0.1:1234/docs"), true),
        (DOCUMENTATION, json!("http://docs.example.com"), false),
        (DOCUMENTATION, json!("javascript:alert(1)"), false),
        (DOCUMENTATION, json!("data:text/html,x"), false),
        (DOCUMENTATION, json!("//docs.example.com"), false),
        (DOCUMENTATION, json!("/docs"), false),
        (DOCUMENTATION, json!("https://docs.example.com/\"x"), false),
        (DOCUMENTATION, json!("https://docs.example.com/#a\"b"), false),
        (DOCUMENTATION, json!("https://docs.example.com/#a#b"), false),
        (DOCUMENTATION, json!("https://user@docs.example.com/"), false),
        (DOCUMENTATION, json!(true), false),
        (POLICY_URI, json!("https://example.com/policy"), true),
        (POLICY_URI, json!("ftp://example.com/policy"), false),
        (TOS_URI, json!("https://example.com/tos"), true),
        (TOS_URI, json!("tos"), false),
        (LANDING_PAGE, json!(true), true),
        (LANDING_PAGE, json!("true"), true),
        (LANDING_PAGE, json!("no"), false),
        (LANDING_PAGE, json!(0), false),
    ];
    for_each_row(rows, |(name, value, sound)| {
        let faults = support::read(&with(settings(), json!({ *name: value }))).err().unwrap_or_default();
        let named: Vec<&str> = faults.iter().map(|f| f.variable.as_str()).collect();
        same(&format!("{name} = {value}"), named, if *sound { vec![] } else { vec![*name] })?;
        let says = faults.iter().map(ToString::to_string).collect::<String>();
        same("no value", says.contains(value.as_str().filter(|v| v.len() > 3).unwrap_or("\0")), false)
    });
}

#[test]
fn the_policy_lets_in_the_one_style_and_the_one_script() {
    let answer = visit(&settings(), &head("GET", CANONICAL), Some(BROWSER)).unwrap();
    let policy = answer.header("Content-Security-Policy").unwrap();
    let page = answer.body.as_deref().unwrap();
    for (directive, tag, text) in [("style-src", "style", STYLE), ("script-src", "script", SCRIPT)] {
        let hash = STANDARD.encode(Sha256::digest(text));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}';")), "{policy}: {directive} is {hash}");
        assert!(page.contains(&format!("<{tag}>{text}</{tag}>")), "{tag}");
    }
}

#[test]
fn the_script_asks_nobody_and_makes_no_markup() {
    for absent in ["</", "<!--", "http", "fetch", "import", "XMLHttp", "HTML", "eval", "document.write"] {
        assert!(!SCRIPT.contains(absent), "{absent}");
    }
}
