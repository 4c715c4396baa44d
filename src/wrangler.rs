//! wrangler.toml, as the native commands read it: what a deployment will find in its environment.
//!
//! Variables and KV namespaces of an environment are its own: wrangler does not let it inherit them. What only a deployment knows (a variable set with
//! `wrangler secret put`) is not here.

use toml::{Table, Value};

use crate::config::Variables;

/// What a deployment gets.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub variables: Variables,
    /// Whether the KV binding `JWKS_CACHE` is there.
    pub kv: bool,
    /// Whether a binding of any kind (service, mTLS certificate, VPC service …) is named `ORIGIN`.
    pub origin: bool,
}

/// Reads the text of a file, or one environment of it. `name`: the file's, for what is wrong with it.
pub fn read(name: &str, text: &str, environment: Option<&str>) -> Result<Deployment, String> {
    let table: Table = text.parse().map_err(|error| format!("{name} is not TOML: {error}"))?;
    let settings = match environment {
        None => &table,
        Some(environment) => {
            let found = table.get("env").and_then(|env| env.get(environment)).and_then(Value::as_table);
            found.ok_or_else(|| format!("{name} has no environment [env.{environment}]"))?
        }
    };
    Ok(Deployment {
        variables: variables(settings).without_secrets(),
        kv: has_kv(settings),
        origin: has_origin(settings),
    })
}

fn variables(settings: &Table) -> Variables {
    let vars = settings.get("vars").and_then(Value::as_table).into_iter().flatten();
    vars.filter_map(|(name, value)| Some((name.clone(), serde_json::to_value(value).ok()?))).collect()
}

fn has_origin(settings: &Table) -> bool {
    let bindings = settings.values().filter_map(Value::as_array).flatten();
    bindings.filter_map(|binding| binding.get("binding")).any(|name| name.as_str() == Some("ORIGIN"))
}

fn has_kv(settings: &Table) -> bool {
    let namespaces = settings.get("kv_namespaces").and_then(Value::as_array);
    namespaces
        .is_some_and(|all| all.iter().any(|n| n.get("binding").and_then(Value::as_str) == Some("JWKS_CACHE")))
}
