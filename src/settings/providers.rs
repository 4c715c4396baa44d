//! `provider` in an entry, and its parameters: what a row of `presets` comes to there. The entry's own fields win.

use serde_json::Value;

use super::authorization_servers::Fields;
use super::written::{self, Shape};
use super::{slips, urls};
use crate::json::Object;
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

impl Fields<'_> {
    /// The preset that the entry names; the plain one if it names none. `None`: a fault.
    pub(super) fn preset(&mut self, object: &Object) -> Option<&'static Preset> {
        let Some(value) = object.get("provider") else { return Some(&Preset::PLAIN) };
        let preset = value.as_str().and_then(Preset::named);
        if preset.is_none() {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            let hint = value.as_str().map(|name| slips::did_you_mean(name, &names));
            self.fault_hinted("provider", format!("one of {}", names.join(" ")), hint.unwrap_or_default());
        }
        preset
    }

    /// The preset's parameters. One is required if a template that counts has it: an `issuer` of the entry's own takes the preset's place with its key set,
    /// since the two belong together.
    pub(super) fn provider(&mut self, object: &Object, preset: &'static Preset) -> Provider {
        let set = |name: &str| object.contains_key(name);
        let mut templates: Vec<&str> = preset.claims.iter().map(|(_, value)| *value).collect();
        if !set("issuer") {
            templates.extend(preset.issuers);
            templates.extend(preset.jwks_uri.filter(|_| !set("jwks_uri")));
        }
        if let (Audience::Is(template), false) = (preset.audience, set("expected_audiences")) {
            templates.push(template);
        }
        let mut provider = Provider { preset, values: Vec::new() };
        for parameter in preset.parameters {
            let place = format!("{{{}}}", parameter.name);
            let value = match object.get(parameter.name) {
                Some(value) => value.as_str().filter(|text| parameter.kind.takes(text)),
                None => parameter.default,
            };
            match value {
                Some(value) => provider.values.push((parameter.name, value.to_owned())),
                None if set(parameter.name) || templates.iter().any(|t| t.contains(&place)) => {
                    let (expected, example) = (parameter.kind.expected(), parameter.example);
                    let required =
                        if set(parameter.name) { "" } else { "; it is required with this provider" };
                    let hint = object.get(parameter.name).map(|value| found(value, parameter.kind));
                    let expected = format!("{expected}, such as {example}{required}");
                    self.fault_hinted(parameter.name, expected, hint.unwrap_or_default());
                }
                None => {}
            }
        }
        if let Some((name, template, expected)) = preset.begins {
            let mut values = provider.values.iter();
            let value = values.find(|(parameter, _)| *parameter == name).map(|(_, value)| value);
            let begins = provider.fill(template);
            if value.is_some_and(|value| !value.starts_with(&begins)) && !begins.contains('{') {
                self.fault(name, expected);
            }
        }
        provider
    }

    /// The names of the parameters that the entry may have. Where its provider is unknown, any: one fault is enough.
    pub(super) fn parameter_names(preset: Option<&'static Preset>) -> Vec<&'static str> {
        let of = |preset: &'static Preset| preset.parameters.iter().map(|parameter| parameter.name);
        match preset {
            Some(preset) => of(preset).collect(),
            None => PRESETS.iter().flat_map(of).collect(),
        }
    }

    /// An array of non-empty strings, if it is there.
    pub(super) fn texts(&mut self, object: &Object, name: &str) -> Option<Vec<String>> {
        let value = object.get(name)?;
        let texts = value.as_array().and_then(|_| super::variables::one_or_more(value));
        if texts.is_none() {
            let hint = written::found(value, Shape::Array);
            self.fault_hinted(name, "an array of one or more non-empty strings", hint);
        }
        texts
    }

    /// A URL field, if it is there and sound.
    pub(super) fn url(&mut self, object: &Object, name: &str, kind: urls::Kind) -> Option<String> {
        let read = urls::read(object.get(name)?, kind);
        read.map_err(|hint| self.fault_hinted(name, urls::PUBLIC_URL, hint)).ok()
    }
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
