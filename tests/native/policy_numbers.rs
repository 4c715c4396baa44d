//! A number in a message is judged alike wherever it stands: as its id, among its arguments, in a
//! result.

use mcp_edge_auth::policy::message::{Unreadable, read};

use crate::support::{for_each_row, same};

/// A request, a notification's argument, a result, and a message of a batch with this number in it.
fn each_place(number: &str) -> [String; 5] {
    [
        format!(r#"{{"method":"ping","id":{number}}}"#),
        format!(r#"{{"result":{{}},"id":{number}}}"#),
        format!(r#"[{{"method":"ping"}},{{"method":"ping","id":{number}}}]"#),
        format!(r#"{{"method":"ping","params":{{"x":{number}}}}}"#),
        format!(r#"{{"id":1,"result":[{number}]}}"#),
    ]
}

#[test]
fn numbers_are_judged_alike_everywhere() {
    let (within, beyond) = ("9".repeat(308), "9".repeat(310));
    let long = "9".repeat(2000);
    let rows = [
        ("0", true),
        ("-0", true),
        ("-1.50e3", true),
        ("1.7e308", true),
        ("123456789012345678901234567890", true),
        (within.as_str(), true),
        ("1e-999", true),
        ("0e999", true),
        ("1e309", false),
        ("-1e400", false),
        ("1E+999", false),
        (beyond.as_str(), false),
        (long.as_str(), false),
        ("01", false),
        ("1.", false),
        ("+1", false),
        ("NaN", false),
    ];
    for_each_row(rows, |(number, is_read)| {
        each_place(number).into_iter().try_for_each(|body| match read(body.as_bytes()) {
            Ok(_) => same(&body, true, *is_read),
            Err(unreadable) => same(&body, (false, unreadable), (*is_read, Unreadable::Json)),
        })
    });
}

#[test]
fn an_id_is_sent_back_as_it_was_written() {
    for id in ["-0", "1e-999", "-1.50e3", "123456789012345678901234567890", r#""a\u0062""#] {
        let body = format!(r#"{{"method":"ping","id":{id}}}"#);
        assert_eq!(read(body.as_bytes()).unwrap().all.first().unwrap().id, Some(id));
    }
}
