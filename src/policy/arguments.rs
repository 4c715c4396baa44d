//! The arguments of a call, held against what rules demand of them.
//!
//! 1. They are read only of a call that a rule demands something of, from the body that `message`
//!    has taken: it is JSON, and no member occurs twice in it.
//! 2. A path leads through objects, by one member for each of its names. Where some reader could
//!    find another value there, the demand is not met: where a name is written in another case, or
//!    with its dots within one member, or where something else than an object is on the way.
//!    Whoever is told all arguments is told none in which two members of an object are one to a
//!    reader that does not look at case.
//! 3. Numbers are compared as they are written, whatever their length. None is accepted that some
//!    readers take for another one.
//! 4. A pattern accepts no text in which some reader of paths could see a step up, or an end.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess};
use serde_json::Value;
use serde_json::value::RawValue;

use super::demands::{Accepted, Condition, MemberDemand};
use super::folding::{folded, folds_into};
use super::numbers::Decimal;
use super::pattern::NamePattern;
use crate::http::path::may_step_up;
use crate::json::reader::{Read, Seed, Text};
use crate::limits;

/// Whose arguments are judged.
#[derive(Clone, Copy, Debug)]
pub enum Arguments<'b> {
    /// Nobody's: it is asked what may be called, whatever the arguments.
    Aside,
    /// Those in a body that `message::read` has taken. Its messages are the operations, in order.
    Of(&'b [u8]),
}

/// What a rule demands of an argument in one of the messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'r> {
    pub(super) message: usize,
    pub(super) rule: usize,
    pub(super) demand: &'r MemberDemand,
}

/// The first of these that is not met.
#[inline(never)]
pub(super) fn first_unmet<'r>(body: &[u8], asked: &[Asked<'r>]) -> Option<Asked<'r>> {
    let mut found = vec![Found::Unsure; asked.len()];
    for (at, message) in messages(body).into_iter().enumerate() {
        let of_it = asked.iter().enumerate().filter(|(_, one)| one.message == at);
        let wanted: Vec<Wanted<'_>> = of_it.map(|(index, one)| (index, one.demand.path.as_str())).collect();
        if !wanted.is_empty() && message.starts_with('{') {
            look_into(message, &wanted, &mut found);
        }
    }
    asked.iter().zip(&found).find(|(one, found)| !found.meets(&one.demand.condition)).map(|(one, _)| *one)
}

/// The arguments of each message, as they are written; none, or an error where readers could
/// disagree.
#[inline(never)]
pub(super) fn written(body: &[u8]) -> Vec<Result<Option<&str>, ()>> {
    let arguments = |message| {
        let mut found = [Found::Unsure];
        look(message, &[(0, "params.arguments")], &mut found);
        match found {
            [Found::Unsure] => Err(()),
            [Found::Nothing] => Ok(None),
            [Found::Value(value)] if are_ambiguous(value) => Err(()),
            [Found::Value(value)] => Ok(Some(value)),
        }
    };
    messages(body).into_iter().map(arguments).collect()
}

/// Whether some reader could take a member for another one of its object.
fn are_ambiguous(arguments: &str) -> bool {
    let Ok(arguments) = serde_json::from_str::<Value>(arguments) else { return true };
    let mut open = vec![&arguments];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                let mut names: BTreeSet<Cow<'_, str>> = BTreeSet::new();
                if !members.keys().all(|name| names.insert(Cow::Owned(folded(name).collect()))) {
                    return true;
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
    false
}

/// The messages of a body, each as it is written.
fn messages(body: &[u8]) -> Vec<&str> {
    let text = str::from_utf8(body).unwrap_or_default().trim_ascii();
    if !text.starts_with('[') {
        return vec![text];
    }
    let mut messages = Vec::new();
    if read(text, Reader::Batch(&mut messages)) { messages } else { Vec::new() }
}

/// Where what is found is to be noted, and the path to it.
type Wanted<'r> = (usize, &'r str);

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
enum Found<'t> {
    /// Readers could disagree, or it was not looked for.
    Unsure,
    Nothing,
    /// It, as it is written.
    Value(&'t str),
}

impl Found<'_> {
    fn meets(self, condition: &Condition) -> bool {
        match (condition, self) {
            (Condition::Present(is_wanted), Found::Nothing) => !is_wanted,
            (Condition::Present(is_wanted), Found::Value(value)) => *is_wanted && value != "null",
            (condition, Found::Value(value)) => {
                Argument::read(value).is_some_and(|argument| argument.meets(condition))
            }
            _ => false,
        }
    }
}

fn look_into<'t>(message: &'t str, wanted: &[Wanted<'_>], found: &mut [Found<'t>]) {
    let mut arguments = [Found::Unsure];
    look(message, &[(0, "params.arguments")], &mut arguments);
    match arguments {
        [Found::Value(arguments)] => look(arguments, wanted, found),
        [other] => note(wanted, other, found),
    }
}

/// Follows paths from a value. What is on the way is an object; or null, in which nobody finds
/// anything. Some servers read a text for the JSON in it, and members of arrays for members of
/// their own.
fn look<'t>(value: &'t str, wanted: &[Wanted<'_>], found: &mut [Found<'t>]) {
    let is_object = value.starts_with('{');
    note(wanted, if is_object || value == "null" { Found::Nothing } else { Found::Unsure }, found);
    if is_object && !read(value, Reader::Object(wanted, &mut *found)) {
        note(wanted, Found::Unsure, found);
    }
}

fn note<'t>(wanted: &[Wanted<'_>], what: Found<'t>, found: &mut [Found<'t>]) {
    for (index, _) in wanted {
        if let Some(found) = found.get_mut(*index) {
            *found = what;
        }
    }
}

/// Reads an object or an array of a text that is known to be JSON. It is one reader for both, since
/// the code of each is large.
enum Reader<'a, 'r, 't> {
    /// In which these paths begin, and where what they lead to is noted.
    Object(&'a [Wanted<'r>], &'a mut [Found<'t>]),
    /// Of which the messages are noted.
    Batch(&'a mut Vec<&'t str>),
}

fn read<'t>(text: &'t str, reader: Reader<'_, '_, 't>) -> bool {
    Seed(reader).deserialize(&mut serde_json::Deserializer::from_str(text)).is_ok()
}

impl<'t> Read<'t> for Reader<'_, '_, 't> {
    type Value = ();

    fn other(self) {}

    fn array<A: SeqAccess<'t>>(self, mut array: A) -> Result<(), A::Error> {
        let Self::Batch(messages) = self else { return Err(A::Error::custom("no array is looked into")) };
        while let Some(message) = array.next_element::<&'t RawValue>()? {
            messages.push(message.get());
        }
        Ok(())
    }

    fn object<A: MapAccess<'t>>(self, mut object: A) -> Result<(), A::Error> {
        let Self::Object(wanted, found) = self else { return Err(A::Error::custom("a batch is an array")) };
        let (mut count, mut below, mut unsure) = (0, Vec::new(), Vec::new());
        // No name occurs twice: `message` has seen to it.
        while let Some(Some(name)) = object.next_key_seed(Seed(Text))? {
            count += 1;
            if count > limits::ARGUMENT_MEMBERS {
                return Err(A::Error::custom("too many members"));
            }
            let value = object.next_value::<&'t RawValue>()?.get();
            let mut deeper = Vec::new();
            for one in wanted {
                match Step::of(&name, one.1) {
                    Step::Elsewhere => {}
                    Step::There => note(&[*one], Found::Value(value), found),
                    Step::Below(rest) => deeper.push((one.0, rest)),
                    Step::Unsure => unsure.push(*one),
                }
            }
            if !deeper.is_empty() {
                below.push((value, deeper));
            }
        }
        for (value, deeper) in below {
            look(value, &deeper, found);
        }
        note(&unsure, Found::Unsure, found);
        Ok(())
    }
}

/// Where a member leads that is met on the way along a path.
enum Step<'r> {
    Elsewhere,
    There,
    /// To an object in which the rest of the path begins.
    Below(&'r str),
    /// Some reader takes it for what the path names, and others do not.
    Unsure,
}

impl<'r> Step<'r> {
    fn of(name: &str, path: &'r str) -> Self {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        if name == first {
            rest.map_or(Self::There, Self::Below)
        } else if folds_into(name, path) {
            Self::Unsure
        } else {
            Self::Elsewhere
        }
    }
}

/// An argument of a type that conditions are for.
enum Argument {
    Text(String),
    Number(Decimal),
    Bool(bool),
}

impl Argument {
    /// `None`: of another type, or a number that readers take for different ones.
    fn read(json: &str) -> Option<Self> {
        match json.as_bytes().first()? {
            b'"' => serde_json::from_str(json).ok().map(Self::Text),
            b'-' | b'0'..=b'9' => Decimal::new(json).filter(Decimal::is_exact).map(Self::Number),
            b't' | b'f' => Some(Self::Bool(json == "true")),
            _ => None,
        }
    }

    fn meets(&self, condition: &Condition) -> bool {
        match (condition, self) {
            (Condition::OneOf(accepted), argument) => accepted.iter().any(|one| argument.is(one)),
            (Condition::Within { min, max }, Self::Number(number)) => {
                min.as_ref().is_none_or(|min| number.compare(min.decimal()).is_ge())
                    && max.as_ref().is_none_or(|max| number.compare(max.decimal()).is_le())
            }
            (Condition::MaxLength(most), Self::Text(text)) => text.chars().count() <= *most,
            _ => false,
        }
    }

    fn is(&self, accepted: &Accepted) -> bool {
        match (accepted, self) {
            (Accepted::Text(pattern), Self::Text(text)) => {
                pattern.matches(text) && (matches!(pattern, NamePattern::Exact(_)) || !may_step_up(text))
            }
            (Accepted::Number(accepted), Self::Number(number)) => accepted.decimal() == number,
            (Accepted::Bool(accepted), Self::Bool(choice)) => accepted == choice,
            _ => false,
        }
    }
}
