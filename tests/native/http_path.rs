//! Paths that others may read otherwise than they stand: with dot segments in them, or as those of
//! a server that is nested in the one that they lead to.

use mcp_edge_auth::resource::Config;
use mcp_edge_auth::route::{Route, route};
use serde_json::json;

use crate::support::resources::{at, many};
use crate::support::{self, config, for_each_row, same, settings, with};

/// Where a path of the host leads: the path of the canonical URL, and what follows it.
fn way(config: &Config, path: &str) -> String {
    match route(config, &format!("https://mcp.example.com/{path}")) {
        Route::Protected(p) => {
            let canonical = p.resource().canonical.path().trim_start_matches('/');
            format!("{canonical} {}{}", p.rest(), p.query())
        }
        _ => "none".to_owned(),
    }
}

#[test]
fn dots_that_only_some_readers_see() {
    // Each stands below `/mcp/`, as it is and with each of its percent signs encoded once more.
    let rows = [
        // A query or a fragment begins where a reader has decoded.
        "..%23/x",
        "..%3f/x",
        "..%3Fx",
        "..%2523x",
        "..%253fx/y",
        ".%23",
        "x/..%3f",
        "x%2f..%23y",
        "%2e%2e%3b%3f/x",
        // UTF-8 that is longer than it needs to be, and its bytes with other bits in them.
        "%c0%ae%c0%ae/x",
        "%C0%AE./x",
        "..%c0%afx",
        "..%c1%9cx",
        "%e0%80%ae%e0%80%ae/x",
        "%f0%80%80%ae./x",
        "%f8%80%80%80%ae./x",
        "%fc%80%80%80%80%ae./x",
        "..%e0%80%afx",
        "..%f0%80%80%afx",
        "..%f8%80%80%80%afx",
        "..%fc%80%80%80%80%afx",
        "%c0%2e%c0%2e/x",
        "%c0./x",
        "%e0%40%ae./x",
        "..%c1%1cx",
        "..%c0%5cx",
        "x%c0%80..",
        // As IIS and `unescape` decode.
        "%u002e%u002e/x",
        "%u002E./x",
        "%U002e./x",
        "..%u002fx",
        "..%u2215x",
        "%uff0e%uff0e/x",
        "%u00%32e./x",
        "%u002%65./x",
        "..%u005cx",
        // Blanks, and what may be left out.
        "..%20/x",
        "..%20b",
        ".%20b",
        "%20..%20b/x",
        "..+b",
        "..%c2%a0b",
        "%20../x",
        "..%20",
        ".%20/x",
        ".%20./x",
        "..%20./x",
        "..%20.%20/x",
        "...%20/x",
        "..+/x",
        "..%2b/x",
        "..%a0/x",
        "..%c2%a0/x",
        "..%e3%80%80/x",
        "..%ff/x",
        ".%ff./x",
        ".%80./x",
        ".%c2%ad./x",
        ".%e2%80%8b./x",
        ".%ef%bb%bf./x",
        "..%c2%85/x",
        "..%c2%80/x",
        "..%e2%80%a8/x",
        "..%20;x/y",
        "..%20%23/x",
        // Other characters for dots, slashes, and what is cut off.
        "%ef%bc%8e%ef%bc%8e/x",
        "%ef%bc%8e./x",
        "%e2%80%a4%e2%80%a4/x",
        "%e2%80%a5/x",
        "%ef%b9%92%ef%b9%92/x",
        "%e3%80%82%ef%bd%a1/x",
        "..%ef%bc%8fx",
        "..%ef%bc%bcx",
        "..%e2%88%95x",
        "..%e2%81%84x",
        "..%e2%88%96x",
        "..%c2%a5x",
        "..%e2%82%a9x",
        "..%ef%bc%9bx/y",
        "..%cd%bex/y",
        "..%ef%bc%9fx/y",
        "..%ef%bc%83x/y",
        "%ef%bc%852e%ef%bc%852e/x",
        "%ef%bc%85%ef%bc%92%ef%bd%85./x",
        "%ef%bc%85u002e./x",
        "..%ef%b9%aa2fx",
    ];
    let deep = config(&settings());
    let root = config(&with(settings(), json!({ support::CANONICAL_URL: "https://mcp.example.com" })));
    for_each_row(rows, |rest| {
        for rest in [(*rest).to_owned(), rest.replace('%', "%25"), rest.replace('%', "%2525")] {
            same(&rest, way(&deep, &format!("mcp/{rest}")), "none".to_owned())?;
            same(&rest, way(&root, &rest), "none".to_owned())?;
        }
        Ok(())
    });
    // As they are, if no parser has encoded them before.
    for_each_row(["．．/x", "‥/x", "..／x", "..\u{a0}/x"], |rest| {
        same(rest, way(&deep, &format!("mcp/{rest}")), "none".to_owned())
    });
}

#[test]
fn a_path_that_a_reader_takes_for_a_nested_servers_is_nobodys() {
    let config = config(&many(json!([
        at("https://mcp.example.com/files"),
        at("https://mcp.example.com/files/Admin"),
        at("https://mcp.example.com/files/admin/logs"),
        at("https://mcp.example.com/files/task.list"),
        at("https://mcp.example.com/files/caf%C3%A9"),
        at("https://mcp.example.com/issues"),
    ])));
    let none = [
        "%41dmin",
        "%61dmin",
        "%2561dmin",
        "%252561dmin/x",
        "%2%35%36%31dmin",
        "/Admin",
        "//Admin/x",
        "/%2fAdmin",
        "%2fAdmin",
        "%5cAdmin",
        "\\Admin",
        "%252fAdmin",
        "ADMIN",
        "admin",
        "admin/x",
        "admin%2fx",
        "admin%5cx",
        "Admin%2fx",
        "aDmin?x=1",
        "Admin;v=1",
        "admin;v=1/x",
        "admin;",
        "Admin%3bv=1",
        "Admin%3fx",
        "Admin%23x/y",
        "ad%20min",
        "ad+min/x",
        "ad%2520%20min",
        "%20a+dmin%20;x",
        // Cut off before what is a slash to some.
        ";%5Cad/admin",
        ";%2fad/admin",
        "%3bx%ef%bc%8fy%5Cz/admin",
        "%23a%2fb/;c%5cd/admin",
        "Admin%20",
        "Admin%20x",
        "Admin+x/y",
        "Admin%20/x",
        "%20Admin",
        "Admin+",
        "Admin%2520",
        "Admin.",
        "Admin../x",
        "Admin.%20",
        "Admin%c2%a0",
        "Admin%ff",
        "Ad%c2%admin",
        "Adm%e2%80%8bin",
        "%ef%bc%a1dmin",
        "%ef%bd%81%ef%bd%84min",
        "Adm%c4%b1n",
        "Adm%c4%b0n",
        "%ef%bc%8fAdmin",
        "Admin%ef%bc%8fx",
        "Admin%e2%88%95x",
        "Admin%c2%a5x",
        "/;x/Admin",
        "%20/Admin",
        "%23/Admin",
        ".../Admin",
        "x%00/Admin",
        "%u0041dmin",
        "%c1%81dmin",
        // The longest is meant here, too.
        "admin/logs%2f",
        "Admin/LOGS",
        "Admin/%6cogs/x",
        "Admin//logs",
        "Task.list",
        "Ta%c5%bfk.list",
        "tas%e2%84%aa.list",
        "task.li%ef%ac%86",
        "task.li%ef%ac%85.",
        "CAF%C3%89",
        "cafe%CC%81",
        // No table of how other letters are folded is here: any may be this one.
        "th%C3%A9",
    ];
    for_each_row(none, |rest| same(rest, way(&config, &format!("files/{rest}")), "none".to_owned()));
    let found = [
        ("files", "files "),
        ("files/", "files /"),
        ("files//", "files //"),
        ("files/x", "files /x"),
        ("files/x/Admin", "files /x/Admin"),
        ("files/Administrator", "files /Administrator"),
        ("files/admin-x", "files /admin-x"),
        ("files/admin%2dx", "files /admin%2dx"),
        ("files/xAdmin", "files /xAdmin"),
        ("files/x%2fAdmin", "files /x%2fAdmin"),
        ("files/100%25", "files /100%25"),
        ("files/a%20b", "files /a%20b"),
        ("files?y=/files/Admin", "files ?y=/files/Admin"),
        ("files/Admin", "files/Admin "),
        ("files/Admin/", "files/Admin /"),
        ("files/Admin/x", "files/Admin /x"),
        ("files/Admin/A%20B", "files/Admin /A%20B"),
        ("files/Admin/logsx", "files/Admin /logsx"),
        ("files/admin/logs", "files/admin/logs "),
        ("files/admin/logs/%61", "files/admin/logs /%61"),
        ("files/caf%C3%A9/x", "files/caf%C3%A9 /x"),
        ("issues/Admin", "issues /Admin"),
        ("issues//%61;x", "issues //%61;x"),
    ];
    for_each_row(found, |(path, expected)| same(path, way(&config, path), (*expected).to_owned()));
}
