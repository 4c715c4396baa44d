//! How to add the server to a client: the line or link of each, and that it is read as it was
//! meant.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mcp_edge_auth::documents::landing::{Way, clients};
use mcp_edge_auth::documents::metadata::About;
use serde_json::{Value, json};

use crate::support::{CANONICAL_URL, config, for_each_row, resource, same, settings, with};

/// All ways of a canonical URL, by client and text.
fn ways(url: &str, name: Option<&str>) -> Vec<(String, String)> {
    let config = config(&with(settings(), json!({ CANONICAL_URL: url })));
    let resource = resource(&config);
    let about = About { name: name.map(str::to_owned), ..About::default() };
    let metadata = resource.canonical.metadata_url();
    let clients = clients(&resource.canonical, &about, Some(&metadata));
    let text = |way: Way| match way {
        Way::Link { href, .. } => href,
        Way::Line { text, .. } => text,
        Way::Words(words) => words.to_owned(),
    };
    clients.into_iter().flat_map(|c| c.ways.into_iter().map(move |w| (c.name.to_owned(), text(w)))).collect()
}

#[test]
fn the_lines_and_links_of_each_client() {
    let ways = ways("https://mcp.example.com/mcp", None);
    let has = |client: &str, text: &str| {
        let found = ways.iter().any(|(c, t)| c.starts_with(client) && t == text);
        assert!(found, "{client}: {text}\n{ways:#?}");
    };
    has(
        "Claude",
        "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=mcp.example.com&connectorUrl=https%3A%2F%2Fmcp.example.com%2Fmcp",
    );
    has("Claude", "claude mcp add --transport http mcp-example-com https://mcp.example.com/mcp");
    has("ChatGPT", "https://chatgpt.com/plugins");
    has(
        "Visual Studio Code",
        "vscode:mcp/install?%7B%22name%22%3A%22mcp-example-com%22%2C%22type%22%3A%22http%22%2C%22url%22%3A%22https%3A%2F%2Fmcp.example.com%2Fmcp%22%7D",
    );
    has(
        "Visual Studio Code",
        r#"code --add-mcp '{"name":"mcp-example-com","type":"http","url":"https://mcp.example.com/mcp"}'"#,
    );
    has(
        "Cursor",
        "cursor://anysphere.cursor-deeplink/mcp/install?name=mcp-example-com&config=eyJ1cmwiOiJodHRwczovL21jcC5leGFtcGxlLmNvbS9tY3AifQ%3D%3D",
    );
    has("Cursor", r#"{"mcpServers":{"mcp-example-com":{"url":"https://mcp.example.com/mcp"}}}"#);
    has(
        "MCP Inspector",
        "npx @modelcontextprotocol/inspector --server-url https://mcp.example.com/mcp --transport http",
    );
    has(
        "mcp-remote",
        r#"{"mcpServers":{"mcp-example-com":{"command":"npx","args":["-y","mcp-remote","https://mcp.example.com/mcp"]}}}"#,
    );
    has("curl", "curl https://mcp.example.com/.well-known/oauth-protected-resource/mcp");
}

#[test]
fn links_decode_to_what_was_meant() {
    let url = "https://mcp.example.com/a+b/c'd?x=1&y=%20;z";
    let ways = ways(url, Some("Ä & B"));
    let link = |start: &str| ways.iter().find_map(|(_, t)| t.strip_prefix(start)).unwrap().to_owned();
    let query = |name: &str, link: &str| {
        let link = url::Url::parse(link).unwrap();
        link.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned()).unwrap()
    };
    let claude = format!("https://claude.ai/{}", link("https://claude.ai/"));
    assert_eq!(query("connectorName", &claude), "Ä & B");
    assert_eq!(query("connectorUrl", &claude), url);
    let cursor = format!("cursor://{}", link("cursor://"));
    let decoded: Value = serde_json::from_slice(&STANDARD.decode(query("config", &cursor)).unwrap()).unwrap();
    assert_eq!(decoded, json!({ "url": url }));
    let vscode = format!("https://x/?c={}", link("vscode:mcp/install?"));
    let decoded: Value = serde_json::from_str(&query("c", &vscode)).unwrap();
    assert_eq!(decoded, json!({ "name": "b", "type": "http", "url": url }));
}

#[test]
fn a_shell_reads_one_word() {
    let rows = [
        ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
        ("https://mcp.example.com/mcp?a=1&b=2", "'https://mcp.example.com/mcp?a=1&b=2'"),
        ("https://mcp.example.com/$(id)", "'https://mcp.example.com/$(id)'"),
        ("https://mcp.example.com/;id", "'https://mcp.example.com/;id'"),
        ("https://mcp.example.com/it's", r"'https://mcp.example.com/it'\''s'"),
        ("https://mcp.example.com/~a", "'https://mcp.example.com/~a'"),
        ("http://[::1]:8787/mcp", "'http://[::1]:8787/mcp'"),
    ];
    for_each_row(rows, |(url, word)| {
        let ways = ways(url, None);
        let line = ways
            .iter()
            .find_map(|(_, t)| t.strip_prefix("npx @modelcontextprotocol/inspector --server-url "));
        same(url, line, Some(format!("{word} --transport http").as_str()))
    });
}

#[test]
fn names_in_configurations() {
    let rows = [
        ("https://mcp.example.com/mcp", None, "mcp-example-com"),
        ("https://mcp.example.com:8443", None, "mcp-example-com"),
        ("http://127.0.0.1:8787/mcp", None, "mcp-server"),
        ("http://[::1]:8787/mcp", None, "mcp-server"),
        ("https://mcp.example.com", Some("Example Tools"), "example-tools"),
        ("https://mcp.example.com", Some("  Ünï "), "n"),
        ("https://mcp.example.com", Some("日本"), "mcp-example-com"),
        ("https://mcp.example.com", Some("42"), "mcp-example-com"),
        ("https://mcp.example.com", Some("--x; rm -rf ~"), "x-rm-rf"),
        (
            "https://mcp.example.com",
            Some("one two three four five six seven eight nine"),
            "one-two-three-four-five-six-seven-eight",
        ),
    ];
    for_each_row(rows, |(url, name, slug)| {
        let ways = ways(url, *name);
        let line = ways.iter().find_map(|(_, t)| t.strip_prefix("claude mcp add --transport http "));
        same(url, line.and_then(|l| l.split(' ').next()), Some(*slug))
    });
}

#[test]
fn on_loopback_the_hosted_clients_have_no_way_in() {
    for (url, public, allow_http) in [
        ("https://mcp.example.com/mcp", true, false),
        ("http://127.0.0.1:8787/mcp", false, true),
        ("http://localhost/mcp", false, true),
        ("https://localhost/mcp", false, false),
    ] {
        let ways = ways(url, None);
        let hosted = |(_, t): &&(String, String)| t.contains("claude.ai") || t.contains("chatgpt.com");
        assert_eq!(ways.iter().any(|w| hosted(&w)), public, "{url}");
        assert_eq!(ways.iter().any(|(_, t)| t.contains("internet")), !public, "{url}");
        assert_eq!(ways.iter().any(|(_, t)| t.contains("--allow-http")), allow_http, "{url}");
        assert!(ways.iter().any(|(_, t)| t.starts_with("claude mcp add")), "{url}");
    }
}
