//! What README says can be done: its complete wrangler.toml is sound, and so is what `npm run
//! check` makes of files and environments.

use serde_json::json;

use mcp_edge_auth::plain::is_plain;

use crate::support;
use crate::support::check::{check, told};

const README: &str = include_str!("../../README.md");

/// The code block of README's step 3, without its indentation.
fn wrangler_toml() -> String {
    let (_, rest) = README.split_once("```toml\n").expect("README shows a wrangler.toml");
    let (block, _) = rest.split_once("```").unwrap();
    block.lines().map(|line| line.trim_start()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_complete_wrangler_toml_passes_the_check() {
    let (passed, said) = check(&wrangler_toml(), None);
    assert!(passed, "{said}");
    assert_eq!(
        said,
        "Resource Server auth enabled: true\n\
         Accepted authorization server(s): https://auth.example.com\n\
         Issuers: https://auth.example.com\n\
         Audiences: https://mcp.example.com/mcp\n\
         Algorithms: RS256\n\
         Canonical URL: https://mcp.example.com/mcp\n\
         Origin: https://origin.example.com/mcp\n\
         warning: MCP_SERVER_AUTH_DEFAULT_CHALLENGE_SCOPES: is not set: clients ask for every scope that the \
         authorization server lists, openid too. Name those that your server needs\n\
         warning: MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].authorization_server_url: is a placeholder of the \
         documentation: write your own\n\
         warning: MCP_SERVER_AUTH_CANONICAL_URL: is a placeholder of the documentation: write your own\n\
         warning: ORIGIN_URL: is a placeholder of the documentation: write your own\n\
         Key sets: KV binding JWKS_CACHE\n"
    );
}

#[test]
fn every_fault_is_printed_and_no_value() {
    let file = "[vars]\nMCP_SERVER_AUTH_CANONICAL_URL = \"http://s3cret.example\"\nMCP_SERVER_AUTH_CACHE_TTL = 5\nORIGIN_URL = \"s3cret\"\n";
    let (passed, said) = check(file, None);
    assert!(!passed, "{said}");
    for name in ["CANONICAL_URL", "CACHE_TTL", "AUTHORIZATION_SERVERS", "ORIGIN_URL"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(!said.contains("s3cret"), "{said}");
}

/// Names and values of a file that somebody else wrote.
#[test]
fn nothing_in_the_settings_moves_the_cursor() {
    let hostile = r"k\u001B[2J\r\nok\u007F\u009B31m\u2028ok\u202Edne";
    let with = |line: &str| wrangler_toml().replace("[vars]", &format!("[vars]\n{line}"));
    let files = [
        ("hostile-name", with(&format!("\"{hostile}\" = 1")), true),
        ("hostile-setting", with(&format!("\"MCP_SERVER_AUTH_{hostile}\" = 1")), false),
        ("hostile-field", with(&format!("MCP_SERVER_AUTH_POLICY = {{ \"{hostile}\" = 1 }}")), false),
        (
            "hostile-value",
            with(&format!(
                "MCP_SERVER_AUTH_ASSERTION = \"header\"\nMCP_SERVER_AUTH_ASSERTION_ISSUER = \"{hostile}\""
            )),
            true,
        ),
    ];
    for (name, file, passes) in files {
        let (passed, said) = check(&file, None);
        assert_eq!(passed, passes, "{name}: {said}");
        assert!(said.chars().all(|c| c == '\n' || is_plain(c)), "{name}: {said:?}");
        assert!(!said.lines().any(|line| line.starts_with("ok")), "{name}: {said:?}");
    }
    // What wrangler says of a file quotes it.
    let error =
        json!({ "file": "\u{1b}[2J", "error": "it has no environment [env.\u{1b}[2J]\r\nok\u{9b}31m" });
    let (_, said) = told(&error);
    assert!(said.starts_with("?[2J cannot be read: it has no environment [env.?[2J]\n"), "{said:?}");
    assert!(said.chars().all(|c| c == '\n' || is_plain(c)), "{said:?}");
}

#[test]
fn a_variable_that_nothing_reads_is_named() {
    let slip = wrangler_toml().replace("[vars]", "[vars]\nORIGIN_HEADER = \"s3cret\"");
    let (passed, said) = check(&slip, None);
    assert!(passed && said.contains("warning: ORIGIN_HEADER: the Worker reads no such variable"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    let (_, said) = check(&wrangler_toml(), None);
    assert!(!said.contains("no such variable"), "{said}");
}

#[test]
fn secrets_are_not_expected_in_the_file_and_named_where_they_are() {
    let on = "[vars]\nMCP_SERVER_AUTH_ASSERTION = \"bearer\"\nMCP_SERVER_AUTH_BIND_SESSIONS = true";
    let file = wrangler_toml().replace("[vars]", on)
        + "\n[[services]]\nbinding = \"ORIGIN\"\nservice = \"my-server\"\n";
    let (passed, said) = check(&file, None);
    assert!(passed, "{said}");
    for line in [
        "Assertions: in Authorization, issuer https://mcp.example.com, audience https://origin.example.com/mcp\n",
        "Sessions: bound to their caller\n",
        "Origin reached by: the binding ORIGIN\n",
        "Not seen here, and needed: npx wrangler secret put MCP_SERVER_AUTH_ASSERTION_KEY\n",
        "Not seen here, and needed: npx wrangler secret put MCP_SERVER_AUTH_SESSION_KEY\n",
    ] {
        assert!(said.contains(line), "{line}{said}");
    }
    let key = "MCP_SERVER_AUTH_SESSION_KEY = \"s3cret-s3cret-s3cret-s3cret-s3cret\"\nORIGIN_HEADERS = { X-Shared = \"s3cret\" }";
    let file = wrangler_toml().replace("[[vars.", &format!("{key}\n[[vars."));
    let (passed, said) = check(&file, None);
    assert!(passed && !said.contains("s3cret"), "{said}");
    assert!(
        said.contains("warning: MCP_SERVER_AUTH_SESSION_KEY is a secret")
            && said.contains("warning: ORIGIN_HEADERS is"),
        "{said}"
    );
}

#[test]
fn passing_the_token_on_is_refused_with_the_specifications_words() {
    let forward = "[vars]\nORIGIN_AUTHORIZATION = \"forward\"";
    let (passed, said) = check(&wrangler_toml().replace("[vars]", forward), None);
    assert!(
        !passed && said.contains("MUST NOT pass through the token it received from the MCP client"),
        "{said}"
    );
    let permitted = format!("{forward}\nallow_token_passthrough = true");
    let (passed, said) = check(&wrangler_toml().replace("[vars]", &permitted), None);
    assert!(passed && said.contains("The client's token: passed on to the origin\n"), "{said}");
}

#[test]
fn warnings_are_printed_and_pass() {
    let supabase = wrangler_toml().replace(
        "authorization_server_url = \"https://auth.example.com\"",
        "provider = \"supabase\"\nproject = \"abcdefgh\"\nexpected_clients = [\"client-1\"]",
    );
    let (passed, said) = check(&supabase, None);
    let warning = "warning: MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].provider: `aud` is `authenticated`";
    assert!(passed && said.contains(warning), "{said}");
}

#[test]
fn a_name_that_nothing_reads_may_have_been_meant_for_one_that_is_read() {
    let rows = [
        ("ORIGIN_HEADER", "ORIGIN_HEADERS"),
        ("ORIGIN_URI", "ORIGIN_URL"),
        ("origin_authorization", "ORIGIN_AUTHORIZATION"),
        ("ORIGIN_TIMEOUT_SECOND", "ORIGIN_TIMEOUT_SECONDS"),
        ("MCP_SEVER_AUTH_POLICY", "MCP_SERVER_AUTH_POLICY"),
        ("mcp_server_auth_policy", "MCP_SERVER_AUTH_POLICY"),
        ("MCP-SERVER-AUTH-POLICY", "MCP_SERVER_AUTH_POLICY"),
        ("MCP_SERVER_POLICY", "MCP_SERVER_AUTH_POLICY"),
        ("MCP_AUTH_POLICY", "MCP_SERVER_AUTH_POLICY"),
        ("ALLOWED_ORIGINS", "MCP_SERVER_AUTH_ALLOWED_ORIGINS"),
        ("MCP_RESOURCE_SEVER_ISSUER", "MCP_RESOURCE_SERVER_ISSUER"),
    ];
    for (written, meant) in rows {
        let file = wrangler_toml().replace("[vars]", &format!("[vars]\n\"{written}\" = \"s3cret\""));
        let (passed, said) = check(&file, None);
        let warning =
            format!("warning: {written}: the Worker reads no such variable. Did you mean {meant}?\n");
        assert!(passed && said.contains(&warning) && !said.contains("s3cret"), "{written}: {said}");
    }
    let (_, said) = check(&wrangler_toml().replace("[vars]", "[vars]\nLOG_LEVEL = \"debug\""), None);
    assert!(
        said.contains("LOG_LEVEL: the Worker reads no such variable. Is it spelled as in docs/settings.md?"),
        "{said}"
    );
}

#[test]
fn bindings_that_the_worker_does_not_use_are_named() {
    let kv = wrangler_toml().replace("JWKS_CACHE", "JWKS");
    let (passed, said) = check(&kv, None);
    let warning = "warning: kv_namespaces.JWKS: the Worker reads no KV namespace of this name; that of key sets is JWKS_CACHE\n";
    assert!(passed && said.contains(warning) && said.ends_with("Key sets: memory only\n"), "{said}");
    let two = wrangler_toml() + "\n[[kv_namespaces]]\nbinding = \"OTHER\"\n";
    assert!(!check(&two, None).1.contains("kv_namespaces"), "the one that is read is there");
    let audit = |name: &str| format!("\n[[analytics_engine_datasets]]\nbinding = \"{name}\"\n");
    let (_, said) = check(&(wrangler_toml() + &audit("REPORTS")), None);
    let warning = "warning: analytics_engine_datasets.REPORTS: the Worker reports to no dataset of this name; that of its audit is AUDIT\n";
    assert!(said.contains(warning) && !said.contains("Audit:"), "{said}");
    let (_, said) = check(&(wrangler_toml() + &audit("AUDIT") + &audit("REPORTS")), None);
    assert!(!said.contains("warning: analytics") && said.contains("\nAudit: binding AUDIT, with callers, hashed, once there is a secret MCP_SERVER_AUTH_AUDIT_KEY\n"), "{said}");
    let version = |name: &str| {
        check(&format!("{}\n[version_metadata]\nbinding = \"{name}\"\n", wrangler_toml()), None).1
    };
    let warning = "warning: version_metadata.RELEASE: the Worker reads no version of this name; that of its log is VERSION\n";
    assert!(version("RELEASE").contains(warning) && !version("VERSION").contains("version_metadata"));
    for kind in ["services", "mtls_certificates", "vpc_services"] {
        let with =
            |name: &str| check(&format!("{}\n[[{kind}]]\nbinding = \"{name}\"\n", wrangler_toml()), None).1;
        assert!(
            with("BACKEND")
                .contains(&format!("warning: {kind}.BACKEND: no server is reached by this binding"))
        );
        assert!(!with("ORIGIN").contains("warning: services"), "{kind}");
    }
}

#[test]
fn a_file_that_wrangler_ignores_is_a_fault_beside_all_others() {
    let mut input = support::check::read(&wrangler_toml(), None);
    input["taken"] = json!("wrangler.json");
    input["ignored"] = json!(["wrangler.jsonc", "wrangler.toml"]);
    let expected = "expected no such file: wrangler takes wrangler.json, and ignores this one beside it\n";
    let faults = format!(
        "Resource Server auth enabled: false\n- wrangler.jsonc: {expected}- wrangler.toml: {expected}"
    );
    assert_eq!(told(&input), (false, faults));
    input["settings"] = json!({});
    let (_, said) = told(&input);
    assert!(said.contains("- wrangler.toml: ") && said.contains("- ORIGIN_URL: "), "{said}");
    for nothing in [json!({}), json!([]), json!(null), json!({ "settings": [] })] {
        assert!(!told(&nothing).0, "{nothing}");
    }
}
