//! `claims::validate`, against a short reading of the same rules that shares no code with it. The
//! first line of the input makes the rules: a byte of switches, the leeway, and the time.
//!
//! 1. Claims are accepted if and only if the short reading accepts them.
//! 2. The identity is that of the claims, and each header of it, percent-decoded, is the claim.

use mcp_edge_auth::json::Document;
use mcp_edge_auth::token::claims::{AudienceIn, Demand, Rules, validate};
use mcp_edge_auth::token::identity::Identity;

use super::first_line;
use super::reference::{self, Json};

const ISSUER: &str = "https://i.example";

pub(super) fn check(data: &[u8]) {
    let (setting, claims) = first_line(data);
    let byte = |n: usize, absent: u8| setting.get(n).copied().unwrap_or(absent);
    let rules = rules(byte(0, 0x3f), u64::from(byte(1, 60)));
    let now = 1_000 + u64::from(byte(2, 0));
    let Some(document) = Document::read(claims.to_vec()) else { return };
    let (claims, _) = reference::read(claims).unwrap();
    let verdict = validate(&document, &rules, now);
    assert_eq!(verdict.is_ok(), accepts(&rules, &claims, now), "{verdict:?} {rules:?} {now} {claims:?}");
    if let Ok(judged) = verdict {
        check_identity(judged.permit().unwrap().identity(), &claims);
    }
}

fn rules(switches: u8, leeway: u64) -> Rules {
    let on = |bit: u8| switches & 1 << bit != 0;
    let audiences = vec!["https://a.example/mcp".to_owned(), "b/".to_owned()];
    let mut rules = Rules::strict(ISSUER.to_owned(), audiences);
    rules.leeway = leeway.min(300);
    (rules.verify_exp, rules.verify_nbf, rules.verify_iat, rules.verify_iss) = (on(0), on(1), on(2), on(3));
    if !on(4) {
        rules.clients = vec!["c".to_owned(), "d".to_owned()];
    }
    if !on(5) {
        rules.audience_in = AudienceIn::AudElseClient;
    }
    if on(6) {
        rules.demands.push(Demand::Is("token_use", "access".to_owned()));
    }
    if on(7) {
        rules.demands.push(Demand::AnyOf(&["scope", "scp"]));
    }
    rules
}

fn accepts(rules: &Rules, claims: &Json, now: u64) -> bool {
    let (leeway, now) = (rules.leeway as f64, now as f64);
    let begun = |name: &str| claims.get(name).is_none_or(|v| v.number().is_some_and(|t| t <= now + leeway));
    let lasts = claims.get("exp").and_then(Json::number).is_some_and(|exp| exp + leeway > now);
    let ours = |aud: &Json| {
        let names = ["https://a.example/mcp", "https://a.example/mcp/", "b", "b/"];
        aud.string().is_some_and(|aud| names.contains(&aud))
    };
    let audience = match claims.get("aud") {
        None => rules.audience_in == AudienceIn::AudElseClient && !rules.clients.is_empty(),
        Some(Json::Array(all)) => all.iter().all(|aud| aud.string().is_some()) && all.iter().any(ours),
        Some(one) => ours(one),
    };
    let demands = rules.demands.iter().all(|demand| match demand {
        Demand::Is(name, value) => claims.text(name) == Some(value),
        Demand::AnyOf(names) => names.iter().any(|name| match claims.get(name) {
            Some(Json::String(text)) => !text.is_empty(),
            Some(Json::Array(items)) => !items.is_empty(),
            Some(Json::Object(members)) => !members.is_empty(),
            _ => false,
        }),
    });
    (!rules.verify_exp || lasts)
        && (!rules.verify_nbf || begun("nbf"))
        && (!rules.verify_iat || begun("iat"))
        && (!rules.verify_iss || claims.text("iss") == Some(ISSUER))
        && audience
        && (rules.clients.is_empty() || client(claims).is_some_and(|c| c == "c" || c == "d"))
        && demands
        && claims.text("sub").is_some_and(|sub| !sub.is_empty())
        && claims.get("cnf").is_none()
}

/// The first of these claims that is there, whatever it is.
fn first<'c>(claims: &'c Json, names: &[&str]) -> Option<&'c Json> {
    names.iter().find_map(|name| claims.get(name))
}

fn client(claims: &Json) -> Option<&str> {
    first(claims, &["client_id", "azp", "cid"])?.string().filter(|client| !client.is_empty())
}

fn scopes(claims: &Json) -> Vec<&str> {
    let all = match first(claims, &["scope", "scp"]) {
        Some(Json::String(text)) => text.split(' ').collect(),
        Some(Json::Array(items)) => items.iter().filter_map(Json::string).collect(),
        _ => Vec::new(),
    };
    let is_scope = |text: &&str| {
        !text.is_empty() && text.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'"' && b != b'\\')
    };
    all.into_iter().filter(is_scope).collect()
}

fn check_identity(identity: &Identity, claims: &Json) {
    assert_eq!(Some(identity.subject()), claims.text("sub"));
    assert_eq!(identity.issuer(), ISSUER);
    let scopes = scopes(claims).join(" ");
    let expected = [
        ("X-MCP-Auth-User-Id", claims.text("sub")),
        ("X-MCP-Auth-Issuer", Some(ISSUER)),
        ("X-MCP-Auth-Client-Id", client(claims)),
        ("X-MCP-Auth-Email", claims.text("email")),
        ("X-MCP-Auth-Scopes", Some(scopes.as_str())),
    ];
    let expected: Vec<(&str, String)> = expected
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?.to_owned())))
        .collect();
    let decoded: Vec<(&str, String)> = identity
        .headers()
        .map(|(name, value)| {
            let spaced = name == "X-MCP-Auth-Scopes";
            assert!(value.bytes().all(|b| (0x21..0x7f).contains(&b) || (spaced && b == b' ')), "{value}");
            (name, decode(value))
        })
        .collect();
    assert_eq!(decoded, expected);
}

fn decode(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap() as u8;
        bytes.push(if byte == b'%' { digit() << 4 | digit() } else { byte });
    }
    String::from_utf8(bytes).unwrap()
}
