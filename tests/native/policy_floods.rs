//! Floods of bad tokens: who is refused unread, for how long, and who goes on.

use mcp_edge_auth::limits::{FLOODS, TOKENS_KNOWN};
use mcp_edge_auth::policy::floods::{Bearer, Floods};
use mcp_edge_auth::policy::limits::{Limit, exceeded, flood_counts};
use mcp_edge_auth::refusal::Refusal;
use serde_json::json;

use crate::support::policy::POLICY;
use crate::support::{CANONICAL, NOW, config, resource, settings, with};

fn limits() -> Vec<Limit> {
    let policy = json!({ "limits": [
        { "by": "user", "binding": "CALLS" },
        { "by": "ip", "binding": "ADDRESSES" },
        { "by": "ip", "binding": "BURSTS", "period": 10 },
        { "by": "ip", "binding": "CALLS", "methods": ["tools/call"] },
    ] });
    let config = config(&with(settings(), json!({ POLICY: policy })));
    resource(&config).policy.as_ref().unwrap().limits.clone()
}

fn bearer(address: &str, token: &str) -> Bearer {
    Bearer::new(flood_counts(&limits(), CANONICAL, address), token)
}

/// One more bad token than may be: of the limit in this place among those of floods.
fn flood(floods: &mut Floods, bearer: &Bearer, at: usize, now: u64) {
    let answers: Vec<_> = (0..bearer.counts.len()).map(|count| Some(count != at)).collect();
    let denial = exceeded(&bearer.counts, &answers).unwrap();
    floods.exceeded(bearer, &denial, now);
}

#[test]
fn a_sender_of_too_many_is_refused_unread_for_the_period() {
    let mut floods = Floods::default();
    let sender = bearer("192.0.2.1", "bad");
    assert_eq!(
        sender.counts.iter().map(|count| (count.limit, count.times)).collect::<Vec<_>>(),
        [(1, 1), (2, 1)]
    );
    assert_eq!(floods.refuses(&sender, NOW), None);
    flood(&mut floods, &sender, 1, NOW);
    let told =
        |floods: &Floods, bearer: &Bearer, now| floods.refuses(bearer, now).map(|d| (d.refusal, d.limit));
    let refused = Some((Refusal::RateLimited(10), Some(2)));
    assert_eq!(told(&floods, &sender, NOW), refused);
    assert_eq!(told(&floods, &bearer("192.0.2.1", "another"), NOW + 9), refused);
    assert_eq!(told(&floods, &bearer("192.0.2.1", "another"), NOW + 10), None);
    assert_eq!(told(&floods, &bearer("192.0.2.2", "bad"), NOW), None, "another sender");
    flood(&mut floods, &sender, 0, NOW + 1);
    assert_eq!(told(&floods, &sender, NOW + 60), Some((Refusal::RateLimited(60), Some(1))));
}

#[test]
fn bad_tokens_do_not_use_up_what_good_ones_may_do() {
    let sender = bearer("192.0.2.1", "bad");
    let other = bearer("192.0.2.1", "worse");
    assert_eq!(sender.counts, other.counts, "by the address, not by the token");
    assert_ne!(sender.counts, bearer("192.0.2.2", "bad").counts);
    assert_ne!(
        sender.counts,
        Bearer::new(flood_counts(&limits(), "https://other.example", "192.0.2.1"), "bad").counts
    );
}

#[test]
fn a_token_that_was_good_goes_on_behind_the_address_of_a_flood() {
    let mut floods = Floods::default();
    let good = bearer("192.0.2.1", "good");
    floods.accepted(&good);
    flood(&mut floods, &bearer("192.0.2.1", "bad"), 0, NOW);
    assert_eq!(floods.refuses(&good, NOW), None);
    assert!(floods.refuses(&bearer("192.0.2.1", "good "), NOW).is_some());
    // The oldest is forgotten; one that comes again is not kept twice.
    for number in 0..TOKENS_KNOWN - 1 {
        floods.accepted(&bearer("192.0.2.1", &number.to_string()));
        floods.accepted(&bearer("192.0.2.1", "0"));
    }
    assert_eq!(floods.refuses(&good, NOW), None);
    floods.accepted(&bearer("192.0.2.1", "one more"));
    assert!(floods.refuses(&good, NOW).is_some());
}

#[test]
fn what_is_kept_of_senders_is_bounded_and_the_oldest_goes_first() {
    let mut floods = Floods::default();
    let sender = |number: usize| bearer(&format!("10.0.{}.{}", number / 256, number % 256), "bad");
    for number in 0..=FLOODS {
        flood(&mut floods, &sender(number), 0, NOW);
    }
    assert_eq!(floods.refuses(&sender(0), NOW), None);
    assert!((1..=FLOODS).all(|number| floods.refuses(&sender(number), NOW).is_some()));
    // One that comes again has no second place, and none that is over has a place.
    for _ in 0..FLOODS {
        flood(&mut floods, &sender(FLOODS), 0, NOW);
    }
    assert!(floods.refuses(&sender(1), NOW).is_some());
    let mut floods = Floods::default();
    flood(&mut floods, &sender(0), 0, NOW);
    for number in 1..FLOODS {
        flood(&mut floods, &sender(number), 1, NOW);
    }
    flood(&mut floods, &sender(FLOODS), 1, NOW + 10);
    assert!(floods.refuses(&sender(0), NOW + 10).is_some());
}

#[test]
fn a_token_that_is_in_use_stays_known() {
    let mut floods = Floods::default();
    let own = bearer("10.0.0.1", "own");
    floods.accepted(&own);
    for number in 1..TOKENS_KNOWN {
        floods.accepted(&bearer("10.0.0.1", &number.to_string()));
    }
    floods.accepted(&own);
    floods.accepted(&bearer("10.0.0.1", "another"));
    flood(&mut floods, &bearer("10.0.0.1", "bad"), 0, NOW);
    assert_eq!(floods.refuses(&own, NOW), None);
    assert!(floods.refuses(&bearer("10.0.0.1", "1"), NOW).is_some(), "longest ago");
    assert_eq!(floods.refuses(&bearer("10.0.0.1", "2"), NOW), None);
}
