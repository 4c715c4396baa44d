//! `provider` in an entry, and its parameters: what a row of `presets` comes to there. The entry's own fields win.

use super::authorization_servers::Fields;
use super::urls;
use crate::json::Object;
use crate::presets::{Audience, PRESETS, Preset};

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
            self.fault("provider", format!("one of {}", names.join(" ")));
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
                    self.fault(parameter.name, format!("{expected}, such as {example}{required}"));
                }
                None => {}
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
            self.fault(name, "an array of one or more non-empty strings");
        }
        texts
    }

    /// A URL field, if it is there and sound.
    pub(super) fn url(&mut self, object: &Object, name: &str) -> Option<String> {
        let text = object.get(name)?.as_str().filter(|text| urls::public(text).is_some());
        if text.is_none() {
            self.fault(name, urls::PUBLIC_URL);
        }
        text.map(str::to_owned)
    }
}
