//! A proof is accepted once, for as long as it is remembered; and the list of them is bounded.

use mcp_edge_auth::limits::DPOP_PROOFS_KEPT;
use mcp_edge_auth::token::replays::{ProofId, Replays};

use crate::support::NOW;

fn id(key: u8, jti: &str) -> ProofId {
    ProofId::new(&[key; 32], jti)
}

#[test]
fn once() {
    let mut replays = Replays::default();
    assert!(replays.is_first(id(1, "a"), NOW + 300, NOW));
    assert!(!replays.is_first(id(1, "a"), NOW + 300, NOW));
    assert!(!replays.is_first(id(1, "a"), NOW + 600, NOW + 299), "whatever else is said of it");
    assert!(replays.is_first(id(1, "b"), NOW + 300, NOW), "another jti");
    assert!(replays.is_first(id(2, "a"), NOW + 300, NOW), "another key");
    assert!(replays.is_first(id(1, ""), NOW + 300, NOW));
    assert!(replays.is_first(id(1, " a"), NOW + 300, NOW), "byte for byte");
    assert_eq!(replays.len(), 5, "what was refused is not remembered again");
}

/// It is remembered in the last second in which it is accepted, and forgotten after that.
#[test]
fn for_as_long_as_it_is_good() {
    let mut replays = Replays::default();
    assert!(replays.is_empty());
    assert!(replays.is_first(id(1, "a"), NOW + 300, NOW));
    assert!(!replays.is_first(id(1, "a"), NOW + 300, NOW + 300));
    assert!(replays.is_first(id(1, "a"), NOW + 601, NOW + 301));
    assert_eq!(replays.len(), 1);
    for n in 0..10 {
        assert!(replays.is_first(id(1, &n.to_string()), NOW + 700, NOW + 400));
    }
    assert_eq!(replays.len(), 11);
    assert!(replays.is_first(id(1, "b"), NOW + 1001, NOW + 701));
    assert_eq!(replays.len(), 1, "all that is over is forgotten");
}

#[test]
fn no_more_than_so_many() {
    let mut replays = Replays::default();
    for n in 0..DPOP_PROOFS_KEPT {
        assert!(replays.is_first(id(1, &n.to_string()), NOW + 300, NOW));
    }
    assert!(!replays.is_first(id(1, "0"), NOW + 300, NOW), "all of them are remembered");
    assert!(replays.is_first(id(1, "one more"), NOW + 300, NOW));
    assert_eq!(replays.len(), DPOP_PROOFS_KEPT);
    assert!(!replays.is_first(id(1, "1"), NOW + 300, NOW));
    assert!(replays.is_first(id(1, "0"), NOW + 300, NOW), "the oldest was forgotten");
    assert!(!replays.is_first(id(1, "2"), NOW + 300, NOW));
    assert!(replays.is_first(id(1, "1"), NOW + 300, NOW), "and then the next");
}
