//! What the files for a deployment promise: wrangler.toml as it is cloned names what is missing,
//! its commented environment is a sound one, and `.dev.vars.example` sets nothing.

use crate::support::check::check;

const WRANGLER_TOML: &str = include_str!("../../wrangler.toml");
const DEV_VARS: &str = include_str!("../../.dev.vars.example");
const DEPLOYING: &str = include_str!("../../docs/deploying.md");

/// wrangler.toml with its commented environment: the lines from `# [env.production]` on, without
/// their `# `.
fn with_production() -> String {
    let (before, block) = WRANGLER_TOML.split_once("# [env.production]").unwrap();
    let block: Vec<_> =
        block.lines().map(|line| line.strip_prefix("# ").unwrap_or(line.trim_start_matches('#'))).collect();
    format!("{before}[env.production]{}", block.join("\n"))
}

#[test]
fn as_it_is_cloned_it_names_the_three_variables() {
    let (passed, said) = check(WRANGLER_TOML, None);
    assert!(!passed);
    for name in ["MCP_SERVER_AUTH_CANONICAL_URL", "MCP_SERVER_AUTH_AUTHORIZATION_SERVERS", "ORIGIN_URL"] {
        assert!(said.contains(&format!("- {name}: ")), "{name}: {said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn filled_in_as_its_comments_say_it_is_sound() {
    // What stands after `#` on each line of [vars] is the value that the Deploy button is given.
    let filled: Vec<_> = WRANGLER_TOML
        .lines()
        .map(|line| match line.split_once(" = \"\"") {
            Some((name, comment)) => {
                let at = comment.find("[{").or_else(|| comment.find("https://")).unwrap();
                format!("{name} = '{}'", &comment[at..])
            }
            None => line.to_owned(),
        })
        .collect();
    let (passed, said) = check(&filled.join("\n"), None);
    assert!(passed && said.ends_with("Key sets: KV binding JWKS_CACHE\n"), "{said}");
}

#[test]
fn its_commented_environment_is_sound_and_has_one_door() {
    let file = with_production();
    let (passed, said) = check(&file, Some("production"));
    assert!(passed && said.ends_with("Key sets: KV binding JWKS_CACHE\n"), "{said}");
    let table: toml::Table = file.parse().unwrap();
    let production = &table["env"]["production"];
    assert_eq!(production["workers_dev"].as_bool(), Some(false));
    assert_eq!(production["preview_urls"].as_bool(), Some(false));
    for part in [&table, production.as_table().unwrap()] {
        assert_eq!(part["observability"]["enabled"].as_bool(), Some(true));
        assert_eq!(part["observability"]["traces"]["enabled"].as_bool(), Some(true));
        assert_eq!(part["version_metadata"]["binding"].as_str(), Some("VERSION"));
    }
    assert!(production["kv_namespaces"][0].get("id").is_none());
}

#[test]
fn the_example_of_secrets_sets_nothing_and_names_no_value() {
    for line in DEV_VARS.lines().filter(|line| !line.is_empty()) {
        assert!(line.starts_with('#'), "{line}");
    }
    let names: Vec<_> =
        DEV_VARS.lines().filter_map(|line| line.strip_prefix("# ")?.strip_suffix('=')).collect();
    assert_eq!(
        names,
        [
            "MCP_SERVER_AUTH_ASSERTION_KEY",
            "MCP_SERVER_AUTH_SESSION_KEY",
            "MCP_SERVER_AUTH_AUDIT_KEY",
            "ORIGIN_HEADERS"
        ]
    );
}

#[test]
fn the_examples_of_the_guide_are_sound() {
    let mut examples = 0;
    for part in DEPLOYING.split("```toml\n").skip(1) {
        let (block, _) = part.split_once("```").unwrap();
        let sound = "[vars]\nMCP_SERVER_AUTH_CANONICAL_URL = \"https://mcp.example.com/mcp\"\n\
            ORIGIN_URL = \"https://origin.example.com/mcp\"\n\
            [[vars.MCP_SERVER_AUTH_AUTHORIZATION_SERVERS]]\nauthorization_server_url = \"https://auth.example.com\"\n";
        let (passed, said) = check(&format!("{sound}{block}"), None);
        assert!(passed, "{block}\n{said}");
        examples += 1;
    }
    assert!(examples > 0, "the guide has examples");
}

#[test]
fn the_deploy_button_is_in_the_template_as_soon_as_the_repository_has_an_address() {
    let package: serde_json::Value = serde_json::from_str(include_str!("../../package.json")).unwrap();
    let readme = include_str!("../../template/README.md");
    let button = "https://deploy.workers.cloudflare.com/?url=";
    let repository = &package["repository"];
    match repository.as_str().or(repository["url"].as_str()) {
        None => assert!(readme.contains(&format!("({button}ADDRESS)")), "of which repository?"),
        Some(url) => {
            let url = url.trim_start_matches("git+").trim_end_matches(".git");
            assert!(readme.contains(&format!("({button}{url}/tree/main/template)")), "{button}{url}");
        }
    }
}
