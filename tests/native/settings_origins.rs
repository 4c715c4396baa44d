//! Where requests go, and who may send them: an origin that is the Worker itself, and one text of
//! several browser origins.

use mcp_edge_auth::http::cors::AllowedOrigins;
use serde_json::{Value, json};

use crate::support::resources::{at, many};
use crate::support::{ALLOWED_ORIGINS, CANONICAL_URL, config, read, resource, settings, variables, with};

#[test]
fn an_origin_that_is_the_worker_is_a_fault() {
    let faults = |settings: &Value, bindings: &[&str]| -> Vec<String> {
        let variables = variables(settings).with_bindings(bindings.iter().map(|name| (*name).to_owned()));
        let faults = mcp_edge_auth::settings::read(&variables).err().unwrap_or_default();
        faults.iter().map(|fault| format!("{}{}", fault.variable, fault.field)).collect()
    };
    let pair = |canonical: &str, origin: &str| {
        with(settings(), json!({ CANONICAL_URL: canonical, "ORIGIN_URL": origin }))
    };
    let loops = [
        ("https://mcp.acme.com/mcp", "https://mcp.acme.com/mcp"),
        ("https://mcp.acme.com/mcp", "https://mcp.acme.com/mcp/"),
        ("https://mcp.acme.com/mcp/", "https://mcp.acme.com/mcp"),
        ("https://mcp.acme.com/mcp", "https://MCP.acme.com:443/mcp"),
        ("https://mcp.acme.com/mcp", "http://mcp.acme.com/mcp"),
        ("https://mcp.acme.com/mcp", "https://mcp.acme.com/mcp/v1"),
        ("https://mcp.acme.com/mcp?tenant=1", "https://mcp.acme.com/mcp"),
        ("https://mcp.acme.com", "https://mcp.acme.com/srv"),
        ("https://mcp.acme.com", "https://mcp.acme.com"),
        ("http://127.0.0.1:8787/mcp", "http://localhost:8787/mcp"),
        ("http://[::1]:8787/mcp", "http://127.0.0.1:8787/mcp"),
        ("http://[::1]/mcp", "http://localhost/mcp"),
    ];
    for (canonical, origin) in loops {
        assert_eq!(faults(&pair(canonical, origin), &[]), ["ORIGIN_URL"], "{canonical} {origin}");
        // A binding leads somewhere else.
        assert_eq!(faults(&pair(canonical, origin), &["ORIGIN"]), [""; 0], "{canonical} {origin}");
    }
    let others = [
        ("https://mcp.acme.com/mcp", "https://mcp.acme.com/mcp2"),
        ("https://mcp.acme.com/mcp", "https://mcp.acme.com/MCP"),
        ("https://mcp.acme.com/mcp", "https://mcp.acme.com:8443/mcp"),
        ("https://mcp.acme.com/mcp", "https://o.acme.com/mcp"),
        ("http://127.0.0.1:8787/mcp", "http://127.0.0.1:8789/mcp"),
        ("http://[::1]:8787/mcp", "http://[::1]:8789/mcp"),
    ];
    for (canonical, origin) in others {
        assert_eq!(faults(&pair(canonical, origin), &[]), [""; 0], "{canonical} {origin}");
    }
    // Beside other faults, which are all told.
    let both = with(
        pair("https://mcp.acme.com/mcp", "https://mcp.acme.com/mcp"),
        json!({ "MCP_SERVER_AUTH_CACHE_TTL": 1 }),
    );
    assert_eq!(faults(&both, &[]), ["MCP_SERVER_AUTH_CACHE_TTL", "ORIGIN_URL"]);
    let one = |canonical: &str, origin: &str| with(at(canonical), json!({ "origin_url": origin }));
    let two = |a: Value, b: Value| many(json!([a, b]));
    let (a, b) = ("https://mcp.acme.com/a", "https://mcp.acme.com/b");
    assert_eq!(faults(&two(at(a), one(b, b)), &[]), ["MCP_SERVER_AUTH_RESOURCES[1].origin_url"]);
    assert_eq!(faults(&two(one(a, b), at(b)), &[]), ["MCP_SERVER_AUTH_RESOURCES[0].origin_url"]);
    let bound = with(one(b, b), json!({ "binding": "B" }));
    assert_eq!(faults(&two(at(a), bound), &["B"]), [""; 0]);
    let bound = with(one(b, b), json!({ "binding": "B", "origin_url": "<absent>" }));
    assert_eq!(faults(&two(at(a), bound), &["B"]), [""; 0]);
}

fn set(name: &str, value: Value) -> Value {
    with(settings(), json!({ name: value }))
}

#[test]
fn one_text_of_origins_is_split() {
    let (a, b) = ("https://a.acme.com", "https://b.acme.com");
    let listed = AllowedOrigins::Listed(vec![a.to_owned(), b.to_owned()]);
    let texts = [
        format!("{a},{b}"),
        format!("{a}, {b}"),
        format!("{a} , {b},"),
        format!(" {a}\n{b} "),
        format!(",{a},,{b}"),
        json!([a, b]).to_string(),
    ];
    for text in texts {
        let config = config(&set(ALLOWED_ORIGINS, json!(text)));
        assert_eq!(resource(&config).allowed_origins, listed, "{text:?}");
    }
    let any = config(&set(ALLOWED_ORIGINS, json!("*,null")));
    assert_eq!(resource(&any).allowed_origins, AllowedOrigins::Any { null: true });
    for text in [",", " , ", "https://a.acme.com;https://b.acme.com", "https://a.acme.com,x"] {
        assert!(read(&set(ALLOWED_ORIGINS, json!(text))).is_err(), "{text:?}");
    }
}
