//! Every setting, once: the readers take names, secrets and what may be empty from here, and
//! `schema` makes the JSON Schema of it.

use super::names::{self, bare};
use super::setting::{Form, Url};
use super::setting::{Place, Setting, Spelling, bare_variable, member, variable};
use crate::limits;
use crate::resource::compatibility::{ACCEPT, CHALLENGE, COPY};
use crate::token::introspection::AuthMethod;

pub(super) use super::policy_table::{ARGUMENT_CONDITION, CLAIM_CONDITION, DECIDE, LIMIT, POLICY, RULE};

/// The setting of a variable, by its full name in either spelling.
#[inline(never)]
pub(super) fn of_variable(name: &str) -> Option<&'static Setting> {
    let without = bare(name);
    let is_prefixed = without.len() != name.len();
    SETTINGS.iter().find(|setting| match setting.spelling {
        Spelling::Prefixed => is_prefixed && setting.name == without,
        Spelling::Bare if setting.name == names::ORIGIN_HEADERS => names::is_origin_headers(name),
        Spelling::Bare | Spelling::Binding => setting.name == name,
        Spelling::Member => false,
    })
}

/// The setting that a member of an element of `RESOURCES` is.
#[inline(never)]
pub(super) fn of_member(member: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.place != Place::Beside && setting.member() == member)
}

/// The names of the members that an element of `RESOURCES` may have.
pub(super) fn element_members() -> Vec<String> {
    let may_be_there = SETTINGS.iter().filter(|setting| setting.place != Place::Beside);
    may_be_there.map(Setting::member).collect()
}

/// Whether the value of a setting, by its name without prefix, is one scope or several.
#[cfg(feature = "commands")]
pub(super) fn has_scopes(name: &str) -> bool {
    let mut all = SETTINGS.iter().chain(&POLICY).chain(&RULE).filter(|setting| setting.name == name);
    all.any(|setting| matches!(setting.form, Form::Scopes | Form::SomeScopes | Form::Hierarchy))
}

#[inline(never)]
pub(super) fn names(table: &[Setting]) -> Vec<&'static str> {
    table.iter().map(|setting| setting.name).collect()
}

/// Variables, and what an element of `RESOURCES` has beside them, in the order of fault texts.
pub(super) static SETTINGS: [Setting; 41] = [
    variable(
        "CANONICAL_URL",
        Form::Url(Url::Public),
        "The public URL of the MCP server: its resource identifier and the default audience.",
    )
    .in_element()
    .or_empty(),
    bare_variable(
        "ORIGIN_URL",
        Form::Url(Url::Origin),
        "Where the MCP server is, by another address than the canonical URL.",
    )
    .in_element()
    .or_empty(),
    member(
        "binding",
        Form::Text,
        "The binding by which this server is reached: a service, a VPC service, an mTLS certificate.",
    )
    .in_element(),
    member(
        "default",
        Form::Switch,
        "Whether the metadata document at the root of its host is this server's.",
    )
    .in_element()
    .or_empty(),
    variable(
        "AUTHORIZATION_SERVERS",
        Form::Items("entry", &ENTRY, 1),
        "Who issues the tokens, and on what terms each of them is believed.",
    )
    .shared()
    .or_empty(),
    variable(
        "JWKS_URI",
        Form::Url(Url::Public),
        "The single-issuer form: the key set of the one issuer, without discovery.",
    )
    .shared(),
    variable("ISSUER", Form::OneOrMore, "The single-issuer form: accepted values of iss.").shared(),
    variable("AUDIENCE", Form::OneOrMore, "The single-issuer form: accepted values of aud.").shared(),
    variable("ALGORITHM", Form::Algorithms, "The single-issuer form: accepted signature algorithms.")
        .or("\"RS256\"")
        .shared(),
    variable(
        "CACHE_TTL",
        Form::Seconds(limits::CACHE_TTL, limits::CACHE_TTL_DEFAULT),
        "Seconds that a key set is fresh.",
    )
    .or_empty(),
    variable("SCOPES_SUPPORTED", Form::Scopes, "Scopes that the metadata document lists.")
        .shared()
        .or_empty(),
    variable(
        "DEFAULT_CHALLENGE_SCOPES",
        Form::Scopes,
        "Scopes that the 401 challenge names: what clients ask for when they log in.",
    )
    .shared()
    .or_empty(),
    variable(
        "ALLOWED_ORIGINS",
        Form::Texts,
        "Browser origins that may call the MCP endpoint: * or a list; null only if it is listed.",
    )
    .shared(),
    variable("LOG_SUBJECT", Form::Switch, "Whether the log names the subject of a token.")
        .or("false")
        .or_empty(),
    variable("LOG", Form::OneOf(&["all", "refusals", "none"]), "Which requests the log has a line of.")
        .or("\"all\"")
        .or_empty(),
    variable("LOG_SAMPLE", Form::Part, "How large a part of what is not refused has a line in the log.")
        .or("1")
        .or_empty(),
    variable(
        "REQUEST_ID",
        Form::Switch,
        "Whether each request gets a name that the MCP server, the client and the log have.",
    )
    .or("false")
    .or_empty(),
    variable(
        "REVOCATION",
        Form::Switch,
        "Whether the list of revoked tokens in KV is heeded: `npx mcp-edge-auth revoke` writes it.",
    )
    .or("false"),
    variable(
        "AUDIT_KEY",
        Form::Text,
        "The secret that callers are hashed with in the points of the binding AUDIT: 32 random bytes or more.",
    )
    .secret(),
    variable(
        "POLICY",
        Form::Object("policy", &POLICY),
        "Who may do what: scopes for the server, for methods and for tools, claims and clients.",
    )
    .shared(),
    variable(
        "ASSERTION",
        Form::OneOf(&["header", "bearer", "off"]),
        "A signed JWT that tells the MCP server who is calling, and how it is sent.",
    )
    .or("\"off\"")
    .shared(),
    variable(
        "ASSERTION_KEY",
        Form::Key,
        "The private keys for assertions, P-256 or Ed25519, as JWK or PEM; the first one signs.",
    )
    .secret(),
    variable(
        "ASSERTION_CLAIMS",
        Form::Claims,
        "Claims of the token that the assertion passes on: names, or names and new names.",
    )
    .shared(),
    variable(
        "ASSERTION_ISSUER",
        Form::One,
        "The iss of assertions; by default scheme and host of the canonical URL.",
    )
    .shared(),
    variable("ASSERTION_AUDIENCE", Form::OneOrMore, "The aud of assertions; by default ORIGIN_URL.").shared(),
    variable(
        "BIND_SESSIONS",
        Form::Switch,
        "Whether session ids are bound to their caller; by default where there is a session key.",
    )
    .shared(),
    variable(
        "SESSION_KEY",
        Form::OneOrMore,
        "The secret that session ids are bound with: 32 random bytes or more.",
    )
    .secret(),
    variable(
        "DPOP_NONCE_KEY",
        Form::OneOrMore,
        "The secret that nonces for DPoP are made with: 32 random bytes or more.",
    )
    .secret(),
    variable("RESOURCE_NAME", Form::Line(limits::RESOURCE_NAME_CHARS), "The name of the server, for people.")
        .shared()
        .or_empty(),
    variable("RESOURCE_DOCUMENTATION", Form::Url(Url::Page), "A page that says how to use the server.")
        .shared()
        .or_empty(),
    variable("RESOURCE_POLICY_URI", Form::Url(Url::Page), "A page with the server's privacy policy.")
        .shared()
        .or_empty(),
    variable("RESOURCE_TOS_URI", Form::Url(Url::Page), "A page with the server's terms of service.")
        .shared()
        .or_empty(),
    variable(
        "LANDING_PAGE",
        Form::Switch,
        "Whether a browser that opens the MCP endpoint is shown how to add it to a client.",
    )
    .or("true")
    .shared()
    .or_empty(),
    variable(
        "COMPATIBILITY",
        Form::Words(&[COPY, CHALLENGE, ACCEPT]),
        "What is switched on for clients and servers that need it.",
    )
    .shared()
    .or_empty(),
    variable(
        "RESOURCES",
        Form::Servers,
        "Several MCP servers behind one Worker, each with settings of its own.",
    ),
    bare_variable(
        names::ORIGIN_TIMEOUT,
        Form::Seconds(limits::ORIGIN_TIMEOUT, limits::ORIGIN_TIMEOUT_DEFAULT),
        "Seconds that the MCP server may take to begin an answer.",
    )
    .shared()
    .or_empty(),
    bare_variable(
        names::ORIGIN_MODE,
        Form::OneOf(&["remove", "forward"]),
        "What becomes of the client's token: removed, or passed on, which the specification forbids.",
    )
    .or("\"remove\"")
    .in_element()
    .or_empty(),
    bare_variable(
        names::PASSTHROUGH_PERMISSION,
        Form::Switch,
        "Says that the client's token may be passed on, beside ORIGIN_AUTHORIZATION = \"forward\".",
    )
    .or("false")
    .in_element()
    .or_empty(),
    member(
        "origin_headers",
        Form::HeadersName,
        "The name of the secret with the headers that this server gets: ORIGIN_HEADERS or ORIGIN_HEADERS_…",
    )
    .in_element(),
    bare_variable(
        names::ORIGIN_HEADERS,
        Form::Headers,
        "Headers that the MCP server gets with every request, such as an access token for it.",
    )
    .secret(),
    Setting::new(names::BINDING, Spelling::Binding, Form::Text, "Reaches the one MCP server."),
];

/// An entry of `AUTHORIZATION_SERVERS`. The fields of its provider come on top.
pub(super) static ENTRY: [Setting; 17] = [
    member(
        "authorization_server_url",
        Form::Url(Url::Public),
        "Where clients log in, byte for byte the authorization server's own issuer.",
    ),
    member("issuer", Form::Text, "The exact iss of its tokens; by default authorization_server_url."),
    member("jwks_uri", Form::Url(Url::Public), "Where its keys are; by default found in its metadata."),
    member(
        "for_clients",
        Form::Bool,
        "Whether clients log in there; if not, the metadata document does not name it.",
    ),
    member("algorithm", Form::Algorithms, "Accepted signature algorithms; by default RS256."),
    member("expected_audiences", Form::Array, "Accepted values of aud; by default the canonical URL."),
    member("expected_clients", Form::Array, "Accepted clients; by default any."),
    member(
        "validation_options",
        Form::Object("options", &OPTIONS),
        "What is checked beside signature and audience.",
    ),
    member("subject", Form::Text, "The claim that says whose a token is.").or("\"sub\""),
    member(
        "mtls",
        Form::OneOf(&["off", "accept", "require"]),
        "Whether tokens may or must be bound to the client's certificate.",
    )
    .or("\"off\""),
    member(
        "introspection",
        Form::Object("introspection", &INTROSPECTION),
        "How it is asked about opaque tokens, which say nothing by themselves.",
    ),
    member(
        "dpop",
        Form::OneOf(&["off", "accept", "require"]),
        "Whether tokens may or must be bound to the client's key, and be sent by DPoP.",
    )
    .or("\"off\""),
    member("dpop_algorithms", Form::Algorithms, "Accepted algorithms of DPoP proofs; by default all."),
    member("dpop_nonce", Form::Bool, "Whether a DPoP proof needs a nonce of this server's.").or("false"),
    member(
        "dpop_max_age",
        Form::Whole(limits::DPOP_MAX_AGE, limits::DPOP_MAX_AGE_DEFAULT),
        "Seconds that the iat of a DPoP proof may be from now.",
    ),
    member(
        "token_from",
        Form::OneOf(&["cf-access"]),
        "Where the token is, if not in Authorization: in the header of Cloudflare Access.",
    ),
    member("provider", Form::Provider, "Fills in what the tokens of this provider look like."),
];

/// `validation_options`.
pub(super) static OPTIONS: [Setting; 5] = [
    member("verify_exp", Form::Bool, "Whether a token that has expired is refused.").or("true"),
    member("verify_iat", Form::Bool, "Whether a token that is issued in the future is refused.").or("true"),
    member("verify_nbf", Form::Bool, "Whether a token that is not valid yet is refused.").or("true"),
    member("verify_iss", Form::Bool, "Whether the issuer of a token is checked.").or("true"),
    member(
        "leeway",
        Form::Whole(limits::LEEWAY, limits::LEEWAY_DEFAULT),
        "Seconds by which clocks may differ.",
    ),
];

/// `introspection` of an entry.
pub(super) static INTROSPECTION: [Setting; 8] = [
    member(
        "url",
        Form::Url(Url::Public),
        "The introspection endpoint; by default found in the issuer's metadata.",
    ),
    member("client_id", Form::Text, "The Worker's own client ID at the authorization server."),
    member("client_secret", Form::SecretName, "The name of the secret variable that holds its secret."),
    member("auth_method", Form::OneOf(AuthMethod::NAMES), "How the Worker says who it is.")
        .or("\"client_secret_basic\""),
    member("binding", Form::Text, "The service binding by which the endpoint is reached."),
    member(
        "cache_seconds",
        Form::Whole(limits::INTROSPECTION_CACHE, limits::INTROSPECTION_CACHE_DEFAULT),
        "Seconds for which an answer about an active token serves again.",
    ),
    member("jwt", Form::Bool, "Whether JWTs are asked about, too, after they were found good.").or("false"),
    member(
        "subject",
        Form::Text,
        "The member of an answer that says whose a token is; by default subject of the entry.",
    ),
];
