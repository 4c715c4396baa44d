//! A deployment behind Cloudflare Access, which answers before the Worker does: whoever has no
//! credential, and discovery.

use mcp_edge_auth::json;
use mcp_edge_auth::refusal::{Detail, Refusal};

use super::deployment::{Deployment, location};
use super::exchange::{Network, Response};
use super::report::Report;

/// Where managed OAuth describes the authorization server that Access is then.
const DISCOVERY: &str = "/.well-known/oauth-authorization-server";
const MANAGED: &str = "turn on Managed OAuth in the Access application (Advanced settings): without it MCP clients have nothing to log in with, and only browsers and service tokens get in";

pub(crate) async fn check(deployment: &Deployment<'_>, network: &Network, report: &mut Report) {
    challenge(deployment, network, report).await;
    discovery(deployment, network, report).await;
}

/// What a request without a credential is answered.
async fn challenge(deployment: &Deployment<'_>, network: &Network, report: &mut Report) {
    const CHECK: &str = "deployment.access";
    let endpoint = deployment.endpoint();
    let response = match deployment.post(&endpoint, None, None, network).await {
        Ok(response) => response,
        Err(failure) => {
            let says = format!("{endpoint} does not answer: {failure}");
            return report.fail(CHECK, says, "is it deployed at this address?");
        }
    };
    let to_login = response.header("location").contains(".cloudflareaccess.com/");
    match response.status {
        401 if is_own(deployment, &response) => report.fail(
            CHECK,
            format!("{endpoint} is answered by the Worker itself: Access is not in front of it"),
            "nobody gets in there: does the Access application have this host and path, and does no other route, no workers.dev address and no preview URL lead to the Worker?",
        ),
        401 if !response.all("www-authenticate").is_empty() => {
            report.ok(CHECK, format!("Access answers {endpoint}, and tells clients where to log in"));
        }
        300..=399 if to_login => {
            report.warn(CHECK, format!("Access answers {endpoint} with a redirect to its login page"), MANAGED);
        }
        401 | 403 => {
            report.warn(CHECK, format!("{endpoint} answers {} before the Worker does", response.status), MANAGED);
        }
        status => report.fail(
            CHECK,
            format!("{endpoint}: expected Access to refuse, found {status}{}", location(&response)),
            "a request without a credential reaches something: is the Access application for this host and path?",
        ),
    }
}

/// Whether an answer is the Worker's own refusal.
fn is_own(deployment: &Deployment<'_>, response: &Response) -> bool {
    let own =
        Refusal::AccessAssertionMissing.answer(Some(&deployment.resource.challenges), &Detail::default());
    own.body.as_deref() == Some(response.body.as_str())
        && own.header("WWW-Authenticate") == Some(response.header("www-authenticate").as_str())
}

/// Where clients learn how to log in: Access itself answers there, not the Worker.
async fn discovery(deployment: &Deployment<'_>, network: &Network, report: &mut Report) {
    const CHECK: &str = "deployment.metadata";
    let url = format!("{}{DISCOVERY}", deployment.base);
    let response = match network.get(&url).await {
        Ok(response) => response,
        Err(failure) => return report.fail(CHECK, format!("{url} does not answer: {failure}"), MANAGED),
    };
    let document = json::object(response.body.as_bytes()).filter(|_| response.status == 200);
    let has = |name: &str| document.as_ref().is_some_and(|document| document.contains_key(name));
    if has("authorization_endpoint") && has("token_endpoint") {
        report.ok(CHECK, format!("Access itself answers discovery, at {url}"));
    } else {
        let says = format!("{url} answers {}{}, and tells of no login", response.status, location(&response));
        report.warn(CHECK, says, MANAGED);
    }
}
