//! What an isolate remembers of introspections, and how many may begin.

use std::rc::Rc;

use mcp_edge_auth::json::Document;
use mcp_edge_auth::limits;
use mcp_edge_auth::token::introspected::{Introspected, Key};
use mcp_edge_auth::token::introspection::Answer;
use serde_json::{Value, json};

use crate::support::NOW;

const T: f64 = NOW as f64 * 1000.0;

fn active(members: Value) -> Answer {
    Answer::Active(Rc::new(Document::read(members.to_string().into_bytes()).unwrap()))
}

fn key(text: &str) -> Key {
    Key::new(0, text)
}

/// What is known of a token.
fn known(memory: &Introspected, key: &Key, now: f64) -> &'static str {
    match memory.find(key, now) {
        None => "nothing",
        Some(Answer::Active(_)) => "active",
        Some(Answer::Inactive) => "inactive",
    }
}

fn seconds(seconds: u64) -> f64 {
    seconds as f64 * 1000.0
}

#[test]
fn inactive_is_remembered_for_ten_seconds() {
    let mut memory = Introspected::default();
    memory.told(key("a"), &Answer::Inactive, 0, T, T);
    let rows = [(0.0, "inactive"), (9_999.0, "inactive"), (10_000.0, "nothing"), (-1.0, "nothing")];
    for (later, expected) in rows {
        assert_eq!(known(&memory, &key("a"), T + later), expected, "{later} ms");
    }
    for other in [key("b"), key("aa"), key(""), Key::new(1, "a")] {
        assert_eq!(known(&memory, &other, T), "nothing");
    }
    // However long the answer took: it is the answer that is so old, and not the question.
    memory.told(key("slow"), &Answer::Inactive, 0, T, T + 4000.0);
    assert_eq!(known(&memory, &key("slow"), T + 13_999.0), "inactive");
    assert_eq!(known(&memory, &key("slow"), T + 14_000.0), "nothing");
}

#[test]
fn active_is_kept_only_where_the_settings_say_so_and_never_past_exp() {
    let exp = |later: i64| json!({ "active": true, "exp": NOW as i64 + later });
    let rows = [
        ("no cache", 0, exp(600), 0.0, "nothing"),
        ("at once", 30, exp(600), 0.0, "active"),
        ("just before the end", 30, exp(600), 29_999.0, "active"),
        ("at the end", 30, exp(600), 30_000.0, "nothing"),
        ("just before exp", 60, exp(5), 4_999.0, "active"),
        ("at exp", 60, exp(5), 5_000.0, "nothing"),
        ("past exp already, within the leeway", 60, exp(-5), 0.0, "nothing"),
        ("without exp", 60, json!({ "active": true }), 59_999.0, "active"),
        ("without exp, at the end", 60, json!({ "active": true }), 60_000.0, "nothing"),
        ("exp that is no number", 60, json!({ "active": true, "exp": "soon" }), 0.0, "active"),
    ];
    for (name, cache, said, later, expected) in rows {
        let mut memory = Introspected::default();
        memory.told(key("a"), &active(said), cache, T, T);
        assert_eq!(known(&memory, &key("a"), T + later), expected, "{name}");
    }
}

#[test]
fn a_word_counts_from_when_it_was_asked_for() {
    let mut memory = Introspected::default();
    memory.told(key("a"), &active(json!({ "active": true })), 10, T, T + 5000.0);
    assert_eq!(known(&memory, &key("a"), T + 9_999.0), "active");
    assert_eq!(known(&memory, &key("a"), T + 10_000.0), "nothing");
}

#[test]
fn an_older_word_does_not_push_out_a_newer_one() {
    let good = active(json!({ "active": true }));
    // Asked while it was active, answered after another request heard that it is not any more.
    let mut memory = Introspected::default();
    memory.told(key("a"), &Answer::Inactive, 60, T + 1000.0, T + 1100.0);
    memory.told(key("a"), &good, 60, T, T + 2000.0);
    assert_eq!(known(&memory, &key("a"), T + 2000.0), "inactive");
    assert_eq!(known(&memory, &key("a"), T + 1100.0 + seconds(10)), "nothing");
    // Asked in the very millisecond in which another request hears that it is not active.
    let mut memory = Introspected::default();
    memory.told(key("a"), &Answer::Inactive, 60, T, T);
    memory.told(key("a"), &good, 60, T, T);
    assert_eq!(known(&memory, &key("a"), T + seconds(10)), "nothing");
    // Told inactive after it was told active: nothing of the first is left.
    let mut memory = Introspected::default();
    memory.told(key("a"), &good, 60, T, T);
    memory.told(key("a"), &Answer::Inactive, 60, T + 1000.0, T + 1000.0);
    assert_eq!(known(&memory, &key("a"), T + 1000.0), "inactive");
    assert_eq!(known(&memory, &key("a"), T + 1000.0 + seconds(10)), "nothing");
}

#[test]
fn so_many_are_kept_and_the_oldest_goes_first() {
    let mut memory = Introspected::default();
    let good = active(json!({ "active": true }));
    memory.told(key("good"), &good, 60, T, T);
    for n in 0..=limits::INACTIVE_KEPT {
        memory.told(key(&format!("bad-{n}")), &Answer::Inactive, 60, T, T);
    }
    assert_eq!(known(&memory, &key("bad-0"), T), "nothing");
    assert_eq!(known(&memory, &key("bad-1"), T), "inactive");
    assert_eq!(known(&memory, &key(&format!("bad-{}", limits::INACTIVE_KEPT)), T), "inactive");
    assert_eq!(known(&memory, &key("good"), T), "active", "made-up tokens push out no good one");
    for n in 0..limits::ANSWERS_KEPT {
        memory.told(key(&format!("good-{n}")), &good, 60, T, T);
    }
    assert_eq!(known(&memory, &key("good"), T), "nothing");
    assert_eq!(known(&memory, &key("good-0"), T), "active");
}

#[test]
fn a_long_answer_is_asked_for_each_time() {
    let sized = |bytes: usize| {
        let empty = json!({ "active": true, "x": "" }).to_string().len();
        active(json!({ "active": true, "x": "x".repeat(bytes - empty) }))
    };
    for (bytes, expected) in
        [(limits::ANSWER_KEPT_BYTES, "active"), (limits::ANSWER_KEPT_BYTES + 1, "nothing")]
    {
        let mut memory = Introspected::default();
        memory.told(key("a"), &sized(bytes), 60, T, T);
        assert_eq!(known(&memory, &key("a"), T), expected, "{bytes} bytes");
        // What was told before, to a request at the same time, serves no longer either way.
        let mut memory = Introspected::default();
        memory.told(key("a"), &active(json!({ "active": true, "first": true })), 60, T, T);
        memory.told(key("a"), &sized(bytes), 60, T, T + 1.0);
        assert_eq!(known(&memory, &key("a"), T + 1.0), expected, "{bytes} bytes, after another answer");
    }
}

/// How many may begin now.
fn begun(memory: &mut Introspected, now: f64) -> u32 {
    let mut count = 0;
    while memory.begin(now) {
        count += 1;
        assert!(count < 1000);
    }
    count
}

#[test]
fn fifty_may_begin_in_a_second() {
    let mut memory = Introspected::default();
    let rows = [
        ("at first", 0.0, 50),
        ("at once again", 0.0, 0),
        ("a fiftieth of a second later", 20.0, 1),
        ("half a second later", 520.0, 25),
        ("a second later", 1520.0, 50),
        ("an hour later", 3_601_520.0, 50),
        ("the clock goes back", 0.0, 0),
        ("and on", 1000.0, 50),
    ];
    for (name, later, expected) in rows {
        assert_eq!(begun(&mut memory, T + later), expected, "{name}");
    }
}

#[test]
fn a_flood_is_said_once_in_a_while() {
    let mut memory = Introspected::default();
    let said: Vec<bool> = [0.0, 1.0, 9_999.0, 10_000.0, 10_001.0, -5.0]
        .into_iter()
        .map(|later| memory.says_crowded(T + later))
        .collect();
    assert_eq!(said, [true, false, false, true, false, true]);
}
