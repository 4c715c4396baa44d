//! The way from a request's URL to the origin. The first byte of the input chooses the settings,
//! the rest is the URL.
//!
//! 1. A target begins with `ORIGIN_URL`, has its scheme, host and port, and stays at or below its
//!    path for every reader: a URL parser, and servers that decode once, twice or until nothing is
//!    left, understand overlong UTF-8 and `%u`, take `\` for `/`, and cut a path or its segments at
//!    `?`, `#`, `;`, spaces or NUL.
//! 2. Of several servers behind one Worker, none of these readers finds another one's path in it,
//!    nor do those who fold case or collapse slashes.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use mcp_edge_auth::origin::request::plan;
use mcp_edge_auth::policy::{Authorized, Body, PolicyInput, authorize};
use mcp_edge_auth::resource::Config;
use mcp_edge_auth::route::{Route, route};
use serde_json::{Value, json};
use url::Url;

use super::config;

const ORIGINS: [&str; 6] = [
    "https://origin.example/srv",
    "https://origin.example/srv/",
    "https://origin.example",
    "https://origin.example/",
    "http://10.0.0.1:8080/a/b",
    "https://origin.example/a%20b",
];
const CANONICALS: [&str; 4] = [
    "https://mcp.example.com/mcp",
    "https://mcp.example.com",
    "https://mcp.example.com/",
    "https://mcp.example.com/a/mcp/",
];
/// The paths of several servers, whose origins are nested like them.
const NESTED: [&[&str]; 3] = [&["/files", "/files/admin"], &["", "/admin"], &["/mcp", "/a/b", "/a/b/C"]];

thread_local! {
    static CONFIGS: OnceCell<Vec<Config>> = const { OnceCell::new() };
    static CLEARANCE: OnceCell<Authorized> = const { OnceCell::new() };
}

pub(super) fn check(data: &[u8]) {
    let Some((which, url)) = data.split_first() else { return };
    let Ok(url) = std::str::from_utf8(url) else { return };
    CONFIGS.with(|configs| {
        let configs = configs.get_or_init(configs_of_all_kinds);
        let config = &configs[usize::from(*which) % configs.len()];
        CLEARANCE.with(|clearance| {
            let clearance = clearance.get_or_init(|| anyone(&configs[0]));
            // As it stands, and as a URL parser writes it. A runtime gives nothing but web
            // addresses.
            let urls = [Some(url.to_owned()), Url::parse(url).ok().map(String::from)];
            let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
            for url in urls.into_iter().flatten().filter(is_web).collect::<BTreeSet<_>>() {
                if let Route::Protected(protected) = route(config, &url) {
                    let target = plan(clearance, protected.target()).target;
                    stays_below(&protected.resource().origin_url, &target);
                    if config.resources.len() > 1 {
                        belongs_to(config, protected.resource().canonical.path(), &url);
                    }
                }
            }
        });
    });
}

fn configs_of_all_kinds() -> Vec<Config> {
    let single = ORIGINS.iter().flat_map(|origin| CANONICALS.map(|canonical| (origin, canonical)));
    let single = single.map(|(origin, canonical)| {
        config(&json!({
            "ORIGIN_URL": origin,
            "MCP_SERVER_AUTH_CANONICAL_URL": canonical,
            "MCP_SERVER_AUTH_POLICY": { "anonymous_methods": ["tools/list"] },
        }))
    });
    let nested = NESTED.iter().map(|paths| {
        let resource = |path: &&str| {
            json!({
                "canonical_url": format!("https://mcp.example.com{path}"),
                "origin_url": format!("https://origin.example/srv{path}"),
            })
        };
        let resources: Vec<Value> = paths.iter().map(resource).collect();
        config(&json!({
            "ORIGIN_URL": null,
            "MCP_SERVER_AUTH_CANONICAL_URL": null,
            "MCP_SERVER_AUTH_RESOURCES": resources,
        }))
    });
    single.chain(nested).collect()
}

/// A right to be forwarded, for somebody without a token.
fn anyone(config: &Config) -> Authorized {
    let bytes = Some(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.as_slice());
    let body = Body { bytes, content_type: Some("application/json"), ..Body::default() };
    authorize(config.resources[0].policy.as_ref(), None, &PolicyInput::Body(body))
        .1
        .unwrap()
        .authorized()
        .unwrap()
}

fn stays_below(origin: &str, target: &str) {
    assert!(target.starts_with(origin.strip_suffix('/').unwrap_or(origin)), "{target}");
    let home = Url::parse(origin).unwrap();
    let read = Url::parse(target).unwrap_or_else(|error| panic!("{target}: {error}"));
    assert_eq!((home.scheme(), home.host_str(), home.port()), (read.scheme(), read.host_str(), read.port()));
    assert!(read.username().is_empty() && read.password().is_none(), "{target}");
    assert!(is_below(home.path(), read.path()), "for a URL parser: {target}");
    let mut root = home.path().as_bytes().to_vec();
    for path in decodings(path_of(target)) {
        for reader in readers(&path) {
            let found = reader.segments(&path).unwrap_or_else(|| panic!("there is a step up in {target}"));
            let (root, found) = (joined(&reader.segments(&root).unwrap()), joined(&found));
            assert!(path.is_empty() || is_below(&root, &found), "{target} leads to {found}");
        }
        root = decoded(&root);
    }
}

/// No reader of the path finds a server in it other than the one whose path is `canonical`.
fn belongs_to(config: &Config, canonical: &str, url: &str) {
    for path in decodings(path_of(url)) {
        for reader in readers(&path) {
            let Some(segments) = reader.segments(&path) else { continue };
            let named = segments.iter().copied().filter(|segment| !segment.is_empty());
            let collapsed: Vec<&[u8]> = [b"".as_slice()].into_iter().chain(named).collect();
            for segments in [segments, collapsed] {
                let owner = owner(config, &reader, &joined(&segments));
                assert!(owner.is_none_or(|owner| owner == canonical), "{url} is at {owner:?}");
            }
        }
    }
}

fn joined(segments: &[&[u8]]) -> String {
    String::from_utf8_lossy(&segments.join(&b'/')).into_owned()
}

/// The longest canonical path that this path is at or below, in any case, and as this reader reads
/// it.
fn owner<'c>(config: &'c Config, reader: &Reader, path: &str) -> Option<&'c str> {
    let canonicals = config.resources.iter().map(|resource| resource.canonical.path());
    let read = |canonical: &str| reader.segments(canonical.as_bytes()).map(|segments| joined(&segments));
    let holds = |canonical: &&str| {
        read(canonical).is_some_and(|root| is_below(&root.to_lowercase(), &path.to_lowercase()))
    };
    canonicals.filter(holds).max_by_key(|canonical| canonical.len())
}

/// Everything between the authority and the query.
fn path_of(url: &str) -> &[u8] {
    let start = url.find(':').filter(|at| url[*at..].starts_with("://")).map_or(0, |at| at + 3);
    let start = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    let end = url[start..].find(['?', '#']).map_or(url.len(), |at| start + at);
    &url.as_bytes()[start..end]
}

fn is_below(root: &str, path: &str) -> bool {
    let rest = path.strip_prefix(root.strip_suffix('/').unwrap_or(root));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\', ';', '?', '#']))
}

/// The path as it is for who decodes not at all, once, twice, until nothing is left.
fn decodings(path: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![path.to_vec()];
    loop {
        let last = all.last().unwrap();
        let next = decoded(last);
        if next == *last {
            return all;
        }
        all.push(next);
    }
}

/// Percent-decoding, once. `%u002e` and overlong UTF-8 are decoded by some servers, too.
fn decoded(bytes: &[u8]) -> Vec<u8> {
    let hex = |digits: &[u8]| {
        let text = std::str::from_utf8(digits).ok().filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(text, 16).ok()
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if let Some(byte) = rest.get(1..3).filter(|_| rest[0] == b'%').and_then(hex) {
            out.push(byte as u8);
            at += 3;
        } else if let Some(c) = rest.get(2..6).filter(|_| rest.starts_with(b"%u")).and_then(hex) {
            let c = char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            at += 6;
        } else {
            out.push(rest[0]);
            at += 1;
        }
    }
    let mut short = Vec::new();
    let mut rest = out.as_slice();
    while let Some((first, after)) = rest.split_first() {
        (rest, _) = match rest {
            [0xc0 | 0xc1, low @ 0x80..=0xbf, after @ ..] => {
                (after, short.push((first & 1) << 6 | (low & 0x3f)))
            }
            [0xe0, high @ (0x80 | 0x81), low @ 0x80..=0xbf, after @ ..] => {
                (after, short.push((high & 1) << 6 | (low & 0x3f)))
            }
            _ => (after, short.push(*first)),
        };
    }
    short
}

/// How a server reads a path: where it ends, what separates its segments, and what ends each.
#[derive(Clone, Copy)]
struct Reader {
    path_ends: &'static [u8],
    separators: &'static [u8],
    segment_ends: &'static [u8],
}

const PATH_ENDS: [&[u8]; 6] = [b"", b"?", b"#", b"?#", b"?#;", b"\0"];
const SEPARATORS: [&[u8]; 2] = [b"/", b"/\\"];
const SEGMENT_ENDS: [&[u8]; 4] = [b"", b";", b"; \t", b"?#; \t\r\n\0"];

/// The readers for whom this path is not what it is for the first of them.
fn readers(path: &[u8]) -> Vec<Reader> {
    let matters = |all: &[u8]| all.is_empty() || path.iter().any(|byte| all.contains(byte));
    let mut readers = Vec::new();
    for path_ends in PATH_ENDS.into_iter().filter(|ends| matters(ends)) {
        for separators in SEPARATORS.into_iter().filter(|all| matters(&all[1..])) {
            for segment_ends in SEGMENT_ENDS.into_iter().filter(|ends| matters(ends)) {
                readers.push(Reader { path_ends, separators, segment_ends });
            }
        }
    }
    readers
}

impl Reader {
    /// The segments without single dots. `None`: there is a step up.
    fn segments(self, path: &[u8]) -> Option<Vec<&[u8]>> {
        let end =
            |bytes: &[u8], ends: &[u8]| bytes.iter().position(|b| ends.contains(b)).unwrap_or(bytes.len());
        let mut segments = Vec::new();
        for segment in path[..end(path, self.path_ends)].split(|b| self.separators.contains(b)) {
            match &segment[..end(segment, self.segment_ends)] {
                b".." => return None,
                b"." => {}
                name => segments.push(name),
            }
        }
        Some(segments)
    }
}
