//! Every path of the contract, and every way to write a path that is none of ours.

use mcp_edge_auth::route::{Route, route};
use serde_json::json;

use crate::support::{self, config, for_each_row, head, same, settings, single_issuer_settings, with};

/// Which way a path goes, on the canonical URL's host: a word, or what follows the canonical path.
fn way(canonical: &str, path: &str) -> String {
    let config = config(&with(settings(), json!({ support::CANONICAL_URL: canonical })));
    match route(&config, &format!("https://mcp.example.com{path}")) {
        Route::Metadata(_) => "metadata".to_owned(),
        Route::Health => "health".to_owned(),
        Route::SigningKeys => "keys".to_owned(),
        Route::Copy(_) => "copy".to_owned(),
        Route::NotFound => "none".to_owned(),
        Route::Protected(p) => format!("below: {}{}", p.rest(), p.query()),
    }
}

fn expect(canonical: &str, rows: &[(&str, &str)]) {
    for_each_row(rows, |(path, expected)| {
        same(&format!("{path} of {canonical}"), way(canonical, path).as_str(), *expected)
    });
}

#[test]
fn a_canonical_path() {
    expect(
        "https://mcp.example.com/mcp",
        &[
            ("/mcp", "below: "),
            ("/mcp/", "below: /"),
            ("/mcp/x", "below: /x"),
            ("/mcp/x/y/", "below: /x/y/"),
            ("/mcp?q=1", "below: ?q=1"),
            ("/mcp/?q=1", "below: /?q=1"),
            ("/mcp/x?q=/mcp#f", "below: /x?q=/mcp"),
            ("/mcp#/healthz", "below: "),
            ("/mcp//", "below: //"),
            ("/mcp//x", "below: //x"),
            ("/mcp/mcp", "below: /mcp"),
            ("/mcp/.x", "below: /.x"),
            ("/mcp/x.", "below: /x."),
            ("/mcp/...", "below: /..."),
            ("/mcp/x..y", "below: /x..y"),
            ("/mcp/%2ex", "below: /%2ex"),
            ("/mcp/a%20b", "below: /a%20b"),
            ("/mcp/a%2Fb", "below: /a%2Fb"),
            ("/mcp/100%", "below: /100%"),
            ("/mcp/%25", "below: /%25"),
            ("/mcp/;x", "below: /;x"),
            ("/mcp/x;v=1", "below: /x;v=1"),
            ("/mcp/v1.0/a%20b", "below: /v1.0/a%20b"),
            ("/mcp/.well-known/x", "below: /.well-known/x"),
            ("/mcp/caf%C3%A9", "below: /caf%C3%A9"),
            ("/mcp/caf%E9", "below: /caf%E9"),
            ("/mcp/%C3%A9.%C3%A9", "below: /%C3%A9.%C3%A9"),
            ("/mcp/.%E6%97%A5", "below: /.%E6%97%A5"),
            ("/mcp/%E6%97%A5%EF%BC%9F", "below: /%E6%97%A5%EF%BC%9F"),
            ("/mcp/%F0%9F%99%82", "below: /%F0%9F%99%82"),
            ("/mcp/100%25", "below: /100%25"),
            ("/mcp/100%25accurate", "below: /100%25accurate"),
            ("/mcp/100%25/x.y", "below: /100%25/x.y"),
            ("/mcp/%25unit.x", "below: /%25unit.x"),
            ("/mcp/a+b.c++", "below: /a+b.c++"),
            ("/mcp/%20", "below: /%20"),
            ("/mcp/a%20.", "below: /a%20."),
            ("/mcp/a%3f..", "below: /a%3f.."),
            ("/mcp/..a%3fb", "below: /..a%3fb"),
            ("/mcp/a..%23", "below: /a..%23"),
            ("/mcp/%E2%80%A6", "below: /%E2%80%A6"),
            ("/healthz", "health"),
            ("/healthz?x", "health"),
            ("/healthz/", "none"),
            ("/.well-known/mcp-edge-auth/jwks.json", "keys"),
            ("/.well-known/mcp-edge-auth/jwks.json?x", "keys"),
            ("/.well-known/mcp-edge-auth/jwks.json/", "none"),
            ("/.well-known/mcp-edge-auth", "none"),
            ("/mcp/.well-known/mcp-edge-auth/jwks.json", "below: /.well-known/mcp-edge-auth/jwks.json"),
            ("/healthzx", "none"),
            ("/HEALTHZ", "none"),
            ("/mcp/healthz", "below: /healthz"),
            ("", "none"),
            ("/", "none"),
            ("?q=/mcp", "none"),
            ("#/mcp", "none"),
            ("/x?y=/mcp", "none"),
            ("/mc", "none"),
            ("/mcpx", "none"),
            ("/mcp.", "none"),
            ("/mcp;x", "none"),
            ("/mcp%2f", "none"),
            ("/mcp%2fx", "none"),
            ("/mcp%3fx", "none"),
            ("/mcp\\x", "none"),
            ("/MCP", "none"),
            ("/%6dcp", "none"),
            ("/x/mcp", "none"),
            ("//mcp", "none"),
            ("///mcp", "none"),
            ("/./mcp", "none"),
            ("/x/../mcp", "none"),
            ("/%2e/mcp", "none"),
            ("/mcp ", "none"),
        ],
    );
}

#[test]
fn paths_that_lead_elsewhere() {
    // In front of each stands `/mcp/`. Some reader (a URL parser, a proxy, an origin that decodes
    // first, even twice) resolves it to another path.
    let rows = [
        ".",
        "..",
        "./x",
        "../x",
        "x/..",
        "x/../y",
        "x/.",
        "../../admin",
        "%2e%2e",
        "%2e%2e/x",
        "%2E%2E/x",
        "%2e%2E/x",
        "%2E%2e/x",
        ".%2e/x",
        "%2e./x",
        "%2e/x",
        "%2E",
        "..%2fx",
        "..%2Fx",
        "%2e%2e%2fx",
        "x%2f..%2fy",
        "x%2F%2E%2E",
        "..%5cx",
        "..%5Cx",
        "..\\x",
        "x\\..\\y",
        "\\..",
        ".\\x",
        "%252e%252e/x",
        "%252E%252e",
        "..%252fx",
        "%25252e%25252e/x",
        "%252525252e./x",
        "..;/x",
        "..;a=1/x",
        ".;/x",
        "%2e%2e;/x",
        "..;",
        "%252e%252e;x/y",
        "..\t/x",
        "\t",
        "x\ny",
        "x\r",
        "\u{0}",
        "\u{7f}",
        "x y",
        " ",
    ];
    for_each_row(rows, |rest| {
        same(rest, way("https://mcp.example.com/mcp", &format!("/mcp/{rest}")).as_str(), "none")?;
        same(rest, way("https://mcp.example.com", &format!("/{rest}")).as_str(), "none")
    });
}

#[test]
fn dots_in_spellings_that_only_a_repeated_decoder_sees() {
    // `%2%65` is `%2e` once decoded, `%%32e` too: a dot to whoever decodes twice, like `%252e`. And
    // `..%3b` is `..;`, and `%09` a tab, which URL parsers drop.
    let rows =
        ["%2%65%2%65/x", "%%32e%%32e/x", "%%32%65%%32%65/x", "..%2%66x", "..%3bx/y", ".%09./x", "..%253bx/y"];
    for_each_row(rows, |rest| {
        same(rest, way("https://mcp.example.com/mcp", &format!("/mcp/{rest}")).as_str(), "none")
    });
}

#[test]
fn a_dot_that_is_encoded_five_hundred_times() {
    let path = format!("/mcp/%{}2e./x", "25".repeat(500));
    assert_eq!(way("https://mcp.example.com/mcp", &path), "none");
    let path = format!("/mcp/%{}x", "25".repeat(500));
    assert!(way("https://mcp.example.com/mcp", &path).starts_with("below"));
}

#[test]
fn a_query_with_dots_decides_nothing() {
    expect(
        "https://mcp.example.com/mcp",
        &[("/mcp?x=../..", "below: ?x=../.."), ("/mcp/x?%2e%2e/", "below: /x?%2e%2e/")],
    );
}

#[test]
fn the_document() {
    expect(
        "https://mcp.example.com/mcp",
        &[
            ("/.well-known/oauth-protected-resource", "metadata"),
            ("/.well-known/oauth-protected-resource/mcp", "metadata"),
            ("/.well-known/oauth-protected-resource/mcp/", "metadata"),
            ("/mcp/.well-known/oauth-protected-resource", "metadata"),
            ("/.well-known/oauth-protected-resource?x", "metadata"),
            ("/.well-known/oauth-protected-resource/mcp?x#y", "metadata"),
            ("/.well-known/oauth-protected-resource/", "none"),
            ("/.well-known/oauth-protected-resource/mcp//", "none"),
            ("/.well-known/oauth-protected-resource/mcp/x", "none"),
            ("/.well-known/oauth-protected-resource/mcpx", "none"),
            ("/.well-known/oauth-protected-resource/other", "none"),
            ("/.well-known/oauth-protected-resource//mcp", "none"),
            ("/.well-known/oauth-protected-resource/MCP", "none"),
            ("/.well-known/oauth-protected-resourcex", "none"),
            ("/.well-known/oauth-protected-resource/../mcp", "none"),
            ("/.well-known/OAuth-Protected-Resource", "none"),
            ("/.well-known/oauth-authorization-server", "none"),
            ("/.well-known/openid-configuration", "none"),
            ("//.well-known/oauth-protected-resource", "none"),
            ("/mcp/.well-known/oauth-protected-resource/x", "below: /.well-known/oauth-protected-resource/x"),
            ("/mcp/.well-known/oauth-authorization-server", "below: /.well-known/oauth-authorization-server"),
            ("/x/.well-known/oauth-protected-resource", "none"),
        ],
    );
}

#[test]
fn a_canonical_url_without_path() {
    for canonical in ["https://mcp.example.com", "https://mcp.example.com/"] {
        expect(
            canonical,
            &[
                ("", "below: "),
                ("/", "below: "),
                ("?q", "below: ?q"),
                ("/?q", "below: ?q"),
                ("/x", "below: /x"),
                ("/x/", "below: /x/"),
                ("//x", "below: //x"),
                ("/mcp", "below: /mcp"),
                ("/healthz", "health"),
                ("/healthz/", "below: /healthz/"),
                ("/.well-known/mcp-edge-auth/jwks.json", "keys"),
                ("/.well-known/oauth-protected-resource", "metadata"),
                ("/.well-known/oauth-protected-resource/", "metadata"),
                ("/.well-known/openid-configuration", "below: /.well-known/openid-configuration"),
                ("/../x", "none"),
                ("/%2e%2e/x", "none"),
            ],
        );
    }
}

#[test]
fn a_deep_canonical_path_and_one_that_ends_in_a_slash() {
    expect(
        "https://mcp.example.com/v1.0/team/mcp",
        &[
            ("/v1.0/team/mcp", "below: "),
            ("/v1.0/team/mcp/", "below: /"),
            ("/v1.0/team/mcp/x", "below: /x"),
            ("/v1.0/team", "none"),
            ("/v1.0/team/mcpx", "none"),
            ("/v1.0/team/mcp/../admin", "none"),
            ("/v1.0/x/../team/mcp", "none"),
            ("/.well-known/oauth-protected-resource/v1.0/team/mcp", "metadata"),
            ("/.well-known/oauth-protected-resource/v1.0/team/mcp/", "metadata"),
            ("/.well-known/oauth-protected-resource/v1.0/team", "none"),
            ("/v1.0/team/mcp/.well-known/oauth-protected-resource", "metadata"),
        ],
    );
    expect(
        "https://mcp.example.com/mcp/",
        &[
            ("/mcp/", "below: "),
            ("/mcp", "below: "),
            ("/mcp/x", "below: /x"),
            ("/mcpx", "none"),
            ("/.well-known/oauth-protected-resource/mcp/", "metadata"),
            ("/.well-known/oauth-protected-resource/mcp", "metadata"),
            ("/mcp/.well-known/oauth-protected-resource", "metadata"),
        ],
    );
}

#[test]
fn without_a_document_its_paths_are_not_found() {
    let config = config(&single_issuer_settings());
    let paths = [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/mcp/",
        "/mcp/.well-known/oauth-protected-resource",
    ];
    for_each_row(paths, |path| {
        for method in ["GET", "HEAD", "OPTIONS", "POST"] {
            let url = format!("https://mcp.example.com{path}");
            let answer = support::decided(&config, &head(method, &url)).answer().clone();
            let row = format!("{method} {path}");
            same(&row, (answer.status, answer.body.as_deref()), (404, Some(r#"{"error":"not_found"}"#)))?;
        }
        Ok(())
    });
}
