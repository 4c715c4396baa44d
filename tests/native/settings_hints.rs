//! What `npm run check` and `npm run doctor` warn of: settings that are sound and can hardly be
//! meant.

use mcp_edge_auth::settings::hints;
use serde_json::{Value, json};

use crate::support::resources::{RESOURCES, at};
use crate::support::{
    ALLOWED_ORIGINS, CANONICAL_URL, CHALLENGE_SCOPES, SCOPES_SUPPORTED, SERVERS, for_each_row, settings,
    single_issuer_settings, variables, with,
};

/// Settings that nobody would ask about.
fn good() -> Value {
    let own = json!({
        CANONICAL_URL: "https://mcp.acme.com/mcp",
        SERVERS: [{ "authorization_server_url": "https://login.acme.com" }],
        "ORIGIN_URL": "https://origin.acme.com/mcp",
        CHALLENGE_SCOPES: "mcp",
    });
    with(settings(), own)
}

/// All hints, one a line.
fn hinted(settings: &Value) -> String {
    let variables = variables(settings);
    let config = mcp_edge_auth::settings::read(&variables).unwrap_or_else(|faults| panic!("{faults:?}"));
    hints(&variables, &config).iter().map(|hint| format!("{hint}\n")).collect()
}

fn changed(name: &str, value: Value) -> Value {
    with(good(), json!({ name: value }))
}

/// Each row: settings, and the beginning and the end of the one hint, or two empty texts for none.
fn expect(rows: Vec<(Value, &str, &str)>) {
    for_each_row(rows, |(settings, place, end)| {
        let said = hinted(settings);
        let is_one = said.lines().count() == 1 && said.starts_with(&format!("{place}: "));
        let is =
            if place.is_empty() { said.is_empty() } else { is_one && said.ends_with(&format!("{end}\n")) };
        if is { Ok(()) } else { Err(format!("{settings}\n  {place}, {end}\n  {said}")) }
    });
}

#[test]
fn good_settings_have_none() {
    expect(vec![(good(), "", "")]);
}

#[test]
fn a_login_without_scopes_asks_for_all_of_them() {
    let without = with(good(), json!({ CHALLENGE_SCOPES: "<absent>" }));
    let all = "is not set: clients ask for every scope that the authorization server lists, openid too. Name those that your server needs";
    let supported = |scopes: &str| with(without.clone(), json!({ SCOPES_SUPPORTED: scopes }));
    let github = json!([{ "provider": "github-actions", "owner": "acme" }]);
    expect(vec![
        (without.clone(), CHALLENGE_SCOPES, all),
        (changed(CHALLENGE_SCOPES, json!("")), CHALLENGE_SCOPES, all),
        (changed(CHALLENGE_SCOPES, json!([])), CHALLENGE_SCOPES, all),
        (
            supported("mcp:read mcp:admin"),
            CHALLENGE_SCOPES,
            "is not set: clients ask for every scope of MCP_SERVER_AUTH_SCOPES_SUPPORTED. Name those that a login needs",
        ),
        (supported("mcp"), "", ""),
        // Nobody logs in there.
        (with(without.clone(), json!({ SERVERS: github })), "", ""),
    ]);
    let two = json!([
        with(at("https://mcp.acme.com/1"), json!({ "origin_url": "https://o.acme.com/1" })),
        with(
            at("https://mcp.acme.com/2"),
            json!({ "origin_url": "https://o.acme.com/2", "default_challenge_scopes": "a" })
        ),
    ]);
    let entries = json!([{ "authorization_server_url": "https://login.acme.com" }]);
    let two = json!({ SERVERS: entries, RESOURCES: two });
    expect(vec![(two, "MCP_SERVER_AUTH_RESOURCES[0].default_challenge_scopes", all)]);
}

#[test]
fn a_canonical_url_that_others_write_otherwise() {
    let rows = [
        ("https://mcp.acme.com:443/mcp", "https://mcp.acme.com/mcp"),
        ("https://MCP.Acme.com/mcp", "https://mcp.acme.com/mcp"),
        ("HTTPS://mcp.acme.com/mcp", "https://mcp.acme.com/mcp"),
        ("https://mcp.acme.com/mcp/", "https://mcp.acme.com/mcp"),
        ("https://mcp.acme.com./mcp", "https://mcp.acme.com/mcp"),
        ("https://mcp.acme.com:/mcp", "https://mcp.acme.com/mcp"),
        ("https://MCP.acme.com:443/mcp/?tenant=1", "https://mcp.acme.com/mcp?tenant=1"),
        ("https://mcp.acme.com:8443/mcp/", "https://mcp.acme.com:8443/mcp"),
        ("http://127.0.0.1:80/mcp", "http://127.0.0.1/mcp"),
        ("http://LOCALHOST:8787/mcp", "http://localhost:8787/mcp"),
    ];
    for (written, normal) in rows {
        let said = hinted(&changed(CANONICAL_URL, json!(written)));
        let expected = format!(
            "{CANONICAL_URL}: is not in normal form: clients and authorization servers write {normal}, and compare letter by letter\n"
        );
        assert!(said.starts_with(&expected), "{written}: {said}");
    }
    let root =
        with(good(), json!({ CANONICAL_URL: "https://mcp.acme.com/", "ORIGIN_URL": "https://o.acme.com" }));
    assert!(hinted(&root).contains("write https://mcp.acme.com, and compare"), "{}", hinted(&root));
    for normal in [
        "https://mcp.acme.com:8443/mcp",
        "https://mcp.acme.com/MCP",
        "https://mcp.acme.com/mcp?tenant=1",
        "http://[::1]:8787/mcp",
    ] {
        expect(vec![(changed(CANONICAL_URL, json!(normal)), "", "")]);
    }
}

#[test]
fn an_origin_that_is_not_where_requests_go() {
    let origin = |canonical: &str, origin: &str| {
        with(good(), json!({ CANONICAL_URL: canonical, "ORIGIN_URL": origin }))
    };
    let mcp = "https://mcp.acme.com/mcp";
    let no_path = "has no path: a request for /mcp reaches your server as one for /. Is its endpoint there, or at https://o.acme.com/mcp?";
    expect(vec![
        (origin(mcp, "https://o.acme.com"), "ORIGIN_URL", no_path),
        (origin(mcp, "https://o.acme.com/"), "ORIGIN_URL", no_path),
        (
            origin(mcp, "https://o.acme.com/mcp/"),
            "ORIGIN_URL",
            "has a slash at the end, and the canonical URL has no slash at the end: many servers take only one of the two",
        ),
        (
            origin("https://mcp.acme.com", "https://o.acme.com/mcp"),
            "ORIGIN_URL",
            "reaches your server as /mcp/, with a slash at the end, which many servers do not take",
        ),
        (origin("https://mcp.acme.com", "https://o.acme.com"), "", ""),
        (origin("https://mcp.acme.com", "https://o.acme.com/"), "", ""),
        (origin(mcp, "https://o.acme.com/other"), "", ""),
        (
            origin(mcp, "https://mcp.acme.com/srv"),
            "ORIGIN_URL",
            "has the host of the canonical URL: as a custom domain or on workers.dev that is the Worker itself, which answers 404 there",
        ),
        (origin(mcp, "https://mcp.acme.com:8443/mcp"), "", ""),
    ]);
    let said = hinted(&origin("https://mcp.acme.com/mcp/", "https://o.acme.com/mcp"));
    assert!(
        said.contains("ORIGIN_URL: has no slash at the end, and the canonical URL has a slash at the end"),
        "{said}"
    );
}

#[test]
fn placeholders_of_the_documentation() {
    let placeholder = "is a placeholder of the documentation: write your own";
    let provider = |entry: Value| with(good(), json!({ SERVERS: [entry] }));
    let field = |name: &str| format!("{SERVERS}[0].{name}");
    let own = |name: &str, entry: Value| (provider(entry), field(name));
    let mut rows = vec![
        (changed(CANONICAL_URL, json!("https://mcp.example.com/mcp")), CANONICAL_URL.to_owned()),
        (
            changed(CANONICAL_URL, json!("https://mcp-edge-auth.subdomain.workers.dev/mcp")),
            CANONICAL_URL.to_owned(),
        ),
        (changed(CANONICAL_URL, json!("https://name.acme.workers.dev/mcp")), CANONICAL_URL.to_owned()),
        (changed("ORIGIN_URL", json!("https://origin.example.com/mcp")), "ORIGIN_URL".to_owned()),
        (changed(ALLOWED_ORIGINS, json!(["https://app.example.com"])), format!("{ALLOWED_ORIGINS}[0]")),
        own("authorization_server_url", json!({ "authorization_server_url": "https://auth.example.com" })),
        own(
            "expected_audiences[0]",
            json!({ "authorization_server_url": "https://login.acme.com", "expected_audiences": ["https://mcp.example.com/mcp"] }),
        ),
        own("domain", json!({ "provider": "auth0", "domain": "example.auth0.com" })),
        own("domain", json!({ "provider": "auth0", "domain": "example.eu.auth0.com" })),
        own("domain", json!({ "provider": "workos-authkit", "domain": "example-12.authkit.app" })),
        own(
            "tenant",
            json!({ "provider": "entra-id", "tenant": "00000000-1111-2222-3333-444444444444", "expected_audiences": ["x"] }),
        ),
        own(
            "pool",
            json!({ "provider": "cognito", "region": "eu-central-1", "pool": "eu-central-1_Example01", "expected_clients": ["x"] }),
        ),
        own(
            "project",
            json!({ "provider": "supabase", "project": "abcdefghijklmnopqrst", "expected_clients": ["x"] }),
        ),
        own("owner", json!({ "provider": "github-actions", "owner": "example-org" })),
        own(
            "resource",
            json!({ "provider": "scalekit", "domain": "acme.scalekit.com", "resource": "res_12345" }),
        ),
    ];
    let rows =
        rows.iter_mut().map(|(settings, place)| (settings.clone(), place.as_str(), placeholder)).collect();
    expect(rows);
    let real = [
        json!({ "provider": "okta", "domain": "acme.okta.com", "server": "default" }),
        json!({ "provider": "keycloak", "domain": "id.acme.com", "realm": "main" }),
        json!({ "provider": "entra-id", "tenant": "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "expected_audiences": ["x"] }),
        json!({ "provider": "authentik", "domain": "auth.acme.com", "application": "mcp", "expected_audiences": ["x"] }),
        json!({ "authorization_server_url": "https://examples.acme.com" }),
    ];
    for entry in real {
        expect(vec![(provider(entry), "", "")]);
    }
}

#[test]
fn what_nobody_sees_and_no_token_has() {
    let audiences = |audience: &str| {
        with(
            good(),
            json!({ SERVERS: [{ "authorization_server_url": "https://login.acme.com", "expected_audiences": [audience] }] }),
        )
    };
    let place = format!("{SERVERS}[0].expected_audiences[0]");
    let single = |audience: &str| {
        let own = json!({ CANONICAL_URL: "https://mcp.acme.com/mcp", "ORIGIN_URL": "https://o.acme.com/mcp",
            "MCP_SERVER_AUTH_JWKS_URI": "https://l.acme.com/jwks", "MCP_SERVER_AUTH_ISSUER": "https://l.acme.com", "MCP_SERVER_AUTH_AUDIENCE": audience });
        with(single_issuer_settings(), own)
    };
    expect(vec![
        (
            audiences("api://one\u{200b}"),
            &place,
            "has an invisible character (U+200B) in it, which tokens and clients will not have",
        ),
        (
            audiences("\u{feff}api://one"),
            &place,
            "has a byte order mark (U+FEFF) in it, which tokens and clients will not have",
        ),
        (
            audiences(" api://one"),
            &place,
            "has a space (U+0020) at an end of it, which tokens and clients will not have",
        ),
        (
            audiences("api://one\n"),
            &place,
            "has a control character (U+000A) at an end of it, which tokens and clients will not have",
        ),
        (audiences("api://one"), "", ""),
        (
            single("api://o\u{ad}ne"),
            "MCP_SERVER_AUTH_AUDIENCE",
            "has an invisible character (U+00AD) in it, which tokens and clients will not have",
        ),
        (
            changed("MCP_SERVER_AUTH_POLICY", json!({ "clients": ["ci\u{200d}"] })),
            "MCP_SERVER_AUTH_POLICY.clients[0]",
            "has an invisible character (U+200D) in it, which tokens and clients will not have",
        ),
        (changed("MCP_SERVER_AUTH_RESOURCE_NAME", json!("Family 👨\u{200d}👩")), "", ""),
    ]);
}

#[test]
fn an_issuer_that_was_to_be_a_url() {
    let own = json!({ CANONICAL_URL: "https://mcp.acme.com/mcp", "ORIGIN_URL": "https://o.acme.com/mcp",
        "MCP_SERVER_AUTH_JWKS_URI": "https://l.acme.com/jwks", "MCP_SERVER_AUTH_AUDIENCE": "https://mcp.acme.com/mcp" });
    let single = |issuer: Value| {
        with(with(single_issuer_settings(), own.clone()), json!({ "MCP_SERVER_AUTH_ISSUER": issuer }))
    };
    let name = |found: &str| {
        format!(
            "is taken for a name, since it has a key set of its own: a token's iss has to be exactly this; found {found}"
        )
    };
    let at_an_end =
        "has a control character (U+000A) at an end of it, which tokens and clients will not have";
    for (issuer, found) in [
        ("https://l.acme.com, https://m.acme.com", "a space (U+0020) as character 20; in ASCII: %20"),
        ("https://user@l.acme.com", "userinfo (what stands before @)"),
        ("https://l.acme.com#x", "a fragment (from # on)"),
    ] {
        expect(vec![
            (single(json!(issuer)), "MCP_SERVER_AUTH_ISSUER", &name(found)),
            (single(json!([issuer])), "MCP_SERVER_AUTH_ISSUER[0]", &name(found)),
        ]);
    }
    expect(vec![
        (single(json!("l.acme.com\n")), "MCP_SERVER_AUTH_ISSUER", at_an_end),
        (single(json!("l.acme.com")), "", ""),
        (single(json!("http://l.acme.com/adfs/services/trust")), "", ""),
        (single(json!("https://l.acme.com")), "", ""),
    ]);
}

#[test]
fn a_secret_is_not_looked_at() {
    let secret =
        changed("MCP_SERVER_AUTH_SESSION_KEY", json!(["https://s3cret.example.com/\u{200b} s3cret s3cret"]));
    let headers = with(secret, json!({ "ORIGIN_HEADERS": { "X-A": "https://s3cret.example.com" } }));
    expect(vec![(headers, "", "")]);
}

#[test]
fn scopes_that_are_never_granted() {
    let found = "is a scope with , (U+002C): is it several, or is it ever granted?";
    expect(vec![
        (changed(CHALLENGE_SCOPES, json!(["a,b"])), "MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES[0]", found),
        (changed(SCOPES_SUPPORTED, json!(["a", "b,"])), "MCP_SERVER_AUTH_SCOPES_SUPPORTED[1]", found),
        (
            changed(SCOPES_SUPPORTED, json!(["[a]"])),
            "MCP_SERVER_AUTH_SCOPES_SUPPORTED[0]",
            "is a scope with [ (U+005B): is it several, or is it ever granted?",
        ),
        (
            changed("MCP_SERVER_AUTH_POLICY", json!({ "rules": [{ "any_scopes": ["a,b"] }] })),
            "MCP_SERVER_AUTH_POLICY.rules[0].any_scopes[0]",
            found,
        ),
        (
            changed("MCP_SERVER_AUTH_POLICY", json!({ "scope_hierarchy": { "admin": ["a,b"] } })),
            "MCP_SERVER_AUTH_POLICY.scope_hierarchy.admin[0]",
            found,
        ),
        (
            changed(
                SERVERS,
                json!([{ "authorization_server_url": "https://login.acme.com", "expected_audiences": ["a,b"] }]),
            ),
            "",
            "",
        ),
    ]);
}

#[test]
fn what_stands_beside_an_array_is_told_once() {
    let entries = json!([{ "authorization_server_url": "https://auth.example.com" }]);
    let one = |path: &str| {
        with(
            at(&format!("https://mcp.acme.com/{path}")),
            json!({ "origin_url": format!("https://o.acme.com/{path}") }),
        )
    };
    let settings = json!({ SERVERS: entries, RESOURCES: [one("a"), one("b")], CHALLENGE_SCOPES: "mcp" });
    let place = format!("{SERVERS}[0].authorization_server_url");
    expect(vec![(settings, &place, "is a placeholder of the documentation: write your own")]);
    let bound = json!({ "canonical_url": "https://mcp.example.com/a", "binding": "A" });
    let variables = variables(
        &json!({ SERVERS: [{ "authorization_server_url": "https://login.acme.com" }], RESOURCES: [bound], CHALLENGE_SCOPES: "mcp" }),
    );
    let variables = variables.with_bindings(["A".to_owned()]);
    let config = mcp_edge_auth::settings::read(&variables).unwrap();
    let places: Vec<String> =
        hints(&variables, &config).iter().map(|h| format!("{}{}", h.variable, h.field)).collect();
    assert_eq!(places, ["MCP_SERVER_AUTH_RESOURCES[0].canonical_url"]);
}
