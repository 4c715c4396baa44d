//! The decision on one request: what it asks for is read, and the policy is asked about it.

use std::mem;

use super::arguments::Arguments;
use super::caller::Caller;
use super::decision::Question;
use super::denial::Denial;
use super::limits::{self as counting, Answer, Count, Hit, Limit, Sender};
use super::message::{Message, Messages, Unreadable};
use super::mirror::StandardHeaders;
use super::operation::Operation;
use super::rules::{Mode, Policy};
use super::{lists, message};
use crate::http::cors;
use crate::http::trace::trace_id;
use crate::limits;
use crate::refusal::Refusal;
use crate::token::verify::Verified;

/// What MCP's Streamable HTTP uses. `HEAD` is none of them: servers answer it by carrying out a
/// `GET`.
const METHODS: [&str; 3] = ["GET", "POST", "DELETE"];

/// What a request asks for, as far as it was read.
#[derive(Clone, Copy, Debug)]
pub enum PolicyInput<'a> {
    /// A request whose body is not read.
    Head(Head<'a>),
    Body(Body<'a>),
}

/// A request by its method, and what else it brings that no rule would see.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    pub method: &'a str,
    /// Its `Upgrade` names WebSocket.
    pub websocket: bool,
    pub has_body: bool,
}

/// The body of a POST, and the headers that say something of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Body<'a> {
    /// `None`: larger than may be read.
    pub bytes: Option<&'a [u8]>,
    pub mirror: StandardHeaders<'a>,
    pub content_type: Option<&'a str>,
    pub content_encoding: Option<&'a str>,
}

/// What the rules permit, and what is still open: limits are to be counted, or somebody else is to
/// be asked. Only [`authorize`] gives one.
#[derive(Debug)]
pub struct Cleared {
    authorized: Authorized,
    /// Apart, since most requests have nothing of it.
    open: Option<Box<Open>>,
}

impl Cleared {
    /// The right to be forwarded, if nothing is open.
    ///
    /// # Errors
    /// Something is, and has to be asked first.
    pub fn authorized(self) -> Result<Authorized, Box<Self>> {
        match &self.open {
            Some(open) if open.is_something() => Err(Box::new(self)),
            _ => Ok(self.authorized),
        }
    }

    /// `None`: anonymous.
    pub const fn verified(&self) -> Option<&Verified> {
        self.authorized.verified()
    }

    /// Whether limits are to be counted: that comes first.
    pub fn is_to_be_counted(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.hits.is_empty())
    }

    /// What a policy decision point is to be asked, at the server with this canonical URL. It is
    /// told once: a call's arguments may be long, and are not kept while the request waits.
    pub fn evaluations(&mut self, server: &str) -> Vec<String> {
        let Some(open) = &mut self.open else { return Vec::new() };
        let questions = mem::take(&mut open.questions);
        open.asked = questions.len();
        questions.iter().map(|question| question.evaluation(server, self.authorized.verified())).collect()
    }

    /// How many questions wait for an answer.
    pub fn asked(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.asked)
    }

    /// Goes on with what it says. `refusal`: none for a yes.
    ///
    /// # Errors
    /// It is none; or limits were not counted yet, without which nobody is asked.
    pub fn decided(mut self, refusal: Option<Refusal>) -> Result<Authorized, Denial> {
        let Open { mode, id, hits, .. } = *self.open.take().unwrap_or_default();
        if let Some(refusal) = refusal {
            let denial = match (refusal, mode) {
                // Whoever logs in may get it.
                (Refusal::DecisionDenied, Mode::Enforce) if self.verified().is_none() => {
                    Refusal::CredentialsMissing.into()
                }
                _ => Denial { id, ..refusal.into() },
            };
            self.authorized.refuse(mode, denial)?;
        }
        if hits.is_empty() { Ok(self.authorized) } else { Err(Refusal::DecisionUnavailable.into()) }
    }

    /// What is to be counted, and by which binding.
    pub fn counts(&self, limits: &[Limit], sender: &Sender<'_>) -> Vec<Count> {
        self.open.as_ref().map(|open| counting::counts(limits, &open.hits, sender)).unwrap_or_default()
    }

    /// Lets go of what only `counts` needs: the names of tools may be long, and the request waits.
    pub fn forget_names(&mut self) {
        self.open.iter_mut().flat_map(|open| &mut open.hits).for_each(Hit::forget_tool);
    }

    /// Goes on with what the bindings say of these counts. No answers: nobody was asked, since too
    /// many requests wait for one. Whoever sends so many must not get past the limits for that.
    ///
    /// # Errors
    /// One of the limits is exceeded, or nobody was asked.
    pub fn counted(mut self, counts: &[Count], answers: &[Answer]) -> Result<Self, Denial> {
        let open = self.open.get_or_insert_default();
        open.hits.clear();
        let exceeded = match answers {
            [] => counts.first().map(Count::denial),
            _ => counting::exceeded(counts, answers),
        };
        if let Some(exceeded) = exceeded {
            let denial = Denial { id: open.id.clone(), ..exceeded };
            self.authorized.refuse(open.mode, denial)?;
        }
        Ok(self)
    }
}

/// What is asked after the rules have said yes.
#[derive(Debug, Default)]
struct Open {
    mode: Mode,
    /// The JSON of the request's id.
    id: Option<String>,
    hits: Vec<Hit>,
    questions: Vec<Question>,
    /// How many were told, and have not been answered.
    asked: usize,
}

impl Open {
    /// And whether all readers of the body find the same in what is asked.
    fn of(policy: &Policy, operations: &[Operation<'_>], body: Option<&[u8]>) -> (Self, Result<(), Refusal>) {
        let mut open = Self { mode: policy.mode, ..Self::default() };
        if !policy.limits.is_empty() {
            match counting::hits(&policy.limits, operations) {
                Ok(hits) => open.hits = hits,
                Err(refusal) => return (open, Err(refusal)),
            }
        }
        let Some(decide) = &policy.decide else { return (open, Ok(())) };
        match decide.questions(operations, body) {
            Ok(questions) => (Self { questions, ..open }, Ok(())),
            Err(refusal) => (open, Err(refusal)),
        }
    }

    const fn is_something(&self) -> bool {
        !(self.hits.is_empty() && self.questions.is_empty()) || self.asked > 0
    }
}

/// The right to be forwarded. Only a [`Cleared`] to which nothing is open becomes one.
#[derive(Debug)]
pub struct Authorized {
    verified: Option<Verified>,
    /// What report mode let through.
    pub would_refuse: Option<Box<Denial>>,
    /// Whether the answer may be a list to filter.
    pub lists: bool,
}

impl Authorized {
    /// `None`: anonymous.
    pub const fn verified(&self) -> Option<&Verified> {
        self.verified.as_ref()
    }

    /// Refuses after all, or remembers for the log that it would.
    fn refuse(&mut self, mode: Mode, denial: Denial) -> Result<(), Denial> {
        if mode == Mode::Enforce {
            return Err(denial);
        }
        self.would_refuse.get_or_insert_with(|| Box::new(denial));
        Ok(())
    }
}

/// What was asked for, for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RpcSummary {
    pub method: Option<String>,
    pub name: Option<String>,
    /// How many messages a batch has.
    pub batch: Option<usize>,
    /// The trace that the message names.
    pub trace: Option<String>,
}

/// Whether the body of a request with a good token has to be read before a decision.
pub fn reads_body(policy: &Policy, method: &str) -> bool {
    method == "POST" && policy.reads_bodies()
}

/// Decides. `verified` is `None` where no credential was sent, which only a policy with anonymous
/// methods lets come this far.
pub fn authorize(
    policy: Option<&Policy>,
    verified: Option<Verified>,
    asked: &PolicyInput<'_>,
) -> (RpcSummary, Result<Cleared, Denial>) {
    let Some(policy) = policy else {
        let authorized = Authorized { verified, would_refuse: None, lists: false };
        return match authorized.verified {
            Some(_) => (RpcSummary::default(), Ok(Cleared { authorized, open: None })),
            None => (RpcSummary::default(), Err(Refusal::CredentialsMissing.into())),
        };
    };
    let caller = verified.as_ref().map_or_else(Caller::nobody, Caller::new);
    let (heard, lists, open, judged) = match asked {
        PolicyInput::Head(asked) => {
            let operation = Operation { method: Some(asked.method), ..Operation::default() };
            let (open, _) = Open::of(policy, &[operation], None);
            (RpcSummary::default(), asked.method == "GET", open, head(policy, &caller, asked))
        }
        PolicyInput::Body(body) => match read(body) {
            Ok(messages) => {
                let operations: Vec<Operation<'_>> = messages.all.iter().map(Operation::of).collect();
                let (mut open, is_sure) = Open::of(policy, &operations, body.bytes);
                let judged = said(policy, &caller, &messages, &operations, body).and_then(|()| {
                    is_sure.map_err(|refusal| Denial { id: first_id(&messages), ..refusal.into() })
                });
                if open.is_something() {
                    open.id = first_id(&messages);
                }
                (heard(&messages), lists::asked_for(&messages), open, judged)
            }
            // What cannot be read cannot be on the list of what is anonymous.
            Err(_) if caller.is_nobody() => {
                let missing = Err(Refusal::CredentialsMissing.into());
                (RpcSummary::default(), false, Open::default(), missing)
            }
            // In report mode it counts as one message of no method.
            Err(unmet) => {
                let (open, _) = Open::of(policy, &[Operation::default()], None);
                (RpcSummary::default(), false, open, Err(unmet))
            }
        },
    };
    let would_refuse = match judged {
        Ok(()) => None,
        Err(unmet) if policy.mode == Mode::Report && unmet.refusal != Refusal::CredentialsMissing => {
            Some(Box::new(unmet))
        }
        Err(unmet) => return (heard, Err(unmet)),
    };
    let authorized = Authorized { verified, would_refuse, lists: lists && policy.filters() };
    let open = open.is_something().then(|| Box::new(open));
    (heard, Ok(Cleared { authorized, open }))
}

/// The JSON of the first id among messages.
fn first_id(messages: &Messages<'_>) -> Option<String> {
    messages.all.iter().find_map(|message| message.id).map(str::to_owned)
}

fn head(policy: &Policy, caller: &Caller<'_>, asked: &Head<'_>) -> Result<(), Denial> {
    if caller.is_nobody() {
        return Err(Refusal::CredentialsMissing.into());
    }
    // What a WebSocket carries no policy would see.
    if asked.websocket {
        return Err(Refusal::UpgradeNotAllowed.into());
    }
    if policy.reads_bodies() {
        // Only a POST's body is read, so no other request may bring one.
        if !METHODS.contains(&asked.method) {
            return Err(Refusal::MethodNotAllowed(cors::METHODS).into());
        }
        if asked.has_body {
            return Err(Refusal::BodyNotAllowed.into());
        }
    }
    // Without rules a POST's body is not read, and only what holds for every request is asked.
    let operation = Operation { method: Some(asked.method), ..Operation::default() };
    policy.authorize(caller, &[operation], Arguments::Aside)
}

fn read<'a>(body: &Body<'a>) -> Result<Messages<'a>, Denial> {
    is_json_text(body.content_type, body.content_encoding)?;
    let bytes = body.bytes.ok_or(Refusal::BodyTooLarge)?;
    message::read(bytes).map_err(|unreadable| match unreadable {
        Unreadable::Json => Refusal::BodyMalformed.into(),
        Unreadable::Message(id) => Denial { id: id.map(str::to_owned), ..Refusal::MessageInvalid.into() },
    })
}

fn said(
    policy: &Policy,
    caller: &Caller<'_>,
    messages: &Messages<'_>,
    operations: &[Operation<'_>],
    body: &Body<'_>,
) -> Result<(), Denial> {
    let id = || first_id(messages);
    let is_anonymous =
        |message: &Message<'_>| message.method.as_deref().is_some_and(|m| policy.is_anonymous(m));
    if caller.is_nobody() && !messages.all.iter().all(is_anonymous) {
        return Err(Refusal::CredentialsMissing.into());
    }
    body.mirror.check(messages).map_err(|refusal| Denial { id: id(), ..refusal.into() })?;
    let arguments = Arguments::Of(body.bytes.unwrap_or_default());
    policy.authorize(caller, operations, arguments).map_err(|unmet| match (unmet.refusal, policy.mode) {
        // Whoever logs in may get it, but not with these arguments.
        (refusal, Mode::Enforce) if caller.is_nobody() && refusal != Refusal::ArgumentNotMet => {
            Refusal::CredentialsMissing.into()
        }
        _ => Denial { id: id(), ..unmet },
    })
}

fn heard(messages: &Messages<'_>) -> RpcSummary {
    let all = messages.all.as_slice();
    // The query of a URI may hold a secret.
    let name = |message: &Message<'_>| {
        let name = message.names().into_iter().flatten().next();
        name.and_then(|name| name.split('?').next()).map(str::to_owned)
    };
    RpcSummary {
        method: listed(all.iter().filter_map(|message| message.method.as_deref().map(str::to_owned))),
        name: listed(all.iter().filter_map(name)),
        batch: messages.batch.then_some(all.len()),
        trace: all.iter().find_map(|message| message.trace.as_deref().and_then(trace_id)).map(str::to_owned),
    }
}

/// What the messages of a request say, each once, as far as it is logged: nothing is hidden behind
/// the first one.
fn listed(mut texts: impl Iterator<Item = String>) -> Option<String> {
    let mut listed = vec![texts.next()?];
    for text in texts {
        if !listed.contains(&text) && listed.len() < limits::LOGGED_NAME_CHARS {
            listed.push(text);
        }
    }
    Some(listed.join(", ").chars().take(limits::LOGGED_NAME_CHARS).collect())
}

/// Whether every reader of a body takes it for JSON, and its bytes as they are, for UTF-8. A form
/// hides another call from a reader of JSON, `charset=utf-7` hides one name behind another, and so
/// can a compressed body. So the type is `application/json`, with no parameter but the charset.
///
/// # Errors Some reader may take it for something else.
fn is_json_text(content_type: Option<&str>, content_encoding: Option<&str>) -> Result<(), Refusal> {
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let mut parts = content_type.split(';').map(|part| part.trim_matches([' ', '\t']));
    let (media_type, parameter, more) = (parts.next(), parts.next(), parts.next());
    if media_type != Some("application/json") || more.is_some() {
        return Err(Refusal::BodyNotJson);
    }
    let is_utf8 = match parameter {
        None => true,
        Some("charset=utf-8" | "charset=utf8" | "charset=\"utf-8\"" | "charset=\"utf8\"") => true,
        Some(other) if other.starts_with("charset") => false,
        Some(_) => return Err(Refusal::BodyNotJson),
    };
    let is_identity =
        content_encoding.is_none_or(|encoding| encoding.trim().eq_ignore_ascii_case("identity"));
    if is_utf8 && is_identity { Ok(()) } else { Err(Refusal::BodyEncoded) }
}
