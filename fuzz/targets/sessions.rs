//! Session ids, bound to their owner. The lines of the input are an id, a resource, an issuer, a
//! subject, a client, and a text from outside.
//!
//! 1. Two owners have the same text only if they are the same: resource, issuer, subject and client
//!    cannot be read as one another.
//! 2. An id is bound as HMAC-SHA-256 says, computed here, and comes back for its owner, under every
//!    listed key, and for nobody else.
//! 3. A text from outside, and a bound id with one character altered, added or removed, is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mcp_edge_auth::origin::sessions::{Holder, Sessions, owner};
use sha2::Sha256;

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text.split('\n').collect();
    let line = |n: usize| lines.get(n).copied().unwrap_or_default();
    let (id, outside) = (line(0), line(5));
    let owners = owners([line(1), line(2), line(3), line(4)]);
    let mine = owners[1].as_str();
    let keys = ["k".repeat(32), "l".repeat(40)];
    let sessions = Sessions::new(&keys).unwrap();
    if let Ok(Some(found)) = sessions.incoming(mine, outside, None) {
        assert_eq!(sessions.attach(mine, found).ok().as_deref(), Some(outside), "nobody bound this");
    }

    let attached = sessions.attach(mine, id);
    let visible = !id.is_empty() && id.bytes().all(|b| (0x21..0x7f).contains(&b));
    assert_eq!(attached.is_ok(), visible && id.len() + ".".len() + 43 <= 1023);
    let Ok(attached) = attached else { return };
    let mut mac = Hmac::<Sha256>::new_from_slice(keys[0].as_bytes()).unwrap();
    for part in ["mcp-edge-auth session 1", mine, id] {
        mac.update(format!("{}:{part},", part.len()).as_bytes());
    }
    assert_eq!(attached, format!("{id}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())));

    for version in [None, Some(""), Some("2025-03-26"), Some("2025-11-25")] {
        assert_eq!(sessions.incoming(mine, &attached, version), Ok(Some(id)));
    }
    assert_eq!(sessions.incoming(mine, &attached, Some("2026-07-28")), Ok(None));
    let [first, second] = keys;
    let rotated = Sessions::new(&[second, first]).unwrap();
    assert_eq!(rotated.incoming(mine, &attached, None), Ok(Some(id)));
    let others = Sessions::new(&["m".repeat(32)]).unwrap();
    assert!(others.incoming(mine, &attached, None).is_err());
    // Nobody's, the same user's without a client, and another user's: the others differ likewise.
    for theirs in [&owners[0], &owners[2], &owners[5]].into_iter().filter(|owner| *owner != mine) {
        assert!(sessions.incoming(theirs, &attached, None).is_err(), "{theirs}");
    }
    for altered in altered(&attached, outside) {
        assert!(altered == attached || sessions.incoming(mine, &altered, None).is_err(), "{altered}");
    }
}

/// The owners that can be made of these texts by giving them other places.
fn owners(texts: [&str; 4]) -> Vec<String> {
    let [a, b, c, d] = texts;
    let mut callers = vec![(a, Holder::Nobody)];
    for (issuer, subject, client) in [(b, c, d), (c, b, d), (b, d, c), (d, c, b)] {
        callers.push((a, Holder::User { issuer, subject, client: Some(client) }));
        callers.push((a, Holder::User { issuer, subject, client: None }));
        callers.push((issuer, Holder::User { issuer: a, subject, client: None }));
        callers.push((issuer, Holder::Nobody));
    }
    let owners: Vec<String> = callers.iter().map(|(resource, caller)| owner(resource, *caller)).collect();
    for (one, its) in callers.iter().zip(&owners) {
        for (other, theirs) in callers.iter().zip(&owners) {
            assert_eq!(one == other, its == theirs, "{one:?} {other:?}");
        }
    }
    owners
}

/// The text with one character replaced, added or removed, where and by what `outside` says.
fn altered(text: &str, outside: &str) -> Vec<String> {
    let at = outside.len() * 7 % text.len();
    let (before, after) = text.split_at(at);
    let rest = &after[1..];
    let mut all = vec![format!("{before}{rest}")];
    for c in outside.chars().take(3).chain(['A', '.', '=']) {
        all.extend([format!("{before}{c}{rest}"), format!("{before}{c}{after}"), format!("{text}{c}")]);
    }
    all
}
