//! The floors of `src/`: a room uses only rooms below it, and within a room no files lean on each
//! other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::boundaries::rust_files;

/// The rooms from top to bottom.
const FLOORS: [&str; 19] = [
    "edge",
    "admission",
    "settings",
    "route",
    "documents",
    "resource",
    "origin",
    "policy",
    "token",
    "keys",
    "refusal",
    "http",
    "paths",
    "fault",
    "secret",
    "base64url",
    "plain",
    "json",
    "limits",
];

/// Files that use a room above their own. This list may only become shorter.
const UPWARDS: [(&str, &str); 0] = [];

/// A file's module path without `crate`: `token::jose`.
fn module(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// The paths in a text that begin with `crate`, `super` or one of these modules, groups in braces
/// written out.
fn paths(text: &str, children: &[String]) -> Vec<Vec<String>> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for (at, _) in code.match_indices("::") {
        let lead = code[..at].trim_end_matches(is_word);
        let first = &code[lead.len()..at];
        let is_root = ["crate", "super"].contains(&first) || children.iter().any(|child| child == first);
        if is_root && !lead.ends_with("::") {
            tree(vec![first.to_owned()], &code[at + 2..], &mut found);
        }
    }
    found
}

/// What follows `::` in a path; gives back what follows the path.
fn tree<'t>(start: Vec<String>, text: &'t str, found: &mut Vec<Vec<String>>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = tree(start.clone(), rest, found).trim_start();
            rest = match rest.strip_prefix(',') {
                Some(more) if !more.trim_start().starts_with('}') => more,
                Some(more) => return more.trim_start().strip_prefix('}').unwrap(),
                None => return rest.strip_prefix('}').unwrap_or(rest),
            };
        }
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let path = [start, vec![word.to_owned()]].concat();
    match rest.strip_prefix("::") {
        Some(rest) => tree(path, rest, found),
        None => {
            found.push(path);
            rest
        }
    }
}

/// Which files each file uses, by their paths from the root.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let files: Vec<(String, String)> =
        rust_files("src").into_iter().filter(|(path, _)| path != "src/lib.rs").collect();
    let modules: BTreeMap<Vec<String>, &str> =
        files.iter().map(|(path, _)| (module(path), path.as_str())).collect();
    let mut uses = BTreeMap::new();
    for (path, text) in &files {
        let own = module(path);
        let children = modules.keys().filter(|m| m.len() == own.len() + 1 && m.starts_with(&own));
        let children: Vec<String> = children.filter_map(|m| m.last().cloned()).collect();
        let mut used = BTreeSet::new();
        for named in paths(text, &children) {
            let mut place = own.clone();
            for word in named {
                match word.as_str() {
                    "crate" => place.clear(),
                    "super" => drop(place.pop()),
                    _ => place.push(word),
                }
            }
            // An item's file is that of the longest module that its path begins with.
            let file = (1..=place.len()).rev().find_map(|length| modules.get(&place[..length]));
            used.extend(file.filter(|file| *file != path).map(|file| (*file).to_owned()));
        }
        uses.insert(path.clone(), used);
    }
    uses
}

fn floor(path: &str) -> usize {
    let room = module(path).swap_remove(0);
    FLOORS.iter().position(|floor| *floor == room).unwrap_or_else(|| panic!("{path}: on which floor?"))
}

#[test]
fn a_room_uses_only_rooms_below_it() {
    let uses = uses();
    assert!(uses.len() > 60 && uses.values().map(BTreeSet::len).sum::<usize>() > 200, "{uses:#?}");
    let upwards: Vec<(&str, &str)> = uses
        .iter()
        .flat_map(|(file, used)| used.iter().map(move |other| (file.as_str(), other.as_str())))
        .filter(|(file, other)| floor(other) < floor(file))
        .collect();
    assert_eq!(upwards, UPWARDS);
}

#[test]
fn no_files_lean_on_each_other() {
    let uses = uses();
    let reached = |from: &str| {
        let mut reached = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(file) = next.pop() {
            next.extend(uses[&file].iter().filter(|other| reached.insert((*other).clone())).cloned());
        }
        reached
    };
    let reach: BTreeMap<&str, BTreeSet<String>> = uses.keys().map(|f| (f.as_str(), reached(f))).collect();
    let mut circles: Vec<Vec<&str>> = Vec::new();
    for (file, reached) in reach.iter().filter(|(file, reached)| reached.contains(**file)) {
        let circle = reached.iter().map(String::as_str).filter(|other| reach[other].contains(*file));
        let circle: Vec<&str> = circle.collect();
        if !circles.contains(&circle) {
            circles.push(circle);
        }
        assert!(file.starts_with("src/"));
    }
    assert_eq!(circles, Vec::<Vec<&str>>::new());
}

#[test]
fn paths_are_read() {
    let text = "use crate::a::{self, B, c::{D, e::F,},};\n// crate::no\nuse super::g;\nfn f() { kid::h(); x::kid::i() }";
    let found: Vec<String> = paths(text, &["kid".to_owned()]).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        ["crate::a::self", "crate::a::B", "crate::a::c::D", "crate::a::c::e::F", "super::g", "kid::h"]
    );
}
