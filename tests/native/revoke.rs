//! `revoke`: what becomes of the list of revoked tokens, order by order, and what is refused before
//! anything is written.

use cli::revoke::run;
use mcp_edge_auth::limits;
use mcp_edge_auth::token::revocation::{Entry, Kind, List};
use serde_json::{Value, json};

use crate::support::{ISSUER, NOW, entry, for_each_row, same, settings, with};

const OTHER: &str = "https://other.example.com";
const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// What `readSettings` says of a file with these variables.
fn read_as(variables: Value, namespaces: Value) -> Value {
    json!({
        "file": "wrangler.toml",
        "settings": { "vars": variables, "kv_namespaces": namespaces, "compatibility_date": "2026-04-26" },
    })
}

fn kv() -> Value {
    json!([{ "binding": "JWKS_CACHE" }])
}

fn on() -> Value {
    with(settings(), json!({ "MCP_SERVER_AUTH_REVOCATION": true }))
}

/// What comes of an order at a time in milliseconds. `document`: none, a text, or null.
fn at(milliseconds: u64, ask: Value, document: Option<Value>) -> Value {
    let mut given = json!({ "read": read_as(on(), kv()), "ask": ask, "now": milliseconds });
    if let Some(document) = document {
        given["document"] = document;
    }
    said(&given)
}

fn said(given: &Value) -> Value {
    match run(given) {
        Ok(outcome) => json!(outcome),
        Err(refused) => json!(refused),
    }
}

fn revoke(changes: Value) -> Value {
    with(json!({ "issuer": ISSUER, "subject": "user-1" }), changes)
}

/// The outcome on a document, which has to be one.
fn done(ask: Value, document: Value) -> Value {
    let outcome = at(NOW * 1000, ask, Some(document));
    assert!(outcome.get("entries").is_some(), "{outcome}");
    outcome
}

fn list_of(outcome: &Value) -> List {
    List::read(outcome["document"].as_str().unwrap()).expect("the Worker reads it")
}

fn held(number: u64, value: &str, until: u64) -> Entry {
    let (issuer, value) = (ISSUER.to_owned(), value.to_owned());
    Entry { number, issuer, kind: Kind::Subject, value, before: NOW - 10, until }
}

#[test]
fn what_an_order_comes_to() {
    let all = json!({ "subject": "<absent>", "all": true });
    let of = |kind: &str| json!({ "subject": "<absent>", kind: "x-1" });
    let shown = |kind: &str, value: &str, before: u64, until: u64| {
        let value = if value.is_empty() { json!("<absent>") } else { json!(value) };
        let entry = json!({ "number": 1, "issuer": ISSUER, "kind": kind, "before": before, "until": until });
        with(entry, json!({ "value": value }))
    };
    let month = NOW + 30 * DAY;
    let subject = |before, until| shown("subject", "user-1", before, until);
    let rows = [
        ("a subject", json!({}), subject(NOW, month)),
        ("a client", of("client"), shown("client", "x-1", NOW, month)),
        ("a jti", of("jti"), shown("jti", "x-1", NOW, month)),
        ("all", all, shown("all", "", NOW, month)),
        ("switches that are off", json!({ "all": false, "list": false }), subject(NOW, month)),
        ("minutes", json!({ "for": "90m" }), subject(NOW, NOW + 90 * MINUTE)),
        ("hours", json!({ "for": "12h" }), subject(NOW, NOW + 12 * 60 * MINUTE)),
        ("days", json!({ "for": "3650d" }), subject(NOW, NOW + 3650 * DAY)),
        ("a time", json!({ "before": "2026-01-01T00:00:00Z" }), subject(1_767_225_600, month)),
        ("a time elsewhere", json!({ "before": "2026-01-01T01:00:00+01:00" }), subject(1_767_225_600, month)),
        (
            "a fraction is rounded up",
            json!({ "before": "2026-01-01T00:00:00.001Z" }),
            subject(1_767_225_601, month),
        ),
        ("no fraction", json!({ "before": "2026-01-01T00:00:00.000Z" }), subject(1_767_225_600, month)),
        ("1970", json!({ "before": "1970-01-01T00:00:00Z" }), subject(0, month)),
    ];
    for_each_row(rows, |(name, changes, expected)| {
        let outcome = done(revoke(changes.clone()), Value::Null);
        same(name, &outcome["entry"], expected)?;
        same(name, &outcome["entries"], &json!([expected]))?;
        let list = list_of(&outcome);
        same(name, (list.version, list.next, list.entries.len()), (NOW * 1000, 2, 1))?;
        same(name, list.entries[0].before, expected["before"].as_u64().unwrap())
    });
    // The second that has begun is over, as far as the Worker sees it.
    let late = at(NOW * 1000 + 1, revoke(json!({})), Some(Value::Null));
    assert_eq!(late["entry"]["before"], json!(NOW + 1));
    let ahead = at(
        1_767_225_600_000,
        revoke(json!({ "before": "2026-01-02T00:00:00Z", "for": "1m" })),
        Some(Value::Null),
    );
    assert_eq!(ahead["entry"]["until"], json!(1_767_225_600 + DAY + MINUTE), "counted from the later time");
}

#[test]
fn what_is_misused() {
    let rows = [
        ("nothing", json!({})),
        ("an issuer alone", json!({ "issuer": ISSUER })),
        ("no issuer", json!({ "subject": "a" })),
        ("two at once", revoke(json!({ "client": "b" }))),
        ("all and one", revoke(json!({ "all": true }))),
        ("a list and more", revoke(json!({ "list": true }))),
        ("a list of an issuer", json!({ "list": true, "issuer": ISSUER })),
        ("a list and an undo", json!({ "list": true, "undo": "1" })),
        ("an undo and more", revoke(json!({ "undo": "1" }))),
        ("an undo for a while", json!({ "undo": "1", "for": "1d" })),
        ("an undo of a name", json!({ "undo": "user-1" })),
        ("an undo of less than nothing", json!({ "undo": "-1" })),
        ("an empty subject", revoke(json!({ "subject": "" }))),
        ("a long subject", revoke(json!({ "subject": "x".repeat(limits::REVOKED_BYTES + 1) }))),
        ("no time", revoke(json!({ "before": "yesterday" }))),
        ("a day", revoke(json!({ "before": "2026-01-01" }))),
        ("seconds", revoke(json!({ "before": "1767225600" }))),
        ("before 1970", revoke(json!({ "before": "1969-12-31T23:59:59Z" }))),
        ("a year too late", revoke(json!({ "before": "2126-01-01T00:00:00Z" }))),
        ("no duration", revoke(json!({ "for": "" }))),
        ("a bare number", revoke(json!({ "for": "30" }))),
        ("a unit alone", revoke(json!({ "for": "d" }))),
        ("seconds as a duration", revoke(json!({ "for": "90s" }))),
        ("a sign", revoke(json!({ "for": "-1d" }))),
        ("a plus", revoke(json!({ "for": "+1d" }))),
        ("a fraction of a day", revoke(json!({ "for": "1.5d" }))),
        ("nothing at all", revoke(json!({ "for": "0d" }))),
        ("more than ten years", revoke(json!({ "for": "3651d" }))),
        ("more than there is", revoke(json!({ "for": "99999999999999999999d" }))),
        ("more than fits", revoke(json!({ "for": "18446744073709551615d" }))),
    ];
    for_each_row(rows, |(name, ask)| {
        for document in [None, Some(Value::Null)] {
            let outcome = at(NOW * 1000, ask.clone(), document);
            same(name, outcome.get("misuse").is_some(), true)?;
        }
        Ok(())
    });
}

#[test]
fn what_the_settings_have_to_say() {
    let order = |read: Value, more: Value| {
        said(&with(
            json!({ "read": read, "ask": revoke(json!({})), "now": NOW * 1000, "document": null }),
            more,
        ))
    };
    let rows = [
        (
            "off",
            read_as(settings(), kv()),
            json!({}),
            "Nothing was written: wrangler.toml has no MCP_SERVER_AUTH_REVOCATION = true",
        ),
        (
            "switched off",
            read_as(with(on(), json!({ "MCP_SERVER_AUTH_REVOCATION": "false" })), kv()),
            json!({}),
            "Set it under [vars]",
        ),
        (
            "no KV",
            read_as(on(), json!([])),
            json!({}),
            "MCP_SERVER_AUTH_REVOCATION: expected a KV namespace with the binding JWKS_CACHE",
        ),
        ("another KV", read_as(on(), json!([{ "binding": "OTHER" }])), json!({}), "the settings have faults"),
        ("faults", read_as(with(on(), json!({ "ORIGIN_URL": "" })), kv()), json!({}), "- ORIGIN_URL"),
        (
            "no file",
            json!({ "file": "wrangler.toml", "error": "not there" }),
            json!({}),
            "wrangler.toml cannot be read: not there",
        ),
        (
            "an unknown issuer",
            read_as(on(), kv()),
            json!({ "ask": revoke(json!({ "issuer": OTHER })) }),
            &format!("has the issuer {OTHER}. There are:\n- {ISSUER}\n"),
        ),
        (
            "a slash more",
            read_as(on(), kv()),
            json!({ "ask": revoke(json!({ "issuer": format!("{ISSUER}/") })) }),
            "There are:",
        ),
        ("off, undone", read_as(settings(), kv()), json!({ "ask": { "undo": "1" } }), "Nothing was written"),
    ];
    for_each_row(rows, |(name, read, more, expected)| {
        let outcome = order(read.clone(), more.clone());
        let error = outcome["error"].as_str().unwrap_or_default();
        same(&format!("{name}: {outcome}"), error.contains(expected), true)
    });
    // `serve` has a KV, whatever the file says.
    let served = order(read_as(on(), json!([])), json!({ "served": true }));
    assert!(served["document"].is_string(), "{served}");
    // Its tokens never end, and so does not this.
    let endless = with(
        on(),
        json!({ crate::support::SERVERS: [with(entry(), json!({ "validation_options": { "verify_exp": false } }))] }),
    );
    let endless = order(read_as(endless, kv()), json!({}));
    assert!(
        endless["notes"][0].as_str().is_some_and(|note| note.contains("verify_exp = false")),
        "{endless}"
    );
    // Without a document, the order is only judged.
    assert_eq!(at(NOW * 1000, revoke(json!({})), None)["document"], Value::Null);
}

/// A provider with two names: whoever revokes by one of them is told of the other.
#[test]
fn the_other_issuers_of_the_same_keys_are_named() {
    let google = json!({ "provider": "google", "expected_audiences": ["x"] });
    let servers = with(on(), json!({ crate::support::SERVERS: [entry(), google] }));
    let note =
        |issuer: &str| format!("This provider also signs as {issuer}: revoke it for that issuer, too.");
    let (long, short) = ("https://accounts.google.com", "accounts.google.com");
    let rows = [(long, json!([note(short)])), (short, json!([note(long)])), (ISSUER, json!([]))];
    for_each_row(rows, |(issuer, notes)| {
        let outcome = said(&json!({
            "read": read_as(servers.clone(), kv()), "ask": revoke(json!({ "issuer": issuer })),
            "now": NOW * 1000, "document": null,
        }));
        same(issuer, &outcome["notes"], notes)
    });
}

#[test]
fn a_list_is_shown_and_nothing_is_written() {
    let document = List::document(9, 4, &[held(1, "ended", NOW), held(3, "user-3", NOW + 1)]);
    let shown = done(json!({ "list": true }), json!(document));
    assert_eq!(
        (&shown["document"], &shown["entry"], &shown["notes"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
    assert_eq!(shown["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["entries"][0]["number"], json!(3));
    let off = said(
        &json!({ "read": read_as(settings(), kv()), "ask": { "list": true }, "now": NOW * 1000, "document": document }),
    );
    assert!(off["notes"][0].as_str().is_some_and(|note| note.starts_with("None of it is in force")), "{off}");
}

#[test]
fn an_entry_is_undone_by_its_number() {
    let document =
        json!(List::document(9, 8, &[held(3, "a", NOW + 9), held(7, "b", NOW + 9), held(5, "c", NOW)]));
    let outcome = done(json!({ "undo": "3" }), document.clone());
    let list = list_of(&outcome);
    assert_eq!((list.version, list.next), (NOW * 1000, 8));
    assert_eq!(list.entries, [held(7, "b", NOW + 9)], "what has ended falls out");
    assert_eq!(outcome["entry"]["value"], json!("a"));
    for number in ["1", "5", "8", "0"] {
        let outcome = at(NOW * 1000, json!({ "undo": number }), Some(document.clone()));
        assert!(
            outcome["error"]
                .as_str()
                .is_some_and(|error| error.contains(&format!("no entry {number} is in force"))),
            "{outcome}"
        );
    }
    assert!(at(NOW * 1000, json!({ "undo": "1" }), Some(Value::Null)).get("error").is_some());
    // The last one leaves an empty list, and its number is nobody else's.
    let empty = done(json!({ "undo": "1" }), json!(List::document(9, 2, &[held(1, "a", NOW + 9)])));
    assert_eq!(list_of(&empty).entries, []);
    let next = done(revoke(json!({})), empty["document"].clone());
    assert_eq!(next["entry"]["number"], json!(2));
    assert!(list_of(&next).version > list_of(&empty).version, "in the same millisecond, too");
}

#[test]
fn an_entry_about_the_same_refuses_more_and_never_less() {
    let first = done(revoke(json!({ "for": "10d" })), Value::Null);
    let rows = [
        (json!({ "for": "1d", "before": "2026-01-01T00:00:00Z" }), NOW, NOW + 10 * DAY),
        (json!({ "for": "20d" }), NOW, NOW + 20 * DAY),
    ];
    for (changes, before, until) in rows {
        let again = done(revoke(changes), first["document"].clone());
        let list = list_of(&again);
        assert_eq!((list.entries.len(), list.next), (1, 2));
        assert_eq!(
            (list.entries[0].number, list.entries[0].before, list.entries[0].until),
            (1, before, until)
        );
    }
    let other = done(revoke(json!({ "subject": "<absent>", "client": "user-1" })), first["document"].clone());
    assert_eq!(list_of(&other).entries.len(), 2);
    let of_other = Entry { issuer: OTHER.to_owned(), ..held(1, "user-1", NOW + 9) };
    let beside = done(revoke(json!({})), json!(List::document(9, 2, std::slice::from_ref(&of_other))));
    let entries = list_of(&beside).entries;
    assert_eq!((entries.len(), &entries[0], entries[1].number), (2, &of_other, 2), "another issuer's");
}

#[test]
fn a_full_list_is_an_error_until_something_ends() {
    let full = |until: u64| -> Vec<Entry> {
        (1..=limits::REVOCATIONS as u64)
            .map(|n| held(n, &format!("u{n}"), if n == 7 { until } else { NOW + 9 }))
            .collect()
    };
    let document = json!(List::document(9, 1001, &full(NOW + 5)));
    let outcome = at(NOW * 1000, revoke(json!({})), Some(document.clone()));
    let error = outcome["error"].as_str().unwrap_or_default();
    assert!(error.contains("the list is full") && error.contains("The first to end is 7."), "{outcome}");
    // The same again needs no room.
    let again = done(revoke(json!({ "subject": "u5" })), document);
    assert_eq!(list_of(&again).entries.len(), limits::REVOCATIONS);
    let ended = done(revoke(json!({})), json!(List::document(9, 1001, &full(NOW))));
    assert_eq!(list_of(&ended).entries.len(), limits::REVOCATIONS);
    assert_eq!(ended["entry"]["number"], json!(1001));
    // Full by its bytes: each of these takes 6 KB.
    let long = |n: u64| held(n, &format!("{n}{}", "\u{1}".repeat(1000)), NOW + 9);
    let document = |count: u64| List::document(9, 999, &(100..100 + count).map(long).collect::<Vec<_>>());
    let each = document(2).len() - document(1).len();
    let count = (limits::REVOCATIONS_BYTES - document(0).len()) / each;
    let one_more = revoke(json!({ "subject": "\u{1}".repeat(1000) }));
    let fits = at(NOW * 1000, one_more.clone(), Some(json!(document(count as u64 - 1))));
    assert!(fits["document"].is_string(), "{}", fits["error"]);
    let outcome = at(NOW * 1000, one_more, Some(json!(document(count as u64))));
    assert!(
        outcome["error"].as_str().is_some_and(|error| error.contains("the list is full")),
        "{}",
        outcome["error"]
    );
}

#[test]
fn what_cannot_be_read_is_left_alone() {
    for text in
        ["", "{}", "[]", "null", "Value not found", r#"{"format":2,"version":1,"next":1,"entries":[]}"#]
    {
        for ask in [revoke(json!({})), json!({ "list": true }), json!({ "undo": "1" })] {
            let outcome = at(NOW * 1000, ask, Some(json!(text)));
            assert!(
                outcome["error"].as_str().is_some_and(|error| error.starts_with("Nothing was written")),
                "{text}: {outcome}"
            );
        }
    }
}

#[test]
fn a_version_is_greater_than_the_one_before_whatever_the_clock_says() {
    let ahead = NOW * 1000 + 5_000_000;
    let outcome = done(revoke(json!({})), json!(List::document(ahead, 1, &[])));
    assert_eq!(list_of(&outcome).version, ahead + 1);
    let lost = done(revoke(json!({})), Value::Null);
    assert_eq!(list_of(&lost).version, NOW * 1000, "greater than that of a list that was lost");
    let last = at(NOW * 1000, revoke(json!({})), Some(json!(List::document(9_007_199_254_740_991, 1, &[]))));
    assert!(last.get("error").is_some(), "{last}");
}

#[test]
fn check_wants_kv_where_tokens_can_be_revoked() {
    use crate::support::check::told;
    let (ok, lines) = told(&read_as(on(), kv()));
    assert!(ok && lines.contains("Revoked tokens: by the list in KV"), "{lines}");
    let (ok, lines) = told(&read_as(on(), json!([])));
    assert!(!ok && lines.contains("MCP_SERVER_AUTH_REVOCATION: expected a KV namespace"), "{lines}");
    let (ok, lines) = told(&read_as(settings(), json!([])));
    assert!(ok && !lines.contains("Revoked tokens"), "{lines}");
}
