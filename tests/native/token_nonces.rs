//! Nonces: who can make them, and how long each is good.

use mcp_edge_auth::limits::DPOP_NONCE_SECONDS;
use mcp_edge_auth::secret::MacKeys;
use mcp_edge_auth::token::nonce::{Age, Nonces};

use crate::support::{NOW, for_each_row, same};

fn nonces(keys: &[&str]) -> Nonces {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    Nonces::new(MacKeys::new(&keys).unwrap())
}

/// The first second of a window.
const START: u64 = NOW - NOW % DPOP_NONCE_SECONDS;

#[test]
fn a_nonces_life() {
    let ours = nonces(&["ours"]);
    let nonce = ours.current(START).unwrap();
    assert_eq!(nonce.len(), 43);
    let window = DPOP_NONCE_SECONDS;
    let rows = [
        ("two windows before", START - window - 1, None),
        ("a clock that is behind", START - window, Some(Age::Fresh)),
        ("a second before", START - 1, Some(Age::Fresh)),
        ("at once", START, Some(Age::Fresh)),
        ("the last second of its window", START + window - 1, Some(Age::Fresh)),
        ("the first of the next", START + window, Some(Age::Old)),
        ("the last of the next", START + 2 * window - 1, Some(Age::Old)),
        ("the first of the one after", START + 2 * window, None),
        ("a day later", START + 86_400, None),
        ("at the beginning of time", 0, None),
    ];
    for_each_row(rows, |(name, now, expected)| same(name, ours.age(&nonce, *now), *expected));
    assert_eq!(ours.current(START + window - 1).as_ref(), Some(&nonce), "one for each window");
    assert_ne!(ours.current(START + window), Some(nonce));
}

#[test]
fn only_ours() {
    let ours = nonces(&["ours"]);
    let good = ours.current(NOW).unwrap();
    let next = if good.starts_with('A') { "B" } else { "A" };
    let rows = [
        ("of another key", nonces(&["theirs"]).current(NOW).unwrap()),
        ("empty", String::new()),
        ("a letter of it changed", format!("{next}{}", &good[1..])),
        ("a letter less", good[..42].to_owned()),
        ("a letter more", format!("{good}A")),
        ("with padding", format!("{good}=")),
        ("with a space", format!(" {good}")),
        ("the number of the window", (NOW / DPOP_NONCE_SECONDS).to_string()),
    ];
    for_each_row(rows, |(name, nonce)| same(name, ours.age(nonce, NOW), None));
    // After a rotation, both keys' are good, and the first makes them.
    let rotated = nonces(&["new", "ours"]);
    assert_eq!(rotated.age(&good, NOW), Some(Age::Fresh));
    assert_eq!(ours.age(&rotated.current(NOW).unwrap(), NOW), None);
    assert_eq!(nonces(&["new"]).current(NOW), rotated.current(NOW));
}

/// A secret that was not seen makes none, and takes none.
#[test]
fn without_a_key() {
    let unseen = Nonces::default();
    assert!(unseen.is_unseen() && !nonces(&["ours"]).is_unseen());
    assert_eq!(unseen.current(NOW), None);
    assert_eq!(unseen.age(&nonces(&["ours"]).current(NOW).unwrap(), NOW), None);
    assert_eq!(unseen.age("", NOW), None);
    assert!(MacKeys::new(&[]).is_none());
}
