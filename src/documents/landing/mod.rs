//! A page for people who open the MCP endpoint in a browser: what this is, and how to add it to a
//! client.
//!
//! 1. It is the body of the 401 that every client gets, challenge and all, so nobody takes it for a
//!    way in.
//! 2. Only a request that names `text/html` and prefers it is answered with it (RFC 9110 section
//!    12.5.1): no MCP client is.
//! 3. It loads nothing and may not be framed: Content Security Policy Level 3, with the one style
//!    and the one script by their hashes.
//! 4. Whatever comes from the settings is escaped.
//! 5. The script adds a button that copies to each box. Without it the page says the same.

mod clients;

pub use clients::{Way, clients};

use crate::documents::metadata::About;
use crate::http::response::LocalResponse;
use crate::resource::canonical::Canonical;

/// Between `<style>` and `</style>`.
pub const STYLE: &str = include_str!("style.css");

/// Between `<script>` and `</script>`.
pub const SCRIPT: &str = include_str!("copy.js");

/// The hashes are those of `STYLE` and `SCRIPT`: SHA-256 in Base64. A test computes them.
const CONTENT_SECURITY_POLICY: &str = concat!(
    "default-src 'none'; style-src 'sha256-",
    "TZ/jyGrs7GuobNEUdTL/MiS6E0MiWnn/EYCCEtPIquo=",
    "'; script-src 'sha256-",
    "HXLEz05pXu3t2a2aeCPtASA8PLVibhLMhbd2U804g8c=",
    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
);

/// The page of a resource. `metadata_url`: where the metadata document is, if there is one.
pub fn page(canonical: &Canonical, about: &About, metadata_url: Option<&str>) -> String {
    let title = about.name.clone().unwrap_or_else(|| format!("MCP server at {}", canonical.host()));
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"robots\" content=\"noindex\">\n");
    html.element("title", &title);
    html.raw("<style>").raw(STYLE).raw("</style>\n<main>\n");
    html.element("h1", &title);
    html.raw("<p>This is an MCP server: AI applications call its tools. Add its address to yours, and it will ask you to log in.</p>\n");
    html.line("address", None, "Address", canonical.as_str());
    html.raw("<p class=\"soft\">To copy a box: Ctrl+A in it, then Ctrl+C; on a Mac, with ⌘.</p>\n");
    html.links(about);
    html.raw("<h2>Add it to a client</h2>\n");
    for (at, client) in clients(canonical, about, metadata_url).iter().enumerate() {
        html.raw(&format!("<section aria-labelledby=\"c{at}\">\n<h3 id=\"c{at}\">"));
        html.text(client.name).raw("</h3>\n");
        for (nth, way) in client.ways.iter().enumerate() {
            match way {
                Way::Link { text, href } => html.raw("<p>").link(Some("add"), text, href).raw("</p>\n"),
                Way::Line { label, text } => {
                    html.line(&format!("c{at}-{nth}"), Some(&format!("c{at}")), label, text)
                }
                Way::Words(words) => html.element("p", words),
            };
        }
        html.raw("</section>\n");
    }
    html.raw("</main>\n<script>").raw(SCRIPT).raw("</script>\n</html>\n");
    html.0
}

/// Makes an answer one with the page for a body, whatever its status and its challenge are.
pub(crate) fn put(page: &str, answer: &mut LocalResponse) {
    answer.set("Content-Type", "text/html; charset=utf-8");
    answer.set("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    answer.set("X-Content-Type-Options", "nosniff");
    answer.set("Referrer-Policy", "no-referrer");
    answer.body = Some(page.to_owned());
}

#[derive(Default)]
struct Html(String);

impl Html {
    /// What is ours. Not inlined: the page is built once, and its code is as large as it is called
    /// often.
    #[inline(never)]
    fn raw(&mut self, html: &str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// What is anybody's: good between tags and in a quoted attribute.
    fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                character => self.0.push(character),
            }
        }
        self
    }

    #[inline(never)]
    fn element(&mut self, name: &str, text: &str) -> &mut Self {
        self.raw("<").raw(name).raw(">").text(text).raw("</").raw(name).raw(">\n")
    }

    #[inline(never)]
    fn link(&mut self, class: Option<&str>, text: &str, href: &str) -> &mut Self {
        self.raw("<a");
        if let Some(class) = class {
            self.raw(" class=\"").raw(class).raw("\"");
        }
        self.raw(" href=\"").text(href).raw("\">").text(text).raw("</a>")
    }

    /// A box to copy from. What it shows stays in sight where `field-sizing` is not known, too.
    /// `heading`: the id of the heading over it, which distinguishes boxes with one label.
    fn line(&mut self, id: &str, heading: Option<&str>, label: &str, text: &str) -> &mut Self {
        const CHARACTERS: usize = 72;
        let rows = text.len().div_ceil(CHARACTERS).to_string();
        self.raw("<label for=\"").raw(id).raw("\" id=\"").raw(id).raw("l\">").text(label).raw("</label>\n");
        self.raw("<textarea id=\"").raw(id).raw("\" rows=\"").raw(&rows);
        if let Some(heading) = heading {
            self.raw("\" aria-labelledby=\"").raw(heading).raw(" ").raw(id).raw("l");
        }
        self.raw("\" readonly spellcheck=\"false\">").text(text).raw("</textarea>\n")
    }

    fn links(&mut self, about: &About) {
        let links = [
            ("Documentation", &about.documentation),
            ("Policy", &about.policy_uri),
            ("Terms of service", &about.tos_uri),
        ];
        if links.iter().all(|(_, href)| href.is_none()) {
            return;
        }
        self.raw("<nav aria-label=\"About this server\">");
        for (text, href) in links {
            if let Some(href) = href {
                self.link(None, text, href);
            }
        }
        self.raw("</nav>\n");
    }
}
