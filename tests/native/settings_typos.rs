//! Typos: a name that is nearly one, an algorithm that is none here, scopes with commas,
//! a pool of another region.

use serde_json::{Value, json};

use crate::support::found::{expect, in_entry, said, set};
use crate::support::resources::{RESOURCES, at, many};
use crate::support::{
    self, CHALLENGE_SCOPES, SCOPES_SUPPORTED, SERVERS, entry, settings, single_issuer_settings, with,
    with_entries,
};

const POLICY: &str = "MCP_SERVER_AUTH_POLICY";

#[test]
fn a_shared_secret_verifies_nothing_here() {
    let place = "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].algorithm";
    let hint = |name: &str| format!("{name} is made with a shared secret; have it sign with RS256 or ES256");
    for name in ["HS256", "HS384", "HS512"] {
        for written in [json!(name), json!(name.to_lowercase()), json!(["RS256", name])] {
            expect(vec![(in_entry(json!({ "algorithm": written })), place, &hint(name))]);
        }
        let single = with(single_issuer_settings(), json!({ "MCP_SERVER_AUTH_ALGORITHM": name }));
        expect(vec![(single, "MCP_SERVER_AUTH_ALGORITHM", &hint(name))]);
    }
}

#[test]
fn a_name_one_slip_away_is_asked_for() {
    let variables = [
        ("MCP_SERVER_AUTH_ALLOWED_ORIGIN", "MCP_SERVER_AUTH_ALLOWED_ORIGINS"),
        ("MCP_SERVER_AUTH_AUTHORISATION_SERVERS", "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS"),
        ("MCP_SERVER_AUTH_CANONICAL_URI", "MCP_SERVER_AUTH_CANONICAL_URL"),
        ("MCP_SERVER_AUTH_POILCY", "MCP_SERVER_AUTH_POLICY"),
        ("MCP_SERVER_AUTH_polcy", "MCP_SERVER_AUTH_POLICY"),
        ("MCP_SERVER_AUTH_CACHE-TTL", "MCP_SERVER_AUTH_CACHE_TTL"),
        ("MCP_RESOURCE_SERVER_SCOPE_SUPPORTED", "MCP_SERVER_AUTH_SCOPES_SUPPORTED"),
        ("MCP_SERVER_AUTH_ISUER", "MCP_SERVER_AUTH_ISSUER"),
    ];
    for (written, meant) in variables {
        let said = said(&set(written, json!("s3cret")));
        let line = said.lines().find(|line| line.starts_with(written)).unwrap_or_default();
        assert!(
            line.ends_with(&format!("; did you mean {meant}?")) && !said.contains("s3cret"),
            "{written}: {said}"
        );
    }
    let entry = |name: &str| in_entry(json!({ name: "s3cret" }));
    let policy = |value: Value| set(POLICY, value);
    let resource = |name: &str| many(json!([with(at("https://a.example/1"), json!({ name: "s3cret" }))]));
    let row = |settings: Value, place: &str, meant: &str| {
        let said = said(&settings);
        let line = said.lines().find(|line| line.starts_with(&format!("{place}: "))).unwrap_or_default();
        assert!(
            line.ends_with(&format!("; did you mean {meant}?")) && !said.contains("s3cret"),
            "{place}: {said}"
        );
    };
    row(entry("algorithms"), &format!("{SERVERS}[0].algorithms"), "algorithm");
    row(entry("Issuer"), &format!("{SERVERS}[0].Issuer"), "issuer");
    row(entry("jwks-uri"), &format!("{SERVERS}[0].jwks-uri"), "jwks_uri");
    row(entry("jwksUri"), &format!("{SERVERS}[0].jwksUri"), "jwks_uri");
    row(entry("expected_audience"), &format!("{SERVERS}[0].expected_audience"), "expected_audiences");
    row(
        in_entry(json!({ "validation_options": { "leaway": 5 } })),
        &format!("{SERVERS}[0].validation_options.leaway"),
        "leeway",
    );
    row(in_entry(json!({ "provider": "auht0" })), &format!("{SERVERS}[0].provider"), "auth0");
    row(in_entry(json!({ "provider": "Entra_ID" })), &format!("{SERVERS}[0].provider"), "entra-id");
    row(in_entry(json!({ "algorithm": "es256" })), &format!("{SERVERS}[0].algorithm"), "ES256");
    row(in_entry(json!({ "algorithm": ["RS265"] })), &format!("{SERVERS}[0].algorithm"), "RS256");
    row(policy(json!({ "required_scope": "a" })), "MCP_SERVER_AUTH_POLICY.required_scope", "required_scopes");
    row(
        policy(json!({ "rules": [{ "metods": "*", "deny": true }] })),
        "MCP_SERVER_AUTH_POLICY.rules[0].metods",
        "methods",
    );
    row(resource("polcy"), "MCP_SERVER_AUTH_RESOURCES[0].polcy", "policy");
    row(resource("canonical-url"), "MCP_SERVER_AUTH_RESOURCES[0].canonical-url", "canonical_url");
    row(resource("MCP_SERVER_AUTH_POLICY"), "MCP_SERVER_AUTH_RESOURCES[0].MCP_SERVER_AUTH_POLICY", "policy");
    row(
        set("MCP_SERVER_AUTH_COMPATIBILITY", json!("acept-header")),
        "MCP_SERVER_AUTH_COMPATIBILITY",
        "accept-header",
    );
    // Far away is no question.
    for name in ["audience", "s3cret", "url", "x"] {
        assert!(!said(&entry(name)).contains("did you mean"), "{name}");
    }
}

#[test]
fn scopes_in_one_text_are_separated_by_spaces() {
    let separators = [(",", "found , (U+002C)"), (", ", "found , (U+002C)"), (";", "found ; (U+003B)")];
    for (separator, found) in separators {
        let text = format!("mcp:read{separator}mcp:write");
        expect(vec![
            (set(SCOPES_SUPPORTED, json!(text)), SCOPES_SUPPORTED, found),
            (set(CHALLENGE_SCOPES, json!(text)), CHALLENGE_SCOPES, found),
            (
                set(POLICY, json!({ "required_scopes": text })),
                "MCP_SERVER_AUTH_POLICY.required_scopes",
                found,
            ),
            (
                set(POLICY, json!({ "rules": [{ "any_scopes": text }] })),
                "MCP_SERVER_AUTH_POLICY.rules[0].any_scopes",
                found,
            ),
        ]);
    }
    expect(vec![
        (
            set(SCOPES_SUPPORTED, json!("[mcp:read]")),
            SCOPES_SUPPORTED,
            "found text that is not JSON: line 1, column 2: a name or a text without double quotes",
        ),
        (set(SCOPES_SUPPORTED, json!("'mcp:read'")), SCOPES_SUPPORTED, "found ' (U+0027)"),
        (set(SCOPES_SUPPORTED, json!("a \"b\"")), SCOPES_SUPPORTED, "found \" (U+0022)"),
        (set(SCOPES_SUPPORTED, json!(["a b"])), SCOPES_SUPPORTED, "found a space (U+0020)"),
        (set(SCOPES_SUPPORTED, json!(["a", ""])), SCOPES_SUPPORTED, "found an empty text"),
        (set(SCOPES_SUPPORTED, json!({ "a": 1 })), SCOPES_SUPPORTED, "found an object"),
    ]);
}

#[test]
fn a_region_is_its_pools() {
    let pool = |region: &str, pool: &str| {
        with_entries(
            json!([{ "provider": "cognito", "region": region, "pool": pool, "expected_clients": ["c"] }]),
        )
    };
    assert_eq!(said(&pool("eu-central-1", "eu-central-1_Abc")), "");
    for (region, id) in [
        ("eu-west-1", "eu-central-1_Abc"),
        ("eu-central-1", "Abc"),
        ("eu-central-1", "eu-central-11_Abc"),
        ("EU-CENTRAL-1", "eu-central-1_Abc"),
    ] {
        let said = said(&pool(region, id));
        let place = format!("{SERVERS}[0].pool: expected the ID of a pool in that region");
        assert!(said.starts_with(&place) && said.lines().count() == 1, "{region} {id}: {said}");
    }
}

#[test]
fn another_setting_is_called_what_it_is_called() {
    let resource = with(at("https://a.example/2"), json!({ "policy": { "required_scopes": "mcp" } }));
    let inside = many(json!([at("https://a.example/1"), at("https://a.example/3"), resource.clone()]));
    let warnings = |settings: &Value| -> String {
        support::config(settings).warnings.iter().map(|warning| format!("{warning}\n")).collect()
    };
    let said = warnings(&inside);
    assert!(said.contains("which MCP_SERVER_AUTH_RESOURCES[2].policy.required_scopes demands"), "{said}");
    assert!(!said.contains("MCP_SERVER_AUTH_POLICY"), "{said}");
    let beside =
        with(many(json!([at("https://a.example/1")])), json!({ POLICY: { "required_scopes": "mcp" } }));
    assert!(warnings(&beside).contains("which MCP_SERVER_AUTH_POLICY.required_scopes demands"));
    let other = with(settings(), json!({ "MCP_RESOURCE_SERVER_POLICY": { "required_scopes": "mcp" } }));
    assert!(warnings(&other).contains("which MCP_RESOURCE_SERVER_POLICY.required_scopes demands"));
    let both = with(
        at("https://a.example/1"),
        json!({ "authorization_servers": [entry()], "jwks_uri": "https://x.example/jwks" }),
    );
    let said = self::said(&json!({ RESOURCES: [both] }));
    assert!(
        said.contains("either MCP_SERVER_AUTH_RESOURCES[0].authorization_servers or the single-issuer form"),
        "{said}"
    );
}
