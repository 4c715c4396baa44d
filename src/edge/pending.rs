//! Requests that wait for the runtime or for an issuer: a bounded list, the oldest first.

use crate::limits;

/// A number that no other request of the isolate has, not even one of an instance of the wasm
/// module before this one: a verdict must never meet another request's token.
pub(super) type RequestId = f64;

/// Requests at one stage of their way.
pub(super) struct Pending<T>(Vec<(RequestId, T)>);

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pending<T> {
    /// Keeps a request until `take`. If there are too many like it, the oldest of them is given up.
    pub(super) fn keep(&mut self, id: RequestId, request: T, is_alike: impl Fn(&T) -> bool) {
        if self.0.len() >= limits::PENDING {
            let mut alike = self.0.iter().enumerate().filter(|(_, (_, other))| is_alike(other));
            let oldest = alike.next().map(|(at, _)| at);
            if let Some(oldest) = oldest.filter(|_| alike.count() + 1 >= limits::PENDING) {
                self.0.remove(oldest);
            }
        }
        self.0.push((id, request));
    }

    /// Keeps a request for which there is a place, until `take`.
    pub(super) fn keep_in_place(&mut self, id: RequestId, request: T) {
        self.0.push((id, request));
    }

    /// Whether there are fewer than `limit` like the one that is to come. Before there are not,
    /// those that are lost are given up.
    pub(super) fn has_place(
        &mut self,
        limit: usize,
        is_alike: impl Fn(&T) -> bool,
        is_lost: impl Fn(&T) -> bool,
    ) -> bool {
        let alike = |list: &[(RequestId, T)]| list.iter().filter(|(_, other)| is_alike(other)).count();
        if alike(&self.0) >= limit {
            self.0.retain(|(_, other)| !is_lost(other));
        }
        alike(&self.0) < limit
    }

    /// The request with this number, no longer kept.
    pub(super) fn take(&mut self, id: RequestId) -> Option<T> {
        let at = self.0.iter().rposition(|(other, _)| *other == id)?;
        Some(self.0.remove(at).1)
    }
}
