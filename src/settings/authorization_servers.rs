//! The entries: which authorization servers are believed, and on what terms. Two forms; one of them must be set, and only one.

use serde_json::Value;

use super::faults::Faults;
use super::providers::Provider;
use super::urls::Kind;
use super::variables::{Found, Variables};
use super::written::{self, Shape};
use super::{Canonical, Entry, KeySource, SourceId, algorithms, issuers, slips, urls};
use crate::json::Object;
use crate::limits;
use crate::settings::presets::{Audience, Preset};
use crate::token::claims::{AudienceIn, Demand, Rules};
use crate::token::jose::Algorithm;

const FIELDS: [&str; 9] = [
    "authorization_server_url",
    "issuer",
    "jwks_uri",
    "for_clients",
    "algorithm",
    "expected_audiences",
    "expected_clients",
    "validation_options",
    "provider",
];
const OPTIONS: [&str; 5] = ["verify_exp", "verify_iat", "verify_nbf", "verify_iss", "leeway"];
const SINGLE: [&str; 4] = ["JWKS_URI", "ISSUER", "AUDIENCE", "ALGORITHM"];

const AUDIENCES: &str = "one or more non-empty strings";

pub(super) fn read(
    variables: &Variables,
    canonical: Option<&Canonical>,
    sources: &mut Vec<KeySource>,
    faults: &mut Faults,
) -> Vec<Entry> {
    let many = variables.get("AUTHORIZATION_SERVERS", faults);
    let single = SINGLE.map(|name| variables.get(name, faults));
    match (many, single.iter().flatten().next()) {
        (Some(_), Some(single)) => {
            let many = variables.called("AUTHORIZATION_SERVERS");
            faults.add(single.name, "", format!("either {many} or the single-issuer form, not both"));
            Vec::new()
        }
        (Some(many), None) => entries(&many, canonical, sources, faults),
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

/// The form of Arcade's ResourceServerAuth.
fn entries(
    found: &Found<'_>,
    canonical: Option<&Canonical>,
    sources: &mut Vec<KeySource>,
    faults: &mut Faults,
) -> Vec<Entry> {
    let Some(items) = found.value.as_array().filter(|items| !items.is_empty()) else {
        found.fault("an array of at least one authorization server", Shape::Array, faults);
        return Vec::new();
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let mut fields = Fields { variable: found.name, path: format!("[{index}]"), faults };
        let read = fields.object(item).and_then(|object| fields.entries(object, canonical, sources));
        let Some(read) = read else { continue };
        if read.iter().any(|entry| entries.iter().any(|other| contradict(other, entry))) {
            fields.fault(
                "issuer",
                "the same rules as the other entry with this issuer, or the same jwks_uri (issuer and key set belong together)",
            );
        }
        entries.extend(read);
    }
    entries
}

/// The form of Arcade's JWKSTokenValidator: verification without discovery.
fn single_issuer(
    [jwks_uri, issuer, audience, algorithm]: &[Option<Found<'_>>; 4],
    sources: &mut Vec<KeySource>,
    faults: &mut Faults,
) -> Vec<Entry> {
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
        .map(|issuer| Entry {
            authorization_server_url: None,
            source,
            algorithms: algorithms.clone(),
            only_at_jwt: false,
            rules: Rules::strict(issuer, audiences.clone()),
        })
        .collect()
}

/// One text or several.
fn texts(found: &Found<'_>) -> Result<Vec<String>, String> {
    found.one_or_more().ok_or_else(|| written::variable(&found.value, Shape::Texts, false))
}

/// Two entries that name one issuer, two key sets and two sets of rules: which of them holds would be a matter of luck.
fn contradict(a: &Entry, b: &Entry) -> bool {
    a.rules.issuer == b.rules.issuer
        && a.source != b.source
        && (a.rules != b.rules || a.algorithms != b.algorithms || a.only_at_jwt != b.only_at_jwt)
}

fn source_id(sources: &mut Vec<KeySource>, source: KeySource) -> SourceId {
    let known = sources.iter().position(|s| *s == source);
    SourceId(known.unwrap_or_else(|| {
        sources.push(source);
        sources.len() - 1
    }))
}

/// The fields of one entry.
pub(super) struct Fields<'f> {
    variable: &'f str,
    path: String,
    faults: &'f mut Faults,
}

impl Fields<'_> {
    pub(super) fn fault(&mut self, field: &str, expected: impl Into<String>) {
        self.fault_hinted(field, expected, String::new());
    }

    pub(super) fn fault_hinted(&mut self, field: &str, expected: impl Into<String>, hint: String) {
        self.faults.add_hinted(self.variable, &format!("{}.{field}", self.path), expected, hint);
    }

    fn object<'v>(&mut self, item: &'v Value) -> Option<&'v Object> {
        if !item.is_object() {
            let expected = format!("an object with {}", FIELDS.join(", "));
            let found = written::found(item, Shape::Object);
            self.faults.add_hinted(self.variable, &self.path, expected, found);
        }
        item.as_object()
    }

    /// An entry; several of them where its provider has several issuers.
    fn entries(
        &mut self,
        object: &Object,
        canonical: Option<&Canonical>,
        sources: &mut Vec<KeySource>,
    ) -> Option<Vec<Entry>> {
        let set = |name: &str| object.contains_key(name);
        let preset = self.preset(object);
        self.known(object, "", &[&FIELDS[..], &Self::parameter_names(preset)].concat());
        let provider = self.provider(object, preset.unwrap_or(&Preset::PLAIN));
        let preset = provider.preset;
        let for_clients = self.for_clients(object, preset);
        let url = self.url(object, "authorization_server_url", Kind::Issuer);
        let is_missing = if set("provider") {
            // Clients are given the issuer, so it must be a URL.
            for_clients && issuers::is_name(object)
        } else {
            for_clients || !set("issuer")
        };
        if is_missing && !set("authorization_server_url") {
            let expected =
                format!("{}; it is required, but for an issuer with for_clients = false", urls::PUBLIC_URL);
            self.fault("authorization_server_url", expected);
        }
        let issuer = self.issuer(object);
        let jwks_uri = self.url(object, "jwks_uri", Kind::KeySet);
        let algorithms = match object.get("algorithm").map(algorithms::read) {
            None => Some(preset.algorithms.to_vec()),
            Some(Ok(algorithms)) => Some(algorithms),
            Some(Err(hint)) => {
                self.fault_hinted("algorithm", algorithms::expected(), hint);
                None
            }
        };
        let audiences = self.audiences(object, &provider, canonical);
        let clients = self.clients(object, preset);
        let mut rules = Rules::strict(String::new(), Vec::new());
        self.options(object, &mut rules);

        rules.audiences = audiences?;
        rules.clients = clients?;
        rules.names = preset.names;
        if preset.aud_may_be_absent {
            rules.audience_in = AudienceIn::AudElseClient;
        }
        let claims = preset.claims.iter().map(|(name, value)| Demand::Is(name, provider.fill(value)));
        let any_of = Some(preset.any_of).filter(|names| !names.is_empty()).map(Demand::AnyOf);
        rules.demands = claims.chain(any_of).collect();
        let issuers = match (set("issuer"), preset.issuers) {
            (true, _) => vec![issuer?],
            (false, []) => vec![url.clone()?],
            (false, templates) => templates.iter().map(|t| provider.fill(t)).collect(),
        };
        let listed = url.or_else(|| issuers.first().cloned()).filter(|_| for_clients);
        let preset_keys = preset.jwks_uri.filter(|_| !set("issuer")).map(|t| provider.fill(t));
        let keys = if set("jwks_uri") { Some(jwks_uri?) } else { preset_keys };
        let algorithms = algorithms?;
        for text in preset.warnings {
            self.faults.warn(self.variable, &format!("{}.provider", self.path), *text);
        }
        let entry = |issuer: String| Entry {
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
            rules: Rules { issuer, ..rules.clone() },
        };
        Some(issuers.into_iter().map(entry).collect())
    }

    fn audiences(
        &mut self,
        object: &Object,
        provider: &Provider,
        canonical: Option<&Canonical>,
    ) -> Option<Vec<String>> {
        if object.contains_key("expected_audiences") {
            return self.texts(object, "expected_audiences");
        }
        match provider.preset.audience {
            Audience::Canonical => canonical.map(|c| vec![c.as_str().to_owned()]),
            Audience::Is(template) => Some(vec![provider.fill(template)]),
            Audience::Told(what) => {
                self.fault(
                    "expected_audiences",
                    format!("an array with {what}; it is required with this provider"),
                );
                None
            }
        }
    }

    fn clients(&mut self, object: &Object, preset: &Preset) -> Option<Vec<String>> {
        if object.contains_key("expected_clients") {
            return self.texts(object, "expected_clients");
        }
        match preset.clients {
            None => Some(Vec::new()),
            Some(which) => {
                self.fault(
                    "expected_clients",
                    format!("an array with {which}; it is required with this provider"),
                );
                None
            }
        }
    }

    fn known(&mut self, object: &Object, prefix: &str, names: &[&str]) {
        for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
            let expected = format!("no such field; there are {}", names.join(", "));
            let hint = slips::did_you_mean(name, names);
            self.fault_hinted(&format!("{prefix}{name}"), expected, hint);
        }
    }

    fn options(&mut self, object: &Object, rules: &mut Rules) {
        let Some(value) = object.get("validation_options") else { return };
        let Some(options) = value.as_object() else {
            let expected = format!("an object with {}", OPTIONS.join(", "));
            self.fault_hinted("validation_options", expected, written::found(value, Shape::Object));
            return;
        };
        self.known(options, "validation_options.", &OPTIONS);
        let switches = [
            ("verify_exp", &mut rules.verify_exp),
            ("verify_iat", &mut rules.verify_iat),
            ("verify_nbf", &mut rules.verify_nbf),
            ("verify_iss", &mut rules.verify_iss),
        ];
        for (name, switch) in switches {
            match options.get(name).map(Value::as_bool) {
                None => {}
                Some(Some(choice)) => *switch = choice,
                Some(None) => {
                    let found = options.get(name).map(|value| format!("found {}", written::kind(value)));
                    let field = format!("validation_options.{name}");
                    self.fault_hinted(&field, "true or false", found.unwrap_or_default());
                }
            }
        }
        match options.get("leeway").map(|v| v.as_u64().filter(|s| limits::LEEWAY.contains(s))) {
            None => {}
            Some(Some(leeway)) => rules.leeway = leeway,
            Some(None) => self.fault("validation_options.leeway", "a whole number of seconds, 0 to 300"),
        }
    }
}
