//! docs/settings.schema.json is what the table of settings gives, and says the defaults that they
//! really have. `tests/e2e/schema.test.mjs` has what it takes.

use serde_json::{Map, Value, json};

use crate::support::{
    SERVERS, config, entry, for_each_row, same, settings, single_issuer_settings, with, with_entries,
};

const SCHEMA: &str = include_str!("../../docs/settings.schema.json");

#[test]
fn the_committed_schema_is_the_one_of_the_table() {
    assert!(
        SCHEMA == mcp_edge_auth::settings::schema(),
        "docs/settings.schema.json is not up to date: npm run -s schema > docs/settings.schema.json"
    );
}

/// The members of a definition that have a default, with it.
fn defaults(definition: &str) -> Map<String, Value> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let members = schema["$defs"][definition]["properties"].as_object().unwrap().clone();
    let default = |(name, member): (String, Value)| Some((name, member.get("default")?.clone()));
    members.into_iter().filter_map(default).collect()
}

#[test]
fn a_default_is_what_holds_where_nothing_is_set() {
    const POLICY: &str = "MCP_SERVER_AUTH_POLICY";
    type Settings = fn(Value) -> Value;
    let rows: [(&str, Settings); 5] = [
        ("vars", |members| with(settings(), members)),
        ("vars", |members| with(single_issuer_settings(), members)),
        ("options", |options| with_entries(json!([with(entry(), json!({ "validation_options": options }))]))),
        ("policy", |members| {
            with(settings(), json!({ POLICY: with(json!({ "rules": [{ "deny": true }] }), members) }))
        }),
        ("rule", |members| {
            with(settings(), json!({ POLICY: { "rules": [with(json!({ "scopes": ["mcp"] }), members)] } }))
        }),
    ];
    for (definition, settings) in rows {
        let defaults = defaults(definition);
        assert!(!defaults.is_empty(), "{definition}");
        for_each_row(defaults, |(name, default)| {
            // It is of the other form.
            if name == "MCP_SERVER_AUTH_ALGORITHM" && settings(json!({})).get(SERVERS).is_some() {
                return Ok(());
            }
            let without = format!("{:?}", config(&settings(json!({}))));
            same(name, format!("{:?}", config(&settings(json!({ name.as_str(): default })))), without)
        });
    }
}
