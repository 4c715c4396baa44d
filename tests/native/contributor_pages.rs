//! CONTRIBUTING.md and ARCHITECTURE.md name rooms, files, tests and numbers, and each is as the
//! code has it.

use std::fs;
use std::path::Path;

use mcp_edge_auth::limits;

use crate::support::for_each_row;

const CONTRIBUTING: &str = include_str!("../../CONTRIBUTING.md");
const ARCHITECTURE: &str = include_str!("../../ARCHITECTURE.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What stands in a page as code: in single backticks, outside of fenced blocks.
fn code(page: &str) -> impl Iterator<Item = &str> {
    let lines = page.split("```").step_by(2).flat_map(str::lines);
    lines.flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// A path in a page, not a command, a claim or a function. A name without a folder, such as
/// `entry.mjs`, is none.
fn is_path(word: &str) -> bool {
    let folders = ["src", "tests", "scripts", "xtask", "cli", "docs", "bench", "fuzz", "demo", ".ci"];
    let characters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    word.split_once('/').is_some_and(|(first, _)| folders.contains(&first)) && word.chars().all(characters)
}

#[test]
fn every_file_that_they_name_is_there() {
    let named: Vec<&str> =
        code(CONTRIBUTING).chain(code(ARCHITECTURE)).filter(|word| is_path(word)).collect();
    assert!(named.len() > 60, "{named:?}");
    for_each_row(named, |path| {
        if root().join(path).exists() { Ok(()) } else { Err(format!("{path} is not there")) }
    });
}

#[test]
fn every_room_is_on_the_page() {
    let folders = fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    assert!(folders.len() > 8, "{folders:?}");
    for_each_row(folders, |folder| {
        let name = format!("src/{}", folder.file_name().unwrap().to_string_lossy());
        if code(ARCHITECTURE).any(|word| word == name) { Ok(()) } else { Err(format!("no row for {name}")) }
    });
}

/// `module::test`, in the file of that module.
#[test]
fn every_test_that_holds_a_rule_is_there() {
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let named = code(CONTRIBUTING).filter_map(|word| word.split_once("::"));
    let named: Vec<_> = named.filter(|(module, test)| is_word(module) && is_word(test)).collect();
    assert!(named.len() > 12, "{named:?}");
    for_each_row(named, |(module, test)| {
        let file = root().join(format!("tests/native/{module}.rs"));
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let is_there = text.contains(&format!("#[test]\nfn {test}() {{\n"));
        if is_there { Ok(()) } else { Err(format!("{module} has no test {test}")) }
    });
}

#[test]
fn the_bounds_of_what_is_kept_are_those_of_the_program() {
    let rows = [
        ("DOCUMENT_BYTES", format!("{} KiB", limits::DOCUMENT_BYTES / 1024)),
        ("KEYS_IN_SET", format!("{} keys", limits::KEYS_IN_SET)),
        ("CRYPTO_KEYS", limits::CRYPTO_KEYS.to_string()),
        ("ASSERTIONS_KEPT", limits::ASSERTIONS_KEPT.to_string()),
        ("ASSERTION_REUSE_SECONDS", format!("{} s", limits::ASSERTION_REUSE_SECONDS)),
        ("PENDING", limits::PENDING.to_string()),
        ("WAITERS", limits::WAITERS.to_string()),
        ("COPY_FRESH", format!("{} s", limits::COPY_FRESH)),
    ];
    for_each_row(rows, |(name, value)| {
        let said = format!("`{name}` ({value})");
        if ARCHITECTURE.contains(&said) { Ok(()) } else { Err(format!("not said: {said}")) }
    });
    let polled = format!("every {} ms", limits::POLL_MILLISECONDS);
    assert!(ARCHITECTURE.contains(&polled), "{polled}");
}
