//! What is read of a body, what is not forwarded because readers may disagree about it, and what
//! its mirror in the headers must say.

use mcp_edge_auth::policy::message::{Unreadable, read};
use mcp_edge_auth::policy::mirror::StandardHeaders;
use serde_json::json;

use crate::support::{for_each_row, same};

/// Method, names, id and version of a body's only message, or why there is none.
fn told(body: &[u8]) -> String {
    match read(body) {
        Err(Unreadable::Json) => "not JSON".to_owned(),
        Err(Unreadable::Message(id)) => format!("no message {}", id.unwrap_or("-")),
        Ok(messages) => {
            let all = messages.all.iter().map(|m| {
                let names: Vec<&str> = m.names().into_iter().flatten().collect();
                let or = |text: Option<&str>| text.unwrap_or("-").to_owned();
                format!(
                    "{} [{}] {} {}",
                    or(m.method.as_deref()),
                    names.join(","),
                    or(m.id),
                    or(m.version.as_deref())
                )
            });
            all.collect::<Vec<_>>().join("; ") + if messages.batch { " in a batch" } else { "" }
        }
    }
}

#[test]
fn bodies() {
    let deep = |depth: usize| {
        format!(r#"{{"method":"ping","params":{{"x":{}{}}}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    let wide = |last: &str| {
        let members: String = (0..40).map(|n| format!(r#""m{n}":0,"#)).collect();
        format!(r#"{{"method":"ping","params":{{"x":{{{members}"{last}":0}}}}}}"#)
    };
    let long_id = format!(r#"{{"id":"{}","method":"ping"}}"#, "x".repeat(2000));
    let rows: Vec<(&str, String, &str)> = vec![
        ("a request", r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#.into(), "tools/call [a] 1 -"),
        ("in any order", r#" {"params":{"name":"a"},"method":"tools/call","id":1} "#.into(), "tools/call [a] 1 -"),
        ("a notification", r#"{"method":"notifications/x"}"#.into(), "notifications/x [] - -"),
        ("a response", r#"{"id":1,"result":{}}"#.into(), "- [] 1 -"),
        ("an error", r#"{"id":1,"error":{"code":1,"message":"x"}}"#.into(), "- [] 1 -"),
        ("an id of text, as written", r#"{"id":"a\u0062\"","method":"ping"}"#.into(), r#"ping [] "a\u0062\"" -"#),
        ("a number, as written", r#"{"id":-1.50e3,"method":"ping"}"#.into(), "ping [] -1.50e3 -"),
        ("a large number, as written", r#"{"id":123456789012345678901234567890,"method":"ping"}"#.into(), "ping [] 123456789012345678901234567890 -"),
        ("null for an id", r#"{"id":null,"method":"ping"}"#.into(), "ping [] - -"),
        ("an id too long to send back", long_id, "ping [] - -"),
        ("no params", r#"{"method":"ping","params":null}"#.into(), "ping [] - -"),
        ("escapes", r#"{"m\u0065thod":"tools\/call","params":{"n\u0061me":"\u0061"}}"#.into(), "tools/call [a] - -"),
        ("a name with a pair of surrogates", r#"{"method":"tools/call","params":{"name":"\ud83d\ude00"}}"#.into(), "tools/call [😀] - -"),
        ("a version", r#"{"method":"ping","params":{"_meta":{"x":1,"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#.into(), "ping [] - 2026-07-28"),
        ("another type of version", r#"{"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":7}}}"#.into(), "ping [] - -"),
        ("another type of meta", r#"{"method":"ping","params":{"_meta":[]}}"#.into(), "ping [] - -"),
        ("a resource", r#"{"method":"resources/read","params":{"uri":"u","name":"n"}}"#.into(), "resources/read [u] - -"),
        ("an unknown method", r#"{"method":"x/y","params":{"uri":"u","name":"n"}}"#.into(), "x/y [n,u] - -"),
        ("a name that is no text, where none is needed", r#"{"method":"x/y","params":{"name":{}}}"#.into(), "x/y [] - -"),
        ("a batch", r#"[{"id":1,"method":"ping"},{"method":"x"}]"#.into(), "ping [] 1 -; x [] - - in a batch"),
        ("a batch of one", r#"[{"id":1,"method":"ping"}]"#.into(), "ping [] 1 - in a batch"),
        ("deep", deep(100), "ping [] - -"),
        ("a bomb", deep(130), "not JSON"),
        ("a bomb for an id", format!(r#"{{"method":"ping","id":{}{}}}"#, "[".repeat(5000), "]".repeat(5000)), "no message -"),
        ("wide", wide("m40"), "ping [] - -"),
        ("wide, and one twice", wide("m20"), "not JSON"),
        ("nothing", String::new(), "not JSON"),
        ("a member twice", r#"{"method":"ping","method":"ping"}"#.into(), "not JSON"),
        ("twice in another spelling", r#"{"method":"ping","\u006dethod":"ping"}"#.into(), "not JSON"),
        ("an id twice", r#"{"id":1,"id":1,"method":"ping"}"#.into(), "not JSON"),
        ("params twice", r#"{"method":"ping","params":{},"params":{}}"#.into(), "not JSON"),
        ("a name twice", r#"{"method":"ping","params":{"name":"a","name":"b"}}"#.into(), "not JSON"),
        ("meta twice", r#"{"method":"ping","params":{"_meta":{"a":1,"a":1}}}"#.into(), "not JSON"),
        ("twice deep in the arguments", r#"{"method":"ping","params":{"arguments":[{"a":{"b":1,"b":2}}]}}"#.into(), "not JSON"),
        ("twice in a result", r#"{"id":1,"result":{"a":1,"a":2}}"#.into(), "not JSON"),
        ("more after it", r#"{"method":"ping"} {}"#.into(), "not JSON"),
        ("a comma too many", r#"{"method":"ping",}"#.into(), "not JSON"),
        ("a comment", r#"{"method":"ping"/**/}"#.into(), "not JSON"),
        ("NaN", r#"{"method":"ping","id":NaN}"#.into(), "not JSON"),
        ("single quotes", "{'method':'ping'}".into(), "not JSON"),
        ("a byte order mark", "\u{feff}{\"method\":\"ping\"}".into(), "not JSON"),
        ("half a surrogate", r#"{"method":"tools/call","params":{"name":"\ud800"}}"#.into(), "not JSON"),
        ("half a surrogate as id", r#"{"method":"ping","id":"\udc00"}"#.into(), "not JSON"),
        ("a control character", "{\"method\":\"pi\nng\"}".into(), "not JSON"),
        ("a text", r#""ping""#.into(), "no message -"),
        ("null", "null".into(), "no message -"),
        ("an empty batch", "[]".into(), "no message -"),
        ("a batch in a batch", r#"[[{"method":"ping"}]]"#.into(), "no message -"),
        ("a batch with something else", r#"[{"id":1,"method":"ping"},{"id":2}]"#.into(), "no message 2"),
        ("neither method nor result", r#"{"id":7}"#.into(), "no message 7"),
        ("a method that is no text", r#"{"id":7,"method":["ping"]}"#.into(), "no message 7"),
        ("a method that is null", r#"{"id":7,"method":null,"result":{}}"#.into(), "no message 7"),
        ("an id of another type", r#"{"id":true,"method":"ping"}"#.into(), "no message -"),
        ("params by position", r#"{"id":7,"method":"ping","params":["x"]}"#.into(), "no message 7"),
        ("a tool without a name", r#"{"id":7,"method":"tools/call","params":{}}"#.into(), "no message 7"),
        ("a tool without params", r#"{"id":7,"method":"tools/call"}"#.into(), "no message 7"),
        ("a tool whose name is no text", r#"{"id":7,"method":"tools/call","params":{"name":["a"]}}"#.into(), "no message 7"),
        ("a prompt whose name is null", r#"{"id":7,"method":"prompts/get","params":{"name":null}}"#.into(), "no message 7"),
        ("a resource by name", r#"{"id":7,"method":"resources/read","params":{"name":"a"}}"#.into(), "no message 7"),
        ("a subscription by name", r#"{"id":7,"method":"resources/subscribe","params":{"name":"a"}}"#.into(), "no message 7"),
        ("a subscription that ends", r#"{"id":7,"method":"resources/unsubscribe","params":{"uri":"u","name":"a"}}"#.into(), "resources/unsubscribe [u] 7 -"),
        ("another case", r#"{"id":7,"method":"ping","Method":"tools/call"}"#.into(), "no message 7"),
        ("another case alone", r#"{"id":7,"METHOD":"tools/call","result":{}}"#.into(), "no message 7"),
        ("another case of params", r#"{"id":7,"method":"ping","paramS":{}}"#.into(), "no message 7"),
        ("a long s", r#"{"id":7,"method":"ping","param\u017f":{}}"#.into(), "no message 7"),
        ("the Kelvin sign", r#"{"id":7,"method":"ping","params":{"tas\u212aId":"x"}}"#.into(), "no message 7"),
        ("a dotless i", "{\"method\":\"ping\",\"ıd\":8}".into(), "no message -"),
        ("another case of a name", r#"{"id":7,"method":"ping","params":{"Name":"x"}}"#.into(), "no message 7"),
        ("another case of a URI", r#"{"id":7,"method":"ping","params":{"URI":"x"}}"#.into(), "no message 7"),
        ("another case elsewhere", r#"{"id":7,"method":"ping","params":{"arguments":{"Name":"x","name":"y"}},"x":{"Method":1}}"#.into(), "ping [] 7 -"),
    ];
    for_each_row(rows, |(name, body, expected)| same(name, told(body.as_bytes()), (*expected).to_owned()));
    for bytes in [
        b"{\"method\":\"pi\xffng\"}".as_slice(),
        b"\xff\xfe{\x00",
        b"{\"method\":\"a\xc0\xaf\"}",
        b"{\"x\":\"\xed\xa0\x80\",\"method\":\"a\"}",
    ] {
        assert_eq!(told(bytes), "not JSON", "not UTF-8");
    }
}

#[test]
fn mirrors() {
    let call = r#"{"id":1,"method":"tools/call","params":{"name":"echo"}}"#;
    let at = |version: &str, id: &str| {
        format!(
            r#"{{{id}"method":"tools/call","params":{{"name":"echo","_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}"}}}}}}"#
        )
    };
    let new = Some("2026-07-28");
    let (method, name) = (Some("tools/call"), Some("echo"));
    let (ok, missing, mismatch) = ("ok", "mirror_missing", "mirror_mismatch");
    let task = r#"{"id":1,"method":"tasks/get","params":{"taskId":"t","name":"n"}}"#;
    let named =
        |name: &str| json!({ "id": 1, "method": "tools/call", "params": { "name": name } }).to_string();
    let rows: Vec<(&str, String, StandardHeaders<'_>, &str)> = vec![
        ("none", call.into(), StandardHeaders::default(), ok),
        (
            "an older version",
            call.into(),
            StandardHeaders { version: Some("2025-11-25"), ..StandardHeaders::default() },
            ok,
        ),
        (
            "no version",
            call.into(),
            StandardHeaders { version: Some("v999.0.0"), ..StandardHeaders::default() },
            ok,
        ),
        (
            "a draft",
            call.into(),
            StandardHeaders { version: Some("DRAFT-2026"), ..StandardHeaders::default() },
            ok,
        ),
        ("all", call.into(), StandardHeaders { version: new, method, name }, ok),
        (
            "all, of a later version",
            call.into(),
            StandardHeaders { version: Some("2031-01-01"), method, name },
            ok,
        ),
        (
            "blanks around each",
            call.into(),
            StandardHeaders {
                version: Some(" 2026-07-28\t"),
                method: Some("\ttools/call "),
                name: Some("  echo  "),
            },
            ok,
        ),
        (
            "a blank after the version, and no more",
            call.into(),
            StandardHeaders { version: Some("2026-07-28 "), ..StandardHeaders::default() },
            missing,
        ),
        (
            "a blank in a name",
            call.into(),
            StandardHeaders { version: new, method, name: Some("ec ho") },
            mismatch,
        ),
        ("no method", call.into(), StandardHeaders { version: new, method: None, name }, missing),
        ("no name", call.into(), StandardHeaders { version: new, method, name: None }, missing),
        (
            "a later version, and none",
            call.into(),
            StandardHeaders { version: Some("2031-01-01"), ..StandardHeaders::default() },
            missing,
        ),
        (
            "another method",
            call.into(),
            StandardHeaders { version: new, method: Some("tools/list"), name },
            mismatch,
        ),
        (
            "another case",
            call.into(),
            StandardHeaders { version: new, method: Some("TOOLS/CALL"), name },
            mismatch,
        ),
        (
            "an encoded method",
            call.into(),
            StandardHeaders { version: new, method: Some("=?base64?dG9vbHMvY2FsbA==?="), name },
            mismatch,
        ),
        ("another name", call.into(), StandardHeaders { version: new, method, name: Some("Echo") }, mismatch),
        (
            "two of them",
            call.into(),
            StandardHeaders { version: new, method, name: Some("echo, echo") },
            mismatch,
        ),
        ("an empty one", call.into(), StandardHeaders { version: new, method, name: Some("") }, mismatch),
        (
            "an old version, another method",
            call.into(),
            StandardHeaders { version: None, method: Some("ping"), name: None },
            mismatch,
        ),
        (
            "an old version, another name",
            call.into(),
            StandardHeaders { version: None, method: None, name: Some("x") },
            mismatch,
        ),
        ("the body's version is new", at("2026-07-28", r#""id":1,"#), StandardHeaders::default(), missing),
        ("the body's version is old", at("2025-11-25", r#""id":1,"#), StandardHeaders::default(), ok),
        (
            "versions differ",
            at("2026-07-28", r#""id":1,"#),
            StandardHeaders { version: Some("2025-11-25"), method, name },
            mismatch,
        ),
        (
            "versions differ the other way",
            at("2025-11-25", r#""id":1,"#),
            StandardHeaders { version: new, method, name },
            mismatch,
        ),
        (
            "a notification needs none",
            at("2026-07-28", ""),
            StandardHeaders { version: new, ..StandardHeaders::default() },
            ok,
        ),
        (
            "a notification's must agree",
            at("2026-07-28", ""),
            StandardHeaders { version: new, method: Some("x"), name: None },
            mismatch,
        ),
        (
            "a response needs none",
            r#"{"id":1,"result":{}}"#.into(),
            StandardHeaders { version: new, ..StandardHeaders::default() },
            ok,
        ),
        (
            "a response has no method",
            r#"{"id":1,"result":{}}"#.into(),
            StandardHeaders { version: new, method, name: None },
            mismatch,
        ),
        (
            "a name in base64",
            named("é ☃"),
            StandardHeaders { version: new, method, name: Some("=?base64?w6kg4piD?=") },
            ok,
        ),
        (
            "an empty one in base64",
            named(""),
            StandardHeaders { version: new, method, name: Some("=?base64??=") },
            ok,
        ),
        (
            "another one in base64",
            named("x"),
            StandardHeaders { version: new, method, name: Some("=?base64?w6kg4piD?=") },
            mismatch,
        ),
        (
            "base64 without padding",
            named("a"),
            StandardHeaders { version: new, method, name: Some("=?base64?YQ?=") },
            mismatch,
        ),
        (
            "base64 that is not UTF-8",
            named("a"),
            StandardHeaders { version: new, method, name: Some("=?base64?/w==?=") },
            mismatch,
        ),
        (
            "markers in capitals",
            named("=?BASE64?YQ==?="),
            StandardHeaders { version: new, method, name: Some("=?BASE64?YQ==?=") },
            ok,
        ),
        (
            "half a marker",
            named("=?base64?YQ=="),
            StandardHeaders { version: new, method, name: Some("=?base64?YQ==") },
            ok,
        ),
        (
            "a name like a marker, as it is",
            named("=?base64?YQ==?="),
            StandardHeaders { version: new, method, name: Some("=?base64?YQ==?=") },
            mismatch,
        ),
        (
            "a name like a marker, encoded",
            named("=?base64?YQ==?="),
            StandardHeaders { version: new, method, name: Some("=?base64?PT9iYXNlNjQ/WVE9PT89?=") },
            ok,
        ),
        ("more than ASCII", named("é"), StandardHeaders { version: new, method, name: Some("é") }, mismatch),
        (
            "a method without a source for a name",
            r#"{"id":1,"method":"tools/list"}"#.into(),
            StandardHeaders { version: new, method: Some("tools/list"), name: Some("x") },
            ok,
        ),
        (
            "a task",
            task.into(),
            StandardHeaders { version: new, method: Some("tasks/get"), name: Some("t") },
            ok,
        ),
        (
            "a task without",
            task.into(),
            StandardHeaders { version: new, method: Some("tasks/get"), name: None },
            ok,
        ),
        (
            "another task",
            task.into(),
            StandardHeaders { version: new, method: Some("tasks/get"), name: Some("n") },
            mismatch,
        ),
        (
            "a batch of old",
            format!("[{call},{call}]"),
            StandardHeaders { version: Some("2025-03-26"), method, name },
            ok,
        ),
        (
            "a batch that does not all agree",
            format!("[{call},{}]", named("x")),
            StandardHeaders { version: None, method, name },
            mismatch,
        ),
        (
            "a batch of new",
            format!("[{call}]"),
            StandardHeaders { version: new, method, name },
            "message_invalid",
        ),
    ];
    for_each_row(rows, |(name, body, mirror, expected)| {
        let messages = read(body.as_bytes()).unwrap();
        let told = mirror.check(&messages).map_or_else(|refusal| refusal.row().reason, |()| "ok");
        same(name, told, *expected)
    });
}
