//! The boundaries of the source tree: only `src/edge` knows the runtime, the core has no clock and
//! no I/O, and no file is more than one room.

use std::fs;
use std::path::{Path, PathBuf};

use super::pages::ODD_WORDS;

/// Every Rust file below a folder of the repository: its path from the root, with slashes, and its
/// text.
pub(crate) fn rust_files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    let relative = |path: &PathBuf| path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
    let mut read: Vec<_> =
        files.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect();
    read.sort();
    assert!(read.len() > 5, "{folder} was not found as a whole");
    read
}

/// The lines of these files that name one of these words.
fn naming(words: &[&str], files: impl Fn(&str) -> bool) -> Vec<String> {
    let source = [rust_files("src"), rust_files("cli/src")].concat();
    let files = source.iter().filter(|(path, _)| files(path));
    let lines =
        files.flat_map(|(path, text)| text.lines().enumerate().map(move |(n, line)| (path, n + 1, line)));
    let named = lines.filter(|(_, _, line)| words.iter().any(|word| line.contains(word)));
    named.map(|(path, number, line)| format!("{path}:{number}: {line}")).collect()
}

fn is_core(path: &str) -> bool {
    !path.starts_with("src/edge/") && !is_command(path)
}

fn is_command(path: &str) -> bool {
    path.starts_with("cli/src/")
}

/// What a program says to the machine that it runs on.
const OUTSIDE: [&str; 8] =
    ["std::time", "SystemTime", "Instant::", "std::fs", "std::env", "std::io", "std::process", "TcpStream"];

const NONE: Vec<String> = Vec::new();

#[test]
fn only_the_edge_knows_the_runtime() {
    let runtime = ["worker::", "web_sys", "js_sys", "wasm_bindgen", "extern crate worker"];
    assert_eq!(naming(&runtime, is_core), NONE);
}

#[test]
fn the_core_has_no_clock_and_no_io() {
    assert_eq!(naming(&OUTSIDE, is_core), NONE);
    assert_eq!(naming(&["async fn", ".await"], is_core), NONE);
}

/// They may wait for an answer. Who asks for it, reads files and prints is JavaScript.
#[test]
fn the_commands_have_no_clock_and_no_io_and_one_door_to_javascript() {
    assert_eq!(naming(&OUTSIDE, is_command), NONE);
    let javascript = ["js_sys", "web_sys", "wasm_bindgen"];
    let elsewhere = |path: &str| is_command(path) && path != "cli/src/node.rs";
    assert_eq!(naming(&javascript, elsewhere), NONE);
}

#[test]
fn nothing_fails_open_or_is_unsafe() {
    assert_eq!(
        naming(&["pass_through_on_exception", "passThroughOnException", "unsafe ", "unsafe{"], |_| true),
        NONE
    );
}

#[test]
fn a_file_is_one_room() {
    let long = rust_files("src")
        .into_iter()
        .chain(rust_files("cli"))
        .chain(rust_files("tests"))
        .chain(rust_files("fuzz/targets"))
        .map(|(path, text)| (path, text.lines().count()));
    assert_eq!(long.filter(|(_, lines)| *lines > 400).collect::<Vec<_>>(), []);
}

/// The JavaScript of the Worker, and how many lines each file may have.
const WORKER_MODULES: [(&str, usize); 14] = [
    ("entry", 60),
    ("exchange", 120),
    ("keys", 30),
    ("limiting", 40),
    ("deciding", 40),
    ("sign", 40),
    ("bodies", 80),
    ("bytes", 30),
    ("audit", 30),
    ("headers", 30),
    ("line", 60),
    ("patience", 60),
    ("proof", 30),
    ("introspect", 40),
];

/// What JavaScript does for Rust stays small enough to be read at a glance, and neither branches on
/// what a request says nor knows a status, a header or a claim.
#[test]
fn the_glue_decides_nothing() {
    for (module, lines) in WORKER_MODULES {
        let text = fs::read_to_string(format!("src/edge/{module}.mjs")).unwrap();
        let text = text.replace(".subarray(", "("); // no claim
        assert!(text.lines().count() <= lines, "{module}");
        for word in [
            "401",
            "403",
            "X-MCP",
            "x-mcp",
            "Bearer",
            "Access-Control",
            "switch",
            ".status ==",
            ".sub",
            "JSON.parse",
        ] {
            assert!(!text.contains(word), "{module}: {word}");
        }
    }
}

/// How many parameters each function of a text has, by its name. `self` is one.
fn parameters(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("fn ").filter(|(at, _)| *at == 0 || text[..*at].ends_with([' ', '\n']))
    {
        let rest = &text[at + 3..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        // Behind the name and its generics.
        let Some(start) = rest[name.len()..].find('(').filter(|_| !name.is_empty()) else { continue };
        let (mut depth, mut count, mut named) = (0_usize, 0, false);
        for c in rest[name.len() + start..].chars() {
            match c {
                '(' | '[' | '<' | '{' => depth += 1,
                ')' if depth == 1 => break,
                ')' | ']' | '>' | '}' => depth -= 1,
                ',' if depth == 1 => named = false,
                c if !c.is_whitespace() && !named => {
                    named = true;
                    count += 1;
                }
                _ => {}
            }
        }
        found.push((name, count));
    }
    found
}

#[test]
fn nothing_takes_more_than_six_arguments() {
    let text = "fn a() {} fn b(self, c: Vec<(u8, u8)>, ) {} fn d<'a>(\n e: &'a [u8; 2],\n f: u8,\n)";
    let counted = [("a", 0), ("b", 2), ("d", 2)];
    assert_eq!(parameters(text), counted.map(|(name, count)| (name.to_owned(), count)));
    let rust = rust_files("src").into_iter().chain(rust_files("cli"));
    let mut functions = 0;
    for (path, text) in rust {
        for (name, count) in parameters(&text.replace("->", "  ")) {
            functions += 1;
            assert!(count <= 6, "{path}: {name} takes {count}");
        }
    }
    assert!(functions > 800, "{functions} functions were found");
    for module in WORKER_MODULES.map(|(module, _)| module) {
        let text = fs::read_to_string(format!("src/edge/{module}.mjs")).unwrap();
        for (at, _) in text.match_indices(") {").chain(text.match_indices(") =>")) {
            let list = text[..at].rsplit('(').next().unwrap();
            assert!(list.split(',').count() <= 6, "{module}: ({list})");
        }
    }
}

#[test]
fn a_file_says_first_what_it_promises() {
    let silent = rust_files("src")
        .into_iter()
        .chain(rust_files("cli"))
        .chain(rust_files("tests"))
        .chain(rust_files("fuzz/targets"))
        .filter(|(_, text)| !text.starts_with("//! "));
    assert_eq!(silent.map(|(path, _)| path).collect::<Vec<_>>(), NONE);
}

/// Every file of code, in Rust, JavaScript and TOML.
fn code() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let is_made = ["target", "node_modules", "build", "dist", "corpus"].contains(&name.as_str());
                folders.extend((!is_made && !name.starts_with('.')).then_some(path));
            } else if [".rs", ".mjs", ".js", ".toml"].iter().any(|end| name.ends_with(end)) {
                let short = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.push((short, fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(found.len() > 250, "the tree was not found as a whole");
    found
}

/// The comment in a line of code, if it has one.
fn comment<'l>(path: &str, line: &'l str) -> Option<&'l str> {
    let line = line.trim();
    let mark = if path.ends_with(".toml") { "#" } else { "//" };
    if line.starts_with(mark)
        || (!path.ends_with(".toml") && (line.starts_with("* ") || line.starts_with("/*")))
    {
        return Some(line);
    }
    let (code, comment) = line.split_once(&format!(" {mark} "))?;
    let is_text = |quote: char| code.matches(quote).count() % 2 == 1;
    (!['"', '`'].into_iter().any(is_text)).then_some(comment)
}

#[test]
fn comments_are_narrow_and_plain() {
    let mut wrong = Vec::new();
    for (path, text) in code() {
        for (number, line) in text.lines().enumerate() {
            let Some(comment) = comment(&path, line) else { continue };
            let words = comment.to_lowercase();
            let odd = ODD_WORDS.iter().find(|odd| {
                words.match_indices(*odd).any(|(at, odd)| {
                    let is_word = |c: char| c.is_alphanumeric();
                    !words[..at].ends_with(is_word) && !words[at + odd.len()..].starts_with(is_word)
                })
            });
            let is_table = comment.trim_start_matches(['/', '!', ' ']).starts_with('|');
            if line.chars().count() > 100 && !is_table {
                wrong.push(format!("{path}:{}: {} columns", number + 1, line.chars().count()));
            }
            wrong.extend(odd.map(|odd| format!("{path}:{}: {odd}", number + 1)));
        }
    }
    assert_eq!(wrong, NONE);
}
