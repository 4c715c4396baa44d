//! What wrangler's file says to Cloudflare and not to the Worker: whether it can be deployed, and
//! which addresses lead to it.

use mcp_edge_auth::fault::Warning;
use mcp_edge_auth::json::Object;
use mcp_edge_auth::resource::Config;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(crate) struct Platform {
    has_date: bool,
    /// The patterns of the routes and custom domains.
    routes: Vec<String>,
    /// Whether the Worker has its address at workers.dev. Wrangler gives it one where there are no
    /// routes, unless the file says otherwise.
    workers_dev: bool,
}

impl Platform {
    /// Reads the file as wrangler has read it.
    pub(crate) fn read(settings: &Object) -> Self {
        let text = |name: &str| settings.get(name).and_then(Value::as_str);
        let all = settings.get("routes").and_then(Value::as_array).into_iter().flatten();
        let all = all.chain(settings.get("route"));
        let pattern =
            |route: &Value| route.as_str().or_else(|| route.get("pattern")?.as_str()).map(str::to_owned);
        let routes: Vec<String> = all.filter_map(pattern).collect();
        let workers_dev = settings.get("workers_dev").and_then(Value::as_bool);
        Self {
            has_date: text("compatibility_date").is_some(),
            workers_dev: workers_dev.unwrap_or(routes.is_empty()),
            routes,
        }
    }

    /// `is_local`: it runs on this machine, where no route leads to it.
    pub(crate) fn warnings(&self, config: &Config, is_local: bool) -> Vec<Warning> {
        let mut hosts: Vec<String> = Vec::new();
        for resource in &config.resources {
            let host = resource.canonical.host().to_ascii_lowercase();
            // http is for a Worker on this machine.
            if !is_local && resource.canonical.is_https() && !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        let mut warnings: Vec<Warning> = hosts.iter().filter_map(|host| self.unreached(host)).collect();
        if !self.has_date {
            warnings.push(warning(
                "compatibility_date",
                "there is none, and without it wrangler deploys nothing: add compatibility_date = \"2026-04-26\""
                    .to_owned(),
            ));
        }
        warnings
    }

    /// What there is to say where nothing in the file leads from a host to the Worker.
    fn unreached(&self, host: &str) -> Option<Warning> {
        if self.routes.iter().any(|pattern| covers(pattern, host)) {
            return None;
        }
        if host.ends_with(".workers.dev") {
            let text = format!(
                "the Worker gets no address at workers.dev, and clients are given {host}: set it to true"
            );
            return (!self.workers_dev).then(|| warning("workers_dev", text));
        }
        Some(warning(
            "routes",
            format!(
                "none leads to {host}, the address that clients are given: add {{ pattern = \"{host}\", custom_domain = true }}, \
                 unless the dashboard has its route, or the Worker runs elsewhere"
            ),
        ))
    }
}

fn warning(variable: &str, text: String) -> Warning {
    Warning { variable: variable.to_owned(), field: String::new(), text }
}

/// Whether a route is for this host: `host`, `host/*`, `*.zone/*` or `*zone/*`, with a scheme or
/// without.
fn covers(pattern: &str, host: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let pattern = pattern.split_once("://").map_or(pattern.as_str(), |(_, rest)| rest);
    let named = pattern.split('/').next().unwrap_or_default();
    named.strip_prefix('*').map_or(named == host, |end| host.ends_with(end))
}
