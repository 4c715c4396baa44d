//! What docs/many-servers.md says is so: its wrangler.toml passes the check, each server has a
//! block of its own, and the tables name every member.

use cli::deployment::Deployment;

use crate::support::check::{check, read};
use crate::support::{self, for_each_row};

const PAGE: &str = include_str!("../../docs/many-servers.md");

fn example() -> &'static str {
    PAGE.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0
}

#[test]
fn the_example_passes_the_check_with_a_block_for_each_server() {
    let (passed, said) = check(example(), None);
    assert!(passed, "{said}");
    support::assert_golden("summary-many.txt", said.trim_end());
}

#[test]
fn faults_are_named_by_their_place() {
    let (passed, said) = check(&example().replace("\"BILLING\"\nscopes", "\"BILING\"\nscopes"), None);
    assert!(!passed);
    assert!(
        said.contains("\n- MCP_SERVER_AUTH_RESOURCES[2].binding: expected the name of a binding"),
        "{said}"
    );
    // A store is a binding, too, and answers no requests.
    let (passed, said) = check(&example().replace("\"BILLING\"\nscopes", "\"JWKS_CACHE\"\nscopes"), None);
    assert!(!passed && said.contains("RESOURCES[2].binding"), "{said}");
    let (_, said) = check(
        &example().replace(
            "canonical_url = \"https://mcp.example.com/files\"\norigin_url",
            "canonical_url = \"https://mcp.example.com/files\"\norigin",
        ),
        None,
    );
    assert!(said.contains("- MCP_SERVER_AUTH_RESOURCES[0].origin: expected no such member"), "{said}");
    assert!(said.contains("- MCP_SERVER_AUTH_RESOURCES[0].origin_url: expected an http or https URL without query, fragment, userinfo or whitespace; it is required, or binding"), "{said}");
}

#[test]
fn every_member_has_its_row() {
    let settings = r#"{"MCP_SERVER_AUTH_RESOURCES":[{"no":1}]}"#;
    let faults = mcp_edge_auth::settings::read(&support::variables(&serde_json::from_str(settings).unwrap()))
        .unwrap_err();
    let (_, members) = faults[0].expected.split_once("there are ").unwrap();
    for_each_row(members.split(", "), |member| {
        if PAGE.contains(&format!("`{member}`")) { Ok(()) } else { Err(format!("no row for {member}")) }
    });
}

#[test]
fn what_the_example_says_is_shared_is_shared() {
    let deployment = Deployment::read(&read(example(), None)).unwrap();
    let (config, _) = deployment.config().unwrap();
    assert_eq!(config.sources.len(), 1);
    assert!(config.by_host);
    let audiences = config.resources.iter().map(|r| r.entries[0].rules.audiences.clone()).collect::<Vec<_>>();
    let urls = config.resources.iter().map(|r| vec![r.canonical.as_str().to_owned()]).collect::<Vec<_>>();
    assert_eq!(audiences, urls);
    let scopes = |n: usize| config.resources[n].metadata.as_deref().unwrap().contains("mcp:write");
    assert_eq!([scopes(0), scopes(1), scopes(2)], [true, true, false]);
}
