//! Which tokens are opaque, in which words an authorization server is asked about one, and what is
//! looked at before its answer is read.

use mcp_edge_auth::token::introspection::{Introspection, Told, read_signed};
use mcp_edge_auth::token::jose::is_opaque;
use serde_json::json;

use crate::support::es256::trusted;
use crate::support::{ISSUER, b64, config, for_each_row, object, resource, same};
use crate::token_introspection::{asking, said};

#[test]
fn what_looks_like_a_jws_is_never_opaque() {
    let json = b64(r#"{"alg":"RS256"}"#);
    let rows = [
        ("a JWT", trusted().good(), false),
        ("three parts", format!("{json}.a.b"), false),
        ("broken claims", format!("{json}.!!.b"), false),
        ("no claims and no signature", format!("{json}.."), false),
        ("white space around the header", format!("{}.a.b", b64(" {}\n")), false),
        ("a member twice", format!("{}.a.b", b64(r#"{"a":1,"a":2}"#)), false),
        ("braces and no JSON", format!("{}.a.b", b64("{alg}")), false),
        ("one part", "abc".to_owned(), true),
        ("two parts", format!("{json}.a"), true),
        ("four parts", format!("{json}.a.b.c"), true),
        ("a JWE", format!("{json}.a.b.c.d"), true),
        ("an array", format!("{}.a.b", b64("[]")), true),
        ("text", format!("{}.a.b", b64("abc")), true),
        ("no base64url", "ory~at.a.b".to_owned(), true),
        ("no UTF-8", format!("{}.a.b", b64([b'{', 0xff, b'}'])), true),
        ("an empty first part", ".a.b".to_owned(), true),
        ("nothing", String::new(), true),
    ];
    for_each_row(rows, |(name, token, expected)| same(name, is_opaque(token), *expected));
}

#[test]
fn a_signed_answer_is_for_this_client() {
    let rows = [
        (json!("edge"), Some("edge"), true),
        (json!(["x", "edge"]), Some("edge"), true),
        (json!("edge "), Some("edge"), false),
        (json!([["edge"]]), Some("edge"), false),
        (json!({ "edge": "edge" }), Some("edge"), false),
        (json!(null), None, false),
        (json!(""), None, false),
        (json!([]), None, false),
    ];
    for (aud, client, expected) in rows {
        let claims = object(&json!({ "iss": ISSUER, "aud": aud, "token_introspection": said() }));
        assert_eq!(read_signed(&claims, ISSUER, client).is_ok(), expected, "{aud} {client:?}");
    }
}

#[test]
fn the_words_of_a_request() {
    let config = config(&asking(json!({ "client_id": "a b:c" }), json!({})));
    let basic = resource(&config).entries[0].introspection.as_deref().unwrap();
    let sent = |asking: &Introspection| {
        let request = asking.request("t+/=");
        (request.body.expose().clone(), request.authorization.map(|value| value.expose().clone()))
    };
    let token = "token=t%2B%2F%3D&token_type_hint=access_token";
    // a+b%3Ac:s3cret
    assert_eq!(sent(basic), (token.to_owned(), Some("Basic YStiJTNBYzpzM2NyZXQ=".to_owned())));
    let config = crate::support::config(&asking(json!({ "auth_method": "client_secret_post" }), json!({})));
    let post = resource(&config).entries[0].introspection.as_deref().unwrap();
    assert_eq!(sent(post), (format!("{token}&client_id=edge&client_secret=s3cret"), None));
    let none = json!({ "auth_method": "none", "client_secret": "<absent>" });
    let config = crate::support::config(&asking(none, json!({})));
    let none = resource(&config).entries[0].introspection.as_deref().unwrap();
    assert_eq!(sent(none), (format!("{token}&client_id=edge"), None));
    assert!(!format!("{basic:?} {post:?}").contains("s3cret"), "no Debug text has the secret");
}

#[test]
fn status_and_type_of_an_answer() {
    let body = || Some(b"{}".to_vec());
    let jwt = "Application/Token-Introspection+JWT ; charset=utf-8";
    assert!(matches!(Told::of(200, "application/json", body()), Told::Json(_)));
    assert!(matches!(Told::of(200, "", body()), Told::Json(_)));
    assert!(matches!(Told::of(200, jwt, body()), Told::Signed(_)));
    assert!(matches!(Told::of(200, "application/jwt", body()), Told::Json(_)));
    assert!(matches!(Told::of(200, jwt, None), Told::Nothing(_)));
    for status in [0, 100, 199, 201, 204, 206, 301, 400, 401, 500, 503] {
        assert!(matches!(Told::of(status, jwt, body()), Told::Nothing(_)), "{status}");
    }
}
