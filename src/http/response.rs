//! An answer of the Worker's own, as plain data.

use std::borrow::Cow;

/// Status, headers and body. Header names are set once each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalResponse {
    pub status: u16,
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    pub body: Option<String>,
}

impl LocalResponse {
    /// A JSON answer that no cache keeps.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        let mut answer = Self::empty(status);
        answer.set("Content-Type", "application/json");
        answer.body = Some(body.into());
        answer
    }

    /// An answer without a body that no cache keeps.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: vec![("Cache-Control", Cow::Borrowed("no-store"))], body: None }
    }

    /// Sets a header, replacing one of that name.
    pub fn set(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.headers.retain(|(n, _)| *n != name);
        self.headers.push((name, value.into()));
    }

    /// The value of a header that was set.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }
}
