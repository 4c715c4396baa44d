//! An issuer's metadata, from the first of its places that has it.
//!
//! The places are asked in their order. One that does not answer in its share of the time is still
//! waited for while the next is asked: it may only be slow, and it may never answer.

use futures_util::future::{Either, select, select_all};
use web_sys::AbortSignal;

use super::clock::{now_milliseconds, pause};
use super::fetch;
use crate::keys::discovery::{self, Unusable};
use crate::limits;

/// What `read` takes from the document of one of the places; or else what each of them gave.
pub(super) async fn find(
    issuer: &str,
    deadline: &AbortSignal,
    read: &dyn Fn(&str) -> Result<String, Unusable>,
) -> Result<String, String> {
    let ask = async |url: String| match fetch::document(&url, deadline).await {
        Ok(document) => read(&document.text).map_err(|unusable| (url, unusable.reason().to_owned())),
        Err(failure) => Err((url, failure.reason())),
    };
    let places = discovery::metadata_urls(issuer);
    let mut misses = Vec::new();
    let mut asked = Vec::new();
    let mut rest = places.iter();
    let started = now_milliseconds();
    loop {
        asked.extend(rest.next().map(|url| Box::pin(ask(url.clone()))));
        if asked.is_empty() {
            break;
        }
        let is_last = rest.len() == 0;
        let share = match is_last {
            true => limits::DISCOVERY_MILLISECONDS.saturating_sub((now_milliseconds() - started) as u64),
            false => limits::PLACE_MILLISECONDS,
        };
        match select(select_all(asked), pause(share)).await {
            Either::Left(((Ok(found), ..), _)) => return Ok(found),
            Either::Left(((Err(miss), _, others), _)) => {
                misses.push(miss);
                asked = others;
            }
            Either::Right(_) if is_last => break,
            Either::Right((_, pending)) => asked = pending.into_inner(),
        }
    }
    Err(discovery::misses(places.iter().map(|url| {
        let miss = misses.iter().find(|(place, _)| place == url);
        (url.as_str(), miss.map_or("no answer in time", |(_, reason)| reason))
    })))
}
