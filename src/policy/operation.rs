//! What a request asks for, as rules and limits are held against it.

use super::message::Message;
use super::pattern::{MethodPattern, NamePattern};

/// What one message asks for, or a request without one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Operation<'m> {
    /// The JSON-RPC method; of a request that is no POST, the HTTP method. None: a response.
    pub method: Option<&'m str>,
    pub names: [Option<&'m str>; 2],
    /// It has another name, which is no text.
    pub has_odd_name: bool,
}

impl<'m> Operation<'m> {
    pub fn of(message: &'m Message<'_>) -> Self {
        Self {
            method: message.method.as_deref(),
            names: message.names(),
            has_odd_name: message.has_odd_name(),
        }
    }

    /// Whether it has one of these methods and one of these names. None: any, and none.
    pub(super) fn is_among(&self, methods: Option<&[MethodPattern]>, names: Option<&[NamePattern]>) -> bool {
        // A response has no method.
        let method = self.method.unwrap_or_default();
        methods.is_none_or(|methods| methods.iter().any(|one| one.matches(method)))
            && names.is_none_or(|patterns| {
                let mut names = self.names.iter().flatten();
                names.any(|name| patterns.iter().any(|one| one.matches(name)))
            })
    }
}
