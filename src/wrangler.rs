//! wrangler.toml, as the native commands read it: what a deployment will find in its environment.
//!
//! Variables and KV namespaces of an environment are its own: wrangler does not let it inherit them. What only a deployment knows (a variable set with
//! `wrangler secret put`) is not here.

use toml::{Table, Value};

use crate::config::{Variables, is_ours};

/// Kinds of bindings that hold data and answer no requests.
const STORES: [&str; 5] = ["kv_namespaces", "r2_buckets", "d1_databases", "hyperdrive", "vectorize"];

/// What a deployment gets.
#[derive(Clone, Debug)]
pub struct Deployment {
    pub variables: Variables,
    /// Variables of the file that the Worker does not read.
    pub unread: Vec<String>,
    /// Whether the KV binding `JWKS_CACHE` is there.
    pub kv: bool,
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
        variables: variables(settings).with_bindings(bindings(settings)).without_secrets(),
        unread: names(settings).filter(|name| !is_ours(name)).cloned().collect(),
        kv: has_kv(settings),
    })
}

fn variables(settings: &Table) -> Variables {
    let vars = settings.get("vars").and_then(Value::as_table).into_iter().flatten();
    vars.filter_map(|(name, value)| Some((name.clone(), serde_json::to_value(value).ok()?))).collect()
}

fn names(settings: &Table) -> impl Iterator<Item = &String> {
    settings.get("vars").and_then(Value::as_table).into_iter().flat_map(Table::keys)
}

/// Bindings of any kind that may answer requests: services, mTLS certificates, VPC services and what is yet to come, but no stores.
fn bindings(settings: &Table) -> Vec<String> {
    let all = settings.iter().filter(|(kind, _)| !STORES.contains(&kind.as_str()));
    let all = all.filter_map(|(_, all)| all.as_array()).flatten();
    all.filter_map(|binding| Some(binding.get("binding")?.as_str()?.to_owned())).collect()
}

fn has_kv(settings: &Table) -> bool {
    let namespaces = settings.get("kv_namespaces").and_then(Value::as_array);
    namespaces
        .is_some_and(|all| all.iter().any(|n| n.get("binding").and_then(Value::as_str) == Some("JWKS_CACHE")))
}
