//! A token's authorization server is asked about it, in the Worker's own words.

use mcp_edge_auth::keys::discovery;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::introspection::{self, ACCEPT, Answer, AuthMethod, FORM, Introspection, Told};
use mcp_edge_auth::token::jose;
use mcp_edge_auth::token::trusted_issuer::TrustedIssuer;

use super::exchange::{Network, Request};
use super::report::Report;

const CHECK: &str = "token.introspection";

/// What the server says of the token; none where it is not asked about such a token, or where this
/// program cannot ask.
pub(crate) async fn ask(
    resource: &Resource,
    token: &str,
    network: &Network,
    report: &mut Report,
) -> Option<Told> {
    let entry = resource.entries.iter().find(|entry| entry.introspection.is_some())?;
    let asking = entry.introspection.as_deref()?;
    let is_its_jwt = || jose::parse(token).is_ok_and(|jwt| jwt.issuer() == Some(&entry.rules.issuer));
    let is_asked_about = jose::is_opaque(token) || (asking.jwts && is_its_jwt());
    if !is_asked_about {
        return None;
    }
    if asking.auth_method != AuthMethod::None && asking.client_secret.is_none() {
        let name = asking.secret_name.as_deref().unwrap_or_default();
        report.warn(
            CHECK,
            format!("{} is not asked: the secret {name} is not seen here", entry.rules.issuer),
            "write it into .dev.vars, and say --dev-vars",
        );
        return None;
    }
    let told = match endpoint(entry, asking, network).await {
        Ok(url) => asked(&url, asking, token, network).await,
        Err(why) => Told::Nothing(why),
    };
    tell(&told, report);
    Some(told)
}

/// Where it is asked.
async fn endpoint(
    entry: &TrustedIssuer,
    asking: &Introspection,
    network: &Network,
) -> Result<String, String> {
    if let Some(url) = &asking.url {
        return Ok(url.clone());
    }
    let issuer = &entry.rules.issuer;
    let mut gave = Vec::new();
    for url in discovery::metadata_urls(issuer) {
        let found = network.document(&url).await.and_then(|text| {
            discovery::introspection_endpoint(&text, issuer).map_err(|unusable| unusable.reason().to_owned())
        });
        match found {
            Ok(endpoint) => return Ok(endpoint),
            Err(reason) => gave.push((url, reason)),
        }
    }
    let misses = discovery::misses(gave.iter().map(|(url, reason)| (url.as_str(), reason.as_str())));
    Err(format!("no metadata of {issuer} leads to the endpoint ({misses})"))
}

async fn asked(url: &str, asking: &Introspection, token: &str, network: &Network) -> Told {
    let request = asking.request(token);
    let mut headers = vec![("accept", ACCEPT.to_owned()), ("content-type", FORM.to_owned())];
    headers.extend(request.authorization.map(|value| ("authorization", value.expose().clone())));
    let body = Some(request.body.expose().as_str());
    let place = url.split('?').next().unwrap_or_default();
    match network.send(&Request { method: "POST", url, headers, body }).await {
        Ok(response) => {
            let (status, kind) = (response.status, response.header("content-type"));
            let body = response.whole.then(|| response.body.into_bytes());
            match Told::of(status, &kind, body) {
                Told::Nothing(why) => Told::Nothing(format!("{place}: {why}")),
                told => told,
            }
        }
        Err(why) => Told::Nothing(format!("{place}: {why}")),
    }
}

fn tell(told: &Told, report: &mut Report) {
    let failed = match told {
        Told::Json(body) => match introspection::read(body.clone()) {
            Ok(Answer::Active(_)) => {
                return report.ok(CHECK, "the authorization server says that it is active");
            }
            Ok(Answer::Inactive) => {
                return report.fail(
                    CHECK,
                    "the authorization server says that it is not active",
                    "it is unknown there, expired or revoked, or this client may not ask about it: get a new one; if that is no better, look at what the client of the entry may do there",
                );
            }
            Err(why) => why,
        },
        Told::Signed(_) => return report.ok(CHECK, "the authorization server gives a signed answer"),
        Told::Nothing(why) => why,
        Told::Remembered(_) | Told::NotAsked(_) => return,
    };
    report.fail(
        CHECK,
        format!("the authorization server says nothing of it: {failed}"),
        "is the endpoint right, and may this client ask there (client_id, client_secret, auth_method)? Until then the Worker answers 503",
    );
}
