//! What the providers' tokens look like, as one table. Where an entry names a `provider`, a row of
//! it says what the entry itself does not say.
//!
//! 1. A preset never loosens: signature, algorithm, times, issuer and `sub` are checked as always.
//!    Where a provider has no audience of its own for this resource, the operator must say what to
//!    check in its place.
//! 2. `{name}` in a template is a parameter of the entry. Issuers are byte for byte what the
//!    provider signs, including a slash at the end.
//! 3. docs/providers.md says of each row where it is from and when it was last looked at.

use crate::keys::algorithm::Algorithm::{self, ES256, ES384, PS256, RS256};
use crate::token::identity::ClaimNames;

/// A provider.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    pub name: &'static str,
    pub parameters: &'static [Parameter],
    /// A parameter, a template that its value begins with, and how that is said.
    pub begins: Option<(&'static str, &'static str, &'static str)>,
    /// Templates. Clients are given the first one.
    pub issuers: &'static [&'static str],
    /// Whether MCP clients can log in there; if not, the metadata document does not name it.
    pub for_clients: bool,
    /// A template; none: found in the issuer's metadata.
    pub jwks_uri: Option<&'static str>,
    pub algorithms: &'static [Algorithm],
    pub audience: Audience,
    /// Access tokens may have no `aud`; the client stands for it.
    pub aud_may_be_absent: bool,
    /// Why `expected_clients` is required; none: it is not.
    pub clients: Option<&'static str>,
    pub names: ClaimNames,
    /// Claims, and templates of the only values that an access token may have there.
    pub claims: &'static [(&'static str, &'static str)],
    /// At least one of these is in an access token; empty: nothing is demanded.
    pub any_of: &'static [&'static str],
    pub only_at_jwt: bool,
    /// What an operator should know, though it is no fault.
    pub warnings: &'static [&'static str],
}

/// What `aud` must be, unless the entry says it.
#[derive(Clone, Copy, Debug)]
pub enum Audience {
    Canonical,
    /// A template.
    Is(&'static str),
    /// The entry must say it: what it is called at the provider.
    Told(&'static str),
}

/// A field that an entry with this provider has.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub default: Option<&'static str>,
    pub example: &'static str,
}

/// What may stand in a template's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A host, with a port if need be.
    Host,
    /// One segment of a path, or one label of a host.
    Segment,
    /// In small letters, as it stands in tokens.
    Guid,
}

impl Kind {
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Host => "a host name without https:// and path",
            Self::Segment => "letters, digits and . _ - only",
            Self::Guid => "a GUID in small letters (not a domain, not common, organizations or consumers)",
        }
    }

    pub fn takes(self, text: &str) -> bool {
        let word =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        match self {
            Self::Host => {
                let (host, port) = text.split_once(':').unwrap_or((text, "443"));
                host.split('.').all(word)
                    && port.parse::<u16>().is_ok()
                    && port.bytes().all(|b| b.is_ascii_digit())
            }
            Self::Segment => {
                let safe = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
                !text.is_empty() && text.bytes().all(safe) && !text.bytes().all(|b| b == b'.')
            }
            Self::Guid => {
                let is_right = |(at, b): (usize, u8)| match at {
                    8 | 13 | 18 | 23 => b == b'-',
                    _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
                };
                text.len() == 36 && text.bytes().enumerate().all(is_right)
            }
        }
    }
}

const fn parameter(name: &'static str, kind: Kind, example: &'static str) -> Parameter {
    Parameter { name, kind, default: None, example }
}

const fn domain(example: &'static str) -> Parameter {
    parameter("domain", Kind::Host, example)
}

impl Preset {
    /// An entry without `provider`.
    pub const PLAIN: Self = Self {
        name: "",
        parameters: &[],
        begins: None,
        issuers: &[],
        for_clients: true,
        jwks_uri: None,
        algorithms: &[RS256],
        audience: Audience::Canonical,
        aud_may_be_absent: false,
        clients: None,
        names: ClaimNames::USUAL,
        claims: &[],
        any_of: &[],
        only_at_jwt: false,
        warnings: &[],
    };

    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }
}

/// The table.
pub const PRESETS: [Preset; 18] = [
    Preset {
        name: "workos-authkit",
        parameters: &[domain("example-12.authkit.app")],
        issuers: &["https://{domain}"],
        jwks_uri: Some("https://{domain}/oauth2/jwks"),
        warnings: &[
            "the canonical URL must be a resource indicator in the WorkOS dashboard before the first login, or `aud` is something else",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "auth0",
        parameters: &[domain("example.eu.auth0.com")],
        issuers: &["https://{domain}/"],
        jwks_uri: Some("https://{domain}/.well-known/jwks.json"),
        algorithms: &[RS256, PS256],
        names: ClaimNames { roles: &["permissions"], ..ClaimNames::USUAL },
        warnings: &[
            "the canonical URL must be the identifier of an API, and the Resource Parameter Compatibility Profile on, or the token is opaque or encrypted",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "okta",
        parameters: &[
            domain("example.okta.com"),
            Parameter { name: "server", kind: Kind::Segment, default: Some("default"), example: "default" },
        ],
        issuers: &["https://{domain}/oauth2/{server}"],
        jwks_uri: Some("https://{domain}/oauth2/{server}/v1/keys"),
        names: ClaimNames { client: &["cid"], scopes: &["scp"], roles: &[] },
        warnings: &[
            "the canonical URL must be the audience of this custom authorization server; it is api://default to begin with, and there is one for all clients",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "entra-id",
        parameters: &[parameter("tenant", Kind::Guid, "00000000-0000-0000-0000-000000000000")],
        issuers: &["https://login.microsoftonline.com/{tenant}/v2.0", "https://sts.windows.net/{tenant}/"],
        jwks_uri: Some("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys"),
        audience: Audience::Told(
            "the application (client) ID of your API; for v1 tokens without `use_guid` its Application ID URIs, too",
        ),
        names: ClaimNames { client: &["azp", "appid"], scopes: &["scp"], roles: &["roles"] },
        // An ID token for the same application has neither, nor has a daemon that was granted
        // nothing.
        any_of: &["scp", "roles"],
        warnings: &[
            "the canonical URL must be an Application ID URI of your API (set its requestedAccessTokenVersion to 2 first), or logins of MCP clients end in AADSTS9010010",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "keycloak",
        parameters: &[domain("id.example.com"), parameter("realm", Kind::Segment, "main")],
        issuers: &["https://{domain}/realms/{realm}"],
        jwks_uri: Some("https://{domain}/realms/{realm}/protocol/openid-connect/certs"),
        names: ClaimNames { client: &["azp", "client_id"], ..ClaimNames::USUAL },
        warnings: &[
            "Keycloak puts no `aud` (or `account`) into tokens until an audience mapper in a client scope adds the canonical URL",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "descope",
        parameters: &[
            parameter("project", Kind::Segment, "P2example"),
            parameter("server", Kind::Segment, "MS2example"),
        ],
        issuers: &["https://api.descope.com/v1/apps/agentic/{project}/{server}"],
        jwks_uri: Some("https://api.descope.com/{project}/.well-known/jwks.json"),
        audience: Audience::Is("{project}"), // the issuer names the MCP server
        ..Preset::PLAIN
    },
    Preset {
        name: "stytch",
        parameters: &[domain("example.customers.stytch.com")],
        issuers: &["https://{domain}"],
        audience: Audience::Told("the project ID, or a custom audience of the client"),
        warnings: &[
            "the project ID is the audience of every token of the project: list `expected_clients`, or give each client a custom audience",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "clerk",
        parameters: &[domain("clerk.example.com")],
        issuers: &["https://{domain}"],
        jwks_uri: Some("https://{domain}/.well-known/jwks.json"),
        only_at_jwt: true, // session tokens and ID tokens have the same issuer and the same keys
        warnings: &[
            "a token has `aud` only if its client sent `resource`, and is a JWT only where the OAuth application says so",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "cognito",
        parameters: &[
            parameter("region", Kind::Segment, "eu-central-1"),
            parameter("pool", Kind::Segment, "eu-central-1_Example01"),
        ],
        begins: Some((
            "pool",
            "{region}_",
            "the ID of a pool in that region: it begins with the region and _",
        )),
        issuers: &["https://cognito-idp.{region}.amazonaws.com/{pool}"],
        jwks_uri: Some("https://cognito-idp.{region}.amazonaws.com/{pool}/.well-known/jwks.json"),
        aud_may_be_absent: true,
        clients: Some(
            "the app client IDs that may call: Cognito's access tokens have no `aud` without resource binding",
        ),
        names: ClaimNames { client: &["client_id"], scopes: &["scope"], roles: &[] },
        claims: &[("token_use", "access")],
        warnings: &[
            "a token without `aud` is taken from the listed clients whatever resource it was asked for: give this server app clients of its own",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "google",
        issuers: &["https://accounts.google.com", "accounts.google.com"],
        jwks_uri: Some("https://www.googleapis.com/oauth2/v3/certs"),
        audience: Audience::Told("the OAuth client ID of your application"),
        names: ClaimNames { client: &["azp"], scopes: &[], roles: &[] },
        warnings: &[
            "Google's access tokens are opaque and refused here: clients must send the ID token, which MCP clients do not",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "supabase",
        parameters: &[parameter("project", Kind::Segment, "abcdefghijklmnopqrst")],
        issuers: &["https://{project}.supabase.co/auth/v1"],
        jwks_uri: Some("https://{project}.supabase.co/auth/v1/.well-known/jwks.json"),
        algorithms: &[ES256, RS256],
        audience: Audience::Is("authenticated"),
        clients: Some(
            "the IDs of the OAuth clients that may call: Supabase's `aud` is the same for every resource",
        ),
        names: ClaimNames { client: &["client_id"], scopes: &["scope"], roles: &[] },
        warnings: &[
            "`aud` is `authenticated` in every token of the project, so a token that another server was given is good here, if its client is listed",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "zitadel",
        parameters: &[domain("example-ab12cd.zitadel.cloud")],
        issuers: &["https://{domain}"],
        jwks_uri: Some("https://{domain}/oauth/v2/keys"),
        audience: Audience::Told("the ID of the project"),
        names: ClaimNames {
            client: &["client_id", "azp"],
            scopes: &["scope"],
            roles: &["urn:zitadel:iam:org:project:roles"],
        },
        warnings: &[
            "access tokens are opaque until the application's token type is JWT, and the project is in `aud` only where the scope urn:zitadel:iam:org:project:id:…:aud was asked for",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "authentik",
        parameters: &[domain("auth.example.com"), parameter("application", Kind::Segment, "mcp")],
        issuers: &["https://{domain}/application/o/{application}/"],
        jwks_uri: Some("https://{domain}/application/o/{application}/jwks/"),
        audience: Audience::Told("the client ID of the provider"),
        names: ClaimNames { client: &["azp"], scopes: &["scope"], roles: &[] },
        any_of: &["azp"], // an ID token has the same `aud` and no `azp`
        warnings: &[
            "authentik registers no clients by itself: give clients the client ID; and pick a signing key, or tokens are signed with the client's secret",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "ory",
        parameters: &[domain("example-slug.projects.oryapis.com")],
        issuers: &["https://{domain}"],
        jwks_uri: Some("https://{domain}/.well-known/jwks.json"),
        names: ClaimNames { client: &["client_id"], scopes: &["scp", "scope"], roles: &[] },
        warnings: &[
            "access tokens are opaque until the strategy is jwt, and have no `aud` unless the client is allowed the canonical URL and asks for it as `audience`",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "logto",
        parameters: &[domain("example.logto.app")],
        issuers: &["https://{domain}/oidc"],
        jwks_uri: Some("https://{domain}/oidc/jwks"),
        algorithms: &[ES384, RS256],
        warnings: &[
            "the canonical URL must be an API resource in Logto; a login without it as `resource` gets an opaque token",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "scalekit",
        parameters: &[domain("example.scalekit.com"), parameter("resource", Kind::Segment, "res_12345")],
        issuers: &["https://{domain}/resources/{resource}", "https://{domain}"],
        jwks_uri: Some("https://{domain}/keys"),
        audience: Audience::Is("{resource}"),
        ..Preset::PLAIN
    },
    Preset {
        name: "github-actions",
        parameters: &[parameter("owner", Kind::Segment, "example-org")],
        issuers: &["https://token.actions.githubusercontent.com"],
        for_clients: false,
        jwks_uri: Some("https://token.actions.githubusercontent.com/.well-known/jwks"),
        names: ClaimNames { client: &["repository"], scopes: &[], roles: &[] },
        claims: &[("repository_owner", "{owner}")], // anybody's workflow can ask for any `aud`
        warnings: &[
            "every workflow of this owner may call: list repositories (owner/name) in `expected_clients`",
        ],
        ..Preset::PLAIN
    },
    Preset {
        name: "cloudflare-access",
        parameters: &[parameter("team", Kind::Segment, "example")],
        issuers: &["https://{team}.cloudflareaccess.com"],
        for_clients: false,
        jwks_uri: Some("https://{team}.cloudflareaccess.com/cdn-cgi/access/certs"),
        audience: Audience::Told("the AUD tag of the Access application"),
        names: ClaimNames { client: &["common_name"], scopes: &[], roles: &[] },
        claims: &[("type", "app")],
        warnings: &[
            "Access puts its token into Cf-Access-Jwt-Assertion, which is read with token_from = \"cf-access\" only: without it, something must send it as Authorization: Bearer",
        ],
        ..Preset::PLAIN
    },
];
