//! What becomes of a client's first request with a token: the deployment's word on the token, and
//! the MCP server's answer behind it.

use mcp_edge_auth::origin::assertion::{Carrier, HEADER};
use mcp_edge_auth::resource::Resource;
use serde_json::Value;
use url::Url;

use super::deployment::{Deployment, base};
use super::exchange::{Network, Response};
use super::report::Report;
use super::token::Verdict;

const CHECK: &str = "deployment.token";

/// `verdict`: this program's word on the token.
pub(crate) async fn check(
    deployment: &Deployment<'_>,
    token: &str,
    verdict: Verdict,
    network: &Network,
    report: &mut Report,
) {
    let endpoint = deployment.endpoint();
    if !mcp_edge_auth::http::url::is_public_url(&endpoint) {
        return report.warn(
            CHECK,
            format!("the token is not sent to {endpoint}"),
            "http would tell it to everybody on the way",
        );
    }
    if verdict == Verdict::WantsProof {
        return report.warn(
            CHECK,
            format!("the token is not sent to {endpoint}"),
            "it has to be sent by DPoP, and only its client can make the proof: use that client",
        );
    }
    let resource = deployment.resource;
    let ask = |path: String| ask(deployment, path, token, network);
    let way = match ask(resource.canonical.path_as_set().to_owned()).await {
        Ok(way) => way,
        Err(failure) => {
            return report.fail(
                CHECK,
                format!("{endpoint} does not answer: {failure}"),
                "without a token it does: your server takes its time. After 10 s the log has a `waiting` line; the limit is ORIGIN_TIMEOUT_SECONDS",
            );
        }
    };
    let mut found = match refused(resource, &endpoint, &way.response, verdict) {
        Some((says, todo)) => return report.fail(CHECK, says, todo),
        None => origin(&format!("{endpoint} accepts the token"), &way),
    };
    let Some((spelling, other)) = other_spelling(resource) else { return found.tell(report) };
    let mut other = match ask(other).await {
        Ok(way) => origin(spelling, &way),
        Err(failure) => Found::new(Level::Fail, format!("{spelling}: no answer: {failure}"), ""),
    };
    match (found.level, other.level) {
        (Level::Fail, Level::Ok | Level::Followed) => {
            found.todo = format!("{spelling}, it answers: write the path of ORIGIN_URL so");
        }
        (Level::Ok | Level::Followed, Level::Fail) => {
            other.level = Level::Warn;
            other.todo =
                "clients that are given the address in this spelling cannot call: have your server take both"
                    .to_owned();
        }
        // Few clients write the address so; each of their requests may go twice.
        (Level::Ok | Level::Followed, Level::Followed) => other.level = Level::Ok,
        (Level::Ok | Level::Followed, _) => {}
        _ => return found.tell(report),
    }
    found.tell(report);
    other.tell(report);
}

/// The other spelling of the endpoint's path, if there is one, and what it is.
fn other_spelling(resource: &Resource) -> Option<(&'static str, String)> {
    let path = Some(resource.canonical.path()).filter(|path| !path.is_empty())?;
    Some(match resource.canonical.path_as_set() {
        set if set == path => ("with a trailing slash", format!("{path}/")),
        _ => ("without the trailing slash", path.to_owned()),
    })
}

/// An answer, and how a client came to it.
struct Way {
    response: Response,
    /// The redirects that were followed.
    followed: Vec<String>,
    /// Whether the answer leads back to where it was asked.
    is_circle: bool,
}

/// So many redirects are followed.
const REDIRECTS: usize = 5;

/// Asks as clients do. They follow a redirect that keeps method and host, and no other one (the
/// official SDKs for TypeScript, Python and Rust).
async fn ask(
    deployment: &Deployment<'_>,
    path: String,
    token: &str,
    network: &Network,
) -> Result<Way, String> {
    // What clients are given, wherever the deployment is looked at.
    let mut address = [deployment.resource.canonical.origin(), &path].concat();
    let mut asked = vec![format!("{}{path}", deployment.base)];
    let mut followed = Vec::new();
    loop {
        let url = asked.last().map_or("", String::as_str);
        let response = deployment.post(url, Some(token), None, network).await?;
        let location = response.header("location");
        let next = Url::parse(&address).and_then(|address| address.join(&location));
        let next = next.ok().filter(|next| {
            matches!(response.status, 307 | 308)
                && !location.is_empty()
                && [address.as_str(), &deployment.base].iter().any(|here| is_same_host(here, next))
        });
        let Some(mut next) = next else { return Ok(Way { response, followed, is_circle: false }) };
        next.set_fragment(None);
        let url = next.as_str().replacen(base(next.as_str()), &deployment.base, 1);
        if asked.contains(&url) || followed.len() == REDIRECTS {
            return Ok(Way { response, followed, is_circle: true });
        }
        followed.push(location);
        asked.push(url);
        address = next.into();
    }
}

fn is_same_host(here: &str, there: &Url) -> bool {
    Url::parse(here).is_ok_and(|here| here.origin() == there.origin())
}

/// The Worker's refusal, if it is one: what to say, and what to do.
fn refused(
    resource: &Resource,
    endpoint: &str,
    response: &Response,
    verdict: Verdict,
) -> Option<(String, String)> {
    let status = response.status;
    let own = error(response);
    let (says, todo) = match (status, own.as_deref()) {
        (401, _) => {
            let says = response.object().and_then(|o| Some(o.get("error_description")?.as_str()?.to_owned()));
            let todo = match verdict {
                Verdict::Accepted => {
                    "here it is accepted: the deployment has other settings, or an older key set (its log says the reason)"
                }
                _ => "as found above",
            };
            let says = says.unwrap_or_else(|| response.body.clone());
            (format!("{endpoint} refuses the token: {says}"), todo.to_owned())
        }
        (503, Some("temporarily_unavailable")) if response.all("retry-after").is_empty() => (
            format!("{endpoint} answers 503: the runtime did not sign what your server is to be told"),
            "its log says assertion_unsigned. If it goes on, deploy again, and look at MCP_SERVER_AUTH_ASSERTION_KEY"
                .to_owned(),
        ),
        (503, Some("temporarily_unavailable")) => {
            let asks = resource.entries.iter().any(|entry| entry.introspection.is_some());
            let (lacks, line) = match asks {
                true => ("no key set, or no word of the authorization server's", "`keys` or `introspection`"),
                false => ("no key set", "`keys`"),
            };
            (
                format!("{endpoint} answers 503: it has {lacks}"),
                format!("its log has a line {line} that says why"),
            )
        }
        _ if verdict == Verdict::Refused => (
            format!("{endpoint} answers {status} to a token that these settings refuse"),
            "the deployment has other settings, or this is not the Worker".to_owned(),
        ),
        (502, Some("bad_gateway")) => {
            let (does, todo) = unauthorized(resource);
            (
                format!("{endpoint} accepts the token, and your server cannot be reached from there, or {does} (502)"),
                format!("the log says which. origin_unreachable: is ORIGIN_URL right, and can it be reached from there? origin_unauthorized: {todo}"),
            )
        }
        (504, Some("gateway_timeout")) => (
            format!(
                "{endpoint} accepts the token, and your server did not begin to answer within {} s (504)",
                resource.origin_timeout
            ),
            "is it busy with what the log's `waiting` line names? For long jobs raise ORIGIN_TIMEOUT_SECONDS, or have it answer with an event stream".to_owned(),
        ),
        (403, Some("insufficient_scope")) if resource.policy.is_some() => (
            format!("{endpoint} accepts the token, and the policy wants scopes that it lacks (403)"),
            format!("grant the client what the challenge names: {}", response.header("www-authenticate")),
        ),
        (403, Some("forbidden")) if resource.policy.is_some() => (
            format!("{endpoint} accepts the token, and the policy refuses a client's first request (403)"),
            "the log says why: client_not_allowed, or the `rule` of rule_denies and claim_not_met".to_owned(),
        ),
        _ => return None,
    };
    Some((says, todo))
}

/// The `error` of an answer that may be the Worker's own: plain, or in a JSON-RPC error.
fn error(response: &Response) -> Option<String> {
    let object = response.object()?;
    let error = object.get("error")?;
    let error = error.as_str().or_else(|| error.pointer("/data/error")?.as_str())?;
    Some(error.to_owned())
}

/// What a server does that is not content with what the Worker shows it, and what it is to take.
fn unauthorized(resource: &Resource) -> (&'static str, String) {
    if let Some(assertion) = &resource.assertion {
        let header = match assertion.carrier {
            Carrier::Bearer => "Authorization: Bearer",
            Carrier::Header => HEADER,
        };
        return (
            "refuses the Worker's assertion",
            format!(
                "have it take the assertion in {header} with issuer {}, audience {}, key set {}{}; docs/assertions.md says what else it is to check",
                assertion.issuer,
                assertion.audiences.join(" or "),
                resource.canonical.origin(),
                mcp_edge_auth::paths::SIGNING_KEYS
            ),
        );
    }
    if resource.delivery.forwards_token {
        return (
            "refuses the client's token",
            "it gets the token of the client: is it to take this issuer and this audience, and has it their keys?"
                .to_owned(),
        );
    }
    if !resource.delivery.headers_text().is_empty() {
        return (
            "refuses the headers that the Worker sets",
            "is the secret in ORIGIN_HEADERS the one that it expects?".to_owned(),
        );
    }
    (
        "asks for a token itself",
        "let it trust the Worker, or tell it who calls with MCP_SERVER_AUTH_ASSERTION".to_owned(),
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    /// It is well at the end of a redirect.
    Followed,
    Warn,
    Fail,
}

/// A line of the report.
struct Found {
    level: Level,
    says: String,
    todo: String,
}

impl Found {
    fn new(level: Level, says: String, todo: &str) -> Self {
        Self { level, says, todo: todo.to_owned() }
    }

    fn tell(self, report: &mut Report) {
        match self.level {
            Level::Ok => report.ok(CHECK, self.says),
            Level::Followed | Level::Warn => report.warn(CHECK, self.says, self.todo),
            Level::Fail => report.fail(CHECK, self.says, self.todo),
        }
    }
}

/// What a client makes of the MCP server's answer to its first request. `lead`: how the sentence
/// begins.
fn origin(lead: &str, way: &Way) -> Found {
    let Way { response, followed, is_circle } = way;
    let status = response.status;
    let redirected = match followed.as_slice() {
        [] => String::new(),
        all => format!("redirects to {} and ", all.join(", then to ")),
    };
    let does = |does: &str| format!("{lead}; your server {redirected}{does}");
    match (message(response), status) {
        (Some(Message::Result), 200..=299) if followed.is_empty() => {
            Found::new(Level::Ok, does(&format!("answers {status}")), "")
        }
        (Some(Message::Result), 200..=299) => Found::new(
            Level::Followed,
            does(&format!("answers {status} there")),
            "clients follow it, each request twice: set ORIGIN_URL to where your server redirects to",
        ),
        (Some(Message::Error(error)), _) => Found::new(
            Level::Warn,
            does(&format!("answers `initialize` with an error ({status}): {error}")),
            "it speaks MCP, and not with every client: those of 2025-11-25 and before begin with `initialize`",
        ),
        (_, 300..=399) => Found::new(
            Level::Fail,
            does(&format!("redirects (status {status}) to {}", response.header("location"))),
            match status {
                _ if *is_circle => {
                    "that leads in a circle: set ORIGIN_URL to where your server redirects to, with or without the slash"
                }
                307 | 308 => {
                    "clients follow no redirect to another host, nor is a token to go there: set ORIGIN_URL to where the server really is"
                }
                _ => {
                    "clients follow no redirect that makes their POST a GET: set ORIGIN_URL to where the server really is"
                }
            },
        ),
        (_, 404) => Found::new(
            Level::Fail,
            does("answers 404"),
            "is the path of ORIGIN_URL that of its MCP endpoint?",
        ),
        (_, 405) => Found::new(
            Level::Fail,
            does("answers 405 to a POST"),
            "is the path of ORIGIN_URL that of its MCP endpoint, and does it speak Streamable HTTP (since 2025-03-26)?",
        ),
        (_, 421) => Found::new(
            Level::Fail,
            does("answers 421"),
            "it takes requests for other hosts only: have it allow the host of ORIGIN_URL",
        ),
        (_, 400..=499) => Found::new(
            Level::Fail,
            does(&format!("answers {status} to a client's first request")),
            "that is your server's own answer; its log says why",
        ),
        (_, 500..) => {
            Found::new(Level::Warn, does(&format!("answers {status}")), "that is your server's own answer")
        }
        _ => Found::new(
            Level::Fail,
            does(&format!("answers {status} with what is no MCP message ({})", kind(response))),
            "is the path of ORIGIN_URL that of its MCP endpoint?",
        ),
    }
}

/// A JSON-RPC response.
enum Message {
    Result,
    /// Code and message.
    Error(String),
}

/// The message in an answer, as far as it can be seen: an event stream has only begun.
fn message(response: &Response) -> Option<Message> {
    match kind(response).as_str() {
        "text/event-stream" => return Some(Message::Result),
        "application/json" if !response.whole => return Some(Message::Result),
        "application/json" => {}
        _ => return None,
    }
    let object = response.object()?;
    if object.get("jsonrpc")?.as_str() != Some("2.0") {
        return None;
    }
    if object.contains_key("result") {
        return Some(Message::Result);
    }
    let error = object.get("error")?;
    let part = |name: &str| error.get(name).map(Value::to_string).unwrap_or_default();
    Some(Message::Error(format!("{} {}", part("code"), part("message"))))
}

/// The media type, without parameters.
fn kind(response: &Response) -> String {
    let kind = response.header("content-type");
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind.is_empty() { "no Content-Type".to_owned() } else { kind }
}
