//! The entries: which authorization servers are believed, and on what terms. There are two forms,
//! of which exactly one must be set.

use serde_json::Value;

use super::object_reader::ObjectReader;
use super::providers::{self, Provider};
use super::table::{self, ENTRY, OPTIONS};
use super::urls::Kind;
use super::variables::{Found, Variables};
use super::written::{self, Shape};
use super::{algorithms, dpop, introspection, issuers, names, urls};
use crate::fault::Faults;
use crate::keys::algorithm::Algorithm;
use crate::keys::source::KeySource;
use crate::keys::source::SourceId;
use crate::limits;
use crate::resource::canonical::Canonical;
use crate::settings::presets::{Audience, Preset};
use crate::token::binding::Use;
use crate::token::claims::{AudienceIn, Demand, Rules};
use crate::token::dpop::Terms;
use crate::token::nonce::Nonces;
use crate::token::trusted_issuer::TrustedIssuer;

pub(super) const NAME: &str = names::AUTHORIZATION_SERVERS;
/// The single-issuer form.
pub(super) const SINGLE: [&str; 4] = ["JWKS_URI", "ISSUER", "AUDIENCE", "ALGORITHM"];

const AUDIENCES: &str = "one or more non-empty strings";

pub(super) fn read(
    variables: &Variables,
    canonical: Option<&Canonical>,
    sources: &mut Vec<KeySource>,
    faults: &mut Faults,
) -> Vec<TrustedIssuer> {
    let many = variables.get(NAME, faults);
    let single = SINGLE.map(|name| variables.get(name, faults));
    match (many, single.iter().flatten().next()) {
        (Some(_), Some(single)) => {
            let many = variables.called(NAME);
            faults.add(single.name, "", format!("either {many} or the single-issuer form, not both"));
            Vec::new()
        }
        (Some(many), None) => {
            let nonces = dpop::nonces(variables, faults);
            let is_outside = variables.is_outside_cloudflare();
            let beside = Beside { variables, canonical, nonces: nonces.as_ref(), is_outside };
            entries(&many, &beside, sources, faults)
        }
        (None, Some(_)) => single_issuer(&single, sources, faults),
        (None, None) => {
            faults.add(
                "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS",
                "",
                "an array of authorization servers; it is required (or the single-issuer form: MCP_SERVER_AUTH_JWKS_URI, _ISSUER, _AUDIENCE)",
            );
            Vec::new()
        }
    }
}

/// What stands beside the entries.
struct Beside<'v> {
    variables: &'v Variables,
    canonical: Option<&'v Canonical>,
    nonces: Option<&'v Nonces>,
    is_outside: bool,
}

/// The form of Arcade's ResourceServerAuth.
fn entries(
    found: &Found<'_>,
    beside: &Beside<'_>,
    sources: &mut Vec<KeySource>,
    faults: &mut Faults,
) -> Vec<TrustedIssuer> {
    let Some(items) = found.value.as_array().filter(|items| !items.is_empty()) else {
        found.fault("an array of at least one authorization server", Shape::Array, faults);
        return Vec::new();
    };
    let mut entries: Vec<TrustedIssuer> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let entry = ObjectReader::open(found.name, format!("[{index}]"), item, &ENTRY, faults);
        let Some(mut entry) = entry else { continue };
        let Some(read) = entries_of(&mut entry, beside, sources) else { continue };
        if read.iter().any(|entry| entries.iter().any(|other| contradict(other, entry))) {
            entry.fault(
                "issuer",
                "the same rules as the other entry with this issuer, or the same jwks_uri (issuer and key set belong together)",
            );
        }
        let contradiction = read.iter().find_map(|entry| introspection::contradiction(&entries, entry));
        if let Some(expected) = contradiction {
            entry.fault(names::INTROSPECTION, expected);
        }
        entries.extend(read);
    }
    let from_access = entries.iter().filter(|entry| entry.from_access).count();
    if from_access > 0 && from_access < entries.len() {
        faults.add(
            found.name,
            "",
            "token_from = \"cf-access\" in every entry or in none: a server has its tokens in one place",
        );
    }
    entries
}

/// The form of Arcade's JWKSTokenValidator: verification without discovery.
fn single_issuer(
    [jwks_uri, issuer, audience, algorithm]: &[Option<Found<'_>>; 4],
    sources: &mut Vec<KeySource>,
    faults: &mut Faults,
) -> Vec<TrustedIssuer> {
    let mut required = |found: &Option<Found<'_>>,
                        suffix: &str,
                        expected: &str,
                        read: fn(&Found<'_>) -> Result<Vec<String>, String>| {
        let Some(found) = found else {
            faults.add(&format!("MCP_SERVER_AUTH_{suffix}"), "", format!("{expected}; it is required"));
            return None;
        };
        read(found).map_err(|hint| faults.add_hinted(found.name, "", expected, hint)).ok()
    };
    let jwks_uri = required(jwks_uri, "JWKS_URI", urls::PUBLIC_URL, |found| {
        urls::read(&found.value, Kind::KeySet).map(|text| vec![text])
    });
    let issuers = required(issuer, "ISSUER", &format!("one or more of: {}", issuers::NAME), |found| {
        texts(found)?.into_iter().map(|text| issuers::name(&Value::from(text))).collect()
    });
    let audiences = required(audience, "AUDIENCE", AUDIENCES, texts);
    let algorithms = match algorithm {
        None => Some(vec![Algorithm::RS256]),
        Some(found) => algorithms::read(&found.value)
            .map_err(|hint| faults.add_hinted(found.name, "", algorithms::expected(), hint))
            .ok(),
    };
    let (Some(jwks_uri), Some(issuers), Some(audiences), Some(algorithms)) =
        (jwks_uri.and_then(|all| all.into_iter().next()), issuers, audiences, algorithms)
    else {
        return Vec::new();
    };
    let source = source_id(sources, KeySource::JwksUri(jwks_uri));
    issuers
        .into_iter()
        .map(|issuer| TrustedIssuer {
            authorization_server_url: None,
            source,
            algorithms: algorithms.clone(),
            only_at_jwt: false,
            from_access: false,
            rules: Rules::strict(issuer, audiences.clone()),
            dpop: Terms::default(),
            introspection: None,
        })
        .collect()
}

/// One text or several.
fn texts(found: &Found<'_>) -> Result<Vec<String>, String> {
    found.one_or_more().ok_or_else(|| written::variable(&found.value, Shape::Texts, false))
}

/// Whether two entries name one issuer, and differ in their key sets and in their rules: a token
/// could be judged by either.
fn contradict(a: &TrustedIssuer, b: &TrustedIssuer) -> bool {
    a.rules.issuer == b.rules.issuer
        && a.source != b.source
        && (a.rules != b.rules
            || a.algorithms != b.algorithms
            || a.only_at_jwt != b.only_at_jwt
            || !a.dpop.are(&b.dpop))
}

fn source_id(sources: &mut Vec<KeySource>, source: KeySource) -> SourceId {
    let known = sources.iter().position(|s| *s == source);
    SourceId::new(known.unwrap_or_else(|| {
        sources.push(source);
        sources.len() - 1
    }))
}

/// An entry; several of them where its provider has several issuers.
fn entries_of(
    entry: &mut ObjectReader<'_>,
    beside: &Beside<'_>,
    sources: &mut Vec<KeySource>,
) -> Option<Vec<TrustedIssuer>> {
    let preset = providers::preset(entry);
    let mut known = table::names(&ENTRY);
    known.extend(providers::parameter_names(preset));
    entry.check_names(&known);
    let provider = providers::read(entry, preset.unwrap_or(&Preset::PLAIN));
    let preset = provider.preset;
    let for_clients = issuers::for_clients(entry, preset);
    let url = issuers::url(entry, "authorization_server_url", Kind::Issuer);
    let is_missing = if entry.has("provider") {
        // Clients are given the issuer, so it must be a URL.
        for_clients && issuers::is_name(entry)
    } else {
        for_clients || !entry.has("issuer")
    };
    if is_missing && !entry.has("authorization_server_url") {
        let expected =
            format!("{}; it is required, but for an issuer with for_clients = false", urls::PUBLIC_URL);
        entry.fault("authorization_server_url", expected);
    }
    let issuer = issuers::read(entry);
    let jwks_uri = issuers::url(entry, "jwks_uri", Kind::KeySet);
    let algorithms = match entry.get("algorithm").map(algorithms::read) {
        None => Some(preset.algorithms.to_vec()),
        Some(Ok(algorithms)) => Some(algorithms),
        Some(Err(hint)) => {
            entry.fault_hinted("algorithm", algorithms::expected(), hint);
            None
        }
    };
    let audiences = audiences(entry, &provider, beside.canonical);
    let clients = clients(entry, preset);
    let mut rules = Rules::strict(String::new(), Vec::new());
    options(entry, &mut rules);
    let introspection = introspection::read(entry, beside.variables);

    rules.mtls = mtls(entry, beside);
    rules.dpop = used(entry, "dpop");
    let dpop = dpop::terms(entry, rules.dpop, beside.nonces);
    subject(entry, &mut rules);
    let from_access = from_access(entry, preset);
    if from_access && rules.dpop != Use::Off {
        entry.fault("dpop", "off beside token_from: what Cloudflare Access sends has no proof");
    }
    if from_access && entry.has(names::INTROSPECTION) {
        let expected =
            "nothing beside token_from: what Cloudflare Access sends is a JWT that nobody is asked about";
        entry.fault(names::INTROSPECTION, expected);
    }

    rules.audiences = audiences?;
    rules.clients = clients?;
    rules.names = preset.names;
    if preset.aud_may_be_absent {
        rules.audience_in = AudienceIn::AudElseClient;
    }
    for (name, value) in preset.claims {
        rules.demands.push(Demand::Is(name, provider.fill(value)));
    }
    if !preset.any_of.is_empty() {
        rules.demands.push(Demand::AnyOf(preset.any_of));
    }
    let issuers = match (entry.has("issuer"), preset.issuers) {
        (true, _) => vec![issuer?],
        (false, []) => vec![url.clone()?],
        (false, templates) => templates.iter().map(|t| provider.fill(t)).collect(),
    };
    if entry.has(names::INTROSPECTION) && issuers.len() > 1 {
        let expected = "an issuer of the entry's own beside it: with this provider there are several";
        entry.fault(names::INTROSPECTION, expected);
    }
    let listed = url.or_else(|| issuers.first().cloned()).filter(|_| for_clients);
    let preset_keys = preset.jwks_uri.filter(|_| !entry.has("issuer")).map(|t| provider.fill(t));
    let keys = if entry.has("jwks_uri") { Some(jwks_uri?) } else { preset_keys };
    let algorithms = algorithms?;
    // What they warn of is that it is not set.
    for text in preset.warnings.iter().filter(|_| !from_access) {
        entry.warn("provider", text);
    }
    let entry = |issuer: String| TrustedIssuer {
        authorization_server_url: listed.clone(),
        source: source_id(
            sources,
            match &keys {
                Some(uri) => KeySource::JwksUri(uri.clone()),
                None => KeySource::Discovery(issuer.clone()),
            },
        ),
        algorithms: algorithms.clone(),
        only_at_jwt: preset.only_at_jwt,
        from_access,
        rules: Rules { issuer, ..rules.clone() },
        dpop: dpop.clone(),
        introspection: introspection.clone(),
    };
    Some(issuers.into_iter().map(entry).collect())
}

fn audiences(
    entry: &mut ObjectReader<'_>,
    provider: &Provider,
    canonical: Option<&Canonical>,
) -> Option<Vec<String>> {
    if entry.has("expected_audiences") {
        return entry.array("expected_audiences");
    }
    match provider.preset.audience {
        Audience::Canonical => canonical.map(|c| vec![c.as_str().to_owned()]),
        Audience::Is(template) => Some(vec![provider.fill(template)]),
        Audience::Told(what) => {
            let expected = format!("an array with {what}; it is required with this provider");
            entry.fault("expected_audiences", expected);
            None
        }
    }
}

fn clients(entry: &mut ObjectReader<'_>, preset: &Preset) -> Option<Vec<String>> {
    if entry.has("expected_clients") {
        return entry.array("expected_clients");
    }
    let Some(which) = preset.clients else { return Some(Vec::new()) };
    let expected = format!("an array with {which}; it is required with this provider");
    entry.fault("expected_clients", expected);
    None
}

/// Whether tokens may or must be bound to a certificate.
fn mtls(entry: &mut ObjectReader<'_>, beside: &Beside<'_>) -> Use {
    let mtls = used(entry, "mtls");
    if mtls == Use::Require && beside.is_outside {
        entry.fault("mtls", "off or accept: outside Cloudflare nobody tells the Worker about certificates, so nobody would get in");
    }
    if mtls != Use::Off
        && beside.canonical.is_some_and(|canonical| canonical.origin().ends_with(".workers.dev"))
    {
        entry.warn("mtls", "on workers.dev no client can show a certificate, so no token that is bound to one is accepted there: give the Worker a host of your own");
    }
    mtls
}

/// Whether something that a token may be bound to is used.
fn used(entry: &mut ObjectReader<'_>, name: &str) -> Use {
    match entry.get(name).map(Value::as_str) {
        None | Some(Some("off")) => Use::Off,
        Some(Some("accept")) => Use::Accept,
        Some(Some("require")) => Use::Require,
        Some(_) => {
            entry.fault(name, "off, accept or require");
            Use::Off
        }
    }
}

/// Whether the tokens are in the header of Cloudflare Access, which only its own tokens are.
fn from_access(entry: &mut ObjectReader<'_>, preset: &Preset) -> bool {
    let Some(value) = entry.get("token_from") else { return false };
    let is_access = value.as_str() == Some("cf-access");
    if !is_access {
        entry.fault("token_from", "cf-access");
    } else if preset.name != "cloudflare-access" {
        entry.fault("token_from", "cf-access only beside provider = \"cloudflare-access\"");
    }
    is_access
}

/// Which claim says whose a token is.
fn subject(entry: &mut ObjectReader<'_>, rules: &mut Rules) {
    let Some(value) = entry.get("subject") else { return };
    match value.as_str().filter(|name| !name.trim().is_empty()) {
        Some(name) => rules.subject = name.to_owned().into(),
        None => entry.fault("subject", "the name of a claim, a text"),
    }
}

fn options(entry: &mut ObjectReader<'_>, rules: &mut Rules) {
    let Some(value) = entry.get("validation_options") else { return };
    let Some(mut options) = entry.inner(".validation_options", value, &OPTIONS) else { return };
    let switches = [
        ("verify_exp", &mut rules.verify_exp),
        ("verify_iat", &mut rules.verify_iat),
        ("verify_nbf", &mut rules.verify_nbf),
        ("verify_iss", &mut rules.verify_iss),
    ];
    for (name, switch) in switches {
        *switch = options.switch(name).unwrap_or(*switch);
    }
    match options.get("leeway").map(|v| v.as_u64().filter(|s| limits::LEEWAY.contains(s))) {
        None => {}
        Some(Some(leeway)) => rules.leeway = leeway,
        Some(None) => options.fault("leeway", "a whole number of seconds, 0 to 300"),
    }
}
