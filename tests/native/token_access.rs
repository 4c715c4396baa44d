//! Behind Cloudflare Access only its assertion is a credential, and nothing of Access reaches the
//! origin.

use mcp_edge_auth::admission::Head;
use mcp_edge_auth::http::cors::AllowedOrigins;
use mcp_edge_auth::resource::Resource;
use mcp_edge_auth::token::access;
use serde_json::{Value, json};

use crate::support::engine::run_with;
use crate::support::es256::trusted;
use crate::support::resources::{at, many};
use crate::support::{
    ALLOWED_ORIGINS, CANONICAL, CANONICAL_URL, Decided, JWKS_URI, NOW, claims, config, decided, entry,
    for_each_row, head, read, resource, same, settings, single_issuer_settings, with, with_entries,
};

const AUD: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const TEAM: &str = "https://example.cloudflareaccess.com";

/// An entry for Access, with keys that the tests have.
fn of_access(changes: Value) -> Value {
    let entry = json!({
        "provider": "cloudflare-access", "team": "example", "jwks_uri": JWKS_URI, "algorithm": "ES256",
        "expected_audiences": [AUD], "token_from": "cf-access",
    });
    with(entry, changes)
}

fn behind(entries: Value) -> Value {
    with_entries(entries)
}

#[test]
fn where_the_credential_is() {
    let rows: Vec<(&str, Option<&str>, Option<&str>, &str)> = vec![
        ("the assertion", None, Some("a.b.c"), "a.b.c"),
        ("blanks around", None, Some(" a.b.c\t"), "a.b.c"),
        ("both: the assertion", Some("Bearer d.e.f"), Some("a.b.c"), "a.b.c"),
        ("and what is no credential", Some("Bearer oauth:x"), Some("a.b.c"), "a.b.c"),
        ("neither", None, None, "access_assertion_missing"),
        ("Authorization only", Some("Bearer a.b.c"), None, "access_assertion_missing"),
        ("empty", Some("Bearer a.b.c"), Some(""), "access_assertion_missing"),
        ("blank", None, Some(" \t"), "access_assertion_missing"),
        ("two, joined", None, Some("a.b.c, a.b.c"), "credentials_malformed"),
        ("two, joined without a space", None, Some("a.b.c,d.e.f"), "credentials_malformed"),
        ("with a scheme", None, Some("Bearer a.b.c"), "credentials_malformed"),
        ("quoted", None, Some("\"a.b.c\""), "credentials_malformed"),
        ("of other letters", None, Some("a.b.ç"), "credentials_malformed"),
    ];
    let config = config(&behind(json!([of_access(json!({}))])));
    for_each_row(rows, |(name, authorization, access_assertion, expected)| {
        let (authorization, access_assertion) = (*authorization, *access_assertion);
        let head = Head { authorization, access_assertion, ..head("POST", CANONICAL) };
        let found = match decided(&config, &head) {
            Decided::Verify(token) => token,
            other => {
                same(name, other.answer().status, 401)?;
                other.refusal().row().reason.to_owned()
            }
        };
        same(name, found.as_str(), *expected)
    });
    // Elsewhere the header is none.
    let plain = config_of(&settings());
    let head = Head { access_assertion: Some("a.b.c"), ..head("POST", CANONICAL) };
    assert_eq!(decided(&plain, &head).refusal().row().reason, "credentials_missing");
}

fn config_of(settings: &Value) -> mcp_edge_auth::resource::Config {
    config(settings)
}

#[test]
fn what_is_believed() {
    let user = json!({ "iss": TEAM, "aud": [AUD], "type": "app", "sub": "user-1" });
    let machine = with(user.clone(), json!({ "sub": "", "common_name": "e3.access" }));
    let mut subjectless = machine.clone();
    subjectless["sub"] = json!("<absent>");
    let users = of_access(json!({}));
    let machines = of_access(json!({ "subject": "common_name" }));
    let [only_users, only_machines, both, other_way] =
        [json!([users]), json!([machines]), json!([users, machines]), json!([machines, users])];
    let rows = [
        ("a user", &only_users, user.clone(), "accepted", Some("user-1")),
        ("a service token", &only_users, machine.clone(), "sub_missing", None),
        ("a service token by its name", &only_machines, machine.clone(), "accepted", Some("e3.access")),
        ("a user by a name", &only_machines, user.clone(), "sub_missing", None),
        ("a user of both", &both, user.clone(), "accepted", Some("user-1")),
        ("a service token of both", &both, machine.clone(), "accepted", Some("e3.access")),
        ("a user, the other way round", &other_way, user.clone(), "accepted", Some("user-1")),
        ("a service token, the other way round", &other_way, machine.clone(), "accepted", Some("e3.access")),
        ("no sub at all", &both, subjectless, "accepted", Some("e3.access")),
        (
            "another application's",
            &both,
            with(user.clone(), json!({ "aud": ["0".repeat(64)] })),
            "aud_mismatch",
            None,
        ),
        ("the canonical URL's", &both, with(user.clone(), json!({ "aud": CANONICAL })), "aud_mismatch", None),
        ("of the whole team", &both, with(user.clone(), json!({ "type": "org" })), "claim_mismatch", None),
        (
            "of another team",
            &both,
            with(user.clone(), json!({ "iss": "https://other.cloudflareaccess.com" })),
            "issuer_untrusted",
            None,
        ),
        ("of nobody", &both, with(user.clone(), json!({ "sub": "" })), "sub_missing", None),
        ("expired", &both, with(user.clone(), json!({ "exp": NOW - 99 })), "token_expired", None),
    ];
    for_each_row(rows, |(name, entries, changes, reason, subject)| {
        let config = config_of(&behind((*entries).clone()));
        let token = trusted().with_claims(&with(claims(), changes.clone()));
        let run = run_with(resource(&config), &token, &trusted().key_set());
        same(name, (run.reason(), run.header("X-MCP-Auth-User-Id")), (*reason, *subject))
    });
}

#[test]
fn the_setting() {
    let faults = |settings: Value| -> Vec<String> {
        let faults = read(&settings).err().unwrap_or_default();
        faults.iter().map(|fault| fault.field.clone()).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(faults(behind(json!([of_access(json!({}))]))), none);
    for odd in
        [json!(""), json!("cookie"), json!("Cf-Access"), json!(true), json!(null), json!(["cf-access"])]
    {
        assert_eq!(
            faults(behind(json!([of_access(json!({ "token_from": odd }))]))),
            ["[0].token_from"],
            "{odd}"
        );
    }
    // Of nobody else, and never without the application's tag.
    let plain = with(entry(), json!({ "token_from": "cf-access", "expected_audiences": [AUD] }));
    assert_eq!(faults(behind(json!([plain]))), ["[0].token_from"]);
    let untagged = of_access(json!({ "expected_audiences": "<absent>" }));
    assert_eq!(faults(behind(json!([untagged]))), ["[0].expected_audiences"]);
    // There is no proof beside it.
    for dpop in ["accept", "require"] {
        assert_eq!(faults(behind(json!([of_access(json!({ "dpop": dpop }))]))), ["[0].dpop"], "{dpop}");
    }
    // All entries or none.
    assert_eq!(faults(behind(json!([of_access(json!({})), entry()]))), [""]);
    assert_eq!(faults(behind(json!([entry(), of_access(json!({}))]))), [""]);
    assert_eq!(faults(behind(json!([entry(), of_access(json!({ "token_from": "<absent>" }))]))), none);
    // What is passed on would be no token that was verified.
    let forward = json!({ "ORIGIN_AUTHORIZATION": "forward", "allow_token_passthrough": true });
    let told = read(&with(behind(json!([of_access(json!({}))])), forward.clone())).unwrap_err();
    assert_eq!(
        told.iter().map(|fault| fault.variable.as_str()).collect::<Vec<_>>(),
        ["ORIGIN_AUTHORIZATION"]
    );
    assert!(read(&with(settings(), forward)).is_ok());
    // The preset's warning is of what is not set.
    let warned = |changes| {
        let config = config_of(&behind(json!([of_access(changes)])));
        config.warnings.iter().any(|warning| warning.text.contains("Cf-Access-Jwt-Assertion"))
    };
    assert!(!warned(json!({})) && warned(json!({ "token_from": "<absent>" })));
    assert!(!resource(&config_of(&single_issuer_settings())).is_behind_access());
}

#[test]
fn headers_of_access_stay_at_the_worker() {
    let rows = [
        ("cf-access-jwt-assertion", true),
        ("Cf-Access-Jwt-Assertion", true),
        ("CF_ACCESS_JWT_ASSERTION", true),
        ("cf.access.jwt.assertion", true),
        ("cf-access-client-id", true),
        ("cf-access-client-secret", true),
        ("cf-access-token", true),
        ("cf-access-authenticated-user-email", true),
        ("cf_access-anything", true),
        ("authorization", true),
        ("cf-accessory", false),
        ("cf-ray", false),
        ("cf-connecting-ip", false),
        ("x-cf-access-token", false),
        ("cookie", false),
    ];
    let access = config_of(&behind(json!([of_access(json!({}))])));
    for_each_row(rows, |(name, expected)| same(name, resource(&access).removes(name), *expected));
    // Where Access is not asked, its headers are the origin's.
    assert!(!resource(&config_of(&settings())).removes("cf-access-jwt-assertion"));
}

#[test]
fn cookies_of_access_stay_at_the_worker() {
    let rows: Vec<(&str, Option<&str>)> = vec![
        ("", None),
        ("a=1", None),
        ("a=1; b=2", None),
        ("CF_AppSession=x; a=CF_Authorization", None),
        ("xCF_Authorization=t; CF_Authorization2=t", None),
        ("CF_Authorization=t", Some("")),
        ("CF_Authorization", Some("")),
        (" CF_Authorization =t ", Some("")),
        ("CF_Authorization=t; a=1", Some("a=1")),
        ("a=1; CF_Authorization=t", Some("a=1")),
        ("a=1; CF_Authorization=t; b=2", Some("a=1; b=2")),
        ("a=1;CF_Authorization=t;b=2", Some("a=1;b=2")),
        ("CF_Authorization=t; CF_Authorization=u; a=1", Some("a=1")),
        ("CF_Binding=t; CF_AppSession=x", Some("CF_AppSession=x")),
        ("cf_authorization=t; CF-Authorization=u; a=1", Some("a=1")),
        ("a=1, CF_Authorization=t", Some("a=1")),
        ("CF_Authorization=t, a=1", Some("a=1")),
        ("a=1, CF_Authorization=t, b=2; c=3", Some("a=1, b=2; c=3")),
        ("a=1,2; CF_Authorization=t", Some("a=1,2")),
        ("a=\"b=c\"; CF_Authorization=t==", Some("a=\"b=c\"")),
    ];
    for_each_row(rows, |(cookie, expected)| {
        same(cookie, access::without_cookies(cookie).as_deref(), *expected)
    });
}

/// Settings behind Access with this list of origins; `None`: not set.
fn listing(allowed: Option<Value>) -> Value {
    let list = allowed.map_or_else(|| json!({}), |allowed| json!({ ALLOWED_ORIGINS: allowed }));
    with(behind(json!([of_access(json!({}))])), list)
}

#[test]
fn which_pages_may_call_with_a_cookie_of_access() {
    let own = |canonical: &str| {
        let config = config_of(&with(listing(None), json!({ CANONICAL_URL: canonical })));
        resource(&config).allowed_origins.clone()
    };
    let only = |origin: &str| AllowedOrigins::Listed(vec![origin.to_owned()]);
    for (canonical, origin) in [
        (CANONICAL, "https://mcp.example.com"),
        ("https://mcp.example.com:8443/mcp?a=1", "https://mcp.example.com:8443"),
        ("https://mcp.example.com:443/mcp", "https://mcp.example.com"),
        ("http://localhost:8787/mcp", "http://localhost:8787"),
    ] {
        assert_eq!(own(canonical), only(origin), "{canonical}");
    }
    let listed = config_of(&listing(Some(json!(["https://app.example.com"]))));
    assert_eq!(resource(&listed).allowed_origins, only("https://app.example.com"));
    for odd in [
        json!("*"),
        json!(["*"]),
        json!("null"),
        json!("https://app.example.com *"),
        json!(["https://app.example.com", "null"]),
        json!(["*", "https://app.example.com", "null"]),
    ] {
        let faults = read(&listing(Some(odd.clone()))).err().unwrap_or_default();
        let names: Vec<&str> = faults.iter().map(|fault| fault.variable.as_str()).collect();
        assert_eq!(names, [ALLOWED_ORIGINS], "{odd}");
        assert!(faults[0].expected.contains("visitor's Access cookie"), "{odd}");
        assert!(read(&with(settings(), json!({ ALLOWED_ORIGINS: odd }))).is_ok(), "{odd}");
    }
    // So for one of several servers, also where the list is beside them.
    let two = |beside: Value| {
        let access = json!({ "authorization_servers": [of_access(json!({}))] });
        let servers = [with(at("https://mcp.example.com/a"), access), at("https://mcp.example.com/b")];
        with(many(json!(servers)), beside)
    };
    let faults = read(&two(json!({ ALLOWED_ORIGINS: "*" }))).err().unwrap_or_default();
    assert_eq!(faults.iter().map(|fault| fault.variable.as_str()).collect::<Vec<_>>(), [ALLOWED_ORIGINS]);
    let config = config_of(&two(json!({})));
    let found: Vec<_> = config.resources.iter().map(|one| one.allowed_origins.clone()).collect();
    assert_eq!(found, [only("https://mcp.example.com"), AllowedOrigins::Any { null: false }]);
}

#[test]
fn what_a_browser_says_of_the_page() {
    let own = Some("https://mcp.example.com");
    let rows = [
        ("no browser", None, None, true),
        ("the user's own navigation", None, Some("none"), true),
        ("a page of this origin", None, Some("same-origin"), true),
        ("an image on another site", None, Some("cross-site"), false),
        ("a link at the next host", None, Some("same-site"), false),
        ("nothing known", None, Some(""), false),
        ("another spelling", None, Some("None"), false),
        ("two lines", None, Some("none, cross-site"), false),
        ("its own origin", own, Some("same-origin"), true),
        ("a listed origin, wherever it is", own, Some("cross-site"), true),
        ("another site", Some("https://evil.example"), Some("cross-site"), false),
        ("another site in an old browser", Some("https://evil.example"), None, false),
        ("which claims more", Some("https://evil.example"), Some("none"), false),
        ("the next host", Some("https://a.example.com"), Some("same-site"), false),
        ("a sandbox", Some("null"), Some("cross-site"), false),
    ];
    let (access, plain) = (config_of(&listing(None)), config_of(&settings()));
    for_each_row(rows, |(name, origin, fetch_site, passes)| {
        for method in ["GET", "POST", "DELETE"] {
            let asked =
                Head { fetch_site: *fetch_site, access_assertion: Some("a.b.c"), ..head(method, CANONICAL) };
            let decided_on = decided(&access, &Head { origin: *origin, ..asked });
            match decided_on {
                Decided::Verify(_) => same(name, true, *passes)?,
                refused => {
                    let reason = refused.refusal().row().reason;
                    same(name, (false, reason), (*passes, "origin_not_allowed"))?;
                    same(name, refused.answer().status, 403)?;
                    let credentials = refused.answer().header("Access-Control-Allow-Credentials").is_some();
                    same(name, credentials, false)?;
                }
            }
            // Where the token is in a header of its own, no cookie can be one.
            let asked = Head { authorization: Some("Bearer a.b.c"), ..asked };
            same(name, matches!(decided(&plain, &asked), Decided::Verify(_)), true)?;
        }
        Ok(())
    });
}

#[test]
fn one_server_behind_access_and_others_beside_it() {
    let access = json!({ "authorization_servers": [of_access(json!({}))] });
    let (a, b) = (at("https://mcp.example.com/a"), at("https://mcp.example.com/b"));
    for (name, servers, expected) in [
        ("first", json!([with(a.clone(), access.clone()), b.clone()]), [true, false]),
        ("last", json!([a.clone(), with(b.clone(), access)]), [false, true]),
        ("none", json!([a, b]), [false, false]),
    ] {
        let config = config_of(&many(servers));
        let behind: Vec<bool> = config.resources.iter().map(Resource::is_behind_access).collect();
        assert_eq!(behind, expected, "{name}");
        let any = expected.contains(&true);
        assert_eq!(config.behind_access, any, "{name}");
        for resource in &config.resources {
            assert_eq!(resource.delivery.removes_access, any, "{name}");
            assert_eq!(resource.removes("cf-access-jwt-assertion"), any, "{name}");
            let looked_at = resource.looked_at();
            assert_eq!(looked_at.contains("cookie") && looked_at.contains("cf-access-"), any, "{name}");
        }
    }
}
