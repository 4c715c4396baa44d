//! A fault of a URL says which character it must not have, or what else is wrong with it.

use serde_json::json;

use crate::support::found::{expect, in_entry, said, set};
use crate::support::{
    ALLOWED_ORIGINS, CANONICAL_URL, SERVERS, for_each_row, single_issuer_settings, with, with_entries,
};

#[test]
fn a_url_says_which_character_it_must_not_have() {
    let rows = [
        (
            "https://münchen.example/mcp",
            "found ü (U+00FC) as character 10; the host in ASCII: xn--mnchen-3ya.example",
        ),
        (
            "https://аuth.example.com",
            "found а (U+0430) as character 9; the host in ASCII: xn--uth-5cd.example.com",
        ),
        (
            "https://mcp.example.com\u{200b}/mcp",
            "found an invisible character (U+200B) as character 24; the host in ASCII: mcp.example.com",
        ),
        (
            "https://mcp.exa\u{ad}mple.com/mcp",
            "found an invisible character (U+00AD) as character 16; the host in ASCII: mcp.example.com",
        ),
        (
            "https://mcp。example。com",
            "found 。 (U+3002) as character 12; the host in ASCII: mcp.example.com",
        ),
        (
            "https://mcp.example.com/mcp\u{200b}",
            "found an invisible character (U+200B) as character 28; in ASCII: %E2%80%8B",
        ),
        (
            "\u{feff}https://mcp.example.com/mcp",
            "found a byte order mark (U+FEFF) as character 1; in ASCII: %EF%BB%BF",
        ),
        ("https://mcp.example.com/straße", "found ß (U+00DF) as character 29; in ASCII: %C3%9F"),
        ("https://mcp.example.com/mcp ", "found a space (U+0020) as character 28; in ASCII: %20"),
        (
            "https://mcp.example.com/a\u{a0}b",
            "found a space of another kind (U+00A0) as character 26; in ASCII: %C2%A0",
        ),
        (
            "https://mcp.example.com/mcp\n",
            "found a control character (U+000A) as character 28; in ASCII: %0A",
        ),
        (
            "“https://mcp.example.com/mcp”",
            "found a typographic (smart) quote (U+201C) as character 1; in ASCII: %E2%80%9C",
        ),
        ("https://mcp.example.com\\mcp", "found \\ (U+005C) as character 24; in ASCII: %5C"),
        (
            "https://MÜNCHEN.example/",
            "found Ü (U+00DC) as character 10; the host in ASCII: xn--mnchen-3ya.example",
        ),
        ("https://{host}/mcp", "found { (U+007B) as character 9; in ASCII: %7B"),
        (
            "https://mcp.example.com/\u{202e}pcm",
            "found an invisible character (U+202E) as character 25; in ASCII: %E2%80%AE",
        ),
        ("https://user:s3cret@münchen.example/", "found ü (U+00FC) as character 22; in ASCII: %C3%BC"),
    ];
    for (url, found) in rows {
        let single = |name: &str| with(single_issuer_settings(), json!({ name: url }));
        let entry_field = |field: &str| format!("{SERVERS}[0].{field}");
        let fields = ["authorization_server_url", "jwks_uri"].map(|field| (field, entry_field(field)));
        // With a key set of its own an issuer is any name.
        let discovered = in_entry(json!({ "issuer": url, "jwks_uri": "<absent>" }));
        let issuer = entry_field("issuer");
        let mut all = vec![
            (set(CANONICAL_URL, json!(url)), CANONICAL_URL, found),
            (set("ORIGIN_URL", json!(url)), "ORIGIN_URL", found),
            (set("MCP_SERVER_AUTH_RESOURCE_TOS_URI", json!(url)), "MCP_SERVER_AUTH_RESOURCE_TOS_URI", found),
            (set(ALLOWED_ORIGINS, json!([url])), ALLOWED_ORIGINS, found),
            (single("MCP_SERVER_AUTH_JWKS_URI"), "MCP_SERVER_AUTH_JWKS_URI", found),
            (discovered, issuer.as_str(), found),
        ];
        all.extend(
            fields.iter().map(|(field, place)| (in_entry(json!({ *field: url })), place.as_str(), found)),
        );
        expect(all);
    }
    let domain = |domain: &str| with_entries(json!([{ "provider": "auth0", "domain": domain }]));
    let place = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].domain";
    expect(vec![
        (
            domain("münchen.eu.auth0.com"),
            place,
            "found ü (U+00FC) as character 2; the host in ASCII: xn--mnchen-3ya.eu.auth0.com",
        ),
        (
            domain("acme.eu.auth0.com\u{200b}"),
            place,
            "found an invisible character (U+200B) as character 18; the host in ASCII: acme.eu.auth0.com",
        ),
        (domain("https://acme.eu.auth0.com"), place, "found a URL"),
    ]);
}

/// The expected hosts are those that `new URL` of Node gives.
#[test]
fn a_host_is_said_in_ascii_where_its_letters_are_known() {
    let hosts = [
        ("Ελλάδα.example", "xn--hxakic4aa.example"),
        ("ΑΒΓΩΪ.example", "xn--mxacd2gf.example"),
        ("ПОЧТА.ЁЏ.example", "xn--80a1acny.xn--61a2a.example"),
        ("ŁÓDŹ.ĀĴĹŽŊ.example", "xn--d-uga0v4h.xn--yda8hpa2eun.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("서울.example", "xn--2i4bq6h.example"),
        ("a．b｡ö.example:8443", "a.b.xn--nda.example"),
    ];
    for_each_row(hosts, |(host, ascii)| {
        let said = said(&set(CANONICAL_URL, json!(format!("https://{host}/mcp"))));
        let end = format!("; the host in ASCII: {ascii}\n");
        if said.ends_with(&end) { Ok(()) } else { Err(format!("{ascii}\n  {said}")) }
    });
    // A wrong host would be worse than none: letters that stand for others, marks, other scripts.
    let unknown = ["ｅxample.com", "mu\u{308}nchen.example", "ĳs.example", "עברית.example", "a×b.example"];
    for_each_row(unknown, |host| {
        let said = said(&set(CANONICAL_URL, json!(format!("https://{host}/mcp"))));
        let end = "; a host is written in ASCII, in the form that begins with xn--\n";
        if said.ends_with(end) { Ok(()) } else { Err(format!("{host}\n  {said}")) }
    });
    // In ASCII it is a host like any other.
    for url in ["https://xn--mnchen-3ya.example/mcp", "https://XN--MNCHEN-3YA.example/mcp"] {
        assert_eq!(said(&set(CANONICAL_URL, json!(url))), "");
    }
}

#[test]
fn a_url_says_what_else_is_wrong_with_it() {
    let rows = [
        ("mcp.example.com/mcp", "found no https:// at the beginning"),
        ("ftp://mcp.example.com/mcp", "found another scheme than https"),
        ("https://user@mcp.example.com/mcp", "found userinfo (what stands before @)"),
        ("https:///mcp", "found no host"),
        ("https://mcp.example.com:99999/mcp", "found a host or a port that is none"),
        ("https://mcp.example.com/mcp#x", "found a fragment (from # on)"),
        ("http://mcp.example.com/mcp", "found http, on a host that is not this machine"),
        (
            "https://mcp.example.com/a/../mcp",
            "found a path that no request has: dot segments, or something else that is rewritten on the way",
        ),
    ];
    expect(rows.map(|(url, found)| (set(CANONICAL_URL, json!(url)), CANONICAL_URL, found)).to_vec());
    expect(vec![
        (set("ORIGIN_URL", json!("https://o.example/srv?x")), "ORIGIN_URL", "found a query (from ? on)"),
        (set(CANONICAL_URL, json!(5)), CANONICAL_URL, "found a number"),
        (
            set(ALLOWED_ORIGINS, json!(["https://a.example, https://b.example"])),
            ALLOWED_ORIGINS,
            "found a space (U+0020) as character 19; in ASCII: %20",
        ),
        (
            set(ALLOWED_ORIGINS, json!(["https://a.example,https://b.example"])),
            ALLOWED_ORIGINS,
            "found several origins in one text of a list",
        ),
        (
            set(ALLOWED_ORIGINS, json!(["https://*.example.com"])),
            ALLOWED_ORIGINS,
            "found a pattern: no browser sends one",
        ),
        (
            set(ALLOWED_ORIGINS, json!("https://a.example/")),
            ALLOWED_ORIGINS,
            "found more than a browser sends: a path, a slash at the end, a default port, or userinfo",
        ),
        (
            set(ALLOWED_ORIGINS, json!("app.example.com")),
            ALLOWED_ORIGINS,
            "found no scheme, such as https://",
        ),
    ]);
}

#[test]
fn a_documents_url_is_no_issuer_and_metadata_no_key_set() {
    let issuer = "found the URL of a document: write the issuer, without /.well-known/…";
    let metadata = "found the URL of metadata: write its jwks_uri, or leave this out";
    let documents = [
        "https://auth.example.com/.well-known/openid-configuration",
        "https://auth.example.com/.well-known/oauth-authorization-server/tenant",
        "https://auth.example.com/realms/main/.well-known/openid-configuration",
    ];
    for url in documents {
        expect(vec![
            (
                in_entry(json!({ "authorization_server_url": url })),
                &format!("{SERVERS}[0].authorization_server_url"),
                issuer,
            ),
            (in_entry(json!({ "issuer": url })), &format!("{SERVERS}[0].issuer"), issuer),
            (in_entry(json!({ "jwks_uri": url })), &format!("{SERVERS}[0].jwks_uri"), metadata),
            (
                with(single_issuer_settings(), json!({ "MCP_SERVER_AUTH_ISSUER": url })),
                "MCP_SERVER_AUTH_ISSUER",
                issuer,
            ),
            (
                with(single_issuer_settings(), json!({ "MCP_SERVER_AUTH_JWKS_URI": url })),
                "MCP_SERVER_AUTH_JWKS_URI",
                metadata,
            ),
        ]);
    }
    assert_eq!(said(&in_entry(json!({ "jwks_uri": "https://auth.example.com/.well-known/jwks.json" }))), "");
}
