//! docs/origins.md: the files that it shows are the files that are tried, its settings are sound,
//! its versions are those that are installed.

use std::fs;
use std::path::{Path, PathBuf};

use mcp_edge_auth::settings::Variables;

const PAGE: &str = include_str!("../../docs/origins.md");
const PACKAGES: &str = include_str!("../../package.json");

/// The code blocks of this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    PAGE.split(&start).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

/// The folders of tests/origins with a file of this name.
fn folders_with(name: &str) -> Vec<PathBuf> {
    let origins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/origins");
    let folders = fs::read_dir(origins).unwrap().map(|entry| entry.unwrap().path());
    folders.map(|folder| folder.join(name)).filter(|file| file.exists()).collect()
}

fn name_of(file: &Path) -> String {
    file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_server_is_shown_as_it_is_tried() {
    for (file, language, number) in [("server.py", "python", 3), ("server.mjs", "js", 4)] {
        let files = folders_with(file);
        assert_eq!(files.len(), number);
        assert_eq!(blocks(language).len(), number, "and nothing else is shown");
        for path in files {
            let shown = format!(
                "[tests/origins/{name}/{file}](../tests/origins/{name}/{file}):\n\n```{language}\n{text}```\n",
                name = name_of(&path),
                text = fs::read_to_string(&path).unwrap(),
            );
            assert!(PAGE.contains(&shown), "docs/origins.md does not show {} as it is", path.display());
        }
    }
}

#[test]
fn the_settings_are_sound() {
    let all = blocks("toml");
    assert_eq!(all.len(), 3);
    for block in all {
        let file: toml::Table = block.parse().unwrap();
        let variables: Variables = file["vars"]
            .as_table()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), serde_json::to_value(value).unwrap()))
            .collect();
        let config = mcp_edge_auth::settings::read(&variables.without_secrets())
            .unwrap_or_else(|faults| panic!("{faults:?}\n{block}"));
        let signs = block.contains("MCP_SERVER_AUTH_ASSERTION ");
        assert_eq!(
            config.unseen_secrets.contains(&"MCP_SERVER_AUTH_ASSERTION_KEY".to_owned()),
            signs,
            "{block}"
        );
    }
}

#[test]
fn the_versions_are_those_that_are_installed() {
    let table = PAGE.split_once("## What the origin may believe").unwrap().0;
    for (folder, package) in [("fastmcp", "fastmcp"), ("python-sdk", "mcp"), ("arcade", "arcade-mcp-server")]
    {
        let pins = folders_with("requirements.txt").into_iter().find(|file| name_of(file) == folder).unwrap();
        let pins = fs::read_to_string(pins).unwrap();
        let pinned = pins.lines().filter_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
        let versions: Vec<&str> = pinned.map(|rest| rest.split(' ').next().unwrap()).collect();
        assert!(!versions.is_empty(), "{package}");
        for version in versions {
            assert!(table.contains(version), "{package} {version} is not in the table");
        }
        let newest =
            pins.lines().filter_map(|line| line.strip_prefix(package)?.strip_prefix("==")).next_back();
        let install = format!("pip install {package}=={}", newest.unwrap().split(' ').next().unwrap());
        assert!(PAGE.contains(&install), "{install}");
    }
    let packages: serde_json::Value = serde_json::from_str(PACKAGES).unwrap();
    for package in [
        "@modelcontextprotocol/server",
        "@modelcontextprotocol/node",
        "@modelcontextprotocol/sdk",
        "express",
        "jose",
    ] {
        let version = packages["devDependencies"][package].as_str().unwrap();
        assert!(table.contains(&format!("{package} {version}")), "{package} {version} is not in the table");
        let named = PAGE.matches(&format!("{package}@")).count();
        assert!(
            named > 0 && named == PAGE.matches(&format!("{package}@{version}")).count(),
            "{package}@{version}"
        );
    }
}
