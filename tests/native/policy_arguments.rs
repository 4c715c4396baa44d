//! What rules demand of the arguments of a call: each row is a condition, the arguments as they are
//! written, and whether they meet it. What readers could disagree about meets nothing.

use serde_json::{Value, json};

use crate::support::policy::{calling, demanding, meet, said_of, verified};

#[test]
fn texts() {
    let safe = || json!(["/safe/*", "/tmp"]);
    meet(
        "a",
        vec![
            ("exact", safe(), r#"{"a":"/tmp"}"#, true),
            ("longer", safe(), r#"{"a":"/tmp/"}"#, false),
            ("by a pattern", safe(), r#"{"a":"/safe/x/y.txt"}"#, true),
            ("the start alone", safe(), r#"{"a":"/safe/"}"#, true),
            ("not the start", safe(), r#"{"a":"/safe"}"#, false),
            ("another case", safe(), r#"{"a":"/SAFE/x"}"#, false),
            ("the start further on", safe(), r#"{"a":"/x/safe/y"}"#, false),
            ("one text for a list", json!("b"), r#"{"a":"b"}"#, true),
            ("an empty text", json!(["", "x"]), r#"{"a":""}"#, true),
            ("an empty text is not just any", json!(["", "x"]), r#"{"a":" "}"#, false),
            ("escapes", json!("/b"), r#"{"\u0061":"\/\u0062"}"#, true),
            ("a pair of surrogates", json!("😀"), r#"{"a":"\ud83d\ude00"}"#, true),
            ("missing", safe(), r#"{"b":"/tmp"}"#, false),
            ("no members", safe(), "{}", false),
            ("no arguments", safe(), "", false),
            ("arguments that are null", safe(), "null", false),
            ("arguments in an array", safe(), r#"[{"a":"/tmp"}]"#, false),
            ("arguments in a text", safe(), r#""{\"a\":\"/tmp\"}""#, false),
            ("null", safe(), r#"{"a":null}"#, false),
            ("a number", json!(["1", "*"]), r#"{"a":1}"#, false),
            ("true", json!(["true", "*"]), r#"{"a":true}"#, false),
            ("an array", safe(), r#"{"a":["/tmp"]}"#, false),
            ("an object", safe(), r#"{"a":{"a":"/tmp"}}"#, false),
        ],
    );
}

#[test]
fn a_pattern_takes_no_step_up_and_no_end() {
    let safe = || json!(["/safe/*", "/safe/../listed", "/nul\u{0}"]);
    let any = || json!("*");
    meet(
        "a",
        vec![
            ("a step up", safe(), r#"{"a":"/safe/../etc/passwd"}"#, false),
            ("at the end", safe(), r#"{"a":"/safe/.."}"#, false),
            ("in escapes", safe(), r#"{"a":"/safe/\u002e\u002e/etc"}"#, false),
            ("percent-encoded", safe(), r#"{"a":"/safe/%2e%2E/etc"}"#, false),
            ("twice", safe(), r#"{"a":"/safe/%252e%252e%252fetc"}"#, false),
            ("the slash, too", safe(), r#"{"a":"/safe/..%2fetc"}"#, false),
            ("a backslash", safe(), r#"{"a":"/safe/x\\..\\etc"}"#, false),
            ("fullwidth", safe(), "{\"a\":\"/safe/\u{ff0e}\u{ff0e}/etc\"}", false),
            ("fullwidth and encoded", safe(), "{\"a\":\"/safe/\u{ff05}2e\u{ff05}2e/etc\"}", false),
            ("overlong", safe(), r#"{"a":"/safe/%c0%ae%c0%ae/etc"}"#, false),
            ("with a line break", safe(), r#"{"a":"/safe/.\n./etc"}"#, false),
            ("with a blank", safe(), r#"{"a":"/safe/.. /etc"}"#, false),
            ("with nothing to see", safe(), "{\"a\":\"/safe/.\u{200b}./etc\"}", false),
            ("with a parameter", safe(), r#"{"a":"/safe/..;x/etc"}"#, false),
            ("NUL", safe(), r#"{"a":"/safe/x\u0000.txt"}"#, false),
            ("NUL, percent-encoded", safe(), r#"{"a":"/safe/x%00.txt"}"#, false),
            ("a dot alone", safe(), r#"{"a":"/safe/./x"}"#, false),
            ("dots in names", safe(), r#"{"a":"/safe/a..b/.c/d.txt/...x"}"#, true),
            ("a percent sign", safe(), r#"{"a":"/safe/100%"}"#, true),
            ("what is listed as it is", safe(), r#"{"a":"/safe/../listed"}"#, true),
            ("the same in another spelling", safe(), r#"{"a":"/safe/%2e./listed"}"#, false),
            ("NUL that is listed", safe(), r#"{"a":"/nul\u0000"}"#, true),
            (
                "sentences",
                any(),
                r#"{"a":"Well ... what is 1/2 of it?\nNothing. See a.b, c/d (100%)."}"#,
                true,
            ),
            ("letters of all kinds", any(), "{\"a\":\"Größe\u{2026} 日本語/。です\u{1f980}\"}", true),
        ],
    );
}

#[test]
fn numbers_and_switches() {
    let most = 9_007_199_254_740_991_i64;
    let one = || json!([0, 1, most]);
    let long = format!("1.{}", "0".repeat(1000));
    let nearly = format!("1.{}1", "0".repeat(1000));
    let nines = format!("0.{}", "9".repeat(1000));
    let of = |number: &str| format!(r#"{{"a":{number}}}"#);
    let rows: Vec<(&str, Value, String, bool)> = vec![
        ("one", one(), of("1"), true),
        ("with a fraction", one(), of("1.0"), true),
        ("with an exponent", one(), of("10e-1"), true),
        ("with another", one(), of("0.1E+1"), true),
        ("long", one(), of(&long), true),
        ("a little more", one(), of(&nearly), false),
        ("a little less", one(), of(&nines), false),
        ("zero", one(), of("0.000e999999999999999999999"), true),
        ("minus zero", one(), of("-0"), true),
        ("next to zero", one(), of("1e-400"), false),
        ("with no exponent to count with", one(), of("1e-99999999999999999999"), false),
        ("whose exponent wraps to 0", one(), of("1e-18446744073709551616"), false),
        ("another sign", one(), of("-1"), false),
        ("the greatest", one(), of("9007199254740991"), true),
        ("the next one", one(), of("9007199254740992"), false),
        ("what f64 takes for that", one(), of("9007199254740993"), false),
        ("a text", one(), of(r#""1""#), false),
        ("true is no number", one(), of("true"), false),
        ("true", json!(true), of("true"), true),
        ("false", json!(true), of("false"), false),
        ("either", json!([true, false]), of("false"), true),
        ("a text is not true", json!(true), of(r#""true""#), false),
        ("a number is not true", json!(true), of("1"), false),
        ("null is not false", json!(false), of("null"), false),
        ("of several types", json!(["x*", 5, true]), of("5"), true),
    ];
    meet("a", rows.iter().map(|(name, c, text, met)| (*name, c.clone(), text.as_str(), *met)).collect());
}

#[test]
fn bounds() {
    let both = || json!({ "min": -2, "max": 10 });
    let part = || json!({ "min": 0.1, "max": 0.7 });
    let of = |number: &str| format!(r#"{{"a":{number}}}"#);
    let nearly = format!("10.{}1", "0".repeat(400));
    let beneath = format!("-2.{}1", "0".repeat(400));
    let wide = || json!({ "min": -9_007_199_254_740_991_i64, "max": 9_007_199_254_740_991_i64 });
    let rows: Vec<(&str, Value, String, bool)> = vec![
        ("between", both(), of("3.5"), true),
        ("the least", both(), of("-2"), true),
        ("the greatest", both(), of("1e1"), true),
        ("below", both(), of("-2.0000001"), false),
        ("above", both(), of("11"), false),
        ("above by less than f64 knows", both(), of(&nearly), false),
        ("below by less than f64 knows", both(), of(&beneath), false),
        ("much above", both(), of("100"), false),
        ("much below", both(), of("-1e2"), false),
        ("a shorter number that is more", both(), of("20"), false),
        ("a longer number that is less", both(), of("9.99999"), true),
        ("zero", both(), of("-0.0"), true),
        ("negative and small", both(), of("-0.5"), true),
        ("one bound", json!({ "min": 5 }), of("5"), true),
        ("one bound, below", json!({ "min": 5 }), of("4.9"), false),
        ("the other bound", json!({ "max": 5 }), of("-7"), true),
        ("the other bound, above", json!({ "max": 5 }), of("5.1"), false),
        ("fractions", part(), of("0.70"), true),
        ("fractions, above", part(), of("0.7000000000000000001"), false),
        ("fractions, below", part(), of("0.09"), false),
        ("exact", wide(), of("-9007199254740991"), true),
        ("beyond what is exact", json!({ "min": 1 }), of("9007199254740992"), false),
        ("beyond, and negative", json!({ "max": 1 }), of("-9007199254740992"), false),
        ("what f64 holds, and i64 does not", json!({ "min": 1 }), of("1e300"), false),
        ("nothing", json!({ "max": 0 }), of("1e-400"), false),
        ("a text", both(), of(r#""3""#), false),
        ("true", both(), of("true"), false),
        ("null", both(), of("null"), false),
        ("an array", both(), of("[3]"), false),
        ("missing", both(), "{}".to_owned(), false),
    ];
    meet("a", rows.iter().map(|(name, c, text, met)| (*name, c.clone(), text.as_str(), *met)).collect());
    // What no reader can hold is no message at all.
    for number in ["1e400", "-1e400", "NaN", "01"] {
        let told =
            said_of(&demanding(json!({ "a": both() })), Some(verified(&json!({}))), &calling(&of(number)));
        assert_eq!(told, "body_malformed", "{number}");
    }
}

#[test]
fn lengths() {
    let five = || json!({ "max_length": 5 });
    meet(
        "a",
        vec![
            ("as long as that", five(), r#"{"a":"abcde"}"#, true),
            ("longer", five(), r#"{"a":"abcdef"}"#, false),
            ("none", five(), r#"{"a":""}"#, true),
            ("characters and not bytes", five(), r#"{"a":"äöüß€"}"#, true),
            ("nor units of UTF-16", five(), r#"{"a":"🦀🦀🦀🦀\ud83e\udd80"}"#, true),
            ("marks count", five(), "{\"a\":\"e\u{301}e\u{301}e\u{301}\"}", false),
            ("escapes count as what they are", five(), r#"{"a":"\u0061\n\"\\\/"}"#, true),
            ("a number", five(), r#"{"a":1}"#, false),
            ("an array", five(), r#"{"a":["a"]}"#, false),
            ("null", five(), r#"{"a":null}"#, false),
            ("missing", five(), "{}", false),
            ("an empty one only", json!({ "max_length": 0 }), r#"{"a":""}"#, true),
            ("not empty", json!({ "max_length": 0 }), r#"{"a":"x"}"#, false),
        ],
    );
}
