//! docs/conformance.md and docs/clients.md: every test that they name is there, and every version
//! is the one that is installed.

use std::fs;
use std::path::Path;

use crate::support::{for_each_row, same};

const CONFORMANCE: &str = include_str!("../../docs/conformance.md");
const CLIENTS: &str = include_str!("../../docs/clients.md");

fn read(path: &str) -> Result<String, String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(place).map_err(|error| format!("{path}: {error}"))
}

/// The cells of the rows of every table below one of these headings.
fn rows(page: &'static str, last: &str) -> Vec<Vec<&'static str>> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if !line.starts_with('|') {
            inside = false;
        } else if line.ends_with(&format!("| {last} |")) {
            inside = true;
        } else if inside && !line.starts_with("|---") {
            found.push(line.trim_matches('|').split(" | ").map(str::trim).collect());
        }
    }
    found
}

/// Of `file`: "title"; `file`: "title" the pairs.
fn shown_by(cell: &str) -> Result<Vec<(&str, &str)>, String> {
    let parts = cell.split("; `").map(|text| {
        let (file, title) = text.trim_start_matches('`').split_once("`: \"")?;
        Some((file, title.strip_suffix('"')?))
    });
    parts.collect::<Option<Vec<_>>>().ok_or_else(|| format!("is not `file`: \"title\": {cell}"))
}

/// Whether a file has a test of this very title.
fn has(file: &str, title: &str) -> Result<bool, String> {
    let text = read(file)?;
    Ok(match file.rsplit_once('.') {
        Some((_, "rs")) => text.contains(&format!("#[test]\nfn {title}() {{\n")),
        Some((_, "mjs")) => {
            ['"', '`'].iter().any(|quote| text.contains(&format!("test({quote}{title}{quote}")))
        }
        _ => return Err(format!("{file}: what kind of test is that?")),
    })
}

/// The text of README and of every page in docs/.
fn pages() -> Vec<(String, String)> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    pages.chain(["README.md".to_owned()]).map(|path| (path.clone(), read(&path).unwrap())).collect()
}

#[test]
fn every_wrangler_toml_that_is_shown_is_built_as_the_one_of_the_clone() {
    let build = |text: &str| text.parse::<toml::Table>().unwrap().get("build").cloned();
    let ours = build(&read("wrangler.toml").unwrap());
    assert!(ours.is_some());
    let mut shown = Vec::new();
    for (path, page) in pages() {
        for part in page.split("```toml\n").skip(1) {
            let block = part.split_once("```").unwrap().0.replace("\n   ", "\n");
            if block.contains("[build]") {
                assert_eq!(build(&block), ours, "{path}");
                shown.push(path.clone());
            }
        }
    }
    shown.sort();
    assert_eq!(shown, ["docs/many-servers.md"]);
}

#[test]
fn every_requirement_has_a_test() {
    let rows = rows(CONFORMANCE, "shown by");
    assert!(rows.len() > 60, "{}", rows.len());
    for_each_row(rows.iter(), |cells: &&Vec<&str>| {
        let name = cells[0];
        same(name, cells.len(), 4)?;
        same(name, cells.iter().all(|cell| !cell.is_empty()), true)?;
        for (file, title) in shown_by(cells[3])? {
            same(&format!("{file}: {title}"), has(file, title)?, true)?;
        }
        Ok(())
    });
}

#[test]
fn every_client_has_a_test_and_its_version() {
    let rows = rows(CLIENTS, "test");
    assert_eq!(rows.len(), 8);
    let pins = [
        "package.json",
        "tests/clients/package.json",
        "tests/clients/rmcp/Cargo.toml",
        "tests/origins/python-sdk/requirements.txt",
        "tests/origins/fastmcp/requirements.txt",
    ];
    let pins: String = pins.iter().map(|file| read(file).unwrap()).collect();
    for_each_row(rows.iter(), |cells: &&Vec<&str>| {
        let (package, version) = cells[1].strip_prefix('`').unwrap().split_once("` ").unwrap();
        let pinned = [
            format!("\"{package}\": \"{version}\""),
            format!(": \"npm:{package}@{version}\""),
            format!("\n{package}=={version}"),
            format!("\n{package} = {{ version = \"={version}\""),
        ];
        same(cells[0], pinned.iter().any(|pin| pins.contains(pin)), true)?;
        for (file, title) in shown_by(cells[2])? {
            same(title, has(file, title)?, true)?;
        }
        Ok(())
    });
}
