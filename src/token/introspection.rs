//! Asking an authorization server about a token (RFC 7662): what is sent, and how an answer is
//! read.
//!
//! 1. Only the one server is asked that the entry names, and only about tokens that are no compact
//!    JWS, or about JWTs of its own that were verified here (`jwts`).
//! 2. The server says `active` with a boolean, or it has said nothing. An answer in which a member
//!    name occurs twice is none.
//! 3. A signed answer (RFC 9701) is this entry's issuer's, and for this client. What it says of the
//!    token is read as the same answer without a signature would be.
//! 4. Whether an active token opens this resource is for `claims` to say.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::json::{self, Document, Node};
use crate::limits::Seconds;
use crate::secret::Secret;

/// How an entry's authorization server is asked about tokens.
#[derive(Clone, Debug)]
pub struct Introspection {
    /// None: where the issuer's metadata says.
    pub url: Option<String>,
    /// The Worker's own name at the authorization server.
    pub client_id: Option<String>,
    /// None: the method needs none, or it cannot be seen where the settings are read.
    pub client_secret: Option<Secret<String>>,
    /// The variable that has it.
    pub secret_name: Option<String>,
    pub auth_method: AuthMethod,
    /// The service binding by which the server is reached; none: by the public network.
    pub binding: Option<String>,
    /// How long its word on an active token may serve again.
    pub cache_seconds: Seconds,
    /// Whether it is asked about JWTs, too.
    pub jwts: bool,
    /// The member that names the subject; none: as the entry's rules have it.
    pub subject: Option<String>,
}

/// How the Worker says who it is (RFC 7662 section 2.1, RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    Basic,
    Post,
    None,
}

impl AuthMethod {
    pub const NAMES: &'static [&'static str] = &["client_secret_basic", "client_secret_post", "none"];

    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "client_secret_basic" => Some(Self::Basic),
            "client_secret_post" => Some(Self::Post),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// What is asked for. A server may answer with RFC 9701's type all the same.
pub const ACCEPT: &str = "application/json";

/// The type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The parts of a request that differ. Nobody prints them.
pub struct Request {
    /// A form: the token, and the credentials if they go there.
    pub body: Secret<String>,
    /// `Authorization`.
    pub authorization: Option<Secret<String>>,
}

impl Introspection {
    /// Asks about a token.
    pub fn request(&self, token: &str) -> Request {
        let id = self.client_id.as_deref().unwrap_or_default();
        let secret = self.client_secret.as_ref().map_or("", |secret| secret.expose());
        let mut body = format!("token={}&token_type_hint=access_token", encoded(token));
        let mut authorization = None;
        match self.auth_method {
            AuthMethod::Basic => {
                // RFC 6749 section 2.3.1: both are encoded first, as in a form.
                let pair = STANDARD.encode([&encoded(id), ":", &encoded(secret)].concat());
                authorization = Some(Secret::new(["Basic ", &pair].concat()));
            }
            AuthMethod::Post => {
                body.push_str(&format!("&client_id={}&client_secret={}", encoded(id), encoded(secret)));
            }
            AuthMethod::None if !id.is_empty() => body.push_str(&format!("&client_id={}", encoded(id))),
            AuthMethod::None => {}
        }
        Request { body: Secret::new(body), authorization }
    }
}

/// A value of a form, as the URL standard writes it.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What an authorization server says of a token.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is good there; what else the server says of it.
    Active(Rc<Document>),
    Inactive,
}

/// What came of asking.
#[derive(Clone, Debug)]
pub enum Told {
    /// The answer is remembered.
    Remembered(Answer),
    /// A body of a good answer.
    Json(Vec<u8>),
    /// The same in RFC 9701's type.
    Signed(Vec<u8>),
    /// There is no answer, and this is why.
    Nothing(String),
    /// Nobody was asked; seconds after which the token may come again.
    NotAsked(Seconds),
}

impl Told {
    /// An answer of the server, by its status, its `Content-Type` and its body, of which there is
    /// none if it is too large. Status 0: no answer has come.
    pub fn of(status: u16, content_type: &str, body: Option<Vec<u8>>) -> Self {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match (status, body) {
            (200, Some(body)) if media_type.eq_ignore_ascii_case(SIGNED) => Self::Signed(body),
            (200, Some(body)) => Self::Json(body),
            (200, None) => Self::Nothing("larger than 64 KiB".to_owned()),
            (0, _) => Self::Nothing("unreachable, or no answer within 5 s".to_owned()),
            (401, _) => {
                Self::Nothing("status 401: it does not accept the credentials of the entry".to_owned())
            }
            (300..=399, _) => Self::Nothing(format!("status {status}, a redirect, which is not followed")),
            (status, _) => Self::Nothing(format!("status {status}")),
        }
    }
}

/// RFC 9701 section 5.
const SIGNED: &str = "application/token-introspection+jwt";

/// Reads an answer (RFC 7662 section 2.2).
///
/// # Errors
/// Why it says nothing.
pub fn read(json: Vec<u8>) -> Result<Answer, &'static str> {
    let document = Document::read(json).ok_or("no JSON object, or one in which a name occurs twice")?;
    match document.get("active") {
        Some(Node::Bool(true)) => Ok(Answer::Active(Rc::new(document))),
        Some(Node::Bool(false)) => Ok(Answer::Inactive),
        _ => Err("active is neither true nor false"),
    }
}

/// Reads a signed answer whose signature is its issuer's (RFC 9701 section 5).
///
/// # Errors
/// Why it says nothing.
pub fn read_signed(claims: &Document, issuer: &str, client_id: Option<&str>) -> Result<Answer, &'static str> {
    if claims.get("iss").and_then(Node::as_str) != Some(issuer) {
        return Err("a signed answer whose iss is not the issuer of the entry");
    }
    let is_for = |aud: Node<'_>| aud.as_str().is_some_and(|aud| Some(aud) == client_id);
    let is_ours = match claims.get("aud") {
        Some(Node::Array(all)) => all.values().any(is_for),
        Some(one) => is_for(one),
        None => false,
    };
    if !is_ours {
        return Err("a signed answer whose aud is not client_id");
    }
    // Written anew, since a document is the whole of its text.
    let claims = json::object(claims.json().as_bytes()).unwrap_or_default();
    let said = claims.get("token_introspection").filter(|said| said.is_object());
    let said = said.ok_or("a signed answer without token_introspection")?;
    read(said.to_string().into_bytes())
}
