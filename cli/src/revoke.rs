//! `revoke`: what becomes of the list of revoked tokens, which the Worker's own code reads.
//!
//! 1. Nothing is written where the settings do not heed the list, or have a fault.
//! 2. An entry keeps its number as long as it is there, and no other gets it: between `--list` and
//!    `--undo` nothing that somebody else does makes it another one.
//! 3. What has ended falls out with each write. A list is never emptied because it cannot be read.
//! 4. Whatever can be read in two ways is taken for the one that refuses more: a fraction of a
//!    second is rounded up, and of two entries about the same the later times count.

use mcp_edge_auth::limits::{self, Seconds};
use mcp_edge_auth::plain;
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::settings;
use mcp_edge_auth::token::revocation::{Entry, Kind, List};
use serde::Serialize;
use serde_json::Value;

use crate::deployment::Deployment;

const SETTING: &str = "MCP_SERVER_AUTH_REVOCATION";

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// The document to write; `None`: nothing is written.
    document: Option<String>,
    /// What was added, or undone.
    entry: Option<Shown>,
    /// What is in force then.
    entries: Vec<Shown>,
    /// What an operator should know.
    notes: Vec<String>,
}

/// Why nothing came of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// The arguments are wrong.
    Misuse(String),
    /// Something else is.
    Error(String),
}

/// An entry, as it is shown.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
struct Shown {
    number: u64,
    issuer: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
    before: Seconds,
    until: Seconds,
}

impl From<&Entry> for Shown {
    fn from(entry: &Entry) -> Self {
        let Entry { number, issuer, kind, value, before, until } = entry.clone();
        Self { number, issuer, kind: kind.name(), value, before, until }
    }
}

/// What is asked for.
enum Order {
    List,
    Undo(u64),
    Revoke { issuer: String, kind: Kind, value: String, before: Seconds, until: Seconds },
}

/// Judges `given`, and carries it out on its `document`, where there is one: a text, or `null`
/// where KV has none. `read`: what `readSettings` says; `served`: whether it is for `serve`, which
/// always has a KV; `ask`: the command's options by their names; `now`: in milliseconds.
///
/// # Errors
/// Why nothing came of it.
pub fn run(given: &Value) -> Result<Outcome, Refused> {
    let member = |name: &str| given.get(name).unwrap_or(&Value::Null);
    let milliseconds = member("now").as_u64().unwrap_or_default();
    let now = milliseconds.div_ceil(1000);
    let order = Order::read(member("ask"), now)?;
    let mut deployment = Deployment::read(member("read")).map_err(Refused::Error)?;
    deployment.kv |= member("served") == &Value::Bool(true);
    let notes = judge(&order, &deployment)?;
    let Some(document) = given.get("document") else { return Ok(Outcome::default()) };
    let (version, next, entries) = match document.as_str() {
        None => (0, 1, Vec::new()),
        Some(text) => {
            let list = List::read(text).ok_or_else(unreadable)?;
            (list.version, list.next, list.entries)
        }
    };
    let mut all = Entries { next, in_force: entries.into_iter().filter(|entry| now < entry.until).collect() };
    let entry = match order {
        Order::List => None,
        Order::Undo(number) => Some(all.undo(number)?),
        Order::Revoke { issuer, kind, value, before, until } => {
            Some(all.add(Entry { number: 0, issuer, kind, value, before, until })?)
        }
    };
    let written = entry.as_ref().map(|_| all.document(version, milliseconds)).transpose()?;
    Ok(Outcome {
        document: written,
        entry: entry.as_ref().map(Shown::from),
        entries: all.in_force.iter().map(Shown::from).collect(),
        notes,
    })
}

impl Order {
    fn read(ask: &Value, now: Seconds) -> Result<Self, Refused> {
        let text = |name: &str| ask.get(name).and_then(Value::as_str);
        let is_set = |name: &str| ask.get(name).is_some_and(|value| value.as_bool() != Some(false));
        let whose: Vec<Kind> = Kind::EACH.into_iter().filter(|kind| is_set(kind.name())).collect();
        let has_more = ["issuer", "before", "for"].into_iter().any(is_set) || !whose.is_empty();
        match (is_set("list"), text("undo"), whose.as_slice()) {
            (true, None, _) if !has_more => Ok(Self::List),
            (false, Some(number), _) if !has_more => number
                .parse()
                .map(Self::Undo)
                .map_err(|_| misuse("--undo takes the number of an entry, as --list shows it.")),
            (false, None, [kind]) => {
                let issuer = text("issuer").ok_or_else(|| {
                    misuse("--issuer is missing: whose tokens? One of the issuers of the settings.")
                })?;
                let value = text(kind.name()).unwrap_or_default().to_owned();
                if *kind != Kind::All && (value.is_empty() || value.len() > limits::REVOKED_BYTES) {
                    let name = kind.name();
                    return Err(misuse(&format!(
                        "--{name} takes 1 to {} bytes, exactly as they stand in the token.",
                        limits::REVOKED_BYTES
                    )));
                }
                let before = text("before").map_or(Ok(now), |text| time(text, now))?;
                let lasts = text("for").map_or(Ok(limits::REVOKE_FOR_DEFAULT), duration)?;
                let until = (now.max(before) + lasts).min(limits::LAST_TIME);
                Ok(Self::Revoke { issuer: issuer.to_owned(), kind: *kind, value, before, until })
            }
            _ => Err(misuse(
                "One of these: --issuer with one of --subject, --client, --jti and --all; --list; --undo.",
            )),
        }
    }
}

/// Whether the settings heed the list, and know the issuer; what there is to say of that.
fn judge(order: &Order, deployment: &Deployment) -> Result<Vec<String>, Refused> {
    let off = || {
        let file = &deployment.file;
        format!("{file} has no {SETTING} = true, so that the Worker reads no list of revoked tokens")
    };
    let config = deployment.config();
    if matches!(order, Order::List) {
        let is_heeded = config.is_ok_and(|(config, _)| config.revocation);
        return Ok(if is_heeded { Vec::new() } else { vec![format!("None of it is in force: {}.", off())] });
    }
    let config = config.map(|(config, _)| config).map_err(|faults| {
        let faults: Vec<String> =
            faults.iter().map(|fault| format!("- {}", plain::line(&fault.to_string()))).collect();
        error(&format!("Nothing was written: the settings have faults.\n{}", faults.join("\n")))
    })?;
    if !config.revocation {
        return Err(error(&format!(
            "Nothing was written: {}.\nSet it under [vars], deploy, and type this again.",
            off()
        )));
    }
    match order {
        Order::Revoke { issuer, .. } => check_issuer(&config, issuer),
        _ => Ok(Vec::new()),
    }
}

fn check_issuer(config: &Config, issuer: &str) -> Result<Vec<String>, Refused> {
    let entries = || config.resources.iter().flat_map(|resource| &resource.entries);
    let mut known: Vec<&str> = Vec::new();
    for entry in entries() {
        if !known.contains(&entry.rules.issuer.as_str()) {
            known.push(&entry.rules.issuer);
        }
    }
    if !known.contains(&issuer) {
        return Err(error(&format!(
            "Nothing was written: no entry of the settings has the issuer {}. There are:\n{}\n\
             Tokens of any other issuer are refused as it is. If the deployed settings have it, \
             name them with --config or --env.",
            plain::line(issuer),
            known.iter().map(|issuer| format!("- {}", plain::line(issuer))).collect::<Vec<_>>().join("\n")
        )));
    }
    let is_endless = entries().any(|entry| entry.rules.issuer == issuer && !entry.rules.verify_exp);
    let endless = "Tokens of this issuer are accepted after their exp (verify_exp = false), and so are the \
                   revoked ones once the entry has ended.";
    let mut notes: Vec<String> = is_endless.then(|| endless.to_owned()).into_iter().collect();
    let keys: Vec<_> = entries().filter(|e| e.rules.issuer == issuer).map(|e| e.source).collect();
    known.retain(|other| *other != issuer);
    for other in known {
        if entries().any(|e| e.rules.issuer == other && keys.contains(&e.source)) {
            let other = plain::line(other);
            notes.push(format!("This provider also signs as {other}: revoke it for that issuer, too."));
        }
    }
    Ok(notes)
}

/// What is in force, and the number of the next entry.
struct Entries {
    next: u64,
    in_force: Vec<Entry>,
}

impl Entries {
    /// Adds an entry, or lets one that is about the same refuse more.
    fn add(&mut self, new: Entry) -> Result<Entry, Refused> {
        if let Some(held) = self.in_force.iter_mut().find(|held| held.is_about(&new)) {
            held.before = held.before.max(new.before);
            held.until = held.until.max(new.until);
            return Ok(held.clone());
        }
        if self.in_force.len() >= limits::REVOCATIONS {
            return Err(full(&self.in_force));
        }
        // A list that was made by hand may have a number twice.
        let greatest = self.in_force.iter().map(|entry| entry.number).max().unwrap_or_default();
        let number = self.next.max(greatest + 1);
        self.next = number + 1;
        let new = Entry { number, ..new };
        self.in_force.push(new.clone());
        Ok(new)
    }

    fn undo(&mut self, number: u64) -> Result<Entry, Refused> {
        let at = self.in_force.iter().position(|entry| entry.number == number).ok_or_else(|| {
            error(&format!("Nothing was written: no entry {number} is in force. --list shows what is."))
        })?;
        Ok(self.in_force.remove(at))
    }

    /// A document that every isolate takes for newer than the one before, and than one that was
    /// lost.
    fn document(&self, version: u64, milliseconds: u64) -> Result<String, Refused> {
        let text = List::document(milliseconds.max(version + 1), self.next, &self.in_force);
        if List::read(&text).is_none() {
            return Err(full(&self.in_force));
        }
        Ok(text)
    }
}

fn full(entries: &[Entry]) -> Refused {
    let first = entries.iter().min_by_key(|entry| entry.until);
    let first = first.map(|entry| format!(" The first to end is {}.", entry.number)).unwrap_or_default();
    error(&format!(
        "Nothing was written: the list is full ({} entries and {} KiB at most).{first} \
         Undo some, or revoke --all tokens of an issuer in their place.",
        limits::REVOCATIONS,
        limits::REVOCATIONS_BYTES / 1024
    ))
}

fn unreadable() -> Refused {
    error(
        "Nothing was written: what KV holds under this name is no list that this version reads. \
         docs/revocation.md says what to do.",
    )
}

/// A time of RFC 3339, rounded up to a whole second.
fn time(text: &str, now: Seconds) -> Result<Seconds, Refused> {
    let wrong = || misuse("--before takes a time of RFC 3339 from 1970 on, such as 2026-01-31T12:00:00Z.");
    let whole =
        settings::seconds_of(text).and_then(|seconds| u64::try_from(seconds).ok()).ok_or_else(wrong)?;
    let fraction = text.split_once('.').map(|(_, rest)| rest).unwrap_or_default();
    let is_more = fraction.chars().take_while(char::is_ascii_digit).any(|digit| digit != '0');
    let time = whole + u64::from(is_more);
    if time > now + limits::REVOKE_AHEAD {
        return Err(misuse(
            "--before is more than a day ahead: tokens that are issued until then would be refused.",
        ));
    }
    Ok(time)
}

/// `90m`, `12h` or `30d`, in seconds.
fn duration(text: &str) -> Result<Seconds, Refused> {
    let unit = [("m", 60), ("h", 3600), ("d", 86_400)];
    let read = unit.into_iter().find_map(|(unit, seconds)| {
        let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<Seconds>().ok()?.checked_mul(seconds)
    });
    read.filter(|seconds| limits::REVOKE_FOR.contains(seconds)).ok_or_else(|| {
        misuse("--for takes a number of minutes, hours or days, such as 90m, 12h or 30d: 1m to 3650d.")
    })
}

fn misuse(sentence: &str) -> Refused {
    Refused::Misuse(sentence.to_owned())
}

fn error(text: &str) -> Refused {
    Refused::Error(text.to_owned())
}
