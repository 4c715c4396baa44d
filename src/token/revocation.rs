//! Tokens that are revoked before their `exp`: the list of them, and whether a token is on it.
//!
//! 1. An entry names an issuer, and one of its subjects, one of its clients, one token (`jti`), or
//!    all its tokens, and a time. It revokes what was issued at that time or before, compared to
//!    the fraction of a second and without leeway. A token whose `iat` is no number counts as
//!    issued before.
//! 2. The issuer is that of the entry of the settings that accepted the token. Names are compared
//!    byte for byte.
//! 3. An entry is in force until its second time, and has no effect from then on.
//! 4. A document is read as a whole or not at all.
//! 5. Entries are found by hash: 1000 cost what one costs.

use serde_json::json;

use crate::json::{Document, Node};
use crate::limits::{self, Seconds};
use crate::token::verify::Verified;

/// Under this name KV holds the list.
pub const KEY: &str = "revocations";

const FORMAT: u64 = 1;

/// The greatest whole number that JSON's readers agree on.
const GREATEST: f64 = 9_007_199_254_740_991.0;

/// What an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every token of the issuer.
    All,
    Subject,
    Client,
    Jti,
}

impl Kind {
    pub const EACH: [Self; 4] = [Self::All, Self::Subject, Self::Client, Self::Jti];

    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Subject => "subject",
            Self::Client => "client",
            Self::Jti => "jti",
        }
    }
}

/// What is revoked, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A number that no other entry has or had.
    pub number: u64,
    pub issuer: String,
    pub kind: Kind,
    /// The subject, client or `jti`; empty for all tokens.
    pub value: String,
    /// Tokens that were issued then or before are refused.
    pub before: Seconds,
    /// From then on the entry has no effect.
    pub until: Seconds,
}

impl Entry {
    fn read(node: Node<'_>) -> Option<Self> {
        let Node::Object(members) = node else { return None };
        let get =
            |wanted: &str| members.into_iter().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let text = |name: &str, most: usize| {
            get(name)?.as_str().filter(|text| !text.is_empty() && text.len() <= most).map(str::to_owned)
        };
        let kind = get("kind")?.as_str()?;
        let kind = Kind::EACH.into_iter().find(|each| each.name() == kind)?;
        let value = match kind {
            Kind::All if get("value").is_none() => String::new(),
            Kind::All => return None,
            _ => text("value", limits::REVOKED_BYTES)?,
        };
        let time = |name: &str| whole(get(name)).filter(|time| *time <= limits::LAST_TIME);
        Some(Self {
            number: whole(get("number"))?,
            issuer: text("issuer", limits::ISSUER_BYTES)?,
            kind,
            value,
            before: time("before")?,
            until: time("until")?,
        })
    }

    /// Whether it names the same as another one.
    pub fn is_about(&self, other: &Self) -> bool {
        (self.kind, &self.issuer, &self.value) == (other.kind, &other.issuer, &other.value)
    }
}

fn whole(value: Option<Node<'_>>) -> Option<u64> {
    let number = value?.as_f64()?;
    ((0.0..=GREATEST).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

/// A token that was found good, as far as the list asks.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'t> {
    pub issuer: &'t str,
    pub subject: &'t str,
    pub client: Option<&'t str>,
    pub jti: Option<&'t str>,
    /// `None`: not there, or no number.
    pub iat: Option<f64>,
}

impl<'t> Presented<'t> {
    pub fn of(verified: &'t Verified) -> Self {
        let (identity, claims) = (verified.permit().identity(), verified.claims());
        Self {
            issuer: identity.issuer(),
            subject: identity.subject(),
            client: verified.client_id(),
            jti: claims.get("jti").and_then(Node::as_str),
            iat: claims.get("iat").and_then(Node::as_f64),
        }
    }
}

/// What a look at the list comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    pub revoked: bool,
    /// With how many entries the token was compared.
    pub compared: usize,
}

/// The list.
#[derive(Clone, Debug)]
pub struct List {
    /// Greater than that of every list before it.
    pub version: u64,
    /// The number of the entry that is added next.
    pub next: u64,
    pub entries: Vec<Entry>,
    index: Vec<Option<Place>>,
    /// What it was read from.
    text: String,
}

/// Where an entry is found: in the place of its hash, or in the next one that was free.
#[derive(Clone, Debug)]
struct Place {
    hash: u64,
    entry: usize,
    /// The latest of the entries that name the same.
    before: Seconds,
    until: Seconds,
}

impl List {
    /// The list in a document. `None`: there is something in it that is no entry, or too much.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > limits::REVOCATIONS_BYTES {
            return None;
        }
        let document = Document::read(text.as_bytes().to_vec())?;
        let number = |name: &str| whole(document.get(name));
        if number("format") != Some(FORMAT) {
            return None;
        }
        let Some(Node::Array(entries)) = document.get("entries") else { return None };
        let entries: Option<Vec<Entry>> = entries.values().map(Entry::read).collect();
        let entries = entries.filter(|entries| entries.len() <= limits::REVOCATIONS)?;
        let mut list = Self {
            version: number("version")?,
            next: number("next")?,
            index: index(&entries),
            entries,
            text: String::new(),
        };
        text.clone_into(&mut list.text);
        Some(list)
    }

    /// The document of a list.
    pub fn document(version: u64, next: u64, entries: &[Entry]) -> String {
        let entries = entries.iter().map(|entry| {
            let Entry { number, issuer, kind, value, before, until } = entry;
            let mut written = json!({
                "number": number, "issuer": issuer, "kind": kind.name(), "before": before, "until": until,
            });
            if *kind != Kind::All
                && let Some(members) = written.as_object_mut()
            {
                members.insert("value".to_owned(), json!(value));
            }
            written
        });
        json!({ "format": FORMAT, "version": version, "next": next, "entries": entries.collect::<Vec<_>>() })
            .to_string()
    }

    /// Whether it was read from this text.
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    /// Whether a token is revoked.
    pub fn look(&self, token: &Presented<'_>, now: Seconds) -> Looked {
        let named = [
            (Kind::All, Some("")),
            (Kind::Subject, Some(token.subject)),
            (Kind::Client, token.client),
            (Kind::Jti, token.jti),
        ];
        let mut looked = Looked::default();
        for (kind, value) in named {
            let Some(value) = value else { continue };
            let at = find(&self.index, hash(kind, token.issuer, value), |place| {
                looked.compared += 1;
                self.entries.get(place.entry).is_some_and(|entry| {
                    entry.kind == kind && entry.issuer == token.issuer && entry.value == value
                })
            });
            let Some(Some(place)) = self.index.get(at) else { continue };
            let is_covered = token.iat.is_none_or(|iat| iat <= place.before as f64);
            looked.revoked |= is_covered && now < place.until;
        }
        looked
    }
}

/// A table with at least two places for each entry, so that a search ends after a few of them.
fn index(entries: &[Entry]) -> Vec<Option<Place>> {
    let mut table: Vec<Option<Place>> = vec![None; (entries.len() * 2).next_power_of_two()];
    for (at, entry) in entries.iter().enumerate() {
        let hash = hash(entry.kind, &entry.issuer, &entry.value);
        let place =
            find(&table, hash, |place| entries.get(place.entry).is_some_and(|other| other.is_about(entry)));
        match table.get_mut(place) {
            Some(Some(held)) => {
                held.before = held.before.max(entry.before);
                held.until = held.until.max(entry.until);
            }
            Some(free) => *free = Some(Place { hash, entry: at, before: entry.before, until: entry.until }),
            None => {}
        }
    }
    table
}

/// The place that is the same, or else a free one, of which there always is one.
fn find(table: &[Option<Place>], hash: u64, mut is_same: impl FnMut(&Place) -> bool) -> usize {
    let mask = table.len().saturating_sub(1);
    let mut at = hash as usize & mask;
    while let Some(Some(place)) = table.get(at) {
        if is_same(place) && place.hash == hash {
            return at;
        }
        at = (at + 1) & mask;
    }
    at
}

/// FNV-1a. Whoever makes two names meet makes a search longer by one comparison.
fn hash(kind: Kind, issuer: &str, value: &str) -> u64 {
    // No byte of UTF-8 is 0xff, so that no other pair of names gives the same bytes.
    let bytes = [kind as u8].into_iter().chain(issuer.bytes()).chain([0xff]).chain(value.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
