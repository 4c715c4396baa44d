//! What was found, one line each, as it is found.

use serde::Serialize;

/// A line of the report.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Line<'l> {
    pub level: &'l str,
    pub check: &'l str,
    pub says: &'l str,
    /// What can be done about it; may be empty where the finding says it.
    pub todo: &'l str,
}

pub struct Report {
    tell: Box<dyn FnMut(&Line<'_>)>,
    failed: bool,
}

impl Report {
    pub fn new(tell: impl FnMut(&Line<'_>) + 'static) -> Self {
        Self { tell: Box::new(tell), failed: false }
    }

    pub const fn has_failed(&self) -> bool {
        self.failed
    }

    pub(crate) fn ok(&mut self, check: &str, says: impl Into<String>) {
        self.line("ok", check, &says.into(), "");
    }

    /// `todo`: what can be done about it; may be empty where the finding says it.
    pub(crate) fn warn(&mut self, check: &str, says: impl Into<String>, todo: impl Into<String>) {
        self.line("warn", check, &says.into(), &todo.into());
    }

    pub(crate) fn fail(&mut self, check: &str, says: impl Into<String>, todo: impl Into<String>) {
        self.failed = true;
        self.line("FAIL", check, &says.into(), &todo.into());
    }

    /// `ok`, or a failure.
    pub(crate) fn check(
        &mut self,
        good: bool,
        check: &str,
        says: impl Into<String>,
        todo: impl Into<String>,
    ) {
        if good { self.ok(check, says) } else { self.fail(check, says, todo) }
    }

    fn line(&mut self, level: &str, check: &str, says: &str, todo: &str) {
        (self.tell)(&Line { level, check, says, todo });
    }
}
