//! What was found, one line each, as it is found.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use mcp_edge_auth::plain;
use serde_json::json;

#[derive(Debug, Default)]
pub(crate) struct Report {
    failed: bool,
}

impl Report {
    pub(crate) fn ok(&mut self, check: &str, says: impl Into<String>) {
        line("ok", check, &says.into(), "");
    }

    /// `todo`: what can be done about it; may be empty where the finding says it.
    pub(crate) fn warn(&mut self, check: &str, says: impl Into<String>, todo: impl Into<String>) {
        line("warn", check, &says.into(), &todo.into());
    }

    pub(crate) fn fail(&mut self, check: &str, says: impl Into<String>, todo: impl Into<String>) {
        self.failed = true;
        line("FAIL", check, &says.into(), &todo.into());
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

    pub(crate) const fn exit_code(&self) -> ExitCode {
        if self.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

fn line(level: &str, check: &str, says: &str, todo: &str) {
    let line = json!({ "line": { "level": level, "check": check, "says": says, "todo": todo } });
    let _gone = writeln!(stdout(), "{}", plain::json(line.to_string()));
}
