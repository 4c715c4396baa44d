//! How often: which limits a request hits, how often and by which name, and what a binding's answer
//! means.

use std::collections::BTreeSet;

use mcp_edge_auth::limits::COUNTS;
use mcp_edge_auth::policy::limits::{
    Answer, Count, Sender, count_floods, exceeded, flood_counts, unanswered,
};
use mcp_edge_auth::policy::{self, Body, Cleared, Head, PolicyInput};
use mcp_edge_auth::refusal::Refusal;
use mcp_edge_auth::token::verify::Verified;
use serde_json::{Value, json};

use crate::support::policy::{POLICY, call, plain, posted, verified};
use crate::support::{CANONICAL, ISSUER, config, for_each_row, resource, same, settings, with};

/// A limit, and how often it is hit.
type Times = (u32, usize);

/// Answers, the limit that is exceeded by them, and the binding that has said nothing.
type AnswerRow<'r> = (&'r str, Vec<Answer>, Option<u32>, Option<&'r str>);

/// A policy of these limits, counted by CALLS where nothing else is said.
fn limits(limits: Value) -> Value {
    let all =
        limits.as_array().unwrap().iter().map(|limit| with(json!({ "binding": "CALLS" }), limit.clone()));
    json!({ "limits": all.collect::<Vec<_>>() })
}

fn cleared(policy: &Value, verified: Option<Verified>, asked: &PolicyInput<'_>) -> Cleared {
    let config = config(&with(settings(), json!({ POLICY: policy })));
    policy::authorize(resource(&config).policy.as_ref(), verified, asked).1.unwrap()
}

/// What is counted of a request at this server, from this address.
fn counted(policy: &Value, cleared: &Cleared, server: &str, address: &str) -> Vec<Count> {
    let config = config(&with(settings(), json!({ POLICY: policy })));
    let limits = &resource(&config).policy.as_ref().unwrap().limits;
    cleared.counts(limits, &Sender { resource: server, verified: cleared.verified(), address })
}

fn body_of<'b>(text: &'b str) -> PolicyInput<'b> {
    PolicyInput::Body(posted(Some(text.as_bytes())))
}

/// The counts of a POST.
fn counts(policy: &Value, claims: &Value, body: &Value) -> Vec<Count> {
    let cleared = cleared(policy, Some(verified(claims)), &body_of(&body.to_string()));
    counted(policy, &cleared, CANONICAL, "192.0.2.1")
}

#[test]
fn each_message_is_counted_by_each_limit_that_it_matches() {
    let policy = limits(json!([
        { "by": "user" },
        { "by": "tool" },
        { "by": "user+tool", "methods": ["tools/call"], "names": ["a*", "b"] },
        { "by": "client", "methods": ["tools/*", "prompts/get"] },
        { "by": "ip", "names": ["p"] },
    ]));
    let prompt = json!({ "id": 1, "method": "prompts/get", "params": { "name": "p" } });
    let rows: Vec<(&str, Value, Vec<Times>)> = vec![
        ("a call", call("a1"), vec![(0, 1), (1, 1), (2, 1), (3, 1)]),
        ("of another tool", call("c"), vec![(0, 1), (1, 1), (3, 1)]),
        ("by a name that is a prompt's", call("p"), vec![(0, 1), (1, 1), (3, 1), (4, 1)]),
        ("a list", plain("tools/list"), vec![(0, 1), (3, 1)]),
        ("a prompt, which is no tool", prompt.clone(), vec![(0, 1), (3, 1), (4, 1)]),
        ("a response", json!({ "id": 1, "result": {} }), vec![(0, 1)]),
        (
            "a batch",
            json!([call("a"), call("a"), call("b"), prompt, plain("ping")]),
            vec![(0, 5), (1, 2), (1, 1), (2, 2), (2, 1), (3, 4), (4, 1)],
        ),
    ];
    for_each_row(rows, |(name, body, expected)| {
        let counts = counts(&policy, &json!({}), body);
        let found: Vec<Times> = counts.iter().map(|count| (count.limit, count.times)).collect();
        same(name, &found, expected)
    });
    let head = PolicyInput::Head(Head { method: "GET", ..Head::default() });
    let cleared = cleared(&policy, Some(verified(&json!({}))), &head);
    assert_eq!(counted(&policy, &cleared, CANONICAL, "").len(), 1, "a stream is one, by its user");
    assert!(cleared.authorized().is_err(), "nothing is forwarded before it is counted");
}

#[test]
fn without_limits_nothing_is_open() {
    for policy in
        [json!({}), json!({ "limits": [] }), limits(json!([{ "by": "user", "methods": ["no/such"] }]))]
    {
        let cleared = cleared(&policy, Some(verified(&json!({}))), &body_of(&call("a").to_string()));
        assert!(cleared.authorized().is_ok(), "{policy}");
    }
}

/// The name of the count that a limit by this has, of a call of this tool.
fn key(by: &str, claims: Option<&Value>, tool: &str, server: &str, address: &str) -> String {
    let policy = with(limits(json!([{ "by": by }])), json!({ "anonymous_methods": ["tools/call"] }));
    let cleared = cleared(&policy, claims.map(verified), &body_of(&call(tool).to_string()));
    let counts = counted(&policy, &cleared, server, address);
    assert_eq!((counts.len(), counts[0].binding.as_str(), counts[0].period), (1, "CALLS", 60));
    let name = counts[0].key.clone();
    let is_hex = name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    assert!(is_hex, "{name}");
    name
}

#[test]
fn what_has_a_count_of_its_own() {
    let usual = json!({ "sub": "u", "client_id": "c" });
    let (other_user, other_client) =
        (json!({ "sub": "v", "client_id": "c" }), json!({ "sub": "u", "client_id": "d" }));
    let no_client = json!({ "sub": "u" });
    let other_issuer = with(usual.clone(), json!({ "iss": "https://other.example.com" }));
    // Which of these changes make another count: user, client, issuer, tool, server, address.
    let rows = [
        ("user", [true, false, true, false, true, false]),
        ("client", [false, true, true, false, true, false]),
        ("tool", [false, false, false, true, true, false]),
        ("user+tool", [true, false, true, true, true, false]),
        ("ip", [false, false, false, false, true, true]),
    ];
    for_each_row(rows, |&(by, expected)| {
        let base = key(by, Some(&usual), "t", CANONICAL, "192.0.2.1");
        let changed = [
            key(by, Some(&other_user), "t", CANONICAL, "192.0.2.1"),
            key(by, Some(&other_client), "t", CANONICAL, "192.0.2.1"),
            key(by, Some(&other_issuer), "t", CANONICAL, "192.0.2.1"),
            key(by, Some(&usual), "s", CANONICAL, "192.0.2.1"),
            key(by, Some(&usual), "t", "https://mcp.example.com/other", "192.0.2.1"),
            key(by, Some(&usual), "t", CANONICAL, "192.0.2.2"),
        ];
        same(by, changed.map(|name| name != base), expected)
    });
    let named = |claims: Option<&Value>, address: &str| key("client", claims, "t", CANONICAL, address);
    let nameless = named(Some(&no_client), "192.0.2.1");
    assert_ne!(nameless, named(Some(&usual), "192.0.2.1"));
    assert_eq!(nameless, named(Some(&json!({ "sub": "v" })), "192.0.2.9"), "those without a client are one");
    assert_ne!(nameless, named(None, ISSUER), "an address that reads like their issuer is not theirs");
    for by in ["user", "client", "user+tool"] {
        let nobody = |address: &str| key(by, None, "t", CANONICAL, address);
        assert_ne!(nobody("192.0.2.1"), nobody("192.0.2.2"), "{by}: who has no token has an address");
        assert_ne!(nobody("192.0.2.1"), key(by, Some(&no_client), "t", CANONICAL, "192.0.2.1"), "{by}");
        // A subject that reads like an address, or like another part, is no other's.
        for sub in ["192.0.2.1", "9:192.0.2.1,", "u,1:t", &format!("{}:{ISSUER},", ISSUER.len())] {
            assert_ne!(
                nobody("192.0.2.1"),
                key(by, Some(&json!({ "sub": sub })), "t", CANONICAL, "192.0.2.1")
            );
        }
    }
}

#[test]
fn parts_of_a_name_cannot_be_read_as_others() {
    let names = [("u", "t"), ("u1:t,", ""), ("ut", ""), ("u,1:t", "x"), ("u", "t,"), ("", "ut")];
    let keys: Vec<String> = names
        .iter()
        .filter(|(sub, _)| !sub.is_empty())
        .map(|(sub, tool)| key("user+tool", Some(&json!({ "sub": sub })), tool, CANONICAL, ""))
        .collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
}

#[test]
fn no_limits_share_a_count() {
    let policy = limits(
        json!([{ "by": "user" }, { "by": "user" }, { "by": "user", "binding": "BURSTS", "period": 10 }]),
    );
    let counts = counts(&policy, &json!({}), &call("t"));
    assert_eq!(counts.iter().map(|count| &count.key).collect::<BTreeSet<_>>().len(), 3);
    let last = &counts[2];
    assert_eq!((last.binding.as_str(), last.period, last.limit), ("BURSTS", 10, 2));
}

#[test]
fn addresses() {
    let of = |address: &str| key("ip", Some(&json!({})), "t", CANONICAL, address);
    let rows = [
        ("a port", "192.0.2.1", "192.0.2.1:5000", true),
        ("another address", "192.0.2.1", "192.0.2.2", false),
        ("one of IPv4 in IPv6", "192.0.2.1", "::ffff:192.0.2.1", true),
        ("a host of the same network", "2001:db8:0:1::1", "2001:db8:0:1:a:b:c:d", true),
        ("the same in other letters and with a port", "2001:db8:0:1::1", "[2001:DB8:0:1::2]:443", true),
        ("the last one of it", "2001:db8:0:1::", "2001:db8:0:1:ffff:ffff:ffff:ffff", true),
        ("another network", "2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ("the next network", "2001:db8:0:2::1", "2001:db8:0:3::1", false),
        ("this machine", "[::1]:80", "::1", true),
        ("no address, which counts as it is", "unknown", "other", false),
        ("none at all", "", "", true),
    ];
    for_each_row(rows, |&(name, one, other, is_one)| same(name, of(one) == of(other), is_one));
}

#[test]
fn what_answers_mean() {
    let policy = limits(json!([{ "by": "user" }, { "by": "client", "binding": "BURSTS", "period": 10 }]));
    let counts = counts(&policy, &json!({}), &json!([call("a"), call("b")]));
    assert_eq!(counts.iter().map(|count| count.times).collect::<Vec<_>>(), [2, 2]);
    let (yes, no, nothing) = (Some(true), Some(false), None);
    let rows: Vec<AnswerRow<'_>> = vec![
        ("within", vec![yes, yes, yes, yes], None, None),
        ("the last of the first", vec![yes, no, yes, yes], Some(0), None),
        ("the first of the second", vec![yes, yes, no, yes], Some(1), None),
        ("both: the first is told", vec![yes, no, no, no], Some(0), None),
        ("no answer lets through", vec![nothing, nothing, yes, yes], None, Some("CALLS")),
        ("and does not hide another's no", vec![yes, nothing, yes, no], Some(1), Some("CALLS")),
        ("none of the second", vec![yes, yes, yes, nothing], None, Some("BURSTS")),
        ("fewer answers than were asked for", vec![yes], None, Some("CALLS")),
        ("nobody was asked", vec![], None, None),
    ];
    for_each_row(rows, |(name, answers, limit, silent)| {
        let denial = exceeded(&counts, answers);
        same(name, denial.as_ref().and_then(|denial| denial.limit), *limit)?;
        same(name, unanswered(&counts, answers), *silent)
    });
    let denial = exceeded(&counts, &[yes, yes, no, yes]).unwrap();
    assert_eq!(denial.refusal, Refusal::RateLimited(10));
}

#[test]
fn a_limit_that_is_exceeded_refuses_or_is_told() {
    let text = json!([plain("ping"), with(call("t"), json!({ "id": "b" }))]).to_string();
    for (mode, told) in [("enforce", None), ("report", Some("rate_limited"))] {
        let policy = with(limits(json!([{ "by": "user" }])), json!({ "mode": mode }));
        let open = || cleared(&policy, Some(verified(&json!({}))), &body_of(&text));
        let counts = counted(&policy, &open(), CANONICAL, "");
        let within = open().counted(&counts, &[Some(true), Some(true)]).unwrap().authorized().unwrap();
        assert_eq!(within.would_refuse, None);
        // Exceeded; and nobody was asked, since too many requests wait.
        for answers in [&[Some(true), Some(false)][..], &[]] {
            match (open().counted(&counts, answers), told) {
                (Err(denial), None) => {
                    assert_eq!((denial.refusal, denial.limit), (Refusal::RateLimited(60), Some(0)));
                    assert_eq!(denial.id.as_deref(), Some("1"), "the first id of the request");
                }
                (Ok(cleared), Some(reason)) => {
                    let authorized = cleared.authorized().unwrap();
                    assert_eq!(authorized.would_refuse.unwrap().refusal.row().reason, reason);
                }
                (other, _) => panic!("{mode}: {other:?}"),
            }
        }
    }
}

#[test]
fn report_mode_counts_what_it_cannot_read_and_tells_what_comes_first() {
    let policy = with(
        limits(json!([{ "by": "user" }, { "by": "user", "methods": ["tools/call"] }])),
        json!({ "mode": "report" }),
    );
    let body = Body { bytes: None, ..posted(None) };
    let cleared = cleared(&policy, Some(verified(&json!({}))), &PolicyInput::Body(body));
    let counts = counted(&policy, &cleared, CANONICAL, "");
    assert_eq!(counts.iter().map(|count| (count.limit, count.times)).collect::<Vec<_>>(), [(0, 1)]);
    let authorized = cleared.counted(&counts, &[Some(false)]).unwrap().authorized().unwrap();
    assert_eq!(authorized.would_refuse.unwrap().refusal, Refusal::BodyTooLarge);
}

/// A token that was refused, and a good one from the same address: each has a count of its own.
#[test]
fn floods_are_counted_apart() {
    let policy = limits(json!([{ "by": "ip" }]));
    let good = counts(&policy, &json!({}), &call("t"));
    let config = config(&with(settings(), json!({ POLICY: policy })));
    let limits = &resource(&config).policy.as_ref().unwrap().limits;
    let bad = flood_counts(limits, CANONICAL, "192.0.2.1");
    assert_eq!((good.len(), bad.len(), good[0].limit, bad[0].limit), (1, 1, 0, 0));
    assert_ne!(good[0].key, bad[0].key);
}

#[test]
fn which_limits_are_of_floods() {
    let rows = [
        (json!([{ "by": "ip" }]), true),
        (json!([{ "by": "user" }, { "by": "ip" }]), true),
        (json!([{ "by": "ip", "methods": ["tools/call"] }]), false),
        (json!([{ "by": "ip", "names": ["*"] }]), false),
        (json!([{ "by": "user" }, { "by": "client" }, { "by": "tool" }, { "by": "user+tool" }]), false),
    ];
    for_each_row(rows, |(all, expected)| {
        let config = config(&with(settings(), json!({ POLICY: limits(all.clone()) })));
        let limits = &resource(&config).policy.as_ref().unwrap().limits;
        same(&all.to_string(), count_floods(limits), *expected)
    });
}

/// Whoever asks for more at once than can be counted in time must not get it for that.
#[test]
fn how_much_is_counted_at_once() {
    let refusal = |policy: &Value, calls: usize| {
        let text = json!(vec![call("a"); calls]).to_string();
        let config = config(&with(settings(), json!({ POLICY: policy })));
        let asked = body_of(&text);
        let cleared =
            policy::authorize(resource(&config).policy.as_ref(), Some(verified(&json!({}))), &asked).1;
        cleared.err().map(|denial| denial.refusal)
    };
    let one = limits(json!([{ "by": "user" }]));
    assert_eq!(refusal(&one, COUNTS), None);
    let two = limits(json!([{ "by": "user" }, { "by": "tool" }]));
    assert_eq!(refusal(&two, COUNTS / 2), None);
    assert_eq!(refusal(&two, COUNTS / 2 + 1), Some(Refusal::MessageInvalid));
    let other = limits(json!([{ "by": "user" }, { "by": "tool", "names": ["b"] }]));
    assert_eq!(refusal(&other, COUNTS), None, "what is not counted does not count");
}
