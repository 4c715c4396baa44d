//! A POST body, read just far enough to decide on: method, name, id, protocol version (JSON-RPC
//! 2.0; MCP 2026-07-28, basic).
//!
//! What is forwarded must say the same to every other reader, or it is not forwarded:
//!
//! 1. UTF-8, one JSON value and nothing after it, no member name twice at any depth: two readers
//!    may pick different ones of a pair.
//! 2. No member that differs from one of JSON-RPC's, or from `name` or `uri`, in case alone: some
//!    readers in Go and .NET take them for the same.
//! 3. `method` is a string, `params` an object; what `tools/call`, `prompts/get` and `resources/…`
//!    are about is a string.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::folding::folds_to;
use crate::json::reader::{Read, Seed, Skip, Text, members};
use crate::limits;

/// What a POST body says.
#[derive(Debug)]
pub struct Messages<'t> {
    /// At least one, and sound.
    pub all: Vec<Message<'t>>,
    /// An array of messages, as MCP 2025-03-26 has them.
    pub batch: bool,
}

/// A JSON-RPC request, notification or response.
#[derive(Debug, Default)]
pub struct Message<'t> {
    /// The JSON of a string or a number.
    pub id: Option<&'t str>,
    /// Whether it wants an answer: a notification has no id.
    pub has_id: bool,
    /// None: a response.
    pub method: Option<Cow<'t, str>>,
    name: Option<Cow<'t, str>>,
    uri: Option<Cow<'t, str>>,
    task_id: Option<Cow<'t, str>>,
    /// `params._meta["io.modelcontextprotocol/protocolVersion"]`.
    pub version: Option<Cow<'t, str>>,
    /// `params._meta.traceparent` (SEP-414), which may be anything.
    pub trace: Option<Cow<'t, str>>,
    /// `name` or `uri` is there, and is no string.
    odd_name: bool,
    unsound: bool,
}

/// Why a body cannot be decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable<'t> {
    /// Not JSON, or JSON that readers may disagree about.
    Json,
    /// Not a message of MCP, or more than a batch may hold; its id, if it has one.
    Message(Option<&'t str>),
}

/// The member of `params` that says what a method is about (MCP 2026-07-28, standard request
/// headers; SEP-2663 for tasks).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameParam {
    Name,
    Uri,
    TaskId,
}

impl NameParam {
    /// What `Mcp-Name` mirrors.
    pub fn mirrored(method: &str) -> Option<Self> {
        match method {
            "tools/call" | "prompts/get" => Some(Self::Name),
            "resources/read" => Some(Self::Uri),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some(Self::TaskId),
            _ => None,
        }
    }

    /// What a rule's `names` are held against, where the specification says which, and that it is
    /// there.
    fn named(method: &str) -> Option<Self> {
        match method {
            "resources/subscribe" | "resources/unsubscribe" => Some(Self::Uri),
            _ => Self::mirrored(method).filter(|source| *source != Self::TaskId),
        }
    }
}

impl Message<'_> {
    /// A member of `params`, if it is a string.
    pub fn member(&self, source: NameParam) -> Option<&str> {
        match source {
            NameParam::Name => self.name.as_deref(),
            NameParam::Uri => self.uri.as_deref(),
            NameParam::TaskId => self.task_id.as_deref(),
        }
    }

    /// What a rule's `names` are held against. A method that no specification knows may be about
    /// its `name` or its `uri`, so both count.
    pub fn names(&self) -> [Option<&str>; 2] {
        match self.method.as_deref().and_then(NameParam::named) {
            Some(source) => [self.member(source), None],
            None => [self.member(NameParam::Name), self.member(NameParam::Uri)],
        }
    }

    /// Whether it has a name that no rule can know. Where the specification says what a method is
    /// about, nothing else names it.
    pub fn has_odd_name(&self) -> bool {
        self.odd_name && self.method.as_deref().and_then(NameParam::named).is_none()
    }

    fn is_sound(&self) -> bool {
        let source = self.method.as_deref().and_then(NameParam::named);
        !self.unsound && source.is_none_or(|source| self.member(source).is_some())
    }
}

/// Reads a body.
///
/// # Errors
/// It cannot be decided on, and must not be forwarded.
pub fn read(body: &[u8]) -> Result<Messages<'_>, Unreadable<'_>> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Json)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let messages = Seed(Body).deserialize(&mut json).map_err(|_| Unreadable::Json)?;
    json.end().map_err(|_| Unreadable::Json)?;
    if let Some(unsound) = messages.all.iter().find(|message| !message.is_sound()) {
        return Err(Unreadable::Message(unsound.id));
    }
    if messages.all.is_empty() || messages.all.len() > limits::BATCH {
        return Err(Unreadable::Message(None));
    }
    Ok(messages)
}

const ENVELOPE: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];
const PARAMS: [&str; 4] = ["name", "uri", "taskId", "_meta"];
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const TRACE: &str = "traceparent";

struct Body;

impl<'t> Read<'t> for Body {
    type Value = Messages<'t>;

    fn other(self) -> Messages<'t> {
        Messages { all: vec![Envelope.other()], batch: false }
    }

    fn object<A: MapAccess<'t>>(self, object: A) -> Result<Messages<'t>, A::Error> {
        Ok(Messages { all: vec![Envelope.object(object)?], batch: false })
    }

    fn array<A: SeqAccess<'t>>(self, mut array: A) -> Result<Messages<'t>, A::Error> {
        let mut all = Vec::new();
        while let Some(message) = array.next_element_seed(Seed(Envelope))? {
            if all.len() <= limits::BATCH {
                all.push(message);
            }
        }
        Ok(Messages { all, batch: true })
    }
}

struct Envelope;

impl<'t> Read<'t> for Envelope {
    type Value = Message<'t>;

    fn other(self) -> Message<'t> {
        Message { unsound: true, ..Message::default() }
    }

    fn object<A: MapAccess<'t>>(self, object: A) -> Result<Message<'t>, A::Error> {
        let mut message = Message::default();
        let mut answers = false;
        members(object, |name, object| {
            match name {
                "id" => message.take_id(object.next_value()?)?,
                "method" => {
                    message.method = object.next_value_seed(Seed(Text))?;
                    message.unsound |= message.method.is_none();
                }
                "params" => object.next_value_seed(Seed(Params(&mut message)))?,
                other => {
                    answers |= matches!(other, "result" | "error");
                    message.unsound |= ENVELOPE.iter().any(|known| folds_to(other, known));
                    object.next_value_seed(Seed(Skip))?;
                }
            }
            Ok(())
        })?;
        message.unsound |= message.method.is_none() && !answers;
        Ok(message)
    }
}

impl<'t> Message<'t> {
    fn take_id<E: Error>(&mut self, id: &'t RawValue) -> Result<(), E> {
        let json = id.get();
        self.has_id = json != "null";
        match json.as_bytes().first() {
            Some(b'"' | b'-' | b'0'..=b'9') => {
                // A raw value is JSON by its grammar alone: half a surrogate pair would pass, and a
                // number that no reader can hold. So the id is read once more, as all else is.
                Seed(Skip).deserialize(id).map_err(E::custom)?;
                self.id = (json.len() <= limits::ECHOED_ID_BYTES).then_some(json)
            }
            _ => self.unsound |= self.has_id,
        }
        Ok(())
    }
}

struct Params<'m, 't>(&'m mut Message<'t>);

impl<'t> Read<'t> for Params<'_, 't> {
    type Value = ();

    fn other(self) {
        self.0.unsound = true;
    }

    /// As good as absent: some clients write it so.
    fn null(self) {}

    fn object<A: MapAccess<'t>>(self, object: A) -> Result<(), A::Error> {
        let Self(message) = self;
        members(object, |name, object| {
            match name {
                "name" => {
                    message.name = object.next_value_seed(Seed(Text))?;
                    message.odd_name |= message.name.is_none();
                }
                "uri" => {
                    message.uri = object.next_value_seed(Seed(Text))?;
                    message.odd_name |= message.uri.is_none();
                }
                "taskId" => message.task_id = object.next_value_seed(Seed(Text))?,
                "_meta" => object.next_value_seed(Seed(Meta(message)))?,
                other => {
                    message.unsound |= PARAMS.iter().any(|known| folds_to(other, known));
                    object.next_value_seed(Seed(Skip))?;
                }
            }
            Ok(())
        })
    }
}

struct Meta<'m, 't>(&'m mut Message<'t>);

impl<'t> Read<'t> for Meta<'_, 't> {
    type Value = ();

    fn other(self) {}

    fn object<A: MapAccess<'t>>(self, object: A) -> Result<(), A::Error> {
        let Self(message) = self;
        members(object, |name, object| {
            match name {
                VERSION => message.version = object.next_value_seed(Seed(Text))?,
                TRACE => message.trace = object.next_value_seed(Seed(Text))?,
                _ => object.next_value_seed(Seed(Skip))?,
            }
            Ok(())
        })
    }
}
