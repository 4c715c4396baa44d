//! The settings of DPoP: what an entry may say, the secret that nonces are made with, and what they
//! come to for a resource.

use mcp_edge_auth::fault::Fault;
use mcp_edge_auth::http::cors::EXPOSED;
use mcp_edge_auth::settings;
use mcp_edge_auth::token::binding::Use;
use serde_json::{Value, json};

use crate::support::{
    CANONICAL, SERVERS, config, decided, entry, for_each_row, head, read, resource, same, settings as sound,
    variables, with, with_entries,
};

const KEY: &str = "MCP_SERVER_AUTH_DPOP_NONCE_KEY";

fn at(members: Value) -> Value {
    with_entries(json!([with(entry(), members)]))
}

fn first(faults: Vec<Fault>) -> String {
    assert_eq!(faults.len(), 1, "{faults:?}");
    format!("{}{}", faults[0].variable, faults[0].field)
}

#[test]
fn members() {
    let key = json!({ KEY: "k".repeat(32) });
    let rows = [
        ("nothing", json!({}), None),
        ("off", json!({ "dpop": "off" }), None),
        ("accept", json!({ "dpop": "accept" }), None),
        ("require", json!({ "dpop": "require" }), None),
        ("another word", json!({ "dpop": "on" }), Some("dpop")),
        ("in capitals", json!({ "dpop": "Require" }), Some("dpop")),
        ("a switch", json!({ "dpop": true }), Some("dpop")),
        ("an empty text", json!({ "dpop": "" }), Some("dpop")),
        ("null", json!({ "dpop": null }), Some("dpop")),
        ("algorithms", json!({ "dpop": "accept", "dpop_algorithms": ["ES256", "Ed25519"] }), None),
        ("one algorithm", json!({ "dpop": "accept", "dpop_algorithms": "ES256" }), None),
        ("no algorithm", json!({ "dpop": "accept", "dpop_algorithms": [] }), Some("dpop_algorithms")),
        ("none", json!({ "dpop": "accept", "dpop_algorithms": ["none"] }), Some("dpop_algorithms")),
        (
            "HS256",
            json!({ "dpop": "accept", "dpop_algorithms": ["ES256", "HS256"] }),
            Some("dpop_algorithms"),
        ),
        ("a nonce", json!({ "dpop": "accept", "dpop_nonce": true }), None),
        ("no nonce", json!({ "dpop": "accept", "dpop_nonce": false }), None),
        ("a nonce as text", json!({ "dpop": "accept", "dpop_nonce": "true" }), Some("dpop_nonce")),
        ("a time", json!({ "dpop": "accept", "dpop_max_age": 60 }), None),
        ("the shortest", json!({ "dpop": "accept", "dpop_max_age": 10 }), None),
        ("shorter", json!({ "dpop": "accept", "dpop_max_age": 9 }), Some("dpop_max_age")),
        ("the longest", json!({ "dpop": "accept", "dpop_max_age": 300 }), None),
        ("longer", json!({ "dpop": "accept", "dpop_max_age": 301 }), Some("dpop_max_age")),
        ("a time as text", json!({ "dpop": "accept", "dpop_max_age": "60" }), Some("dpop_max_age")),
        ("algorithms without it", json!({ "dpop_algorithms": ["ES256"] }), Some("dpop_algorithms")),
        ("a nonce without it", json!({ "dpop_nonce": true }), Some("dpop_nonce")),
        ("a time with it off", json!({ "dpop": "off", "dpop_max_age": 60 }), Some("dpop_max_age")),
    ];
    for_each_row(rows, |(name, members, expected)| {
        let found = read(&with(at(members.clone()), key.clone())).err().map(first);
        same(name, found, expected.map(|field| format!("{SERVERS}[0].{field}")))
    });
}

#[test]
fn what_they_come_to() {
    let key = json!({ KEY: ["k".repeat(32), "l".repeat(40)] });
    let plain = config(&sound());
    assert_eq!(resource(&plain).entries[0].rules.dpop, Use::Off);
    let members = json!({ "dpop": "require", "dpop_algorithms": ["PS256", "ES256"], "dpop_nonce": true, "dpop_max_age": 20 });
    let config = config(&with(at(members), key));
    let entry = &resource(&config).entries[0];
    let names: Vec<&str> = entry.dpop.algorithms.iter().map(|a| a.row().name).collect();
    assert_eq!((entry.rules.dpop, names.as_slice()), (Use::Require, ["PS256", "ES256"].as_slice()));
    assert_eq!(entry.dpop.max_age, 20);
    assert!(entry.dpop.nonces.as_ref().is_some_and(|nonces| !nonces.is_unseen()));
    // By default all algorithms, those first that cost a client least.
    let config = crate::support::config(&at(json!({ "dpop": "accept" })));
    let entry = &resource(&config).entries[0];
    let names: Vec<&str> = entry.dpop.algorithms.iter().map(|a| a.row().name).collect();
    assert_eq!(names[..4], ["ES256", "EdDSA", "RS256", "PS256"]);
    let mut sorted = names.clone();
    sorted.sort_unstable();
    let mut all = mcp_edge_auth::keys::algorithm::Algorithm::ALL.map(|a| a.row().name);
    all.sort_unstable();
    assert_eq!(sorted, all);
    assert!(entry.dpop.nonces.is_none() && entry.dpop.max_age == 300);
}

#[test]
fn the_secret() {
    let wanting = at(json!({ "dpop": "accept", "dpop_nonce": true }));
    let rows = [
        ("none", json!({}), Some(format!("{SERVERS}[0].dpop_nonce"))),
        ("32 bytes", json!({ KEY: "k".repeat(32) }), None),
        ("31 bytes", json!({ KEY: "k".repeat(31) }), Some(KEY.to_owned())),
        ("31 bytes and spaces", json!({ KEY: format!(" {} ", "k".repeat(31)) }), Some(KEY.to_owned())),
        ("several", json!({ KEY: ["k".repeat(32), "l".repeat(32)] }), None),
        ("one of several too short", json!({ KEY: ["k".repeat(32), "l"] }), Some(KEY.to_owned())),
        ("empty", json!({ KEY: "" }), Some(KEY.to_owned())),
        ("no text", json!({ KEY: [] }), Some(KEY.to_owned())),
    ];
    for_each_row(rows, |(name, more, expected)| {
        let faults = read(&with(wanting.clone(), more.clone())).err();
        let shown = format!("{faults:?}");
        same(name, shown.contains("kkk") || shown.contains("lll"), false)?;
        same(name, faults.map(first), expected.clone())
    });
    // It may be there without being wanted.
    assert!(read(&with(sound(), json!({ KEY: "k".repeat(32) }))).is_ok());
    // Where secrets cannot be seen, it is named, and nothing is good.
    let unseen = settings::read(&variables(&wanting).without_secrets()).unwrap();
    assert_eq!(unseen.unseen_secrets, [KEY]);
    let nonces = unseen.resources[0].entries[0].dpop.nonces.as_ref().unwrap();
    assert!(nonces.is_unseen());
    let seen = settings::read(&variables(&at(json!({ "dpop": "accept" }))).without_secrets()).unwrap();
    assert_eq!(seen.unseen_secrets, [""; 0]);
    assert!(!format!("{:?}", config(&with(wanting, json!({ KEY: "k".repeat(32) })))).contains("kkk"));
}

/// Headers of requests and answers change only where it is on.
#[test]
fn where_it_is_off_nothing_changes() {
    let page = "https://app.example.com";
    for (members, is_on) in [
        (json!({}), false),
        (json!({ "dpop": "off" }), false),
        (json!({ "dpop": "accept" }), true),
        (json!({ "dpop": "require" }), true),
    ] {
        let config = config(&at(members));
        let resource = resource(&config);
        for name in ["dpop", "DPoP", "DPOP"] {
            assert_eq!(resource.removes(name), is_on, "{name}");
        }
        for name in ["dpop-x", "dpopx", "x-dpop", "dpo"] {
            assert!(!resource.removes(name), "{name}");
        }
        assert_eq!(resource.looked_at().split(['(', ')', '|']).any(|name| name == "dpop"), is_on);
        let exposed = if is_on { format!("{EXPOSED}, DPoP-Nonce") } else { EXPOSED.to_owned() };
        assert_eq!(resource.cors(Some(page)).exposed(), exposed);
        let refused = decided(&config, &head("POST", CANONICAL));
        assert_eq!(refused.answer().header("Access-Control-Expose-Headers"), Some(exposed.as_str()));
        let preflight = decided(&config, &head("OPTIONS", CANONICAL));
        let allowed = preflight.answer().header("Access-Control-Allow-Headers").unwrap().to_owned();
        assert_eq!(allowed.split(", ").any(|name| name == "DPoP"), is_on, "{allowed}");
        assert_eq!(allowed.split(", ").count(), if is_on { 9 } else { 8 });
    }
}

/// What admission makes of the scheme.
#[test]
fn admission() {
    let rows = [
        ("off", "DPoP abc", "dpop_not_accepted"),
        ("off", "DPoP", "token_empty"),
        ("off", "Bearer abc", "verify"),
        ("accept", "DPoP abc", "verify"),
        ("accept", "dpop abc", "verify"),
        ("accept", "Bearer abc", "verify"),
        ("require", "DPoP abc", "verify"),
        ("require", "Bearer abc", "verify"),
        ("require", "Basic abc", "scheme_not_bearer"),
        ("require", "DPoP abc, DPoP abc", "credentials_malformed"),
    ];
    for_each_row(rows, |(dpop, authorization, expected)| {
        let config = config(&at(json!({ "dpop": dpop })));
        let found = match decided(
            &config,
            &mcp_edge_auth::admission::Head { authorization: Some(authorization), ..head("POST", CANONICAL) },
        ) {
            crate::support::Decided::Verify(_) => "verify",
            other => other.refusal().row().reason,
        };
        same(&format!("{dpop} {authorization}"), found, *expected)
    });
}

/// The address that a proof has to be for: the canonical URL's host, and the request's own path.
#[test]
fn addresses() {
    let rows = [
        ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
        ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp/", "https://mcp.example.com/mcp/"),
        ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp?a=/b", "https://mcp.example.com/mcp"),
        (
            "https://mcp.example.com/mcp",
            "https://mcp.example.com/mcp/a/b?c",
            "https://mcp.example.com/mcp/a/b",
        ),
        ("https://mcp.example.com/mcp", "http://other.workers.dev:80/mcp", "https://mcp.example.com/mcp"),
        ("https://mcp.example.com/mcp/", "https://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
        ("https://mcp.example.com/mcp/", "https://mcp.example.com/mcp/", "https://mcp.example.com/mcp/"),
        ("https://MCP.example.com:8443/mcp", "http://127.0.0.1/mcp/x", "https://MCP.example.com:8443/mcp/x"),
        ("https://mcp.example.com", "https://mcp.example.com/", "https://mcp.example.com/"),
    ];
    for_each_row(rows, |(canonical, url, expected)| {
        let config = config(&with(sound(), json!({ crate::support::CANONICAL_URL: canonical })));
        match mcp_edge_auth::route::route(&config, url) {
            mcp_edge_auth::route::Route::Protected(protected) => {
                same(url, protected.address(url), (*expected).to_owned())
            }
            other => Err(format!("{url}: {other:?}")),
        }
    });
}
