//! Session ids bound to their caller: whatever differs in resource, issuer, subject, client or id
//! is another session, and framing leaves no two ways to read one.

use mcp_edge_auth::origin::sessions::{Holder, Sessions, owner};
use mcp_edge_auth::refusal::Refusal::{self, SessionMalformed, SessionMismatch, SessionUnbindable};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::arbitrary::quick;
use crate::support::{CANONICAL, config, for_each_row, read, same, settings, with};

const KEY: &str = "MCP_SERVER_AUTH_SESSION_KEY";
const BIND: &str = "MCP_SERVER_AUTH_BIND_SESSIONS";

fn key(n: u8) -> String {
    format!("a key of thirty-two bytes, no. {n:02}")
}

fn sessions(keys: &[u8]) -> Sessions {
    Sessions::new(&keys.iter().map(|n| key(*n)).collect::<Vec<_>>()).unwrap()
}

const fn user<'c>(issuer: &'c str, subject: &'c str, client: Option<&'c str>) -> Holder<'c> {
    Holder::User { issuer, subject, client }
}

fn checked(attached: &str, by: &str) -> Result<String, Refusal> {
    sessions(&[1]).check(by, attached).map(str::to_owned)
}

#[test]
fn only_the_owner() {
    let mine = owner(CANONICAL, user("https://a", "b", Some("c")));
    let attached = sessions(&[1]).attach(&mine, "id").unwrap();
    assert_eq!(attached.len(), "id".len() + 1 + 43);
    assert_eq!(checked(&attached, &mine), Ok("id".to_owned()));
    let others = [
        ("another resource", owner("https://mcp.example.com/mc", user("https://a", "b", Some("c")))),
        ("another issuer", owner(CANONICAL, user("https://A", "b", Some("c")))),
        ("another subject", owner(CANONICAL, user("https://a", "B", Some("c")))),
        ("another client", owner(CANONICAL, user("https://a", "b", Some("d")))),
        ("no client", owner(CANONICAL, user("https://a", "b", None))),
        ("an empty client", owner(CANONICAL, user("https://a", "b", Some("")))),
        ("nobody", owner(CANONICAL, Holder::Nobody)),
        ("moved to the left", owner(CANONICAL, user("https://ab", "", Some("c")))),
        ("moved to the right", owner(CANONICAL, user("https://a", "bc", Some("")))),
        ("framed by hand", owner(CANONICAL, user("https://a", "b,1:c", None))),
        ("nothing", String::new()),
    ];
    for_each_row(others, |(name, other)| same(name, checked(&attached, other), Err(SessionMismatch)));
}

#[test]
fn nobody_is_no_user_and_no_user_is_nobody() {
    let nobody = owner(CANONICAL, Holder::Nobody);
    let attached = sessions(&[1]).attach(&nobody, "id").unwrap();
    assert_eq!(checked(&attached, &nobody), Ok("id".to_owned()));
    for client in [None, Some("")] {
        for subject in ["", "-", "+", "0:,"] {
            let user = owner(CANONICAL, user("", subject, client));
            assert_eq!(checked(&attached, &user), Err(SessionMismatch), "{subject:?}");
            let theirs = sessions(&[1]).attach(&user, "id").unwrap();
            assert_eq!(checked(&theirs, &nobody), Err(SessionMismatch), "{subject:?}");
        }
    }
    assert_eq!(checked(&attached, &owner("https://other.example", Holder::Nobody)), Err(SessionMismatch));
}

#[test]
fn ids() {
    let mine = owner(CANONICAL, user("i", "s", None));
    let rows = [
        ("a", true),
        ("a.b.c", true),
        (".", true),
        ("!~", true),
        (&"x".repeat(979), true),
        (&"x".repeat(980), false),
        ("", false),
        ("a b", false),
        ("a, b", false),
        ("a\n", false),
        ("\u{e9}", false),
        ("a\u{7f}", false),
    ];
    for_each_row(rows, |(id, bindable)| {
        let attached = sessions(&[1]).attach(&mine, id);
        same(id, attached.is_ok(), *bindable)?;
        match attached {
            Ok(attached) => {
                same(id, (attached.len() < 1024, checked(&attached, &mine)), (true, Ok((*id).to_owned())))
            }
            Err(refusal) => same(id, refusal, SessionUnbindable),
        }
    });
}

#[test]
fn altered() {
    let mine = owner(CANONICAL, user("i", "s", None));
    let good = sessions(&[1]).attach(&mine, "id").unwrap();
    let mac = &good[3..];
    let rows = [
        (good.clone(), Ok("id".to_owned())),
        ("id".to_owned(), Err(SessionMalformed)),
        (String::new(), Err(SessionMalformed)),
        (".".to_owned(), Err(SessionMalformed)),
        (format!(".{mac}"), Err(SessionMalformed)),
        (format!("id.{mac}="), Err(SessionMalformed)),
        (format!("id.{}", &mac[..42]), Err(SessionMalformed)),
        (format!("id.{mac}AA"), Err(SessionMalformed)),
        (
            format!("id.{}", mac.replace(['-', '_'], "+")),
            if mac.contains(['-', '_']) { Err(SessionMalformed) } else { Ok("id".to_owned()) },
        ),
        (format!("ie.{mac}"), Err(SessionMismatch)),
        (format!("id..{mac}"), Err(SessionMismatch)),
        (format!("{good}.{mac}"), Err(SessionMismatch)),
        (format!("{good}, {good}"), Err(SessionMalformed)),
        (format!("i\u{e9}.{mac}"), Err(SessionMalformed)),
        (format!("{}.{mac}", "x".repeat(980)), Err(SessionMalformed)),
    ];
    for_each_row(rows, |(attached, expected)| same(attached, checked(attached, &mine), expected.clone()));
    // Every bit of the MAC counts.
    for at in 3..good.len() {
        let mut altered = good.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        assert!(checked(std::str::from_utf8(&altered).unwrap(), &mine).is_err(), "at {at}");
    }
}

#[test]
fn the_first_key_attaches_and_all_are_accepted() {
    let mine = owner(CANONICAL, user("i", "s", None));
    let old = sessions(&[1]).attach(&mine, "id").unwrap();
    let turned = sessions(&[2, 1]);
    assert_eq!(turned.check(&mine, &old), Ok("id"));
    let new = turned.attach(&mine, "id").unwrap();
    assert_eq!(sessions(&[2]).check(&mine, &new), Ok("id"));
    assert_eq!(sessions(&[2]).check(&mine, &old), Err(SessionMismatch));
    assert!(Sessions::new(&[]).is_none());
}

#[test]
fn versions() {
    let mine = owner(CANONICAL, user("i", "s", None));
    let good = sessions(&[1]).attach(&mine, "id").unwrap();
    let rows = [
        (None, good.as_str(), Ok(Some("id"))),
        (Some("2025-11-25"), &good, Ok(Some("id"))),
        (Some("2026-07-27"), &good, Ok(Some("id"))),
        (Some("2026-07-28"), &good, Ok(None)),
        (Some("2026-07-28"), "bare", Ok(None)),
        (Some("2027-01-01"), "bare", Ok(None)),
        (Some("x"), "bare", Ok(None)),
        (Some(""), "bare", Err(SessionMalformed)),
        (Some("2025-11-25, 2026-07-28"), "bare", Err(SessionMalformed)),
        (None, "bare", Err(SessionMalformed)),
    ];
    for_each_row(rows, |(version, attached, expected)| {
        same(
            &format!("{version:?} {attached}"),
            sessions(&[1]).incoming(&mine, attached, *version),
            *expected,
        )
    });
}

#[test]
fn each_part_stands_behind_its_length() {
    assert_eq!(owner("r", user("is", "s\u{e9}", Some(""))), "1:r,+2:is,3:s\u{e9},0:,");
    assert_eq!(owner("r", user("is", "s", None)), "1:r,+2:is,1:s,");
    assert_eq!(owner("r", Holder::Nobody), "1:r,-");
}

proptest! {
    #![proptest_config(quick(256))]

    #[test]
    fn two_callers_have_two_owners(
        a in (".{0,6}", ".{0,6}", proptest::option::of(".{0,4}")),
        b in (".{0,6}", ".{0,6}", proptest::option::of(".{0,4}")),
    ) {
        let text = |c: &(String, String, Option<String>)| owner("r", user(&c.0, &c.1, c.2.as_deref()));
        prop_assert_eq!(text(&a) == text(&b), a == b);
    }
}

fn bound(changes: Value) -> Value {
    with(settings(), changes)
}

#[test]
fn on_and_off() {
    let good = key(1);
    let rows = [
        ("nothing", json!({}), false),
        ("a key", json!({ KEY: good }), true),
        ("an array", json!({ KEY: [good, key(2)] }), true),
        ("an array as text", json!({ KEY: format!("[\"{good}\"]") }), true),
        ("on", json!({ KEY: good, BIND: true }), true),
        ("on as text", json!({ KEY: good, BIND: "true" }), true),
        ("off", json!({ KEY: good, BIND: false }), false),
        ("off without a key", json!({ BIND: "false" }), false),
    ];
    for_each_row(rows, |(name, changes, on)| {
        same(name, config(&bound(changes.clone())).sessions.is_some(), *on)
    });
}

#[test]
fn faults() {
    let good = key(1);
    let rows = [
        ("on without a key", json!({ BIND: true }), KEY),
        ("short", json!({ KEY: "s".repeat(31) }), KEY),
        ("short but for spaces", json!({ KEY: format!("{}  ", "s".repeat(31)) }), KEY),
        ("one of two short", json!({ KEY: [good, "short"] }), KEY),
        ("no key in the array", json!({ KEY: [] }), KEY),
        ("an empty key", json!({ KEY: "" }), KEY),
        ("an empty key in the array", json!({ KEY: [good, ""] }), KEY),
        ("an empty switch", json!({ KEY: good, BIND: "" }), BIND),
        ("a number", json!({ KEY: 1 }), KEY),
        ("an object", json!({ KEY: { "k": good } }), KEY),
        ("no switch", json!({ KEY: good, BIND: "yes" }), BIND),
    ];
    for_each_row(rows, |(name, changes, variable)| {
        let faults = read(&bound(changes.clone())).unwrap_err();
        same(name, faults.iter().map(|f| f.variable.as_str()).collect::<Vec<_>>(), vec![*variable])
    });
}
