//! Which requests the log has a line of.

/// What `MCP_SERVER_AUTH_LOG` and `MCP_SERVER_AUTH_LOG_SAMPLE` come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logging {
    pub lines: Lines,
    /// How large a part of the requests that were not refused has a line, from 0 to 1.
    pub sample: f64,
}

/// Of which kinds of requests there are lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    All,
    Refusals,
    None,
}

impl Logging {
    /// What it is where nothing is set.
    pub const ALL: Self = Self { lines: Lines::All, sample: 1.0 };

    /// Whether a request has a line. `refused`: or would have been, in report mode. `draw`: a
    /// random number from 0 to less than 1, which is asked for only where it decides.
    pub fn takes(&self, refused: bool, draw: impl FnOnce() -> f64) -> bool {
        match self.lines {
            Lines::None => false,
            Lines::All | Lines::Refusals if refused => true,
            Lines::Refusals => false,
            Lines::All => self.sample >= 1.0 || draw() < self.sample,
        }
    }
}
