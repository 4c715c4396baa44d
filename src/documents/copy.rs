//! A copy of an authorization server's metadata (RFC 8414) at the resource's own host: what to do
//! with what an isolate holds of it, without I/O.
//!
//! | held | last fetch | next |
//! |---|---|---|
//! | fresh | any | serve |
//! | up to 24 h older | running, or failed and backing off | serve |
//! | older, or nothing | running | wait |
//! | older, or nothing | failed and backing off | unavailable |
//! | not fresh, or nothing | neither | fetch |
//!
//! 1. Whoever asks for it has no token: however many ask, the authorization server is asked once in
//!    10 minutes, or once in 15 s while that fails.
//! 2. It has nothing to do with the key sets, which are discovered by themselves.
//! 3. It is served byte for byte, and only if it names the issuer that was asked (RFC 8414 section
//!    3.3).

use std::rc::Rc;

use crate::http::cors;
use crate::http::response::LocalResponse;
use crate::limits::{self, Seconds};
use crate::refusal::{Detail, Refusal};

/// What an isolate knows of one issuer's metadata.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    held: Option<(Rc<str>, Seconds)>,
    last_fetch: Option<Fetch>,
}

#[derive(Clone, Copy, Debug)]
enum Fetch {
    Running { since: Seconds },
    Done,
    Failed { at: Seconds },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Serve(Rc<str>),
    /// Fetch now, and ask again.
    Fetch,
    /// Look again in a moment.
    Wait,
    /// Nothing to be had; seconds until the next fetch.
    Unavailable(Seconds),
}

impl Kept {
    /// The table above.
    pub fn next(&self, now: Seconds) -> Next {
        let younger = |than: Seconds| {
            let held = self.held.as_ref().filter(|(_, at)| now.saturating_sub(*at) < than);
            held.map(|(document, _)| Next::Serve(Rc::clone(document)))
        };
        let otherwise = match self.last_fetch {
            // One that runs for longer than it may take belonged to a request that was lost.
            Some(Fetch::Running { since }) if now.saturating_sub(since) <= limits::REFRESH_SECONDS => {
                Next::Wait
            }
            Some(Fetch::Failed { at }) if now.saturating_sub(at) < limits::RETRY => {
                Next::Unavailable((at + limits::RETRY).saturating_sub(now).min(limits::RETRY))
            }
            _ => return younger(limits::COPY_FRESH).unwrap_or(Next::Fetch),
        };
        younger(limits::COPY_FRESH + limits::STALE).unwrap_or(otherwise)
    }

    /// Written down before a fetch, so that concurrent requests do not start another one.
    pub fn fetch_started(&mut self, now: Seconds) {
        self.last_fetch = Some(Fetch::Running { since: now });
    }

    /// The fetch ended, with a document that `discovery::metadata` takes or without one.
    pub fn fetched(&mut self, document: Option<String>, now: Seconds) {
        self.last_fetch = Some(match document {
            Some(document) => {
                self.held = Some((document.into(), now));
                Fetch::Done
            }
            None => Fetch::Failed { at: now },
        });
    }
}

/// The answer: public, like the resource's own document. `Err`: seconds until it is worth asking
/// again.
pub fn answer(copy: Result<&str, Seconds>) -> LocalResponse {
    let mut answer = match copy {
        Ok(document) => {
            let mut answer = LocalResponse::json(200, document);
            answer.set("Cache-Control", format!("public, max-age={}", limits::COPY_FRESH));
            answer
        }
        Err(seconds) => Refusal::MetadataUnavailable(seconds).answer(None, &Detail::default()),
    };
    answer.set(cors::ALLOW_ORIGIN, "*");
    answer
}
