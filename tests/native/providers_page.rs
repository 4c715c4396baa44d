//! What docs/providers.md says is so: every entry is sound, every token shown is accepted there,
//! and its table leaves no provider out.

use mcp_edge_auth::settings::presets::{PRESETS, Preset};
use serde_json::{Value, json};

use crate::support::engine::run;
use crate::support::es256::{KID, trusted};
use crate::support::{self, CANONICAL, SERVERS, config, for_each_row, resource, same, with};

const PAGE: &str = include_str!("../../docs/providers.md");

/// Servers that have a section and no preset: tests/servers takes the entries of the first four
/// from there.
const WITHOUT_PRESET: [&str; 7] =
    ["better-auth", "OpenAuth", "glewlwyd", "LemonLDAP::NG", "AD FS", "FusionAuth", "Kubernetes"];

/// Within the five minutes of the tokens on the page.
const THEN: u64 = 1_800_000_100;

/// A provider's section, and its heading.
fn section(preset: &Preset) -> (&'static str, &'static str) {
    let marker = format!("provider = \"{}\"\n", preset.name);
    let found: Vec<&str> = PAGE.split("\n## ").skip(1).filter(|section| section.contains(&marker)).collect();
    assert_eq!(found.len(), 1, "{}: one section with its entry", preset.name);
    found[0].split_once('\n').unwrap()
}

/// Every section: its name for a failing row, and its text.
fn sections() -> Vec<(&'static str, &'static str)> {
    let others = WITHOUT_PRESET.iter().map(|name| {
        let heading = format!("\n## {name}\n");
        let (_, rest) = PAGE.split_once(&heading).unwrap();
        (*name, rest.split("\n## ").next().unwrap())
    });
    PRESETS.iter().map(|preset| (preset.name, section(preset).1)).chain(others).collect()
}

fn block<'s>(section: &'s str, language: &str) -> &'s str {
    let (_, rest) = section.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// The entry of a section, as `wrangler` makes a variable of it.
fn entry(section: &str) -> Value {
    let file: toml::Table = block(section, "toml").parse().unwrap();
    let entries = serde_json::to_value(&file["vars"][SERVERS]).unwrap();
    assert_eq!(entries.as_array().unwrap().len(), 1);
    entries[0].clone()
}

fn settings(entry: Value) -> Value {
    json!({ support::CANONICAL_URL: CANONICAL, "ORIGIN_URL": "https://origin.example.com/mcp", SERVERS: [entry] })
}

#[test]
fn every_entry_is_sound_and_takes_the_token_below_it() {
    for_each_row(sections(), |(name, text)| {
        let sound = config(&settings(entry(text)));
        let (header, claims) = block(text, "json").split_once("}\n").unwrap();
        let header: Value = serde_json::from_str(&format!("{header}}}")).unwrap();
        let claims: Value = serde_json::from_str(claims).unwrap();
        let alg = header["alg"].as_str().unwrap();
        same(name, resource(&sound).entries[0].algorithms.iter().any(|a| a.row().name == alg), true)?;
        // Signed with the key at hand, everything else as shown.
        let ours = config(&settings(with(entry(text), json!({ "algorithm": "ES256" }))));
        let header = with(header, json!({ "alg": "ES256", "kid": KID }));
        let verdict = |claims: &Value| {
            let token = trusted().token(&header.to_string(), &claims.to_string());
            run(resource(&ours), &token, THEN, |_, _| Ok(trusted().key_set()))
        };
        same(name, verdict(&claims).reason(), "accepted")?;
        let elsewhere = with(claims.clone(), json!({ "aud": "https://other.example.com/mcp" }));
        same(name, verdict(&elsewhere).reason(), "aud_mismatch")
    });
}

#[test]
fn every_field_is_explained() {
    for preset in &PRESETS {
        let (_, text) = section(preset);
        let least: Vec<&str> = preset.parameters.iter().map(|p| p.name).collect();
        for name in least {
            assert!(
                text.lines().any(|line| line.starts_with("| `") && line.contains(&format!("`{name}`"))),
                "{}: {name}",
                preset.name
            );
        }
        assert!(text.contains("| click |"), "{}", preset.name);
    }
    for (name, text) in sections() {
        assert!(text.contains("| quirks |"), "{name}");
        let facts = text.split_once("| fact | from |\n|---|---|\n").unwrap().1;
        assert!(
            facts.lines().filter(|line| line.starts_with("| ")).all(|line| line.matches(" | ").count() == 1),
            "{name}"
        );
    }
    // And the sections of the three tables.
    assert_eq!(PAGE.matches("\n## ").count(), PRESETS.len() + WITHOUT_PRESET.len() + 3);
    assert!(PAGE.contains("2026-11-25"), "when it was last checked");
}

#[test]
fn readme_counts_them() {
    let count = format!("For {} providers and {} other issuers,", PRESETS.len(), WITHOUT_PRESET.len());
    assert!(include_str!("../../README.md").contains(&count), "{count}");
}

#[test]
fn the_table_has_a_row_for_each() {
    let (_, rest) = PAGE.split_once("## Which fields each provider takes\n").unwrap();
    let (table, _) = rest.split_once("\n## ").unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| [")).collect();
    assert_eq!(rows.len(), PRESETS.len());
    for (row, preset) in rows.iter().zip(&PRESETS) {
        let (heading, text) = section(preset);
        let link =
            format!("| [{heading}](#{}) | `{}` | ", heading.to_lowercase().replace(' ', "-"), preset.name);
        assert!(row.starts_with(&link), "{row}\n{link}");
        let fields = row[link.len()..].split_once(" | ").unwrap().0;
        let mut expected: Vec<String> = preset.parameters.iter().map(|p| format!("`{}`", p.name)).collect();
        for (needed, name) in [
            (
                matches!(preset.audience, mcp_edge_auth::settings::presets::Audience::Told(_)),
                "expected_audiences",
            ),
            (preset.clients.is_some(), "expected_clients"),
        ] {
            if needed {
                expected.push(format!("`{name}`"));
                assert!(entry(text).get(name).is_some(), "{}: {name}", preset.name);
            }
        }
        assert_eq!(fields, expected.join(", "), "{}", preset.name);
    }
}
