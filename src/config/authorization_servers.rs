//! The entries: which authorization servers are believed, and on what terms. Two forms; one of them must be set, and only one.

use serde_json::Value;

use super::faults::Faults;
use super::variables::{Found, Variables, one_or_more};
use super::{Canonical, Entry, KeySource, SourceId, urls};
use crate::claims::Rules;
use crate::jose::Algorithm;
use crate::json::Object;
use crate::limits;

const FIELDS: [&str; 6] = [
    "authorization_server_url",
    "issuer",
    "jwks_uri",
    "algorithm",
    "expected_audiences",
    "validation_options",
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
        (Some(many), Some(single)) => {
            faults.add(single.name, "", format!("either {} or the single-issuer form, not both", many.name));
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
        faults.add(found.name, "", "an array of at least one authorization server");
        return Vec::new();
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let mut fields = Fields { variable: found.name, path: format!("[{index}]"), faults };
        let Some(entry) = fields.object(item).and_then(|object| fields.entry(object, canonical, sources))
        else {
            continue;
        };
        if entries.iter().any(|other| contradict(other, &entry)) {
            fields.fault(
                "issuer",
                "the same rules as the other entry with this issuer, or the same jwks_uri (issuer and key set belong together)",
            );
        }
        entries.push(entry);
    }
    entries
}

/// The form of Arcade's JWKSTokenValidator: verification without discovery.
fn single_issuer(
    [jwks_uri, issuer, audience, algorithm]: &[Option<Found<'_>>; 4],
    sources: &mut Vec<KeySource>,
    faults: &mut Faults,
) -> Vec<Entry> {
    let mut required =
        |found: &Option<Found<'_>>, suffix: &str, expected: &str, read: fn(&Value) -> Option<Vec<String>>| {
            let name = found.as_ref().map_or(format!("MCP_SERVER_AUTH_{suffix}"), |f| f.name.to_owned());
            let value = found.as_ref().and_then(|f| read(&f.value));
            if value.is_none() {
                let required = if found.is_none() { "; it is required" } else { "" };
                faults.add(&name, "", format!("{expected}{required}"));
            }
            value
        };
    let jwks_uri = required(jwks_uri, "JWKS_URI", urls::PUBLIC_URL, |v| {
        v.as_str().filter(|text| urls::public(text).is_some()).map(|text| vec![text.to_owned()])
    });
    let issuers = required(issuer, "ISSUER", &format!("one or more of: {}", urls::PUBLIC_URL), |v| {
        one_or_more(v).filter(|all| all.iter().all(|text| urls::public(text).is_some()))
    });
    let audiences = required(audience, "AUDIENCE", AUDIENCES, one_or_more);
    let algorithms = match algorithm {
        None => Some(vec![Algorithm::RS256]),
        Some(found) => algorithms(&found.value),
    };
    if let (None, Some(found)) = (&algorithms, algorithm) {
        faults.add(found.name, "", algorithm_names());
    }
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
            rules: Rules::strict(issuer, audiences.clone()),
        })
        .collect()
}

/// Two entries that name one issuer, two key sets and two sets of rules: which of them holds would be a matter of luck.
fn contradict(a: &Entry, b: &Entry) -> bool {
    a.rules.issuer == b.rules.issuer
        && a.source != b.source
        && (a.rules != b.rules || a.algorithms != b.algorithms)
}

fn source_id(sources: &mut Vec<KeySource>, source: KeySource) -> SourceId {
    let known = sources.iter().position(|s| *s == source);
    SourceId(known.unwrap_or_else(|| {
        sources.push(source);
        sources.len() - 1
    }))
}

fn algorithms(value: &Value) -> Option<Vec<Algorithm>> {
    one_or_more(value)?.iter().map(|name| Algorithm::from_name(name)).collect()
}

fn algorithm_names() -> String {
    format!("one or more of {}", Algorithm::ALL.map(|a| a.row().name).join(" "))
}

/// The fields of one entry.
struct Fields<'f> {
    variable: &'f str,
    path: String,
    faults: &'f mut Faults,
}

impl Fields<'_> {
    fn fault(&mut self, field: &str, expected: impl Into<String>) {
        self.faults.add(self.variable, &format!("{}.{field}", self.path), expected);
    }

    fn object<'v>(&mut self, item: &'v Value) -> Option<&'v Object> {
        if !item.is_object() {
            self.faults.add(self.variable, &self.path, format!("an object with {}", FIELDS.join(", ")));
        }
        item.as_object()
    }

    fn entry(
        &mut self,
        object: &Object,
        canonical: Option<&Canonical>,
        sources: &mut Vec<KeySource>,
    ) -> Option<Entry> {
        self.known(object, "", &FIELDS);
        let url = self.url(object, "authorization_server_url");
        if !object.contains_key("authorization_server_url") {
            self.fault("authorization_server_url", format!("{}; it is required", urls::PUBLIC_URL));
        }
        let issuer = self.url(object, "issuer");
        let jwks_uri = self.url(object, "jwks_uri");
        let algorithms = match object.get("algorithm") {
            None => Some(vec![Algorithm::RS256]),
            Some(value) => algorithms(value),
        };
        if algorithms.is_none() {
            self.fault("algorithm", algorithm_names());
        }
        let audiences = match object.get("expected_audiences") {
            None => canonical.map(|c| vec![c.as_str().to_owned()]),
            Some(value) => value.as_array().and_then(|_| one_or_more(value)),
        };
        if audiences.is_none() && object.contains_key("expected_audiences") {
            self.fault("expected_audiences", "an array of one or more non-empty strings");
        }
        let mut rules = Rules::strict(String::new(), Vec::new());
        self.options(object, &mut rules);

        let url = url?;
        rules.issuer = if object.contains_key("issuer") { issuer? } else { url.clone() };
        rules.audiences = audiences?;
        let source = if object.contains_key("jwks_uri") {
            KeySource::JwksUri(jwks_uri?)
        } else {
            KeySource::Discovery(rules.issuer.clone())
        };
        Some(Entry {
            authorization_server_url: Some(url),
            source: source_id(sources, source),
            algorithms: algorithms?,
            rules,
        })
    }

    fn known(&mut self, object: &Object, prefix: &str, names: &[&str]) {
        for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
            self.fault(&format!("{prefix}{name}"), format!("no such field; there are {}", names.join(", ")));
        }
    }

    /// A URL field, if it is there and sound.
    fn url(&mut self, object: &Object, name: &str) -> Option<String> {
        let value = object.get(name)?;
        let text = value.as_str().filter(|text| urls::public(text).is_some());
        if text.is_none() {
            self.fault(name, urls::PUBLIC_URL);
        }
        text.map(str::to_owned)
    }

    fn options(&mut self, object: &Object, rules: &mut Rules) {
        let Some(value) = object.get("validation_options") else { return };
        let Some(options) = value.as_object() else {
            self.fault("validation_options", format!("an object with {}", OPTIONS.join(", ")));
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
                Some(None) => self.fault(&format!("validation_options.{name}"), "true or false"),
            }
        }
        match options.get("leeway").map(|v| v.as_u64().filter(|s| limits::LEEWAY.contains(s))) {
            None => {}
            Some(Some(leeway)) => rules.leeway = leeway,
            Some(None) => self.fault("validation_options.leeway", "a whole number of seconds, 0 to 300"),
        }
    }
}
