//! Issuers that are no URL, and entries that are for machines only.

use mcp_edge_auth::keys::source::KeySource;
use mcp_edge_auth::resource::Config;
use serde_json::{Value, json};

use crate::support::engine::run;
use crate::support::es256::trusted;
use crate::support::{
    CANONICAL, ISSUER, JWKS_URI, NOW, claims, config, entry, for_each_row, read, resource, same,
    single_issuer_settings, with, with_entries,
};

const ADFS: &str = "http://adfs.example.com/adfs/services/trust";

/// Names as they are met, and others that differ from a URL in every way.
const NAMES: [&str; 13] = [
    ADFS,
    "kubernetes/serviceaccount",
    "acme.com",
    "urn:example:issuer",
    "http://10.0.0.1",
    "https://bücher.example",
    "https://login.example.com/a b",
    "https://login.example.com#fragment",
    " acme.com ",
    "a\nb",
    "名前",
    "{\"name\"}",
    "a",
];

fn machine(issuer: &str) -> Value {
    json!({ "issuer": issuer, "jwks_uri": JWKS_URI, "algorithm": "ES256", "for_clients": false })
}

fn faults(entry: &Value) -> Vec<String> {
    match read(&with_entries(json!([entry]))) {
        Ok(_) => Vec::new(),
        Err(faults) => {
            faults.into_iter().map(|f| format!("{}: {}; {}", f.field, f.expected, f.hint)).collect()
        }
    }
}

fn reason(config: &Config, issuer: &str) -> &'static str {
    let token = trusted().with_claims(&with(claims(), json!({ "iss": issuer })));
    run(resource(config), &token, NOW, |_, _| Ok(trusted().key_set())).reason()
}

/// What clients are told.
fn listed(config: &Config) -> Option<Vec<String>> {
    let document: Value = serde_json::from_str(resource(config).metadata.as_deref()?).unwrap();
    let urls = document["authorization_servers"].as_array().unwrap();
    Some(urls.iter().map(|url| url.as_str().unwrap().to_owned()).collect())
}

#[test]
fn with_a_key_set_of_its_own_an_issuer_is_any_name() {
    for_each_row(NAMES, |name| {
        let ways = [
            ("for machines", with_entries(json!([machine(name)]))),
            ("beside where clients log in", with_entries(json!([with(entry(), json!({ "issuer": name }))]))),
            (
                "the single-issuer form",
                with(
                    single_issuer_settings(),
                    json!({ "MCP_SERVER_AUTH_ISSUER": [name], "MCP_SERVER_AUTH_ALGORITHM": "ES256" }),
                ),
            ),
        ];
        for (way, settings) in ways {
            let config = config(&settings);
            same(way, reason(&config, name), "accepted")?;
            // Byte for byte: no case, no slash, no blank, no start of it.
            for other in [&format!("{name}/"), &format!("{name} "), &name.to_uppercase(), &format!("x{name}")]
            {
                if other != name {
                    same(&format!("{way} {other}"), reason(&config, other), "issuer_untrusted")?;
                }
            }
            same(way, reason(&config, ""), "issuer_untrusted")?;
        }
        Ok(())
    });
}

#[test]
fn a_name_is_told_to_the_origin_as_every_claim_is() {
    let config = config(&with_entries(json!([machine(ADFS)])));
    let token = trusted().with_claims(&with(claims(), json!({ "iss": ADFS })));
    let run = run(resource(&config), &token, NOW, |_, _| Ok(trusted().key_set()));
    assert_eq!(run.header("X-MCP-Auth-Issuer"), Some(ADFS));
}

#[test]
fn what_is_no_name() {
    let long = "x".repeat(1025);
    let expected = "[0].issuer: a non-empty string of 1024 bytes at most; found";
    let rows = [
        (json!(""), "an empty text"),
        (json!(" \t"), "an empty text"),
        (json!(long), "a text of 1025 bytes"),
        (json!(5), "a number"),
        (json!(null), "null"),
        (json!([ADFS]), "an array"),
    ];
    for_each_row(rows, |(issuer, found)| {
        let entry = with(machine("x"), json!({ "issuer": issuer }));
        same(found, faults(&entry), vec![format!("{expected} {found}")])
    });
    assert_eq!(faults(&machine(&long[1..])), Vec::<String>::new());
}

#[test]
fn without_a_key_set_metadata_is_looked_for_so_it_is_a_url() {
    for_each_row(NAMES, |name| {
        let discovered = with(machine(name), json!({ "jwks_uri": "<absent>" }));
        let found = faults(&discovered);
        same(name, found.len(), 1)?;
        same(name, found[0].starts_with("[0].issuer: an https URL"), true)
    });
    let config = config(&with_entries(json!([with(machine(ISSUER), json!({ "jwks_uri": "<absent>" }))])));
    assert_eq!(config.sources, [KeySource::Discovery(ISSUER.to_owned())]);
    // A broken key set is one fault, and does not make the name one.
    let broken = faults(&with(machine(ADFS), json!({ "jwks_uri": "keys" })));
    assert!(broken.len() == 1 && broken[0].starts_with("[0].jwks_uri: "), "{broken:?}");
    // A provider's keys are out of use with its issuer, so this one's are looked for.
    let provided = json!({ "provider": "github-actions", "owner": "acme", "issuer": "acme.com" });
    assert!(faults(&provided)[0].starts_with("[0].issuer: an https URL"));
}

#[test]
fn who_is_told_to_clients() {
    let url = "https://login.example.com";
    let github = json!({ "provider": "github-actions", "owner": "acme" });
    let rows = [
        ("a machine alone", json!([machine(ADFS)]), None),
        ("a machine whose issuer is a URL", json!([machine(ISSUER)]), None),
        ("a machine that names a URL, too", json!([with(entry(), json!({ "for_clients": false }))]), None),
        (
            "beside one for clients",
            json!([machine(ADFS), with(entry(), json!({ "issuer": "acme.com" }))]),
            Some(ISSUER),
        ),
        ("said as it is", json!([with(entry(), json!({ "for_clients": true }))]), Some(ISSUER)),
        ("a preset for machines", json!([github]), None),
        (
            "a preset for machines, for clients",
            json!([with(github.clone(), json!({ "for_clients": true }))]),
            Some("https://token.actions.githubusercontent.com"),
        ),
        (
            "a preset for machines with a URL",
            json!([with(github.clone(), json!({ "authorization_server_url": url }))]),
            Some(url),
        ),
        (
            "the same, for machines",
            json!([with(github, json!({ "authorization_server_url": url, "for_clients": false }))]),
            None,
        ),
        (
            "a preset for clients, for machines",
            json!([{ "provider": "workos-authkit", "domain": "acme.authkit.app", "for_clients": false }]),
            None,
        ),
    ];
    for_each_row(rows, |(name, entries, expected)| {
        let found = listed(&config(&with_entries(entries.clone())));
        same(name, found, expected.map(|url| vec![url.to_owned()]))
    });
}

#[test]
fn where_clients_log_in_stays_a_url() {
    let required = "an https URL (or http on 127.0.0.0/8, ::1 or localhost) without fragment, userinfo or whitespace; it is required";
    let no_url =
        |changes: Value| with(with(entry(), json!({ "authorization_server_url": "<absent>" })), changes);
    let workos = json!({ "provider": "workos-authkit", "domain": "acme.authkit.app", "jwks_uri": JWKS_URI, "issuer": "acme.com" });
    let rows = [
        ("no URL", no_url(json!({ "issuer": ISSUER }))),
        ("a name, for clients", no_url(json!({ "issuer": "acme.com", "for_clients": true }))),
        ("for machines, and no issuer", no_url(json!({ "for_clients": false }))),
        ("a provider's, and a name", workos.clone()),
    ];
    for_each_row(rows, |(name, entry)| {
        let found = faults(entry);
        same(name, found.len(), 1)?;
        same(name, found[0].starts_with(&format!("[0].authorization_server_url: {required}")), true)
    });
    assert_eq!(faults(&with(workos, json!({ "for_clients": false }))), Vec::<String>::new());
    let named = with(entry(), json!({ "authorization_server_url": "acme.com" }));
    assert!(faults(&named)[0].starts_with("[0].authorization_server_url: "));
    let for_clients = |value: Value| faults(&with(entry(), json!({ "for_clients": value })));
    for_each_row(
        [(json!("false"), "a text"), (json!(0), "a number"), (json!(null), "null")],
        |(value, kind)| {
            same(
                kind,
                for_clients(value.clone()),
                vec![format!("[0].for_clients: true or false; found {kind}")],
            )
        },
    );
}

#[test]
fn the_metadata_that_is_copied_is_that_of_a_url() {
    let copied = |changes: Value| {
        let settings = with(
            with_entries(json!([machine("x"), with(entry(), changes)])),
            json!({ "MCP_SERVER_AUTH_COMPATIBILITY": "authorization-server-metadata" }),
        );
        resource(&config(&settings)).compatibility.copied_issuer.clone()
    };
    assert_eq!(copied(json!({ "issuer": ADFS })).as_deref(), Some(ISSUER));
    assert_eq!(copied(json!({ "issuer": "https://b.example" })).as_deref(), Some("https://b.example"));
}

#[test]
fn the_summary_is_lines_whatever_the_name() {
    let config = config(&with_entries(json!([machine("acme\n\u{1b}[2Jcom")])));
    let summary = mcp_edge_auth::settings::summary(&config, resource(&config));
    let issuers = summary.iter().find(|(name, _)| *name == "Issuers").unwrap();
    assert_eq!(issuers.1, ["acme??[2Jcom"]);
    assert!(summary.iter().any(|(_, values)| values == &[CANONICAL]));
}
