//! What rules say of methods and names.

/// A JSON-RPC method, or with `*` at its end all that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MethodPattern {
    Exact(String),
    Prefix(String),
}

impl MethodPattern {
    /// `None`: empty, or a `*` elsewhere than at the end.
    pub fn new(text: &str) -> Option<Self> {
        let (start, is_prefix) = text.strip_suffix('*').map_or((text, false), |start| (start, true));
        let sound =
            !text.is_empty() && !start.contains('*') && start.bytes().all(|b| matches!(b, 0x21..=0x7e));
        let start = start.to_owned();
        sound.then_some(if is_prefix { Self::Prefix(start) } else { Self::Exact(start) })
    }

    pub fn matches(&self, method: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == method,
            Self::Prefix(start) => method.starts_with(start.as_str()),
        }
    }
}

/// A name in which each `*` stands for any characters, or none. Case counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    Exact(String),
    /// What stands before, between and after the stars.
    Glob {
        start: String,
        middle: Vec<String>,
        end: String,
    },
}

impl NamePattern {
    /// `None`: empty.
    pub fn new(text: &str) -> Option<Self> {
        let mut parts = text.split('*').map(str::to_owned);
        let start = parts.next().filter(|_| !text.is_empty())?;
        let mut middle: Vec<String> = parts.collect();
        Some(match middle.pop() {
            None => Self::Exact(start),
            Some(end) => Self::Glob { start, middle, end },
        })
    }

    /// Whether there is no name that it does not match.
    pub fn matches_all(&self) -> bool {
        match self {
            Self::Exact(_) => false,
            Self::Glob { start, middle, end } => {
                start.is_empty() && end.is_empty() && middle.iter().all(String::is_empty)
            }
        }
    }

    /// Each part is looked for once, from left to right, so no pattern and no name makes this
    /// expensive.
    #[inline(never)]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Glob { start, middle, end } => {
                let between =
                    name.strip_prefix(start.as_str()).and_then(|rest| rest.strip_suffix(end.as_str()));
                let rest = middle.iter().try_fold(between, |rest, part| {
                    let rest = rest?;
                    Some(rest.split_once(part.as_str()).map(|(_, rest)| rest))
                });
                matches!(rest, Some(Some(_)))
            }
        }
    }
}
