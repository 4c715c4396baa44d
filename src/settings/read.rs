//! The single form, or what one of several resources comes to.

use super::names::ORIGIN_MODE;
use super::variables::{self, Variables};
use super::{
    about, assertion, audit, authorization_servers, canonical, compatibility, dpop, logging, origin, origins,
};
use super::{policy, scopes, sessions, urls, warnings};
use crate::documents::{landing, metadata};
use crate::fault::{Fault, Faults};
use crate::keys::source::KeySource;
use crate::limits::{self, Seconds};
use crate::refusal::Challenges;
use crate::resource::{Config, Resource};
use crate::token::trusted_issuer::dpop_offer;

/// Reads it. Key sets are counted in `sources`, which the caller keeps. `has_binding`: whether its
/// origin is reached by one.
pub(super) fn of_one(
    variables: &Variables,
    has_binding: bool,
    sources: &mut Vec<KeySource>,
) -> Result<Config, Vec<Fault>> {
    let mut faults = Faults::default();
    variables.check_names(&mut faults);
    let canonical = canonical::read(variables, &mut faults);
    let entries = authorization_servers::read(variables, canonical.as_ref(), sources, &mut faults);
    let scopes_supported = scopes::read(variables, "SCOPES_SUPPORTED", &mut faults);
    let challenge_scopes = scopes::read(variables, "DEFAULT_CHALLENGE_SCOPES", &mut faults);
    let cache_ttl = cache_ttl(variables, &mut faults);
    let log_subject = about::switch(variables, "LOG_SUBJECT", false, &mut faults);
    let revocation = about::switch(variables, "REVOCATION", false, &mut faults);
    let logging = logging::read(variables, &mut faults);
    let pseudonyms = audit::read(variables, &mut faults);
    let request_ids = about::switch(variables, "REQUEST_ID", false, &mut faults);
    let behind_access = entries.iter().any(|entry| entry.from_access);
    let allowed_origins = origins::read(variables, canonical.as_ref(), behind_access, &mut faults);
    let origin_url = urls::read_origin_url(variables, &mut faults);
    let origin_timeout = origin::timeout(variables, &mut faults);
    if let (Some(canonical), Some(origin_url), false) = (&canonical, &origin_url, has_binding)
        && canonical.is_below(origin_url)
    {
        let expected = "an address other than the canonical URL and what is below it: that is the Worker itself, and requests would go in a loop";
        faults.add("ORIGIN_URL", "", expected);
    }
    let (assertion, signing) =
        assertion::read(variables, canonical.as_ref(), origin_url.as_deref(), &mut faults);
    let mut delivery = origin::read(variables, assertion.as_ref(), &mut faults);
    delivery.behind_access = behind_access;
    delivery.removes_access = behind_access;
    if behind_access && delivery.forwards_token {
        let expected = "remove: behind Cloudflare Access the client's token is not in Authorization";
        faults.add(ORIGIN_MODE, "", expected);
    }
    let (sessions, binds_sessions) = sessions::read(variables, &mut faults);
    let policy = policy::read(variables, &mut faults);
    let about = about::read(variables, &mut faults);
    let compatibility = compatibility::read(variables, &entries, &mut faults);
    let has_page = about::switch(variables, "LANDING_PAGE", true, &mut faults);
    let mut warnings = faults.into_result()?;
    // Without a fault, both are there.
    let (Some(canonical), Some(origin_url)) = (canonical, origin_url) else { return Err(Vec::new()) };
    warnings.extend(warnings::of_scopes(variables, policy.as_ref(), &scopes_supported, &challenge_scopes));
    let dpop = dpop_offer(&entries);
    let metadata = metadata::document(&canonical, &entries, &scopes_supported, &about, dpop.as_ref());
    let metadata_url = metadata.as_ref().map(|_| canonical.metadata_url());
    let unseen = [
        (assertion::KEY, assertion.is_some() && signing.is_none()),
        (sessions::KEY, binds_sessions && sessions.is_none()),
        (dpop::KEY, dpop::is_unseen(&entries)),
    ];
    let unseen = unseen.into_iter().filter(|(_, is)| *is).map(|(name, _)| name);
    let asking = entries.iter().filter_map(|entry| entry.introspection.as_deref());
    let named = asking.filter(|asking| asking.client_secret.is_none());
    let named = named.filter_map(|asking| asking.secret_name.as_deref());
    let unseen_secrets = unseen.chain(named).map(str::to_owned).collect();
    let page = has_page.then(|| landing::page(&canonical, &about, metadata_url.as_deref()));
    let mut challenges = Challenges::new(metadata_url, &challenge_scopes).with_dpop(dpop);
    if compatibility.invalid_token_challenge {
        challenges = challenges.with_entry_error();
    }
    let resource = Resource {
        index: 0,
        compatibility,
        page,
        challenges,
        canonical,
        nested: Vec::new(),
        entries,
        metadata,
        allowed_origins,
        policy,
        origin_url,
        origin_timeout,
        binding: None,
        is_default: true,
        binds_sessions,
        assertion,
        delivery,
    };
    Ok(Config {
        resources: vec![resource],
        by_host: false,
        behind_access,
        sources: Vec::new(),
        cache_ttl,
        log_subject,
        revocation,
        logging,
        request_ids,
        pseudonyms,
        signing,
        sessions,
        unseen_secrets,
        warnings,
    })
}

fn cache_ttl(variables: &Variables, faults: &mut Faults) -> Seconds {
    let found = variables.get("CACHE_TTL", faults);
    variables::seconds(found, limits::CACHE_TTL, limits::CACHE_TTL_DEFAULT, faults)
}
