//! Two URIs are one address where RFC 3986 says so, and nowhere else.

use mcp_edge_auth::http::address::same as same_address;

use crate::support::{for_each_row, same};

#[test]
fn what_is_the_same_address() {
    let rows = [
        ("itself", "https://mcp.example.com/mcp", true),
        ("a query", "https://mcp.example.com/mcp?a=b", true),
        ("an empty query", "https://mcp.example.com/mcp?", true),
        ("a fragment", "https://mcp.example.com/mcp#a", true),
        ("both, and a path behind them", "https://mcp.example.com/mcp?/x#/../y", true),
        ("the scheme in capitals", "HTTPS://mcp.example.com/mcp", true),
        ("the host in capitals", "https://MCP.Example.COM/mcp", true),
        ("the default port", "https://mcp.example.com:443/mcp", true),
        ("an empty port", "https://mcp.example.com:/mcp", true),
        ("an encoded letter", "https://mcp.example.com/%6dcp", true),
        ("every letter encoded", "https://mcp.example.com/%6D%63%70", true),
        ("a dot segment", "https://mcp.example.com/./mcp", true),
        ("a segment and the way back", "https://mcp.example.com/a/../mcp", true),
        ("the same, encoded", "https://mcp.example.com/a/%2e%2E/mcp", true),
        ("the path in capitals", "https://mcp.example.com/MCP", false),
        ("another scheme", "http://mcp.example.com/mcp", false),
        ("another scheme at its port", "http://mcp.example.com:443/mcp", false),
        ("another port", "https://mcp.example.com:8443/mcp", false),
        ("the other default port", "https://mcp.example.com:80/mcp", false),
        ("another host", "https://mcp.example.org/mcp", false),
        ("a dot behind the host", "https://mcp.example.com./mcp", false),
        ("a host above", "https://example.com/mcp", false),
        ("a host below", "https://a.mcp.example.com/mcp", false),
        ("a trailing slash", "https://mcp.example.com/mcp/", false),
        ("two slashes", "https://mcp.example.com//mcp", false),
        ("a path below", "https://mcp.example.com/mcp/x", false),
        ("a path above", "https://mcp.example.com/", false),
        ("no path", "https://mcp.example.com", false),
        ("a longer path", "https://mcp.example.com/mcpx", false),
        ("a slash that is encoded", "https://mcp.example.com%2Fmcp", false),
        ("an encoded slash behind it", "https://mcp.example.com/mcp%2F", false),
        ("an encoded question mark", "https://mcp.example.com/mcp%3Fa", false),
        ("encoded twice", "https://mcp.example.com/%256dcp", false),
        ("a user", "https://me@mcp.example.com/mcp", false),
        ("a user and a password", "https://me:it@mcp.example.com/mcp", false),
        ("an empty user", "https://@mcp.example.com/mcp", false),
        ("the host as a user", "https://mcp.example.com@evil.example/mcp", false),
        ("a path alone", "/mcp", false),
        ("a host and a path", "mcp.example.com/mcp", false),
        ("no scheme", "//mcp.example.com/mcp", false),
        ("one slash", "https:/mcp.example.com/mcp", false),
        ("three slashes", "https:///mcp.example.com/mcp", false),
        ("backslashes", "https:\\\\mcp.example.com\\mcp", false),
        ("a backslash", "https://mcp.example.com\\mcp", false),
        ("a space before", " https://mcp.example.com/mcp", false),
        ("a space behind", "https://mcp.example.com/mcp ", false),
        ("a tab within", "https://mcp.example.com/m\tcp", false),
        ("a line end", "https://mcp.example.com/mcp\n", false),
        ("a NUL", "https://mcp.example.com/mcp\0", false),
        ("beyond ASCII", "https://mcp.example.com/mcp\u{e9}", false),
        ("a host beyond ASCII", "https://\u{ff4d}cp.example.com/mcp", false),
        ("another scheme of the web", "wss://mcp.example.com/mcp", false),
        ("a blob of it", "blob:https://mcp.example.com/mcp", false),
        ("a port that is none", "https://mcp.example.com:99999/mcp", false),
        ("nothing", "", false),
    ];
    for_each_row(rows, |(name, uri, expected)| {
        same(name, same_address(uri, "https://mcp.example.com/mcp"), *expected)?;
        same(name, same_address("https://mcp.example.com/mcp", uri), *expected)
    });
}

#[test]
fn what_is_the_same_path() {
    let rows = [
        ("no path and the root", "https://a.example", "https://a.example/", true),
        ("percent digits", "https://a.example/%c3%a9", "https://a.example/%C3%A9", true),
        ("unreserved characters", "https://a.example/%7e%2D%5f%30a", "https://a.example/~-_0a", true),
        ("a reserved one", "https://a.example/a%2fb", "https://a.example/a/b", false),
        ("a reserved one, either digits", "https://a.example/a%2fb", "https://a.example/a%2Fb", true),
        ("a plus", "https://a.example/a%2Bb", "https://a.example/a+b", false),
        ("an encoded percent", "https://a.example/%25", "https://a.example/%", false),
        ("a percent alone", "https://a.example/%zz", "https://a.example/%ZZ", false),
        ("a sign for a digit", "https://a.example/%+5", "https://a.example/%05", false),
        ("a percent at the end", "https://a.example/a%", "https://a.example/a%", true),
        ("a percent and one digit", "https://a.example/a%4", "https://a.example/aD", false),
        ("http at its port", "http://localhost:80/", "http://localhost/", true),
        ("http at another", "http://localhost:8787/mcp", "http://localhost:8788/mcp", false),
        ("an IPv6 address", "http://[::1]:8787/mcp", "http://[0:0::1]:8787/mcp", true),
    ];
    for_each_row(rows, |(name, one, other, expected)| same(name, same_address(one, other), *expected));
}
