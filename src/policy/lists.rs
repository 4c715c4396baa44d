//! Lists without what the caller could not call: `tools/list`, `prompts/list`, `resources/list`
//! (`filter_lists`).
//!
//! 1. Only the items go; every other byte of the answer stays, cursors included. In streams a byte
//!    order mark goes, too (`events`).
//! 2. A list is told by its shape, so it is found in a batch and in a stream that is taken up
//!    again, too.
//! 3. What cannot be read cannot be filtered, and is not let through: neither a text that readers
//!    could disagree about, nor an answer of a type that is not read.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::arguments::Arguments;
use super::caller::Caller;
use super::message::Messages;
use super::operation::Operation;
use super::rules::Policy;
use crate::json::reader::{Read, Seed, Skip, Text, members};
use crate::limits;

/// An answer, or an event of one, that clients could read otherwise than it was filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

struct List {
    asked_by: &'static str,
    /// The member of the result.
    member: &'static str,
    /// The member of an item that names it, and the method that it is for.
    key: &'static str,
    called_by: &'static str,
}

const LISTS: [List; 3] = [
    List { asked_by: "tools/list", member: "tools", key: "name", called_by: "tools/call" },
    List { asked_by: "prompts/list", member: "prompts", key: "name", called_by: "prompts/get" },
    List { asked_by: "resources/list", member: "resources", key: "uri", called_by: "resources/read" },
];

/// Whether one of the messages asks for a list.
pub fn asked_for(messages: &Messages<'_>) -> bool {
    let methods = || messages.all.iter().filter_map(|message| message.method.as_deref());
    LISTS.iter().any(|list| methods().any(|method| method == list.asked_by))
}

/// How a successful answer is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Events,
    /// A 202: the answer comes another way. Some servers say so in a word: "Accepted".
    Receipt,
    /// It cannot be filtered, and passes only if there is nothing in it.
    Nothing,
}

const ACCEPTED: u16 = 202;
/// From here on, an answer is a part of one, or several in one.
const PARTIAL_CONTENT: u16 = 206;

/// How a successful answer is filtered. Errors and redirects are not: clients take no list from
/// them.
pub fn form(status: u16, content_type: Option<&str>, content_encoding: Option<&str>) -> Form {
    // The runtime decodes these two, and leaves the header as it was.
    let is_decoded = matches!(content_encoding.unwrap_or_default(), "" | "identity" | "gzip" | "br");
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let media_type = media_type(&content_type).filter(|_| is_decoded && status < PARTIAL_CONTENT);
    match media_type {
        Some("application/json") => Form::Json,
        Some(other) if other.ends_with("+json") => Form::Json,
        Some("text/event-stream") => Form::Events,
        _ if status == ACCEPTED => Form::Receipt,
        _ => Form::Nothing,
    }
}

/// The media type, if all clients see the same one: two headers arrive as one with a comma in it,
/// of which a client may take either, and some clients decode a stream by its charset.
fn media_type(content_type: &str) -> Option<&str> {
    let mut parts = content_type.split(';').map(|part| part.trim_matches([' ', '\t']));
    let media_type = parts.next().filter(|media_type| !media_type.contains(','))?;
    let is_utf8 = |part| matches!(part, "" | "charset=utf-8" | "charset=\"utf-8\"" | "charset=utf8");
    parts.all(is_utf8).then_some(media_type)
}

impl Form {
    /// Bytes that are read of an answer.
    pub const fn limit(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Json | Self::Events | Self::Receipt => limits::LIST_BYTES,
        }
    }
}

/// One caller's way of seeing lists.
#[derive(Clone, Copy, Debug)]
pub struct ListFilter<'s> {
    pub policy: &'s Policy,
    pub caller: &'s Caller<'s>,
}

impl ListFilter<'_> {
    /// An answer that was read whole, filtered.
    ///
    /// # Errors
    /// It cannot be filtered.
    pub fn whole(&self, form: Form, bytes: Vec<u8>) -> Result<Vec<u8>, Unreadable> {
        match form {
            _ if bytes.is_empty() => Ok(bytes),
            Form::Json => {
                let text = str::from_utf8(&bytes).map_err(|_| Unreadable)?;
                Ok(self.json(text)?.into_owned().into_bytes())
            }
            Form::Receipt if bytes.is_ascii() && !bytes.contains(&b'{') => Ok(bytes),
            Form::Receipt | Form::Events | Form::Nothing => Err(Unreadable),
        }
    }

    fn keeps(&self, list: &List, name: &str) -> bool {
        let operation =
            Operation { method: Some(list.called_by), names: [Some(name), None], has_odd_name: false };
        self.policy.authorize(self.caller, &[operation], Arguments::Aside).is_ok()
    }

    /// A JSON answer, filtered; borrowed if there was nothing to remove.
    ///
    /// # Errors
    /// It is not JSON that all readers read alike.
    pub fn json<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, Unreadable> {
        let mut json = serde_json::Deserializer::from_str(text);
        let mut cuts = Vec::new();
        Seed(ListAnswer { sieve: self, text, cuts: &mut cuts })
            .deserialize(&mut json)
            .map_err(|_| Unreadable)?;
        json.end().map_err(|_| Unreadable)?;
        let mut filtered = String::new();
        let mut from = 0;
        for Cut { start, end, kept } in cuts {
            filtered.push_str(text.get(from..start).unwrap_or_default());
            filtered.push_str(&kept.join(","));
            from = end;
        }
        if from == 0 {
            return Ok(Cow::Borrowed(text));
        }
        filtered.push_str(text.get(from..).unwrap_or_default());
        Ok(Cow::Owned(filtered))
    }
}

/// Items that go: what stands from the first item of a list to its last, and what of it stays.
struct Cut<'t> {
    start: usize,
    end: usize,
    kept: Vec<&'t str>,
}

struct ListAnswer<'a, 't> {
    sieve: &'a ListFilter<'a>,
    text: &'t str,
    cuts: &'a mut Vec<Cut<'t>>,
}

impl<'t> Read<'t> for ListAnswer<'_, 't> {
    type Value = ();

    fn other(self) {}

    fn array<A: SeqAccess<'t>>(self, mut array: A) -> Result<(), A::Error> {
        let Self { sieve, text, cuts } = self;
        while array.next_element_seed(Seed(ListAnswer { sieve, text, cuts }))?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'t>>(self, object: A) -> Result<(), A::Error> {
        let Self { sieve, text, cuts } = self;
        members(object, |name, object| match name {
            "result" => object.next_value_seed(Seed(Outcome { sieve, text, cuts })),
            _ => object.next_value_seed(Seed(Skip)),
        })
    }
}

struct Outcome<'a, 't> {
    sieve: &'a ListFilter<'a>,
    text: &'t str,
    cuts: &'a mut Vec<Cut<'t>>,
}

impl<'t> Read<'t> for Outcome<'_, 't> {
    type Value = ();

    fn other(self) {}

    fn object<A: MapAccess<'t>>(self, object: A) -> Result<(), A::Error> {
        let Self { sieve, text, cuts } = self;
        members(object, |name, object| match LISTS.iter().find(|list| list.member == name) {
            Some(list) => {
                cuts.extend(object.next_value_seed(Seed(Items { sieve, text, list }))?);
                Ok(())
            }
            None => object.next_value_seed(Seed(Skip)),
        })
    }
}

struct Items<'a, 't> {
    sieve: &'a ListFilter<'a>,
    text: &'t str,
    list: &'static List,
}

impl<'t> Read<'t> for Items<'_, 't> {
    /// None: nothing goes.
    type Value = Option<Cut<'t>>;

    fn other(self) -> Self::Value {
        None
    }

    fn array<A: SeqAccess<'t>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let (mut start, mut end) = (None, 0);
        let mut kept = Vec::new();
        let mut all = true;
        while let Some(item) = array.next_element::<&'t RawValue>()? {
            let json = item.get();
            let at = json.as_ptr() as usize - self.text.as_ptr() as usize;
            start.get_or_insert(at);
            end = at + json.len();
            let name = Seed(Item(self.list)).deserialize(item).map_err(serde::de::Error::custom)?;
            if name.is_some_and(|name| self.sieve.keeps(self.list, &name)) {
                kept.push(json);
            } else {
                all = false;
            }
        }
        Ok(start.filter(|_| !all).map(|start| Cut { start, end, kept }))
    }
}

/// The name of an item. One without a name could not be called.
struct Item(&'static List);

impl<'t> Read<'t> for Item {
    type Value = Option<Cow<'t, str>>;

    fn other(self) -> Self::Value {
        None
    }

    fn object<A: MapAccess<'t>>(self, object: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        members(object, |name, object| {
            if name == self.0.key {
                found = object.next_value_seed(Seed(Text))?;
                Ok(())
            } else {
                object.next_value_seed(Seed(Skip))
            }
        })?;
        Ok(found)
    }
}
