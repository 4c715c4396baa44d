//! What holds for every page in Markdown: its links lead somewhere, the commands and files that it
//! names exist, its lines are short enough to read, and the reference pages leave nothing out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{SERVERS, for_each_row, same, settings, variables, with};
use mcp_edge_auth::limits;
use serde_json::json;

/// Columns of a line of prose.
const COLUMNS: usize = 100;

/// Pages that are still to be shortened. Nothing is added here.
const STILL_LONG: [&str; 2] =
    ["docs/decisions/0005-few-crossings.md", "docs/decisions/0009-built-from-source.md"];

/// Words that are not what anybody would say in English: a reader has to guess what they mean.
pub(crate) const ODD_WORDS: [&str; 8] =
    ["mend", "mended", "slip of the pen", "told apart", "himself", "its kin", "their kin", "for ever"];

/// A folder that only a build makes; and files of other repositories, whose names look like ours.
const ELSEWHERE: [&str; 2] = ["cli/build/", "src/lib/utils.ts"];

/// The pages beside those in docs/.
const MEASURED: [&str; 5] =
    ["README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "ARCHITECTURE.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files in a folder whose names have one of these endings, in its folders, too.
fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "node_modules" | "target" | "golden" | "dist") {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// Every page: its path from the root of the repository, and its text.
fn pages() -> Vec<(String, String)> {
    let all = files("docs", &[".md"]).into_iter().chain(MEASURED.map(str::to_owned));
    let all = all.chain(["bench/README.md", "fuzz/README.md", "package/README.md"].map(str::to_owned));
    all.map(|path| (path.clone(), read(&path))).collect()
}

/// The lines of a page that are not in a fenced block of code, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let numbered = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    let outside = numbered.filter(|(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    outside.collect()
}

/// The name by which GitHub lets a link lead to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).into_iter().filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#'))).collect()
}

/// The targets of the links in a text.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target)).collect()
}

/// The file that a relative link of a page leads to, seen from the root of the repository.
fn led_to(page: &str, target: &str) -> PathBuf {
    let mut path = Path::new(page).parent().unwrap().to_path_buf();
    for part in target.split('/') {
        match part {
            ".." => assert!(path.pop(), "{page}: {target}"),
            part => path.push(part),
        }
    }
    path
}

/// Whether a link leads to a file that is there, and to a heading that is in it.
fn leads_somewhere(page: &str, target: &str) -> Result<(), String> {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = if file.is_empty() { PathBuf::from(page) } else { led_to(page, file) };
    if !root().join(&file).exists() {
        return Err(format!("{page}: {target} is not there"));
    }
    if heading.is_empty() || anchors(&read(&file.to_string_lossy())).contains(heading) {
        return Ok(());
    }
    Err(format!("{page}: {} has no heading #{heading}", file.display()))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut seen = 0;
    for (page, text) in pages() {
        let prose = prose(&text).into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n");
        let relative = links(&prose).into_iter().filter(|target| !target.contains("://"));
        let relative: Vec<_> = relative.filter(|target| *target != "ADDRESS").collect();
        seen += relative.len();
        for_each_row(relative, |target| leads_somewhere(&page, target));
    }
    assert!(seen > 200, "{seen}");
}

/// The pages that code, scripts and settings name, as `docs/…md` or `README.md`, with a heading or
/// without.
#[test]
fn every_page_that_a_file_names_is_there() {
    let mut named = Vec::new();
    let folders = ["src", "scripts", "cli", "demo", "xtask", "tests", "bench"];
    let code = folders.iter().flat_map(|folder| files(folder, &[".rs", ".mjs", ".js", ".sh", ".toml"]));
    for file in code.chain(["wrangler.toml".to_owned(), ".dev.vars.example".to_owned()]) {
        let text = read(&file);
        for (start, _) in text.match_indices("docs/").chain(text.match_indices("README.md#")) {
            let is_ours =
                !text[..start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | ':' | '.'));
            let end = |c: char| !(c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '#'));
            let target = text[start..].split(end).next().unwrap().trim_end_matches('.');
            if is_ours && target.contains(".md") {
                named.push((file.clone(), target.to_owned()));
            }
        }
    }
    assert!(named.len() > 10, "{named:?}");
    for_each_row(named, |(file, target)| {
        leads_somewhere("README.md", target).map_err(|e| format!("{file}: {e}"))
    });
}

#[test]
fn every_npm_command_exists() {
    let package: serde_json::Value = serde_json::from_str(&read("package.json")).unwrap();
    let mut seen = 0;
    for (page, text) in pages() {
        for (_, rest) in text.match_indices("npm run ").map(|(at, found)| (at, &text[at + found.len()..])) {
            let rest = rest.strip_prefix("-s ").unwrap_or(rest);
            let end = |c: char| !(c.is_ascii_lowercase() || c == ':' || c == '-');
            let name = rest.split(end).next().unwrap();
            seen += 1;
            assert!(package["scripts"][name].is_string(), "{page}: npm run {name}");
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn prose_has_at_most_100_columns() {
    let is_long = |line: &str| {
        let is_table = line.trim_start().starts_with('|');
        // One link that no break shortens, whatever stands before it in a list.
        let words = line.trim_start_matches(['-', ' ']).split(' ').count();
        line.chars().count() > COLUMNS && !is_table && words > 1
    };
    for_each_row(pages(), |(page, text)| {
        let long: Vec<_> =
            prose(text).into_iter().filter(|(_, line)| is_long(line)).map(|(n, _)| n).collect();
        match (long.is_empty(), STILL_LONG.contains(&page.as_str())) {
            (false, false) => Err(format!("{page}: over {COLUMNS} columns in lines {long:?}")),
            (true, true) => Err(format!("{page}: take it out of STILL_LONG")),
            _ => Ok(()),
        }
    });
}

/// A heading, the problem in a paragraph, and what to type, before anything else.
#[test]
fn every_page_in_docs_begins_with_the_problem_and_what_to_type() {
    let own =
        pages().into_iter().filter(|(page, _)| page.starts_with("docs/") && page.matches('/').count() == 1);
    for_each_row(own, |(page, text)| {
        let beginning = text.split("\n## ").next().unwrap();
        let (problem, rest) = beginning.split_once("\n```").ok_or(format!("{page}: nothing to type"))?;
        let mut lines = problem.lines();
        same(page, lines.next().is_some_and(|line| line.starts_with("# ")), true)?;
        same(page, lines.next(), Some(""))?;
        let paragraph: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        let sentences = paragraph.join(" ").matches(". ").count() + 1;
        same(page, (2..=3).contains(&sentences), true)?;
        same(page, rest.contains("\n```"), true)
    });
}

#[test]
fn no_page_has_a_word_that_reads_as_translation() {
    for_each_row(pages(), |(page, text)| {
        let is_word = |at: usize, word: &str| {
            let around = [text[..at].chars().next_back(), text[at + word.len()..].chars().next()];
            !around.into_iter().flatten().any(char::is_alphanumeric)
        };
        let found =
            ODD_WORDS.into_iter().find(|word| text.match_indices(word).any(|(at, _)| is_word(at, word)));
        same(page, found, None)
    });
}

/// The files that a page names in code: a reader goes there.
#[test]
fn every_file_that_a_page_names_is_there() {
    let mut seen = 0;
    for (page, text) in pages().into_iter().filter(|(page, _)| page != "CHANGELOG.md") {
        for named in text.split('`').skip(1).step_by(2) {
            let is_ours =
                ["src/", "tests/", "scripts/", "cli/", "xtask/"].iter().any(|start| named.starts_with(start));
            let is_path =
                named.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'));
            if is_ours && is_path && !ELSEWHERE.contains(&named) {
                seen += 1;
                assert!(root().join(named).exists(), "{page}: {named}");
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_the_promises_name_is_in_the_code() {
    let sources = files("src", &[".rs"]).into_iter().map(|path| (read(&path), path)).collect::<Vec<_>>();
    let promises = read("SECURITY.md");
    let functions = promises.split('`').skip(1).step_by(2).filter_map(|named| named.split_once("::"));
    let functions: Vec<_> = functions.collect();
    assert!(functions.len() > 1, "{functions:?}");
    for_each_row(functions, |(module, function)| {
        let is_it = |(text, path): &(String, String)| {
            path.contains(module) && text.contains(&format!("pub fn {function}("))
        };
        same(&format!("{module}::{function}"), sources.iter().any(is_it), true)
    });
    let makers = ["makes a `", "makes an `"].map(|verb| promises.split(verb).skip(1));
    let made = makers.into_iter().flatten().filter_map(|rest| rest.split('`').next()).collect::<Vec<_>>();
    assert!(made.len() > 1, "{made:?}");
    for_each_row(made, |name| {
        let is_there = sources.iter().any(|(text, _)| text.contains(&format!("pub struct {name} ")));
        same(name, is_there, true)
    });
}

/// Names that a fault lists as those that are known.
fn known(settings: &serde_json::Value) -> Vec<String> {
    let faults = mcp_edge_auth::settings::read(&variables(settings)).unwrap_err();
    let listed = faults.iter().find_map(|fault| fault.expected.split_once("there are ")).unwrap().1;
    let listed = listed.trim_start_matches("MCP_SERVER_AUTH_{").trim_end_matches('}');
    listed.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_settings_page_has_every_variable_and_every_field() {
    let page = read("docs/settings.md");
    let tables = page.split("\n## What a fault is").next().unwrap();
    let rows: String = tables.lines().filter(|line| line.starts_with("| ")).map(first_cell).collect();
    let variables = known(&with(settings(), json!({ "MCP_SERVER_AUTH_NO": 1 })));
    assert!(variables.len() > 20, "{variables:?}");
    let prefixed = variables.iter().map(|name| format!("MCP_SERVER_AUTH_{name}"));
    let others = ["ORIGIN_URL", "ORIGIN_HEADERS", "ORIGIN_AUTHORIZATION", "ORIGIN_TIMEOUT_SECONDS"];
    let others =
        others.into_iter().chain(["allow_token_passthrough", "ORIGIN", "JWKS_CACHE"]).map(str::to_owned);
    for_each_row(prefixed.chain(others), |name| same(name, rows.matches(&format!("`{name}`")).count(), 1));
    let fields = known(&with(settings(), json!({ SERVERS: [{ "no": 1 }] })));
    assert!(fields.len() > 8, "{fields:?}");
    for_each_row(fields, |name| same(name, rows.matches(&format!("`{name}`")).count(), 1));
}

fn first_cell(row: &str) -> String {
    row.trim_matches('|').split(" | ").next().unwrap().to_owned()
}

/// The members of a request's line, by the names in the source; `line.mjs` and the commands add
/// others.
#[test]
fn the_log_page_has_every_member() {
    let page = read("docs/log.md");
    let (_, table) = page.split_once("## A request\n").unwrap();
    let rows: String = table.lines().filter(|line| line.starts_with("| `")).map(first_cell).collect();
    let source = read("src/edge/log.rs");
    let (_, body) = source.split_once("struct Line {\n").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let body = body.split("#[serde(skip)]").next().unwrap();
    let members =
        body.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.starts_with('#'));
    let members = members
        .filter_map(|line| line.trim_start_matches("pub(super) ").split_once(": "))
        .map(|(name, _)| name);
    let members: Vec<&str> = members.filter(|name| *name != "event").collect();
    assert!(members.len() > 15, "{members:?}");
    let added = ["status", "ms", "request_id", "cf_ray", "colo", "version", "time", "credential", "detail"];
    for_each_row(members.into_iter().chain(added), |name| {
        same(name, rows.matches(&format!("`{name}`")).count(), 1)
    });
}

#[test]
fn the_log_page_has_every_line() {
    let page = read("docs/log.md");
    let rows: String = page.lines().filter(|line| line.starts_with("| `")).map(first_cell).collect();
    let source = read("src/edge/events.rs");
    let events = source.split(r#"("event", json!(""#).skip(1).filter_map(|rest| rest.split('"').next());
    let events: Vec<&str> = events.chain(["request", "waiting"]).collect();
    assert!(events.len() > 7, "{events:?}");
    for_each_row(events, |name| same(name, rows.contains(&format!("`{name}`")), true));
}

#[test]
fn the_reference_has_the_limits_of_the_program() {
    let range = |range: std::ops::RangeInclusive<u64>| format!("{} to {}", range.start(), range.end());
    let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
    let mib = |bytes: usize| format!("{} MiB", bytes / 1024 / 1024);
    let ending = |default: u64| format!("| {default} |");
    let mac = 44; // a dot, and 32 bytes in base64url
    let rows = [
        ("settings", "MCP_SERVER_AUTH_CACHE_TTL", range(limits::CACHE_TTL)),
        ("settings", "MCP_SERVER_AUTH_CACHE_TTL", ending(limits::CACHE_TTL_DEFAULT)),
        ("settings", "ORIGIN_TIMEOUT_SECONDS", range(limits::ORIGIN_TIMEOUT)),
        ("settings", "ORIGIN_TIMEOUT_SECONDS", ending(limits::ORIGIN_TIMEOUT_DEFAULT)),
        ("settings", "validation_options", range(limits::LEEWAY)),
        ("settings", "validation_options", format!("; {} seconds |", limits::LEEWAY_DEFAULT)),
        ("introspection", "cache_seconds", range(limits::INTROSPECTION_CACHE)),
        ("introspection", "cache_seconds", format!("| {}: ", limits::INTROSPECTION_CACHE_DEFAULT)),
        ("settings", "issuer", format!("{} bytes", limits::ISSUER_BYTES)),
        ("settings", "MCP_SERVER_AUTH_RESOURCE_NAME", format!("{} characters", limits::RESOURCE_NAME_CHARS)),
        ("settings", "MCP_SERVER_AUTH_SESSION_KEY", format!("{} bytes", limits::SESSION_KEY_BYTES)),
        ("settings", "MCP_SERVER_AUTH_AUDIT_KEY", format!("{} bytes", limits::AUDIT_KEY_BYTES)),
        ("reasons", "token_too_large", kib(limits::TOKEN_BYTES)),
        ("reasons", "body_too_large", mib(limits::BODY_BYTES)),
        ("reasons", "list_unreadable", mib(limits::LIST_BYTES)),
        ("reasons", "session_unbindable", format!("{} bytes", limits::SESSION_ID_BYTES - mac)),
        ("log", "waiting", format!("waited {} s", limits::ORIGIN_NOTICE)),
        ("log", "iss", format!("{} characters", limits::LOGGED_DETAIL_CHARS)),
        ("log", "client", format!("{} characters", limits::LOGGED_CLIENT_CHARS)),
        ("log", "jti", format!("{} characters", limits::LOGGED_JTI_CHARS)),
        ("log", "argument", format!("{} characters", limits::ARGUMENT_PATH_CHARS)),
        ("log", "rpc_method", format!("{} characters", limits::LOGGED_NAME_CHARS)),
    ];
    let policy = read("docs/policy.md");
    let (names, characters) = (limits::ARGUMENT_PATH_NAMES, limits::ARGUMENT_PATH_CHARS);
    assert!(policy.contains(&format!("at most {names} names and {characters}\ncharacters")));
    assert!(policy.contains(&format!("has more than {} members | refused |", limits::ARGUMENT_MEMBERS)));
    let [period, notice] =
        [limits::LIMIT_PERIODS.map(|s| s.to_string()).join(" or "), limits::LIMITER_NOTICE.to_string()];
    for said in [
        format!("| `period` | {period} seconds"),
        format!("there can be {}.", limits::LIMITS),
        format!("answer, {} to {} |", limits::DECIDE_MILLISECONDS.start(), limits::DECIDE_MILLISECONDS.end())
            + &format!(" {} |", limits::DECIDE_MILLISECONDS_DEFAULT),
        format!("more than {}, no JSON", kib(limits::DOCUMENT_BYTES)),
        format!("takes more than {} ms", limits::LIMITER_MILLISECONDS),
    ] {
        assert!(policy.contains(&said), "{said}");
    }
    assert!(read("docs/log.md").contains(&format!("at most once in {notice} s")));
    for_each_row(rows, |(page, name, expected)| {
        let text = read(&format!("docs/{page}.md"));
        let row = text.lines().find(|line| line.starts_with(&format!("| `{name}`")));
        let row = row.ok_or(format!("{page}: no row for {name}"))?;
        same(&format!("{page}, {name}: {expected}"), row.contains(expected.as_str()), true)
    });
}
