//! What README says can be done: its complete wrangler.toml is sound, and so is what `npm run check` makes of files and environments.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something is amiss"
)]

use std::path::PathBuf;
use std::process::Command;

use mcp_edge_auth::plain::is_plain;

const README: &str = include_str!("../README.md");

/// The code block of README's step 3, without its indentation.
fn wrangler_toml() -> String {
    let (_, rest) = README.split_once("```toml\n").expect("README shows a wrangler.toml");
    let (block, _) = rest.split_once("```").unwrap();
    block.lines().map(|line| line.trim_start()).collect::<Vec<_>>().join("\n")
}

/// A folder of this test's own with a wrangler.toml; removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, wrangler_toml: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mcp-edge-auth-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("wrangler.toml"), wrangler_toml).unwrap();
        Self(folder)
    }

    /// Whether the check passes, and all that it says.
    fn check(&self, arguments: &[&str]) -> (bool, String) {
        let check = env!("CARGO_BIN_EXE_check");
        let output = Command::new(check).args(arguments).current_dir(&self.0).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_complete_wrangler_toml_passes_the_check() {
    let (passed, said) = Folder::with("readme", &wrangler_toml()).check(&[]);
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
fn an_environment_inherits_neither_variables_nor_kv() {
    let file = wrangler_toml()
        + "\n[env.bare]\n[env.own.vars]\nMCP_SERVER_AUTH_CANONICAL_URL = \"https://own.example/mcp\"\n\
           MCP_SERVER_AUTH_JWKS_URI = \"https://auth.example/jwks\"\nMCP_SERVER_AUTH_ISSUER = \"https://auth.example\"\n\
           MCP_SERVER_AUTH_AUDIENCE = \"s3cret\"\nORIGIN_URL = \"https://origin.example\"\n";
    let folder = Folder::with("environments", &file);
    let (passed, said) = folder.check(&["--env", "own"]);
    assert!(
        passed && said.contains("https://own.example/mcp") && said.contains("Key sets: memory only"),
        "{said}"
    );
    let (passed, said) = folder.check(&["--env=bare"]);
    assert!(
        !passed && said.contains("MCP_SERVER_AUTH_CANONICAL_URL") && said.contains("ORIGIN_URL"),
        "{said}"
    );
    let (passed, said) = folder.check(&["--env", "absent"]);
    assert!(!passed && said.contains("no environment [env.absent]"), "{said}");
}

#[test]
fn another_file_is_checked_when_it_is_named() {
    let folder = Folder::with("another", "");
    std::fs::write(folder.0.join("trial.toml"), wrangler_toml() + "\n[env.bare]\n").unwrap();
    for arguments in [["--config", "trial.toml"].as_slice(), &["-c", "trial.toml"], &["--config=trial.toml"]]
    {
        let (passed, said) = folder.check(arguments);
        assert!(passed, "{arguments:?}: {said}");
    }
    let (passed, said) = folder.check(&["--env", "bare", "--config", "trial.toml"]);
    assert!(!passed && said.contains("CANONICAL_URL"), "{said}");
    let (passed, said) = folder.check(&["--config", "absent.toml"]);
    assert!(!passed && said.contains("absent.toml cannot be read"), "{said}");
    assert!(!folder.check(&[]).0, "wrangler.toml itself is empty");
}

#[test]
fn what_cannot_be_checked_is_said() {
    let (passed, said) = Folder::with("broken", "vars = ").check(&[]);
    assert!(!passed && said.contains("is not TOML"), "{said}");
    let (passed, said) = Folder::with("usage", "").check(&["--what"]);
    assert!(!passed && said.contains("usage"), "{said}");
    let folder = Folder::with("missing", "");
    std::fs::remove_file(folder.0.join("wrangler.toml")).unwrap();
    let (passed, said) = folder.check(&[]);
    assert!(!passed && said.contains("cannot be read"), "{said}");
}

#[test]
fn every_fault_is_printed_and_no_value() {
    let file = "[vars]\nMCP_SERVER_AUTH_CANONICAL_URL = \"http://s3cret.example\"\nMCP_SERVER_AUTH_CACHE_TTL = 5\nORIGIN_URL = \"s3cret\"\n";
    let (passed, said) = Folder::with("faults", file).check(&[]);
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
        ("hostile-file", "vars = \u{1b}[2J\u{9b}31m\u{202e} \"\u{7f}\"".to_owned(), false),
    ];
    for (name, file, passes) in files {
        let (passed, said) = Folder::with(name, &file).check(&[]);
        assert_eq!(passed, passes, "{name}: {said}");
        assert!(said.chars().all(|c| c == '\n' || is_plain(c)), "{name}: {said:?}");
        assert!(!said.lines().any(|line| line.starts_with("ok")), "{name}: {said:?}");
    }
    let (_, said) = Folder::with("hostile-env", &wrangler_toml()).check(&["--env", "\u{1b}[2J"]);
    assert!(said.contains("[env.?[2J]"), "{said:?}");
}

#[test]
fn a_variable_that_nothing_reads_is_named() {
    let slip = wrangler_toml().replace("[vars]", "[vars]\nORIGIN_HEADER = \"s3cret\"");
    let (passed, said) = Folder::with("unread", &slip).check(&[]);
    assert!(passed && said.contains("warning: ORIGIN_HEADER: the Worker reads no such variable"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    let (_, said) = Folder::with("read", &wrangler_toml()).check(&[]);
    assert!(!said.contains("no such variable"), "{said}");
}

#[test]
fn secrets_are_not_expected_in_the_file_and_named_where_they_are() {
    let on = "[vars]\nMCP_SERVER_AUTH_ASSERTION = \"bearer\"\nMCP_SERVER_AUTH_BIND_SESSIONS = true";
    let file = wrangler_toml().replace("[vars]", on)
        + "\n[[services]]\nbinding = \"ORIGIN\"\nservice = \"my-server\"\n";
    let (passed, said) = Folder::with("secrets", &file).check(&[]);
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
    let (passed, said) = Folder::with("in-sight", &file).check(&[]);
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
    let (passed, said) = Folder::with("forward", &wrangler_toml().replace("[vars]", forward)).check(&[]);
    assert!(
        !passed && said.contains("MUST NOT pass through the token it received from the MCP client"),
        "{said}"
    );
    let permitted = format!("{forward}\nallow_token_passthrough = true");
    let (passed, said) = Folder::with("permitted", &wrangler_toml().replace("[vars]", &permitted)).check(&[]);
    assert!(passed && said.contains("The client's token: passed on to the origin\n"), "{said}");
}

#[test]
fn warnings_are_printed_and_pass() {
    let supabase = wrangler_toml().replace(
        "authorization_server_url = \"https://auth.example.com\"",
        "provider = \"supabase\"\nproject = \"abcdefgh\"\nexpected_clients = [\"client-1\"]",
    );
    let (passed, said) = Folder::with("warnings", &supabase).check(&[]);
    let warning = "warning: MCP_SERVER_AUTH_AUTHORIZATION_SERVERS[0].provider: `aud` is `authenticated`";
    assert!(passed && said.contains(warning), "{said}");
}
