//! The providers that the Worker knows, and what an entry says with each: for `init`, which asks
//! for it.

use mcp_edge_auth::settings::presets::{Audience, Kind, PRESETS, Parameter};
use serde::Serialize;

/// A provider.
#[derive(Debug, Serialize)]
pub struct Provider {
    pub name: &'static str,
    pub parameters: Vec<Asked>,
    /// What `expected_audiences` is there, where an entry must say it.
    pub audience: Option<&'static str>,
    /// What `expected_clients` are there, where an entry must say it.
    pub clients: Option<&'static str>,
}

/// A field of an entry.
#[derive(Debug, Serialize)]
pub struct Asked {
    pub name: &'static str,
    pub default: Option<&'static str>,
    pub example: &'static str,
    pub expected: &'static str,
}

/// All of them, in the order of the table.
pub fn all() -> Vec<Provider> {
    let told = |audience| match audience {
        Audience::Told(what) => Some(what),
        Audience::Canonical | Audience::Is(_) => None,
    };
    let each = PRESETS.iter().map(|preset| Provider {
        name: preset.name,
        parameters: preset.parameters.iter().map(asked).collect(),
        audience: told(preset.audience),
        clients: preset.clients,
    });
    each.collect()
}

fn asked(parameter: &Parameter) -> Asked {
    let Parameter { name, kind, default, example } = *parameter;
    Asked { name, default, example, expected: Kind::expected(kind) }
}
