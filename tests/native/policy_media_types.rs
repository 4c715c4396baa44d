//! Which bodies every reader takes for JSON, and its bytes as they are: by `Content-Type` and
//! `Content-Encoding`.

use mcp_edge_auth::policy::{Body, PolicyInput};
use serde_json::json;

use crate::support::policy::{authorize, outcome, rule, verified};
use crate::support::{for_each_row, same};

#[test]
fn bytes_that_readers_take_as_they_are() {
    let json = Some("application/json");
    let (encoded, not_json) = ("body_encoded", "body_not_json");
    let rows = [
        (json, None, "ok"),
        (Some("Application/JSON"), None, "ok"),
        (Some(" application/json\t"), None, "ok"),
        (Some("application/json; charset=utf-8"), None, "ok"),
        (Some("application/json;charset=UTF-8"), None, "ok"),
        (Some("application/json ;\tcharset=\"utf-8\" "), None, "ok"),
        (Some("application/json; charset=utf8"), None, "ok"),
        (Some("application/json; charset=utf-7"), None, encoded),
        (Some("application/json; charset=\"utf-8"), None, encoded),
        (Some("application/json; charset = utf-7"), None, encoded),
        (Some("application/json; charset=utf-8-x"), None, encoded),
        (Some("application/json; charset=utf-16le"), None, encoded),
        (Some("application/json; charset="), None, encoded),
        (Some("application/json; charset*=utf-8''utf-7"), None, encoded),
        (Some("application/json; CHARSET=UTF-7"), None, encoded),
        (Some("application/json; charset=utf-8, application/json"), None, encoded),
        (Some("application/json; charset=utf-8; charset=utf-7"), None, not_json),
        (Some("application/json;charset=utf-8;x=y"), None, not_json),
        (Some("application/json; profile=x"), None, not_json),
        (Some("application/json;"), None, not_json),
        (Some("application/json, application/json"), None, not_json),
        (Some("application/json, application/x-www-form-urlencoded"), None, not_json),
        (Some("application/x-www-form-urlencoded"), None, not_json),
        (Some("multipart/form-data; boundary=x"), None, not_json),
        (Some("text/plain"), None, not_json),
        (Some("application/json-rpc"), None, not_json),
        (Some("application/vnd.api+json"), None, not_json),
        (Some("application/jsonx"), None, not_json),
        (Some("application/ json"), None, not_json),
        (Some("json"), None, not_json),
        (Some(""), None, not_json),
        (None, None, not_json),
        (json, Some("identity"), "ok"),
        (json, Some(" Identity "), "ok"),
        (json, Some("gzip"), encoded),
        (json, Some("identity, gzip"), encoded),
        (json, Some("deflate"), encoded),
        (json, Some(""), encoded),
    ];
    for_each_row(rows, |&(content_type, content_encoding, expected)| {
        let bytes = Some(br#"{"id":1,"method":"ping"}"#.as_slice());
        let body = Body { bytes, content_type, content_encoding, ..Body::default() };
        let policy = rule(json!({ "methods": ["x"], "deny": true }));
        let told = outcome(authorize(&policy, Some(verified(&json!({}))), &PolicyInput::Body(body)).1);
        same(&format!("{content_type:?} {content_encoding:?}"), told.as_str(), expected)
    });
}
