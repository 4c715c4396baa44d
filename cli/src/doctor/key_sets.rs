//! The key sets, fetched as the Worker fetches them.

use std::rc::Rc;

use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::keys::discovery;
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::keys::source::KeySource;
use mcp_edge_auth::keys::source::SourceId;
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::resource::Resource;

use super::exchange::Network;
use super::report::Report;

/// By source; none where there is none to be had.
pub(crate) type KeySets = Vec<Option<Rc<KeySet>>>;

/// Each source once, and each entry once, however many resources have it.
pub(crate) async fn check(
    config: &Config,
    resources: &[&Resource],
    network: &Network,
    report: &mut Report,
) -> KeySets {
    let entries = || resources.iter().flat_map(|resource| &resource.entries);
    let is_used = |at: usize| entries().any(|entry| entry.source.index() == at);
    let mut sets = KeySets::new();
    for (at, source) in config.sources.iter().enumerate() {
        sets.push(if is_used(at) { told(source, network, report).await } else { None });
    }
    let mut seen: Vec<(&str, &[Algorithm], SourceId)> = Vec::new();
    for entry in entries() {
        let Some(Some(set)) = sets.get(entry.source.index()) else { continue };
        let this = (entry.rules.issuer.as_str(), entry.algorithms.as_slice(), entry.source);
        if seen.contains(&this) {
            continue;
        }
        seen.push(this);
        let (issuer, fits) = (&entry.rules.issuer, |algorithm: &Algorithm| has_key_for(set, *algorithm));
        let names = |all: &mut dyn Iterator<Item = Algorithm>| {
            all.map(|a| a.row().name).collect::<Vec<_>>().join(" ")
        };
        let allowed = names(&mut entry.algorithms.iter().copied());
        let found = names(&mut Algorithm::ALL.into_iter().filter(fits));
        report.check(
            entry.algorithms.iter().any(fits),
            "keys.algorithm",
            format!("{issuer}: expected a key for {allowed}, found keys for {found}"),
            format!("set `algorithm` to what it signs with, one or more of: {found}"),
        );
    }
    sets
}

/// The key set of a source, if there is one, and a line about it.
async fn told(source: &KeySource, network: &Network, report: &mut Report) -> Option<Rc<KeySet>> {
    match fetched(source, network).await {
        Ok((uri, set)) => {
            let kids: Vec<&str> = set.kids().collect();
            let kids = if kids.is_empty() { "without kid".to_owned() } else { kids.join(" ") };
            report.ok("keys", format!("{uri} has keys: {kids}"));
            Some(Rc::new(set))
        }
        Err(reason) => {
            report.fail(
                "keys",
                reason,
                "no token of this issuer can be verified: the Worker answers 503 until it has a key set",
            );
            None
        }
    }
}

fn has_key_for(set: &KeySet, algorithm: Algorithm) -> bool {
    matches!(set.select(algorithm, None), Ok(_) | Err(Refusal::KeyAmbiguous))
}

/// A key set and where it was.
async fn fetched(source: &KeySource, network: &Network) -> Result<(String, KeySet), String> {
    let uri = match source {
        KeySource::JwksUri(uri) => uri.clone(),
        KeySource::Discovery(issuer) => discovered(issuer, network).await?,
    };
    let text = network.document(&uri).await.map_err(|failure| format!("{uri}: {failure}"))?;
    let set = KeySet::parse(&text).map_err(|unusable| format!("{uri}: {}", unusable.reason()))?;
    Ok((uri, set))
}

async fn discovered(issuer: &str, network: &Network) -> Result<String, String> {
    let mut gave = Vec::new();
    for url in discovery::metadata_urls(issuer) {
        let document = network.document(&url).await;
        let found = document.and_then(|text| {
            discovery::jwks_uri(&text, issuer).map_err(|unusable| unusable.reason().to_owned())
        });
        match found {
            Ok(uri) => return Ok(uri),
            Err(reason) => gave.push((url, reason)),
        }
    }
    let misses = discovery::misses(gave.iter().map(|(url, reason)| (url.as_str(), reason.as_str())));
    Err(format!("no metadata of {issuer} leads to keys ({misses})"))
}
