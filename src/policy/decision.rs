//! A decision from outside: what a policy decision point is asked, and what its answer means
//! (AuthZEN Authorization API 1.0, Access Evaluation).
//!
//! 1. It is asked after the rules have said yes and no limit was exceeded, so it can only close.
//! 2. Each message that it is about is a question of its own, and all have to be answered with yes.
//! 3. Arguments are passed on as they are written. Where some reader could find others than it is
//!    told of, nobody is asked, and the message is refused.
//! 4. An answer is a JSON object with a boolean `decision` and no member twice, with status 200.
//!    All else is none, and `on_error` says what comes of it.

use serde_json::{Value, json};

use super::arguments;
use super::operation::Operation;
use super::pattern::{MethodPattern, NamePattern};
use crate::json::{Document, Node};
use crate::limits;
use crate::refusal::Refusal;
use crate::token::verify::Verified;

/// `decide`.
#[derive(Clone, Debug)]
pub struct Decide {
    /// By which it is reached; none: by the public network.
    pub binding: Option<String>,
    pub url: String,
    /// None: every method.
    pub methods: Option<Vec<MethodPattern>>,
    /// None: every name, and what has none.
    pub names: Option<Vec<NamePattern>>,
    /// Whether it is told the arguments.
    pub arguments: bool,
    /// Whether no answer is a yes.
    pub lets_through: bool,
    pub milliseconds: u64,
}

/// What is asked of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    action: String,
    kind: &'static str,
    /// None: the server's own.
    id: Option<String>,
    properties: Value,
    /// As they are written.
    arguments: Option<String>,
}

/// What comes of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Permit,
    /// With the reason that is given for it.
    Deny(Option<String>),
    /// There is no answer, and why.
    Unknown(String),
}

impl Decide {
    fn is_about(&self, operation: &Operation<'_>) -> bool {
        operation.is_among(self.methods.as_deref(), self.names.as_deref())
    }

    /// What is asked about these operations. `body`: where they are from, if they are from one.
    ///
    /// # Errors
    /// Readers could find different arguments; or there are too many.
    pub(super) fn questions(
        &self,
        operations: &[Operation<'_>],
        body: Option<&[u8]>,
    ) -> Result<Vec<Question>, Refusal> {
        let written = match body.filter(|_| self.arguments) {
            Some(body) => arguments::written(body),
            None => Vec::new(),
        };
        let mut questions = Vec::new();
        for (at, operation) in operations.iter().enumerate().filter(|(_, one)| self.is_about(one)) {
            let arguments = match written.get(at) {
                Some(written) => written.map_err(|()| Refusal::MessageInvalid)?,
                None => None,
            };
            questions.push(Question::new(operation, arguments));
        }
        // Who asks for so much at once could otherwise see to it that not all of it is answered.
        if questions.len() > limits::DECISIONS {
            return Err(Refusal::MessageInvalid);
        }
        Ok(questions)
    }
}

impl Question {
    fn new(operation: &Operation<'_>, arguments: Option<&str>) -> Self {
        // A response has no method.
        let action = operation.method.unwrap_or("POST");
        let [first, second] = operation.names;
        let kind = match action {
            "tools/call" => "tool",
            "prompts/get" => "prompt",
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => "resource",
            _ => "mcp_server",
        };
        let (id, properties) = match kind {
            "mcp_server" => (None, json!({ "name": first, "uri": second })),
            _ => (first.map(str::to_owned), Value::Null),
        };
        Self { action: action.to_owned(), kind, id, properties, arguments: arguments.map(str::to_owned) }
    }

    /// The request of the evaluation, at the server with this canonical URL.
    pub fn evaluation(&self, server: &str, verified: Option<&Verified>) -> String {
        let client = verified.and_then(Verified::client_id);
        let subject = match verified.map(|verified| verified.permit().identity()) {
            Some(identity) => without_nulls(json!({
                "type": "user",
                "id": identity.subject(),
                "properties": without_nulls(json!({ "issuer": identity.issuer(), "client": client })),
            })),
            None => json!({ "type": "anonymous", "id": "anonymous" }),
        };
        let resource = without_nulls(json!({
            "type": self.kind,
            "id": self.id.as_deref().unwrap_or(server),
            "properties": without_nulls(self.properties.clone()),
        }));
        let scopes: Vec<&str> = verified.map(|verified| verified.scopes().collect()).unwrap_or_default();
        let context = without_nulls(json!({ "resource": server, "scopes": scopes, "client": client }));
        let mut text = format!(
            r#"{{"subject":{subject},"action":{},"resource":{resource},"context":{context}"#,
            json!({ "name": self.action })
        );
        if let Some(arguments) = &self.arguments {
            text.pop(); // the context's own end
            text.push_str(r#","arguments":"#);
            text.push_str(arguments);
            text.push('}');
        }
        text.push('}');
        text
    }
}

/// An object without what is null in it; null, if nothing else is.
fn without_nulls(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
        if members.is_empty() {
            return Value::Null;
        }
    }
    value
}

impl Verdict {
    /// What an answer means. `body`: none, if it is larger than it may be.
    pub fn read(status: u16, body: Option<Vec<u8>>) -> Self {
        if status != 200 {
            return Self::Unknown(format!("status {status}"));
        }
        let Some(body) = body else { return Self::Unknown("an answer of more than 64 KiB".to_owned()) };
        let document = Document::read(body);
        match document.as_ref().and_then(|answer| Some((answer, answer.get("decision")?))) {
            Some((_, Node::Bool(true))) => Self::Permit,
            Some((answer, Node::Bool(false))) => Self::Deny(reason(answer)),
            _ => Self::Unknown("an answer that is no evaluation".to_owned()),
        }
    }
}

/// Why not, in the decision point's own words: for administrators, if it has some for them. A text,
/// or the first one of an object of several.
fn reason(answer: &Document) -> Option<String> {
    let Some(Node::Object(context)) = answer.get("context") else { return None };
    ["reason_admin", "reason", "reason_user"].into_iter().find_map(|name| {
        let (_, said) = context.into_iter().find(|(member, _)| *member == name)?;
        let text = match said {
            Node::String(text) => Some(text),
            Node::Object(texts) => texts.values().find_map(Node::as_str),
            _ => None,
        };
        text.map(str::to_owned)
    })
}

/// What all of them come to: why it is refused, and what was said of it. A no comes before what is
/// not known. `asked`: of how many questions; one without a verdict is no yes.
pub fn outcome(verdicts: &[Verdict], asked: usize, lets_through: bool) -> (Option<Refusal>, Option<&str>) {
    if verdicts.len() != asked {
        return (Some(Refusal::DecisionUnavailable), Some("not as many answers as questions"));
    }
    let denied = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Deny(reason) => Some((Some(Refusal::DecisionDenied), reason.as_deref())),
        _ => None,
    });
    let unknown = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Unknown(why) if lets_through => Some((None, Some(why.as_str()))),
        Verdict::Unknown(why) => Some((Some(Refusal::DecisionUnavailable), Some(why.as_str()))),
        _ => None,
    });
    denied.or(unknown).unwrap_or_default()
}
