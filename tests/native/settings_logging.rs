//! Which requests the log has a line of.

use mcp_edge_auth::resource::logging::{Lines, Logging};
use serde_json::{Value, json};

use crate::support::{config, for_each_row, read, same, settings, with};

const LOG: &str = "MCP_SERVER_AUTH_LOG";
const SAMPLE: &str = "MCP_SERVER_AUTH_LOG_SAMPLE";

fn set(lines: Value, sample: Value) -> Value {
    with(settings(), json!({ LOG: lines, SAMPLE: sample }))
}

#[test]
fn what_is_written() {
    let never = || -> f64 { panic!("nobody asked for chance") };
    let rows = [
        (Lines::All, 1.0, 0.999, [true, true]),
        (Lines::All, 0.5, 0.499, [true, true]),
        (Lines::All, 0.5, 0.5, [false, true]),
        (Lines::All, 0.0, 0.0, [false, true]),
        (Lines::Refusals, 1.0, 0.0, [false, true]),
        (Lines::Refusals, 0.0, 0.0, [false, true]),
        (Lines::None, 1.0, 0.0, [false, false]),
    ];
    for_each_row(rows, |(lines, sample, drawn, expected)| {
        let logging = Logging { lines: *lines, sample: *sample };
        let found = [logging.takes(false, || *drawn), logging.takes(true, never)];
        same(&format!("{lines:?} {sample} {drawn}"), found, *expected)
    });
    for lines in [Lines::All, Lines::Refusals, Lines::None] {
        let logging = Logging { lines, sample: 1.0 };
        let _ = logging.takes(false, never);
    }
}

#[test]
fn what_is_taken() {
    let absent = || json!("<absent>");
    let rows = [
        (absent(), absent(), Lines::All, 1.0),
        (json!("all"), json!(0.25), Lines::All, 0.25),
        (json!("all"), json!(" 0.25 "), Lines::All, 0.25),
        (json!("refusals"), absent(), Lines::Refusals, 1.0),
        (json!("none"), absent(), Lines::None, 1.0),
        (absent(), json!(0), Lines::All, 0.0),
        (absent(), json!("1"), Lines::All, 1.0),
    ];
    for_each_row(rows, |(lines, sample, expected, part)| {
        let found = config(&set(lines.clone(), sample.clone())).logging;
        same(&format!("{lines} {sample}"), found, Logging { lines: *expected, sample: *part })
    });
}

#[test]
fn what_is_a_fault() {
    let places = |settings: &Value| -> Vec<String> {
        read(settings).err().unwrap_or_default().into_iter().map(|fault| fault.variable).collect()
    };
    for_each_row([json!("All"), json!("off"), json!(false), json!(["all"]), json!(null)], |lines| {
        same(&lines.to_string(), places(&set(lines.clone(), json!(1))), vec![LOG.to_owned()])
    });
    let samples = [
        json!(-0.1),
        json!(1.1),
        json!("NaN"),
        json!("inf"),
        json!("50%"),
        json!(true),
        json!([1]),
        json!(null),
    ];
    for_each_row(samples, |sample| {
        same(&sample.to_string(), places(&set(json!("all"), sample.clone())), vec![SAMPLE.to_owned()])
    });
}

#[test]
fn a_sample_of_nothing_is_warned_of() {
    let warned = |lines: &str| config(&set(json!(lines), json!(0.5))).warnings.len();
    assert_eq!(["all", "refusals", "none"].map(warned), [0, 1, 1]);
}
