//! The list of revoked tokens: which documents are one, and which tokens it refuses.

use mcp_edge_auth::limits;
use mcp_edge_auth::token::revocation::{Entry, Kind, List, Presented};
use serde_json::{Value, json};

use crate::support::policy::verified;
use crate::support::{ISSUER, NOW, for_each_row, same, with};

const OTHER: &str = "https://other.example.com";

/// An entry in force, of the issuer of `support::claims`.
fn entry(changes: Value) -> Value {
    let entry = json!({
        "number": 1, "issuer": ISSUER, "kind": "subject", "value": "user-1",
        "before": NOW, "until": NOW + 100,
    });
    with(entry, changes)
}

fn document(entries: &[Value]) -> Value {
    json!({ "format": 1, "version": 7, "next": 9, "entries": entries })
}

fn list(entries: &[Value]) -> List {
    List::read(&document(entries).to_string()).expect("a list")
}

/// Whether a token with these claims is refused because of these entries.
fn is_revoked(entries: &[Value], claims: &Value, now: u64) -> bool {
    list(entries).look(&Presented::of(&verified(claims)), now).revoked
}

#[test]
fn what_an_entry_names() {
    let all = json!({ "kind": "all", "value": "<absent>" });
    let client = |client: &str| json!({ "kind": "client", "value": client });
    let jti = |jti: &str| json!({ "kind": "jti", "value": jti });
    let of = |claims: Value| with(json!({ "sub": "user-1", "iat": NOW }), claims);
    let plain = json!({});
    let rows = [
        ("its subject", json!({}), of(plain.clone()), true),
        ("another subject", json!({ "value": "user-2" }), of(plain.clone()), false),
        ("a subject in another case", json!({ "value": "User-1" }), of(plain.clone()), false),
        ("a subject that begins so", json!({ "value": "user-" }), of(plain.clone()), false),
        ("a subject with NUL", json!({ "value": "a\u{0}b" }), of(json!({ "sub": "a\u{0}b" })), true),
        ("another issuer", json!({ "issuer": OTHER }), of(plain.clone()), false),
        ("an issuer with a slash more", json!({ "issuer": format!("{ISSUER}/") }), of(plain.clone()), false),
        ("every token", all.clone(), of(plain.clone()), true),
        ("every token of another issuer", with(all, json!({ "issuer": OTHER })), of(plain.clone()), false),
        ("its client", client("app"), of(json!({ "client_id": "app" })), true),
        ("its client in azp", client("app"), of(json!({ "azp": "app" })), true),
        ("its client in cid", client("app"), of(json!({ "cid": "app" })), true),
        ("azp behind client_id", client("app"), of(json!({ "client_id": "b", "azp": "app" })), false),
        ("another client", client("app"), of(json!({ "client_id": "other" })), false),
        ("no client", client("app"), of(plain.clone()), false),
        ("a client that is no text", client("1"), of(json!({ "client_id": 1 })), false),
        ("its jti", jti("t-1"), of(json!({ "jti": "t-1" })), true),
        ("another jti", jti("t-1"), of(json!({ "jti": "t-2" })), false),
        ("no jti", jti("t-1"), of(plain.clone()), false),
        ("a jti that is no text", jti("1"), of(json!({ "jti": 1 })), false),
        ("a subject where the client is meant", client("user-1"), of(plain.clone()), false),
        (
            "a client where the subject is meant",
            json!({ "value": "app" }),
            of(json!({ "client_id": "app" })),
            false,
        ),
        ("a jti where the subject is meant", json!({ "value": "t-1" }), of(json!({ "jti": "t-1" })), false),
    ];
    for_each_row(rows, |(name, changes, claims, expected)| {
        same(name, is_revoked(&[entry(changes.clone())], claims, NOW), *expected)
    });
}

#[test]
fn the_clocks_edges() {
    let rows = [
        ("at that second", json!(NOW), true),
        ("a second before", json!(NOW - 1), true),
        ("a second after", json!(NOW + 1), false),
        ("a fraction after", json!(NOW as f64 + 0.001), false),
        ("a fraction before", json!(NOW as f64 - 0.001), true),
        ("the same as a fraction", json!(NOW as f64), true),
        ("1970", json!(0), true),
        ("before 1970", json!(-5), true),
        ("not there", json!("<absent>"), true),
    ];
    for_each_row(rows, |(name, iat, expected)| {
        same(name, is_revoked(&[entry(json!({}))], &json!({ "iat": iat }), NOW), *expected)
    });
    // Where `verify_iat` is off, such a token has come as far as here.
    for iat in [json!("1970"), json!(null), json!([NOW + 9]), json!(true), json!({})] {
        let claims = with(json!({ "sub": "user-1" }), json!({ "iat": iat }));
        let read = crate::support::object(&claims);
        let iat = read.get("iat").and_then(mcp_edge_auth::json::Node::as_f64);
        let token = Presented { issuer: ISSUER, subject: "user-1", client: None, jti: None, iat };
        assert!(list(&[entry(json!({}))]).look(&token, NOW).revoked, "{claims}");
    }
}

#[test]
fn an_entry_ends() {
    let claims = json!({ "iat": NOW - 5 });
    for (now, expected) in [(0, true), (NOW, true), (NOW + 99, true), (NOW + 100, false), (NOW + 101, false)]
    {
        let token = verified(&claims);
        let looked = list(&[entry(json!({}))]).look(&Presented::of(&token), now);
        assert_eq!(looked.revoked, expected, "{now}");
    }
}

#[test]
fn of_two_entries_about_the_same_each_holds() {
    let early = entry(json!({ "before": NOW - 50, "until": NOW + 500 }));
    let late = entry(json!({ "number": 2, "before": NOW, "until": NOW + 10 }));
    for entries in [[early.clone(), late.clone()], [late, early]] {
        assert!(is_revoked(&entries, &json!({ "iat": NOW - 1 }), NOW));
        assert!(is_revoked(&entries, &json!({ "iat": NOW - 60 }), NOW + 100));
    }
    let unrelated = entry(json!({ "number": 2, "kind": "jti", "value": "t-9" }));
    assert!(is_revoked(&[unrelated.clone(), entry(json!({}))], &json!({ "iat": NOW, "jti": "t-1" }), NOW));
    assert!(!is_revoked(&[unrelated], &json!({ "iat": NOW, "jti": "t-1" }), NOW));
    assert!(!is_revoked(&[], &json!({ "iat": NOW }), NOW));
}

#[test]
fn what_is_a_list() {
    let good = document(&[entry(json!({}))]);
    let changed = |changes: Value| with(good.clone(), changes).to_string();
    let of = |changes: Value| document(&[entry(changes)]).to_string();
    let long = |bytes: usize| "x".repeat(bytes);
    let text = good.to_string();
    let rows = [
        ("good", text.clone(), true),
        ("empty", document(&[]).to_string(), true),
        ("with blanks around it", format!(" {text}\n"), true),
        ("another member", changed(json!({ "note": 1 })), true),
        ("of all", of(json!({ "kind": "all", "value": "<absent>" })), true),
        ("the longest value", of(json!({ "value": long(limits::REVOKED_BYTES) })), true),
        ("a longer value", of(json!({ "value": long(limits::REVOKED_BYTES + 1) })), false),
        ("the longest issuer", of(json!({ "issuer": long(limits::ISSUER_BYTES) })), true),
        ("a longer issuer", of(json!({ "issuer": long(limits::ISSUER_BYTES + 1) })), false),
        ("the last time", of(json!({ "until": limits::LAST_TIME })), true),
        ("a later time", of(json!({ "until": limits::LAST_TIME + 1 })), false),
        ("nothing", String::new(), false),
        ("no JSON", "{".to_owned(), false),
        ("cut", text[..text.len() - 2].to_owned(), false),
        ("more behind it", format!("{text}{{}}"), false),
        ("a byte order mark", format!("\u{feff}{text}"), false),
        ("an array", format!("[{text}]"), false),
        ("a member twice", text.replacen('{', r#"{"version":1,"#, 1), false),
        ("a member of an entry twice", text.replace(r#""number":1"#, r#""number":1,"number":1"#), false),
        ("another format", changed(json!({ "format": 2 })), false),
        ("no format", changed(json!({ "format": "<absent>" })), false),
        ("a format in text", changed(json!({ "format": "1" })), false),
        ("no version", changed(json!({ "version": "<absent>" })), false),
        ("a version with a fraction", changed(json!({ "version": 1.5 })), false),
        ("a version below 0", changed(json!({ "version": -1 })), false),
        ("a version that is not exact", changed(json!({ "version": 9_007_199_254_740_992_u64 })), false),
        ("no next number", changed(json!({ "next": "<absent>" })), false),
        ("no entries", changed(json!({ "entries": "<absent>" })), false),
        ("entries as an object", changed(json!({ "entries": {} })), false),
        ("an entry as text", changed(json!({ "entries": ["user-1"] })), false),
        ("one bad entry among good ones", changed(json!({ "entries": [entry(json!({})), {}] })), false),
        ("no number", of(json!({ "number": "<absent>" })), false),
        ("no issuer", of(json!({ "issuer": "<absent>" })), false),
        ("an empty issuer", of(json!({ "issuer": "" })), false),
        ("no kind", of(json!({ "kind": "<absent>" })), false),
        ("an unknown kind", of(json!({ "kind": "session" })), false),
        ("a kind in another case", of(json!({ "kind": "Subject" })), false),
        ("no value", of(json!({ "value": "<absent>" })), false),
        ("an empty value", of(json!({ "value": "" })), false),
        ("a value that is no text", of(json!({ "value": 1 })), false),
        ("of all, with a value", of(json!({ "kind": "all" })), false),
        ("no time", of(json!({ "before": "<absent>" })), false),
        ("a time in text", of(json!({ "before": "2026-01-01T00:00:00Z" })), false),
        ("a time with a fraction", of(json!({ "before": 1.5 })), false),
        ("a time below 0", of(json!({ "before": -1 })), false),
        ("no end", of(json!({ "until": "<absent>" })), false),
    ];
    for_each_row(rows, |(name, text, expected)| same(name, List::read(text).is_some(), *expected));
}

#[test]
fn so_many_entries_and_bytes_and_no_more() {
    let entries = |count: usize| -> Vec<Value> {
        (0..count).map(|n| entry(json!({ "value": format!("u{n}") }))).collect()
    };
    let reads = |text: &str| List::read(text).is_some();
    assert!(reads(&document(&entries(limits::REVOCATIONS)).to_string()));
    assert!(!reads(&document(&entries(limits::REVOCATIONS + 1)).to_string()));
    let text = document(&entries(1)).to_string();
    let padded = |bytes: usize| format!("{text}{}", " ".repeat(bytes - text.len()));
    assert!(reads(&padded(limits::REVOCATIONS_BYTES)));
    assert!(!reads(&padded(limits::REVOCATIONS_BYTES + 1)));
}

#[test]
fn what_is_written_is_read_again() {
    let kinds = Kind::EACH.into_iter().enumerate().map(|(number, kind)| Entry {
        number: number as u64,
        issuer: ISSUER.to_owned(),
        kind,
        value: if kind == Kind::All { String::new() } else { format!("\"{}\u{0}\u{202e}é", kind.name()) },
        before: NOW,
        until: NOW + number as u64,
    });
    let entries: Vec<Entry> = kinds.collect();
    let text = List::document(42, 4, &entries);
    let list = List::read(&text).expect("a list");
    assert_eq!((list.version, list.next, &list.entries), (42, 4, &entries));
    assert!(list.is(&text) && !list.is(&format!("{text} ")));
}

/// A thousand entries cost what one costs: a token is compared with the few that share its place.
#[test]
fn a_look_costs_the_same_in_any_list() {
    let mut most = Vec::new();
    for count in [1, 10, 100, limits::REVOCATIONS] {
        let kinds = ["subject", "client", "jti"];
        let named =
            |n: usize| entry(json!({ "number": n, "kind": kinds[n % 3], "value": format!("name-{n}") }));
        let list = list(&(0..count).map(named).collect::<Vec<_>>());
        let looks = (0..3000).map(|n| {
            let name = format!("name-{n}");
            let value = Some(name.as_str());
            let token = Presented { issuer: ISSUER, subject: &name, client: value, jti: value, iat: None };
            let looked = list.look(&token, NOW);
            assert_eq!(looked.revoked, n < count, "{name} of {count}");
            looked.compared
        });
        let looks: Vec<usize> = looks.collect();
        assert!(
            looks.iter().sum::<usize>() < 6 * looks.len(),
            "{count}: on average {:?}",
            looks.iter().sum::<usize>() / looks.len()
        );
        most.push(looks.into_iter().max().unwrap());
    }
    assert!(most.iter().all(|compared| *compared <= 40), "{most:?}");
    assert!(most.iter().any(|compared| *compared > 1), "nothing was compared: {most:?}");
}

/// Wherever two entries meet, the end of the table included, each is found.
#[test]
fn two_entries_that_share_a_place_both_hold() {
    let names: Vec<String> = (0..40).map(|n| format!("name-{n}")).collect();
    for (at, one) in names.iter().enumerate() {
        for other in &names[..at] {
            let list = list(&[one, other].map(|name| entry(json!({ "value": name }))));
            for subject in [one, other] {
                let token = Presented { issuer: ISSUER, subject, client: None, jti: None, iat: None };
                assert!(list.look(&token, NOW).revoked, "{subject} of {one} and {other}");
            }
        }
    }
}

/// Two subjects of which `hash` makes the same number. Nobody is revoked in another's name.
#[test]
fn two_names_with_one_hash_are_told_apart() {
    let (one, other) = ("cdUmYYVSsfO", "t7COB-US1WD");
    let is_revoked = |list: &List, subject: &str, iat: u64| {
        let token = Presented { issuer: ISSUER, subject, client: None, jti: None, iat: Some(iat as f64) };
        list.look(&token, NOW).revoked
    };
    let of = |value: &str, before: u64| entry(json!({ "value": value, "before": before }));
    let alone = list(&[of(one, NOW)]);
    assert!(is_revoked(&alone, one, NOW) && !is_revoked(&alone, other, NOW));
    let both = list(&[of(one, NOW), of(other, NOW - 50)]);
    assert!(is_revoked(&both, one, NOW) && !is_revoked(&both, other, NOW));
    assert!(is_revoked(&both, other, NOW - 50));
}

/// A list of colliding names, should anybody find them, is a list of 1000 comparisons.
#[test]
fn a_list_that_is_full_still_ends_a_search() {
    let same: Vec<Value> = (0..limits::REVOCATIONS).map(|n| entry(json!({ "number": n }))).collect();
    let list = list(&same);
    let token =
        Presented { issuer: ISSUER, subject: "user-1", client: Some("c"), jti: Some("j"), iat: Some(1.0) };
    let looked = list.look(&token, NOW);
    assert!(looked.revoked && looked.compared < 10, "{looked:?}");
}
