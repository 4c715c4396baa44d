//! A token is refused for exactly what is wrong with its structure, its encoding or its signature.

use mcp_edge_auth::keys::cache::Need;
use mcp_edge_auth::limits;
use serde_json::{Value, json};

use crate::support::engine::run_with;
use crate::support::es256::{header, key_set, stranger, trusted};
use crate::support::rows::{expect, headed, verify, with_header};
use crate::support::{self, b64, claims, config, resource, settings, with};

/// A token, soundly signed, over claims of any text.
fn with_payload(payload: &str) -> String {
    trusted().token(&header().to_string(), payload)
}

/// A token, soundly signed, over claims with one more member, given as text.
fn with_member(member: &str) -> String {
    let claims = claims().to_string();
    with_payload(&format!("{},{member}}}", claims.strip_suffix('}').unwrap()))
}

/// The good token's parts.
fn parts() -> [String; 3] {
    let token = trusted().good();
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

/// The same bytes in base64url whose last character has a bit that no byte has.
fn with_leftover_bit(part: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(part.len() % 4, 0, "this text has no bits left over");
    let (rest, last) = part.split_at(part.len() - 1);
    let next = ALPHABET.find(last).unwrap() + 1;
    format!("{rest}{}", &ALPHABET[next..=next])
}

/// JSON text of one more or two more bytes, so that its base64url has bits left over.
fn not_of_threes(json: &Value) -> String {
    let mut text = json.to_string();
    while text.len().is_multiple_of(3) {
        text.push(' ');
    }
    text
}

/// A good token of exactly this many bytes.
fn of_length(length: usize) -> String {
    for pad in 0..4 {
        let header = with(header(), json!({ "pad": "x".repeat(pad) })).to_string();
        let payload_part = length - b64(&header).len() - 2 - 86;
        if payload_part % 4 == 1 {
            continue; // no base64url has that length
        }
        let mut payload = claims().to_string();
        payload.extend(std::iter::repeat_n(' ', payload_part * 3 / 4 - payload.len()));
        return trusted().token(&header, &payload);
    }
    panic!("no token of {length} bytes")
}

#[test]
fn the_good_token_is_accepted() {
    let run = verify(&trusted().good());
    assert_eq!(run.reason(), "accepted");
    assert_eq!(run.header("X-MCP-Auth-User-Id"), Some("user-1"));
}

#[test]
fn structure() {
    let [header, claims, signature] = parts();
    expect(vec![
        ("one character", "a".into(), "token_parts"),
        ("no dot", "abc".into(), "token_parts"),
        ("two parts", format!("{header}.{claims}"), "token_parts"),
        ("four parts", format!("{header}.{claims}.{signature}."), "token_parts"),
        ("a leading dot", format!(".{header}.{claims}.{signature}"), "token_parts"),
        (
            "the five parts of a JWE",
            format!("{header}.{claims}.{claims}.{claims}.{signature}"),
            "token_parts",
        ),
        ("two dots alone", "..".into(), "token_json"),
        ("an empty header", format!(".{claims}.{signature}"), "token_json"),
        ("empty claims", format!("{header}..{signature}"), "token_json"),
        ("an empty signature", format!("{header}.{claims}."), "signature_invalid"),
        ("the largest", of_length(limits::TOKEN_BYTES), "accepted"),
        ("a byte more", of_length(limits::TOKEN_BYTES + 1), "token_too_large"),
        ("too large, of dots", ".".repeat(limits::TOKEN_BYTES + 1), "token_too_large"),
    ]);
}

#[test]
fn encoding() {
    let [header_part, claims_part, signature] = parts();
    let issuer = trusted();
    let odd_header = b64(not_of_threes(&header()));
    let odd_claims = b64(not_of_threes(&claims()));
    // Claims whose base64url has a character that base64 writes otherwise.
    let marked = b64(with(claims(), json!({ "note": "???>>>???>>>?~?~" })).to_string());
    assert!(marked.contains(['-', '_']));
    let standard = marked.replace('-', "+").replace('_', "/");
    let spoilt = |part: &str, with: &str| format!("{}{with}{}", &part[..8], &part[9..]);
    expect(vec![
        (
            "a bit left over in the header",
            issuer.token_over(&with_leftover_bit(&odd_header), &claims_part),
            "token_encoding",
        ),
        (
            "a bit left over in the claims",
            issuer.token_over(&header_part, &with_leftover_bit(&odd_claims)),
            "token_encoding",
        ),
        (
            "a bit left over in the signature",
            format!("{header_part}.{claims_part}.{}", with_leftover_bit(&signature)),
            "token_encoding",
        ),
        ("the same parts without that bit", issuer.token_over(&odd_header, &odd_claims), "accepted"),
        ("padding in the header", issuer.token_over(&padded(&odd_header), &claims_part), "token_encoding"),
        ("padding in the claims", issuer.token_over(&header_part, &padded(&odd_claims)), "token_encoding"),
        (
            "padding in the signature",
            format!("{header_part}.{claims_part}.{}", padded(&signature)),
            "token_encoding",
        ),
        (
            "one character of padding where two belong",
            format!("{header_part}.{claims_part}.{signature}="),
            "token_encoding",
        ),
        ("base64 instead of base64url", issuer.token_over(&header_part, &standard), "token_encoding"),
        ("the same in base64url", issuer.token_over(&header_part, &marked), "accepted"),
        (
            "a space in the header",
            issuer.token_over(&spoilt(&header_part, " "), &claims_part),
            "token_encoding",
        ),
        (
            "a line end in the claims",
            issuer.token_over(&header_part, &spoilt(&claims_part, "\n")),
            "token_encoding",
        ),
        (
            "a tilde in the signature",
            format!("{header_part}.{claims_part}.{}", spoilt(&signature, "~")),
            "token_encoding",
        ),
        (
            "a NUL in the claims",
            issuer.token_over(&header_part, &spoilt(&claims_part, "\0")),
            "token_encoding",
        ),
        (
            "a letter beyond ASCII",
            issuer.token_over(&header_part, &spoilt(&claims_part, "é")),
            "token_encoding",
        ),
        (
            "a length that no base64url has",
            issuer.token_over(&header_part, &b64("12").repeat(3)[..5]),
            "token_encoding",
        ),
        ("percent-encoding", issuer.token_over(&header_part, &spoilt(&claims_part, "%41")), "token_encoding"),
        (
            "a header that is not encoded",
            issuer.token_over(&header().to_string(), &claims_part),
            "token_encoding",
        ),
    ]);
}

fn padded(part: &str) -> String {
    format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4))
}

#[test]
fn json_of_header_and_claims() {
    let nested = |depth: usize| format!(r#""deep":{}1{}"#, "[".repeat(depth), "]".repeat(depth));
    expect(vec![
        ("a header that is no JSON", with_header("alg=ES256"), "token_json"),
        ("a header that is an array", with_header(r#"["ES256"]"#), "token_json"),
        ("a header that is a string", with_header(r#""ES256""#), "token_json"),
        ("a header that is null", with_header("null"), "token_json"),
        ("a header and more", with_header(&format!("{}{{}}", header())), "token_json"),
        ("a header behind a byte order mark", with_header(&format!("\u{feff}{}", header())), "token_json"),
        ("a header with a trailing comma", with_header(r#"{"alg":"ES256","kid":"es-1",}"#), "token_json"),
        ("a header between spaces", with_header(&format!(" {}\n", header())), "accepted"),
        ("alg twice", with_header(r#"{"alg":"none","alg":"ES256","kid":"es-1"}"#), "token_json"),
        ("alg twice, the same", with_header(r#"{"alg":"ES256","alg":"ES256","kid":"es-1"}"#), "token_json"),
        (
            "alg twice, once in escapes",
            with_header(r#"{"alg":"ES256","\u0061lg":"none","kid":"es-1"}"#),
            "token_json",
        ),
        ("kid twice", with_header(r#"{"alg":"ES256","kid":"es-1","kid":"es-1"}"#), "token_json"),
        (
            "a duplicate within a header member",
            with_header(r#"{"alg":"ES256","kid":"es-1","jwk":{"x":1,"x":2}}"#),
            "token_json",
        ),
        ("claims that are no JSON", with_payload("sub=user-1"), "token_json"),
        ("claims that are an array", with_payload(&json!([claims()]).to_string()), "token_json"),
        ("claims that are a number", with_payload("1"), "token_json"),
        ("claims and more", with_payload(&format!("{} x", claims())), "token_json"),
        ("claims with a comment", with_payload(&format!("/**/{}", claims())), "token_json"),
        ("claims in single quotes", with_payload(&claims().to_string().replace('"', "'")), "token_json"),
        (
            "claims of bytes that are no UTF-8",
            trusted().token_over(&parts()[0], &b64(b"{\"sub\":\"\xff\"}")),
            "token_json",
        ),
        ("half a surrogate pair", with_member(r#""name":"\ud800""#), "token_json"),
        ("sub twice", with_member(r#""sub":"user-1""#), "token_json"),
        ("aud twice", with_member(&format!(r#""aud":"{}""#, support::CANONICAL)), "token_json"),
        ("a duplicate below an object", with_member(r#""act":{"sub":"a","sub":"b"}"#), "token_json"),
        ("a duplicate below an array", with_member(r#""list":[1,{"a":[{"b":1,"b":1}]}]"#), "token_json"),
        ("the same name at two depths", with_member(r#""act":{"sub":"a","act":{"sub":"b"}}"#), "accepted"),
        ("the same name in two objects", with_member(r#""list":[{"a":1},{"a":2}]"#), "accepted"),
        ("a number beyond f64", with_member(r#""n":1e999"#), "token_json"),
        ("NaN", with_member(r#""n":NaN"#), "token_json"),
        (
            "every JSON type in an unknown claim",
            with_member(r#""x":[null,true,-1,0.5,"s",{"o":[]}]"#),
            "accepted",
        ),
        ("126 arrays within the claims", with_member(&nested(126)), "accepted"),
        ("arrays beyond the depth limit", with_member(&nested(127)), "token_json"),
        ("arrays far beyond it", with_member(&nested(4000)), "token_json"),
    ]);
}

#[test]
fn signature() {
    let issuer = trusted();
    let [header_part, claims_part, _] = parts();
    let input = format!("{header_part}.{claims_part}");
    let good = issuer.signature(&input);
    let signed = |signature: &[u8]| format!("{input}.{}", b64(signature));
    let flipped = |at: usize| {
        let mut signature = good.clone();
        signature[at] ^= 1;
        signed(&signature)
    };
    let other_claims = b64(with(claims(), json!({ "sub": "admin" })).to_string());
    let other_header = b64(with(header(), json!({ "typ": "JWT" })).to_string());
    let (r, s) = good.split_at(32);
    // The order of P-256: as `s`, it is zero once more.
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> =
        (0..64).step_by(2).map(|i| u8::from_str_radix(&order[i..i + 2], 16).unwrap()).collect();
    expect(vec![
        ("as it was made", signed(&good), "accepted"),
        ("the first bit flipped", flipped(0), "signature_invalid"),
        ("a bit of r flipped", flipped(31), "signature_invalid"),
        ("a bit of s flipped", flipped(32), "signature_invalid"),
        ("the last bit flipped", flipped(63), "signature_invalid"),
        ("a byte short", signed(&good[..63]), "signature_invalid"),
        ("a byte long", signed(&[&good[..], &[0]].concat()), "signature_invalid"),
        ("half of it", signed(&good[..32]), "signature_invalid"),
        ("twice", signed(&[&good[..], &good[..]].concat()), "signature_invalid"),
        ("all zero", signed(&[0; 64]), "signature_invalid"),
        ("r is zero", signed(&[&[0; 32], s].concat()), "signature_invalid"),
        ("s is zero", signed(&[r, &[0; 32]].concat()), "signature_invalid"),
        ("s is the order", signed(&[r, &order].concat()), "signature_invalid"),
        ("r and s swapped", signed(&[s, r].concat()), "signature_invalid"),
        ("in DER", signed(&issuer.der_signature(&input)), "signature_invalid"),
        ("a stranger's", signed(&stranger().signature(&input)), "signature_invalid"),
        ("of the claims alone", signed(&issuer.signature(&claims_part)), "signature_invalid"),
        ("of other claims", format!("{header_part}.{other_claims}.{}", b64(&good)), "signature_invalid"),
        ("of another header", format!("{other_header}.{claims_part}.{}", b64(&good)), "signature_invalid"),
        (
            "claims swapped with the header",
            format!("{claims_part}.{header_part}.{}", b64(&good)),
            "alg_missing",
        ),
    ]);
}

#[test]
fn an_unknown_kid_asks_for_the_set_once_more() {
    let run = verify(&headed(json!({ "kid": "new" })));
    assert_eq!((run.reason(), run.asked), ("kid_unknown", vec![(0, Need::Any), (0, Need::UnknownKid)]));
    // One that the set has, in a key that is unusable, does not: the set would be the same.
    let unusable = key_set(&[
        with(trusted().jwk(), json!({ "use": "enc" })),
        with(stranger().jwk(), json!({ "kid": "b" })),
    ]);
    let run = run_with(resource(&config(&settings())), &trusted().good(), &unusable);
    assert_eq!((run.reason(), run.asked), ("key_unfit", vec![(0, Need::Any)]));
    let rotated = |_, need| match need {
        Need::Any => Ok(key_set(&[with(stranger().jwk(), json!({ "kid": "old" }))])),
        Need::UnknownKid => Ok(trusted().key_set()),
    };
    let run = support::engine::run(resource(&config(&settings())), &trusted().good(), support::NOW, rotated);
    assert_eq!((run.reason(), run.checks), ("accepted", 1));
}
