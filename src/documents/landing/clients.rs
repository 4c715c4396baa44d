//! How to add a server to a client: the links and lines that each client's own documentation gives,
//! as of November 2026 (docs/landing-page.md).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::documents::metadata::About;
use crate::limits;
use crate::resource::canonical::Canonical;

/// A client, and the ways to add the server to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub name: &'static str,
    pub ways: Vec<Way>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Link {
        text: &'static str,
        href: String,
    },
    /// To copy.
    Line {
        label: &'static str,
        text: String,
    },
    Words(&'static str),
}

/// All of them, in the order of the page. Claude and ChatGPT connect from the internet: on loopback
/// they have no way in.
pub fn clients(canonical: &Canonical, about: &About, metadata_url: Option<&str>) -> Vec<Client> {
    let url = canonical.as_str();
    let slug = slug(about.name.as_deref(), canonical.host());
    let public = !canonical.is_loopback();
    let mut claude = Vec::new();
    let mut chatgpt = Vec::new();
    if public {
        let name = about.name.as_deref().unwrap_or_else(|| canonical.host());
        claude.push(link("Add to Claude", claude_link(name, url)));
        claude.push(Way::Words(
            "Or in Claude: Customize, Connectors, +, Add custom connector, with the address above.",
        ));
        chatgpt.push(link("Open ChatGPT’s plugins", "https://chatgpt.com/plugins".to_owned()));
        chatgpt.push(Way::Words("There: +, Add custom MCP server, the address above as server URL, OAuth as authentication, Create as a plugin."));
    } else {
        claude.push(Way::Words(
            "Claude’s apps connect from the internet, and this address is on this machine only.",
        ));
        chatgpt.push(Way::Words(
            "ChatGPT connects from the internet, and this address is on this machine only.",
        ));
    }
    let add_to_claude_code = format!("claude mcp add --transport http {slug} {}", shell(url));
    claude.push(line("Claude Code, in a terminal; then /mcp there to log in", add_to_claude_code));
    let (quoted_slug, quoted_url) = (quoted(&slug), quoted(url));
    let vscode = format!(r#"{{"name":{quoted_slug},"type":"http","url":{quoted_url}}}"#);
    let cursor = format!(r#"{{"url":{quoted_url}}}"#);
    let cursor_file = format!(r#"{{"mcpServers":{{{quoted_slug}:{cursor}}}}}"#);
    // mcp-remote takes plain http for two spellings of loopback only, unless it is told to.
    let allow = if canonical.is_https() { "" } else { r#","--allow-http""# };
    let remote = format!(
        r#"{{"mcpServers":{{{quoted_slug}:{{"command":"npx","args":["-y","mcp-remote",{quoted_url}{allow}]}}}}}}"#
    );
    let mut raw = Vec::new();
    if let Some(metadata_url) = metadata_url {
        raw.push(line("Where tokens come from", format!("curl {}", shell(metadata_url))));
    }
    raw.push(line("The first message, with a token", curl(url)));
    vec![
        Client { name: "Claude", ways: claude },
        Client { name: "ChatGPT", ways: chatgpt },
        Client {
            name: "Visual Studio Code",
            ways: vec![
                link("Add to VS Code", format!("vscode:mcp/install?{}", percent(&vscode))),
                line("Or in a terminal", format!("code --add-mcp {}", shell(&vscode))),
            ],
        },
        Client {
            name: "Cursor",
            ways: vec![
                link("Add to Cursor", cursor_link(&slug, &cursor)),
                line("Or in ~/.cursor/mcp.json", cursor_file),
            ],
        },
        Client { name: "MCP Inspector", ways: vec![line("In a terminal", inspector(url))] },
        Client {
            name: "mcp-remote",
            ways: vec![line("In the configuration of a client that only starts programs", remote)],
        },
        Client { name: "curl", ways: raw },
    ]
}

fn link(text: &'static str, href: String) -> Way {
    Way::Link { text, href }
}

fn line(label: &'static str, text: String) -> Way {
    Way::Line { label, text }
}

fn claude_link(name: &str, url: &str) -> String {
    let (name, url) = (percent(name), percent(url));
    format!(
        "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName={name}&connectorUrl={url}"
    )
}

fn cursor_link(slug: &str, config: &str) -> String {
    let config = percent(&STANDARD.encode(config));
    format!("cursor://anysphere.cursor-deeplink/mcp/install?name={slug}&config={config}")
}

fn inspector(url: &str) -> String {
    format!("npx @modelcontextprotocol/inspector --server-url {} --transport http", shell(url))
}

fn curl(url: &str) -> String {
    const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"curl","version":"1"}}}"#;
    let url = shell(url);
    format!(
        "curl {url} -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' -d '{INITIALIZE}'"
    )
}

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A name that every client takes: letters, digits and hyphens.
fn slug(name: Option<&str>, host: &str) -> String {
    let slug = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let joined = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        let short: String = joined.chars().take(limits::SLUG_CHARS).collect();
        short.trim_end_matches('-').to_owned()
    };
    let is_word = |slug: &String| slug.bytes().any(|b| b.is_ascii_alphabetic());
    let found = name.map(slug).filter(is_word).or_else(|| Some(slug(host)).filter(is_word));
    found.unwrap_or_else(|| "mcp-server".to_owned())
}

/// A word of a POSIX shell: quoted only where it has to be.
fn shell(text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/:%@+,=".contains(&b)) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Percent-encoding of all but the unreserved characters (RFC 3986 section 2.3).
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
