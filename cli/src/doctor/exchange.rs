//! Requests and answers, through whoever holds the other end of stdin and stdout.

use std::io::{BufRead as _, Lines, StdinLock, Write as _, stdin, stdout};

use mcp_edge_auth::json::{self, Object};
use mcp_edge_auth::keys::discovery;
use mcp_edge_auth::plain;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) struct Network {
    lines: Lines<StdinLock<'static>>,
}

/// A request. Redirects are not followed, 5 s are waited, 64 KiB are read: the Worker's own bounds.
#[derive(Clone, Debug)]
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
    pub(crate) fn new() -> Self {
        Self { lines: stdin().lock().lines() }
    }

    /// What comes first: the token, if there is one, and what was read of the deployment. `None`:
    /// nobody is there.
    pub(crate) fn given(&mut self) -> Option<(Option<String>, Value)> {
        let first: Value = serde_json::from_str(&self.lines.next()?.ok()?).ok()?;
        Some((first.get("token")?.as_str().map(str::to_owned), first.get("deployment")?.clone()))
    }

    /// The answer, or why there is none.
    pub(crate) fn send(&mut self, request: &Request<'_>) -> Result<Response, String> {
        let Request { method, url, headers, body } = request;
        let fetch = json!({ "fetch": { "method": method, "url": url, "headers": headers, "body": body } });
        let gone = || "nobody answers".to_owned();
        writeln!(stdout(), "{}", plain::json(fetch.to_string())).map_err(|_| gone())?;
        stdout().flush().map_err(|_| gone())?;
        let line = self.lines.next().and_then(Result::ok).ok_or_else(gone)?;
        match serde_json::from_str(&line) {
            Ok(Answer::Response(response)) => Ok(response),
            Ok(Answer::Error { error }) => Err(error),
            Err(error) => Err(format!("no answer: {error}")),
        }
    }

    pub(crate) fn get(&mut self, url: &str) -> Result<Response, String> {
        let headers = vec![("accept", discovery::ACCEPT.to_owned())];
        self.send(&Request { method: "GET", url, headers, body: None })
    }

    /// The document at a URL, on the Worker's terms.
    pub(crate) fn document(&mut self, url: &str) -> Result<String, String> {
        let response = self.get(url)?;
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
