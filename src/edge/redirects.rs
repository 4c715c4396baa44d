//! Redirects of the origin's, as clients get them.

use std::cell::RefCell;

use url::Url;

use super::events;
use super::exchange::Exchange;
use crate::origin::request;
use crate::resource::Resource;

thread_local! {
    /// The canonical URLs of resources whose origin was seen to redirect elsewhere.
    static SAID: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

const LOCATION: &str = "Location";

/// The header of a redirect to a place below the origin's URL, so that it leads to its public
/// address: clients do not reach the origin itself. Another redirect passes, and the log says so
/// once.
pub(super) fn relocated(exchange: &Exchange, resource: &'static Resource) -> Option<String> {
    let sent = exchange.response().headers().get(LOCATION).ok()??;
    // What is no URL is no place below the origin's either.
    let url = Url::parse(&exchange.target()).and_then(|asked| asked.join(&sent)).ok()?;
    let origin = Url::parse(&resource.origin_url).ok()?;
    let public = request::relocated(resource.canonical.public(), origin.as_str(), url.as_str());
    let to = url.origin().ascii_serialization();
    if public.is_none() && to != resource.canonical.origin() {
        log_redirect(resource, &to);
    }
    Some([LOCATION, &public?].join("\n"))
}

/// Says once per resource that its origin sends clients elsewhere. `to`: scheme and host.
fn log_redirect(resource: &'static Resource, to: &str) {
    let canonical = resource.canonical.as_str();
    let is_new = SAID.with_borrow_mut(|said| {
        let is_new = !said.contains(&canonical);
        if is_new {
            said.push(canonical);
        }
        is_new
    });
    if is_new {
        events::redirect(canonical, to);
    }
}
