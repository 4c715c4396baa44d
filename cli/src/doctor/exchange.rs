//! Requests and answers, through whoever can make them.

use std::future::Future;
use std::pin::Pin;

use mcp_edge_auth::json::{self, Object};
use mcp_edge_auth::keys::discovery;
use serde::{Deserialize, Serialize};

/// The answer to a request, as JSON; none where nobody is there to ask.
pub type Answering = Pin<Box<dyn Future<Output = Option<String>>>>;

/// One HTTP client for all: a request as JSON is made into its answer.
pub struct Network {
    exchange: Box<dyn Fn(String) -> Answering>,
}

/// A request. Redirects are not followed, 5 s are waited, 64 KiB are read: the Worker's own bounds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Request<'r> {
    pub(crate) method: &'r str,
    pub(crate) url: &'r str,
    pub(crate) headers: Vec<(&'r str, String)>,
    pub(crate) body: Option<&'r str>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Lines as they came, names in small letters.
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Whether that is all of it.
    pub(crate) whole: bool,
    /// Whether the body as it came is not UTF-8.
    #[serde(default)]
    garbled: bool,
    /// The address that answered.
    pub(crate) address: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Response(Response),
    Error { error: String },
}

impl Network {
    pub fn new(exchange: impl Fn(String) -> Answering + 'static) -> Self {
        Self { exchange: Box::new(exchange) }
    }

    /// The answer, or why there is none.
    pub(crate) async fn send(&self, request: &Request<'_>) -> Result<Response, String> {
        let request = serde_json::to_string(request).map_err(|error| error.to_string())?;
        let answer = (self.exchange)(request).await.ok_or("nobody answers")?;
        match serde_json::from_str(&answer) {
            Ok(Answer::Response(response)) => Ok(response),
            Ok(Answer::Error { error }) => Err(error),
            Err(error) => Err(format!("no answer: {error}")),
        }
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Response, String> {
        let headers = vec![("accept", discovery::ACCEPT.to_owned())];
        self.send(&Request { method: "GET", url, headers, body: None }).await
    }

    /// The document at a URL, on the Worker's terms.
    pub(crate) async fn document(&self, url: &str) -> Result<String, String> {
        let response = self.get(url).await?;
        match response.status {
            200 if !response.whole => Err("larger than 64 KiB".to_owned()),
            200 if response.garbled => Err("not UTF-8".to_owned()),
            200 => Ok(response.body),
            300..=399 => Err(format!("status {}, a redirect, which is not followed", response.status)),
            status => Err(format!("status {status}")),
        }
    }
}

impl Response {
    /// All lines of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A header, its lines joined.
    pub(crate) fn header(&self, name: &str) -> String {
        self.all(name).join(", ")
    }

    /// Whether a comma-separated header names this; case does not count.
    pub(crate) fn lists(&self, name: &str, word: &str) -> bool {
        self.header(name).split(',').any(|item| item.trim() == "*" || item.trim().eq_ignore_ascii_case(word))
    }

    pub(crate) fn object(&self) -> Option<Object> {
        json::object(self.body.as_bytes())
    }
}
