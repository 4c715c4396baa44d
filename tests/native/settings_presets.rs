//! `provider` in an entry: what each row of the table comes to, which of its fields are required,
//! and what is a fault.

use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::keys::source::KeySource;
use mcp_edge_auth::settings::presets::{Kind, PRESETS};
use mcp_edge_auth::token::claims::Rules;
use serde_json::{Value, json};

use crate::support::providers::{TENANT, least, one};
use crate::support::{
    self, SERVERS, assert_golden, config, for_each_row, read, resource, same, with, with_entries,
};

/// One line per fact: what the entry comes to.
fn meaning(name: &str) -> String {
    let config = one(&least(name));
    let resource = resource(&config);
    let rules = &resource.entries[0].rules;
    let issuers: Vec<&str> = resource.entries.iter().map(|e| e.rules.issuer.as_str()).collect();
    let document: Option<Value> =
        resource.metadata.as_deref().map(|text| serde_json::from_str(text).unwrap());
    let listed = document.map_or("none".to_owned(), |d| d["authorization_servers"].to_string());
    let algorithms: Vec<&str> = resource.entries[0].algorithms.iter().map(|a| a.row().name).collect();
    for entry in &resource.entries {
        let others = Rules { issuer: rules.issuer.clone(), ..entry.rules.clone() };
        assert_eq!(
            (&others, entry.source.index()),
            (rules, 0),
            "{name}: all its issuers have one set of rules and of keys"
        );
    }
    format!(
        "{name}\n  listed      {listed}\n  issuers     {}\n  key set     {:?}\n  algorithms  {}\n  audience    {} in {:?}\n  clients     {} in {}\n  \
         scopes in   {}{}\n  demands     {:?}{}\n",
        issuers.join(" "),
        config.sources,
        algorithms.join(" "),
        rules.audiences.join(" "),
        rules.audience_in,
        if rules.clients.is_empty() { "any".to_owned() } else { rules.clients.join(" ") },
        rules.names.client.join(" "),
        if rules.names.scopes.is_empty() { "none".to_owned() } else { rules.names.scopes.join(" ") },
        if rules.names.roles.is_empty() {
            String::new()
        } else {
            format!(", else {}", rules.names.roles.join(" "))
        },
        rules.demands,
        if resource.entries[0].only_at_jwt { " typ at+jwt" } else { "" },
    )
}

#[test]
fn what_each_comes_to() {
    let all: Vec<String> = PRESETS.iter().map(|preset| meaning(preset.name)).collect();
    assert_golden("presets.txt", all.join("").trim_end());
}

#[test]
fn no_switch_is_off() {
    for preset in &PRESETS {
        let config = one(&least(preset.name));
        for Rules { leeway, verify_exp, verify_nbf, verify_iat, verify_iss, .. } in
            resource(&config).entries.iter().map(|e| &e.rules)
        {
            assert_eq!(
                (*leeway, [*verify_exp, *verify_nbf, *verify_iat, *verify_iss]),
                (60, [true; 4]),
                "{}",
                preset.name
            );
        }
    }
}

#[test]
fn the_warnings_name_their_entry() {
    let config = config(&with_entries(json!([support::entry(), least("supabase"), least("scalekit")])));
    let warnings: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(
        warnings[0].starts_with(&format!("{SERVERS}[1].provider: `aud` is `authenticated`")),
        "{warnings:#?}"
    );
}

fn places(entry: &Value) -> Vec<String> {
    match read(&with_entries(json!([entry]))) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(|f| f.field.trim_start_matches("[0]").to_owned()).collect(),
    }
}

#[test]
fn what_is_required() {
    for preset in &PRESETS {
        let bare = json!({ "provider": preset.name });
        let mut expected: Vec<String> = preset
            .parameters
            .iter()
            .filter(|p| p.default.is_none())
            .map(|p| format!(".{}", p.name))
            .collect();
        let told = least(preset.name);
        for field in ["expected_audiences", "expected_clients"] {
            if told.get(field).is_some() {
                expected.push(format!(".{field}"));
            }
        }
        assert_eq!(places(&bare), expected, "{}", preset.name);
        assert_eq!(places(&told), Vec::<String>::new(), "{}", preset.name);
    }
}

#[test]
fn what_is_a_fault() {
    let changed = |provider: &str, changes: Value| with(least(provider), changes);
    let rows: Vec<(&str, Value, &[&str])> = vec![
        ("no such provider", json!({ "provider": "s3cret" }), &[".provider"]),
        (
            "with parameters",
            json!({ "provider": "s3cret", "domain": "a.example", "realm": "x" }),
            &[".provider"],
        ),
        ("in capitals", changed("okta", json!({ "provider": "Okta" })), &[".provider"]),
        ("no string", changed("okta", json!({ "provider": ["okta"] })), &[".provider"]),
        ("null", changed("okta", json!({ "provider": null })), &[".provider"]),
        ("empty", changed("okta", json!({ "provider": "" })), &[".provider"]),
        ("another's parameter", changed("okta", json!({ "realm": "main" })), &[".realm"]),
        (
            "a parameter without a provider",
            with(support::entry(), json!({ "domain": "a.example" })),
            &[".domain"],
        ),
        ("no audience", changed("okta", json!({ "expected_audiences": [] })), &[".expected_audiences"]),
        ("an empty client", changed("okta", json!({ "expected_clients": [""] })), &[".expected_clients"]),
        ("no client", changed("cognito", json!({ "expected_clients": [] })), &[".expected_clients"]),
        (
            "clients in text",
            changed("cognito", json!({ "expected_clients": "app-1" })),
            &[".expected_clients"],
        ),
        ("clients null", with(support::entry(), json!({ "expected_clients": null })), &[".expected_clients"]),
        ("a wrong URL of its own", changed("okta", json!({ "issuer": "s3cret" })), &[".issuer"]),
        ("a number for a host", changed("auth0", json!({ "domain": 1 })), &[".domain"]),
    ];
    for_each_row(rows, |(name, entry, expected)| {
        same(name, places(entry), expected.iter().map(|s| (*s).to_owned()).collect())
    });
    let clerk = json!({ "authorization_server_url": "https://clerk.acme.example", "jwks_uri": "https://other.example/jwks" });
    let faults = read(&with_entries(json!([least("clerk"), clerk]))).map(|_| ()).unwrap_err();
    assert_eq!(faults[0].field, "[1].issuer", "one issuer, other keys, another typ");
    let faults =
        read(&with_entries(json!([{ "provider": "s3cret", "domain": "s3cret/x" }]))).map(|_| ()).unwrap_err();
    assert!(!format!("{faults:?}").contains("s3cret"), "{faults:?}");
}

#[test]
fn what_a_parameter_takes() {
    let rows = [
        (Kind::Host, "a.example", true),
        (Kind::Host, "localhost", true),
        (Kind::Host, "A.example:8443", true),
        (Kind::Host, "10.0.0.1", true),
        (Kind::Host, "xn--bcher-kva.example", true),
        (Kind::Host, "", false),
        (Kind::Host, "https://a.example", false),
        (Kind::Host, "a.example/", false),
        (Kind::Host, "a.example/path", false),
        (Kind::Host, "a.example?x", false),
        (Kind::Host, "a.example#x", false),
        (Kind::Host, "u@a.example", false),
        (Kind::Host, "a..example", false),
        (Kind::Host, ".a.example", false),
        (Kind::Host, "a.example.", false),
        (Kind::Host, "a_b.example", false),
        (Kind::Host, "a.example:", false),
        (Kind::Host, "a.example:+1", false),
        (Kind::Host, "a.example:65536", false),
        (Kind::Host, "a.example:1:2", false),
        (Kind::Host, "a example", false),
        (Kind::Host, "bücher.example", false),
        (Kind::Host, "{domain}", false),
        (Kind::Segment, "main", true),
        (Kind::Segment, "eu-central-1_Ab12", true),
        (Kind::Segment, "v1.2", true),
        (Kind::Segment, "", false),
        (Kind::Segment, ".", false),
        (Kind::Segment, "..", false),
        (Kind::Segment, "...", false),
        (Kind::Segment, "a/b", false),
        (Kind::Segment, "a%2Fb", false),
        (Kind::Segment, "a b", false),
        (Kind::Segment, "a?b", false),
        (Kind::Segment, "a#b", false),
        (Kind::Segment, "{x}", false),
        (Kind::Guid, TENANT, true),
        (Kind::Guid, "1111222233334444555566667777888a", false),
        (Kind::Guid, "AAAABBBB-3333-4444-5555-666677778888", false),
        (Kind::Guid, "common", false),
        (Kind::Guid, "acme.onmicrosoft.com", false),
        (Kind::Guid, "11112222-3333-4444-5555-66667777888", false),
        (Kind::Guid, "11112222-3333-4444-5555-666677778888-", false),
        (Kind::Guid, "1111222g-3333-4444-5555-666677778888", false),
    ];
    for_each_row(rows, |(kind, text, expected)| {
        same(&format!("{kind:?} {text}"), kind.takes(text), *expected)
    });
    // And each field is held to its kind.
    for preset in &PRESETS {
        for parameter in preset.parameters {
            assert!(parameter.kind.takes(parameter.example), "{} {}", preset.name, parameter.name);
            for bad in [json!("a/b"), json!(""), json!(1), json!(null), json!(["a"])] {
                let entry = with(least(preset.name), json!({ parameter.name: bad }));
                assert_eq!(places(&entry), [format!(".{}", parameter.name)], "{} {bad}", preset.name);
            }
        }
    }
}

#[test]
fn explicit_fields_win() {
    let okta = |changes: Value| one(&with(least("okta"), changes));
    let own = okta(json!({ "algorithm": "ES256", "expected_audiences": ["api://default"], "server": "aus1",
        "validation_options": { "leeway": 5 }, "authorization_server_url": "https://proxy.acme.example" }));
    let entry = &resource(&own).entries[0];
    assert_eq!(entry.authorization_server_url.as_deref(), Some("https://proxy.acme.example"));
    assert_eq!(entry.rules.issuer, "https://acme.okta.com/oauth2/aus1");
    assert_eq!(
        (&entry.algorithms[..], &entry.rules.audiences[..]),
        (&[Algorithm::ES256][..], &["api://default".to_owned()][..])
    );
    assert_eq!(entry.rules.leeway, 5);
    let keys = okta(json!({ "jwks_uri": "https://keys.acme.example/jwks" }));
    assert_eq!(keys.sources, [KeySource::JwksUri("https://keys.acme.example/jwks".to_owned())]);
    // An issuer of its own takes the preset's place together with its key set, and needs none of
    // its parameters.
    let issuer = one(
        &json!({ "provider": "entra-id", "issuer": "https://login.example/x/v2.0", "expected_audiences": ["a"] }),
    );
    let entries = &resource(&issuer).entries;
    assert_eq!(issuer.sources, [KeySource::Discovery("https://login.example/x/v2.0".to_owned())]);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].authorization_server_url.as_deref(), Some("https://login.example/x/v2.0"));
    assert_eq!(entries[0].rules.names.client, ["azp", "appid"], "the rest of the preset stays");
    // What the rest of the preset needs is required all the same.
    let ghes = json!({ "provider": "github-actions", "issuer": "https://ghes.example/_services/token" });
    assert_eq!(places(&ghes), [".owner"]);
    let machine =
        one(&with(least("github-actions"), json!({ "authorization_server_url": "https://a.example" })));
    assert_eq!(resource(&machine).entries[0].authorization_server_url.as_deref(), Some("https://a.example"));
}
