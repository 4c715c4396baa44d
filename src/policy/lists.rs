//! Lists without what the caller could not call: `tools/list`, `prompts/list`, `resources/list` (`filter_lists`).
//!
//! 1. Only the items go; every other byte of the answer stays, cursors included. In streams a byte
//!    order mark goes, too (`events`).
//! 2. A list is told by its shape, so it is found in a batch and in a stream that is taken up again, too.
//! 3. What cannot be read cannot be filtered, and is not let through.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::message::Messages;
use super::{Caller, Operation, Policy};
use crate::json::reader::{Read, Seed, Skip, Text, members};

/// An answer that is no JSON without ambiguities.
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

/// One caller's way of seeing lists.
#[derive(Clone, Copy, Debug)]
pub struct Sieve<'s> {
    pub policy: &'s Policy,
    pub caller: &'s Caller<'s>,
}

impl Sieve<'_> {
    fn keeps(&self, list: &List, name: &str) -> bool {
        let operation = Operation { method: Some(list.called_by), names: [Some(name), None] };
        self.policy.judge(self.caller, &[operation]).is_ok()
    }

    /// A JSON answer, filtered; borrowed if there was nothing to remove.
    ///
    /// # Errors
    /// It is not JSON that all readers read alike.
    pub fn json<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, Unreadable> {
        let mut json = serde_json::Deserializer::from_str(text);
        let mut cuts = Vec::new();
        Seed(Answer { sieve: self, text, cuts: &mut cuts }).deserialize(&mut json).map_err(|_| Unreadable)?;
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

struct Answer<'a, 't> {
    sieve: &'a Sieve<'a>,
    text: &'t str,
    cuts: &'a mut Vec<Cut<'t>>,
}

impl<'t> Read<'t> for Answer<'_, 't> {
    type Value = ();

    fn other(self) {}

    fn array<A: SeqAccess<'t>>(self, mut array: A) -> Result<(), A::Error> {
        let Self { sieve, text, cuts } = self;
        while array.next_element_seed(Seed(Answer { sieve, text, cuts }))?.is_some() {}
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
    sieve: &'a Sieve<'a>,
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
    sieve: &'a Sieve<'a>,
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
