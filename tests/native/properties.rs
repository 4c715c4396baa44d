//! Bytes of any kind, as token, key set, settings, path or header, never panic, and what is
//! accepted of them is what it has to be.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mcp_edge_auth::admission::{Decision, Head, decide};
use mcp_edge_auth::json;
use mcp_edge_auth::json::Node;
use mcp_edge_auth::keys::algorithm::Algorithm;
use mcp_edge_auth::keys::set::KeySet;
use mcp_edge_auth::keys::source::KeySource;
use mcp_edge_auth::keys::{discovery, stored};
use mcp_edge_auth::origin::request;
use mcp_edge_auth::policy::Authorized;
use mcp_edge_auth::route::{Route, route};
use mcp_edge_auth::settings::Variables;
use mcp_edge_auth::token::claims::{Rules, validate};
use mcp_edge_auth::token::credential;
use mcp_edge_auth::token::identity::is_reserved;
use mcp_edge_auth::token::jose;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::Url;

use crate::support::arbitrary::{any_json, any_object, any_path, names, quick};
use crate::support::engine::{cleared, run_with};
use crate::support::es256::trusted;
use crate::support::resources::{at, many};
use crate::support::{
    self, CANONICAL, ISSUER, JWKS_URI, NOW, b64, claims, config, head, object, resource, settings, with,
};

thread_local! {
    static CLEARANCE: Authorized = {
        let config = config(&settings());
        cleared(resource(&config), &trusted().good(), &trusted().key_set())
    };
}

fn rules() -> Rules {
    Rules::strict(ISSUER.to_owned(), vec![CANONICAL.to_owned()])
}

/// What percent-encoding stands for.
fn decoded(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::new();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    bytes
}

/// What may stand in a header's value, whoever reads it.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|b| matches!(b, 0x20..=0x7e))
}

/// Pieces of a path that some reader takes for `admin`, `logs`, a slash, dots, or nothing.
const READ_OTHERWISE: [&str; 33] = [
    "admin",
    "ADMIN",
    "%61dmin",
    "Admi%6E",
    "ad",
    "min",
    "logs",
    "l%4Fgs",
    "/",
    "//",
    "%2f",
    "%5C",
    "\\",
    ".",
    "..",
    "%2e",
    ";",
    ";v=1",
    "%3b",
    "%3Fx",
    "%23",
    "%20",
    "+",
    "%ff",
    "%C2%A0",
    "%EF%BC%8F",
    "%EF%BC%8E",
    "%c0%af",
    "%u002f",
    "x",
    "%",
    "2f",
    "%2",
];

/// What a path is to readers who decode no further: each way to cut a segment off with each way to
/// take others for slashes, case folded, and blanks and dots at the end left out. Written with
/// nothing of the Worker's.
fn readings(path: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(path).to_lowercase();
    let mut found = Vec::new();
    for slashes in [&['/'][..], &['/', '\\'], &['/', '\\', '\u{ff0f}']] {
        for cuts in [&[][..], &[';'], &['?', '#'], &[';', '?', '#']] {
            for left_out in [&[][..], &[' '], &['\u{fffd}'], &[' ', '+', '\u{a0}', '\u{fffd}']] {
                let names = text.split(slashes).map(|segment| {
                    let name =
                        segment.split(cuts).next().unwrap().replace('\u{ff0e}', ".").replace(left_out, "");
                    if name == ".." { name } else { name.trim_end_matches('.').to_owned() }
                });
                found.push(names.filter(|name| !name.is_empty()).collect());
            }
        }
    }
    found
}

/// What a decoder makes of it that leaves alone what is no percent-encoding.
fn decoded_once(mut rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|pair| first == b'%' && pair.iter().all(u8::is_ascii_hexdigit));
        let byte = pair.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes
}

proptest! {
    #![proptest_config(quick(256))]

    #[test]
    fn tokens_of_any_text(token in any::<String>(), header in any_object(), claims in any_object(), signature in any::<Vec<u8>>()) {
        let _ = jose::parse(&token);
        let extended = header.contains_key("crit");
        let header = Value::from(header).to_string();
        let built = format!("{}.{}.{}", b64(&header), b64(Value::from(claims.clone()).to_string()), b64(&signature));
        if let Ok(taken) = jose::parse(&built) {
            prop_assert_eq!(&taken.signature, &signature);
            prop_assert_eq!(format!("{}.{}", taken.signing_input, b64(&signature)), built.as_str());
            prop_assert!(!extended);
        }
    }

    #[test]
    fn tokens_of_any_parts(parts in prop::collection::vec("[A-Za-z0-9_=+/-]{0,12}", 0..6)) {
        let token = parts.join(".");
        if jose::parse(&token).is_ok() {
            // Nothing but the one canonical spelling of its bytes.
            let again: Vec<String> = parts.iter().map(|part| b64(URL_SAFE_NO_PAD.decode(part).unwrap())).collect();
            prop_assert_eq!(again, parts);
        }
    }

    #[test]
    fn json_of_any_text(text in any::<Vec<u8>>(), value in any_json()) {
        if let Some(read) = json::value(&text) {
            prop_assert_eq!(read, serde_json::from_slice::<Value>(&text).unwrap());
        }
        // JSON without duplicates is read as serde_json reads it, which rounds some floats.
        let text = value.to_string();
        prop_assert_eq!(json::value(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
    }

    #[test]
    fn key_sets_of_any_text(text in any::<String>(), keys in prop::collection::vec(any_object(), 0..5), kid in any::<Option<String>>()) {
        let _ = KeySet::parse(&text);
        let documents = [json!({ "keys": keys }).to_string(), json!({ "keys": [keys, trusted().jwk()] }).to_string()];
        for set in documents.iter().filter_map(|document| KeySet::parse(document).ok()) {
            for algorithm in Algorithm::ALL {
                if let Ok(selected) = set.select(algorithm, kid.as_deref()) {
                    prop_assert!((1..=4).contains(&selected.len()));
                }
            }
        }
    }

    #[test]
    fn documents_of_others(text in any::<String>(), members in any_object(), issuer in any::<String>()) {
        let source = KeySource::JwksUri(JWKS_URI.to_owned());
        for document in [text, Value::from(members).to_string()] {
            prop_assert!(stored::decode(&document, &source, 3600, NOW).is_none());
            if let Ok(uri) = discovery::jwks_uri(&document, ISSUER) {
                prop_assert!(uri.starts_with("https://") || uri.starts_with("http://localhost:"), "{}", uri);
            }
        }
        let _ = discovery::metadata_urls(&issuer);
    }

    #[test]
    fn settings_of_any_json(
        values in prop::collection::vec((prop::sample::select(names()), any_json()), 0..12),
        soundly in any::<bool>(),
    ) {
        let mut variables = if soundly { settings().as_object().unwrap().clone() } else { Map::new() };
        variables.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let read = mcp_edge_auth::settings::read(&variables.into_iter().collect::<Variables>());
        match read {
            Err(faults) => prop_assert!(!faults.is_empty()),
            Ok(config) => {
                for entry in &resource(&config).entries {
                    prop_assert!(!entry.algorithms.is_empty() && !entry.rules.audiences.is_empty());
                    prop_assert!(entry.source.index() < config.sources.len());
                }
                let refused = support::decided(&config, &head("POST", resource(&config).canonical.as_str()));
                prop_assert!(is_plain(refused.answer().header("WWW-Authenticate").unwrap()));
            }
        }
    }

    #[test]
    fn a_target_never_leaves_the_origins_path(path in any_path(), which in 0..4_usize, root in any::<bool>()) {
        let origin = ["https://o.example", "https://o.example/", "https://o.example:8443/srv", "http://10.0.0.1/srv/"][which];
        let canonical = if root { "https://mcp.example.com" } else { CANONICAL };
        let config = config(&with(settings(), json!({ support::CANONICAL_URL: canonical, "ORIGIN_URL": origin })));
        for request in [format!("https://mcp.example.com{path}"), format!("{CANONICAL}/{path}")] {
            let Route::Protected(protected) = route(&config, &request) else { continue };
            let target = CLEARANCE.with(|clearance| request::plan(clearance, protected.target()).target);
            let target = Url::parse(&target).unwrap();
            let origin = Url::parse(origin).unwrap();
            prop_assert_eq!(target.origin(), origin.origin());
            let (path, base) = (target.path(), origin.path());
            let below = format!("{}/", base.strip_suffix('/').unwrap_or(base));
            prop_assert!(path == base || path.starts_with(&below), "{} leads to {}", request, target);
        }
    }

    #[test]
    fn no_reader_finds_a_nested_server_where_another_was_judged(
        pieces in prop::collection::vec(prop::sample::select(READ_OTHERWISE.to_vec()), 1..7), times in 0..3,
    ) {
        let resources = ["", "/admin", "/admin/logs"].map(|path| at(&format!("{CANONICAL}{path}")));
        let config = config(&many(json!(resources)));
        let mut rest = pieces.concat();
        for _ in 0..times {
            rest = rest.replace('%', "%25");
        }
        let url = format!("{CANONICAL}/{rest}");
        let Route::Protected(protected) = route(&config, &url) else { return Ok(()) };
        let judged = protected.resource().canonical.path();
        let mut bytes = url.strip_prefix("https://mcp.example.com").unwrap().as_bytes().to_vec();
        loop {
            for path in readings(&bytes) {
                prop_assert!(!path.iter().any(|name| name == ".."), "{} leads to {:?}", url, path);
                let is_at = |nested: &str| path.starts_with(&nested.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>());
                for nested in ["/mcp/admin", "/mcp/admin/logs"] {
                    prop_assert!(!is_at(nested) || judged.starts_with(nested), "{} leads to {:?}", url, path);
                }
            }
            let again = decoded_once(&bytes);
            if again == bytes {
                break;
            }
            bytes = again;
        }
    }

    #[test]
    fn heads_of_any_text(
        method in any::<String>(), url in any::<String>(), path in any_path(), origin in any::<Option<String>>(),
        authorization in any::<Option<String>>(), requested_headers in any::<Option<String>>(), options in any::<bool>(),
    ) {
        let config = config(&with(settings(), json!({ support::ALLOWED_ORIGINS: ["https://app.example.com", "null"] })));
        for url in [url, format!("https://mcp.example.com{path}"), CANONICAL.to_owned()] {
            let head = Head {
                method: if options { "OPTIONS" } else { &method },
                url: &url,
                origin: origin.as_deref(),
                authorization: authorization.as_deref(),
                access_assertion: None,
                fetch_site: None,
                requested_headers: requested_headers.as_deref(),
            };
            let answer = match decide(Some(&config), &head) {
                Decision::Serve(answer, _) => answer,
                Decision::Refuse(refused) => refused.answer(),
                Decision::Copy(_) => return Err(TestCaseError::fail("nothing is copied")),
                Decision::Visit(visit) => visit.answer(requested_headers.as_deref()),
                Decision::Verify(token, _) => {
                    prop_assert!(authorization.as_deref().is_some_and(|a| a.contains(token.token)));
                    continue;
                }
                Decision::Anonymous(_) => return Err(TestCaseError::fail("there is no policy")),
            };
            prop_assert!(answer.headers.iter().all(|(_, value)| is_plain(value)), "{:?}", answer);
            prop_assert!((200..=503).contains(&answer.status) && answer.status != 500);
        }
    }

    #[test]
    fn credentials_of_any_text(text in any::<String>(), scheme in "[Bb]earer|D[Pp]o[Pp]", spaces in " {0,3}", token in "[ -~]{0,20}") {
        for header in [text, format!("{scheme}{spaces}{token}")] {
            if let Ok(token) = credential::read(Some(&header)).map(|credential| credential.token) {
                let small = header.trim().to_ascii_lowercase();
                prop_assert!(small.starts_with("bearer ") || small.starts_with("dpop "));
                prop_assert!(header.trim_end().ends_with(token));
                prop_assert!(!token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b)));
            }
        }
    }

    #[test]
    fn identities_of_any_text(sub in any::<String>().prop_filter("there is a subject", |sub| !sub.is_empty()), client in any::<String>(), email in any::<String>(), scope in any::<String>(), list in any::<Vec<String>>()) {
        for scope in [json!(scope), json!(list)] {
            let changes = json!({ "sub": sub, "client_id": client, "email": email, "scope": scope });
            let permit = validate(&object(&with(claims(), changes)), &rules(), NOW).unwrap().permit().unwrap();
            for (name, value) in permit.identity().headers() {
                prop_assert!(is_reserved(name) && !value.is_empty());
                let spaces = name == "X-MCP-Auth-Scopes";
                prop_assert!(value.bytes().all(|b| matches!(b, 0x21..=0x7e) || (spaces && b == b' ')), "{}: {}", name, value);
                let told = match name {
                    "X-MCP-Auth-User-Id" => &sub,
                    "X-MCP-Auth-Client-Id" => &client,
                    "X-MCP-Auth-Email" => &email,
                    _ => continue,
                };
                // The origin can have the very claim again.
                prop_assert_eq!(&decoded(value), told.as_bytes());
            }
        }
    }

    #[test]
    fn claims_of_any_json(changes in any_object()) {
        let claims = object(&with(claims(), Value::from(changes)));
        if validate(&claims, &rules(), NOW).is_ok() {
            prop_assert_eq!(claims.get("iss").and_then(Node::as_str), Some(ISSUER));
            prop_assert!(claims.get("exp").and_then(Node::as_f64).unwrap() > (NOW - 60) as f64);
            prop_assert!(claims.get("sub").and_then(Node::as_str).is_some_and(|sub| !sub.is_empty()));
            let audiences: Vec<&str> = match claims.get("aud") {
                Some(Node::String(audience)) => vec![audience],
                Some(Node::Array(audiences)) => audiences.values().filter_map(Node::as_str).collect(),
                _ => Vec::new(),
            };
            prop_assert!(audiences.iter().any(|audience| audience.trim_end_matches('/') == CANONICAL));
            prop_assert!(claims.get("cnf").is_none());
        }
    }
}

proptest! {
    #![proptest_config(quick(128))]

    #[test]
    fn one_changed_character_spoils_a_token(at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.=-]") {
        let config = config(&settings());
        let good = trusted().good();
        let at = at.index(good.len());
        let mut changed = good.clone();
        changed.replace_range(at..=at, &with);
        let run = run_with(resource(&config), &changed, &trusted().key_set());
        prop_assert_eq!(run.verdict.is_ok(), changed == good, "{}", changed);
    }
}
