//! `provider` in an entry, and its parameters: what a row of `presets` becomes in this entry. Where
//! the entry has a field of its own, that one holds.

use serde_json::Value;

use super::object_reader::ObjectReader;
use super::{spelling, urls, written};
use crate::settings::presets::{Audience, Kind, PRESETS, Preset};

/// An entry's preset with its parameters.
pub(super) struct Provider {
    pub(super) preset: &'static Preset,
    values: Vec<(&'static str, String)>,
}

impl Provider {
    /// A template with the parameters in it.
    pub(super) fn fill(&self, template: &str) -> String {
        let put = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
        self.values.iter().fold(template.to_owned(), put)
    }
}

/// The preset that the entry names; the plain one if it names none. `None`: a fault.
pub(super) fn preset(entry: &mut ObjectReader<'_>) -> Option<&'static Preset> {
    let Some(value) = entry.get("provider") else { return Some(&Preset::PLAIN) };
    let preset = value.as_str().and_then(Preset::named);
    if preset.is_none() {
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        let hint = value.as_str().map(|name| spelling::did_you_mean(name, &names));
        entry.fault_hinted("provider", format!("one of {}", names.join(" ")), hint.unwrap_or_default());
    }
    preset
}

/// The preset's parameters. One is required if a template that counts has it: an `issuer` of the
/// entry's own takes the preset's place with its key set, since the two belong together.
pub(super) fn read(entry: &mut ObjectReader<'_>, preset: &'static Preset) -> Provider {
    let mut templates: Vec<&str> = preset.claims.iter().map(|(_, value)| *value).collect();
    if !entry.has("issuer") {
        templates.extend(preset.issuers);
        templates.extend(preset.jwks_uri.filter(|_| !entry.has("jwks_uri")));
    }
    if let (Audience::Is(template), false) = (preset.audience, entry.has("expected_audiences")) {
        templates.push(template);
    }
    let mut provider = Provider { preset, values: Vec::new() };
    for parameter in preset.parameters {
        let own = entry.get(parameter.name);
        let value = match own {
            Some(value) => value.as_str().filter(|text| parameter.kind.takes(text)),
            None => parameter.default,
        };
        if let Some(value) = value {
            provider.values.push((parameter.name, value.to_owned()));
            continue;
        }
        let place = format!("{{{}}}", parameter.name);
        if own.is_some() || templates.iter().any(|t| t.contains(&place)) {
            let (expected, example) = (parameter.kind.expected(), parameter.example);
            let required = if own.is_some() { "" } else { "; it is required with this provider" };
            let hint = own.map(|value| found(value, parameter.kind)).unwrap_or_default();
            let expected = format!("{expected}, such as {example}{required}");
            entry.fault_hinted(parameter.name, expected, hint);
        }
    }
    if let Some((name, template, expected)) = preset.begins {
        let mut values = provider.values.iter();
        let value = values.find(|(parameter, _)| *parameter == name).map(|(_, value)| value);
        let begins = provider.fill(template);
        if value.is_some_and(|value| !value.starts_with(&begins)) && !begins.contains('{') {
            entry.fault(name, expected);
        }
    }
    provider
}

/// The names of the parameters that the entry may have. Where its provider is unknown, any: one
/// fault is enough.
pub(super) fn parameter_names(preset: Option<&'static Preset>) -> Vec<&'static str> {
    let presets = preset.map_or(&PRESETS[..], std::slice::from_ref);
    presets.iter().flat_map(|preset| preset.parameters).map(|parameter| parameter.name).collect()
}

/// What was found instead of a parameter.
fn found(value: &Value, kind: Kind) -> String {
    match value.as_str() {
        None => format!("found {}", written::kind(value)),
        Some("") => "found an empty text".to_owned(),
        Some(text) if text.contains("://") => "found a URL".to_owned(),
        Some(text) if kind == Kind::Host => urls::odd_character("https://", text).unwrap_or_default(),
        Some(text) => {
            let odd = text.chars().find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c));
            odd.map(|c| format!("found {}", written::character(c))).unwrap_or_default()
        }
    }
}
