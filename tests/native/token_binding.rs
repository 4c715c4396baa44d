//! A token that is bound to a certificate or a key is never taken without it, and a certificate
//! counts only if the runtime vouches for it.

use mcp_edge_auth::refusal::Refusal;
use serde_json::{Value, json};

use crate::support::engine::{Run, run_shown};
use crate::support::es256::{Es256, stranger, trusted};
use crate::support::{
    CANONICAL, CANONICAL_URL, NOW, ORIGIN, SERVERS, b64, claims, config, entry, for_each_row, read, resource,
    same, variables, with, with_entries,
};

/// RFC 8705's own example of a thumbprint (section 3.1), and what Cloudflare writes for the same
/// bytes.
const THUMBPRINT: &str = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";
const HEX: &str = "6f070ad1eb1cdc0082dc3076639fe5112b1713ca3d96d734e4ef3d8dd37e760d";

/// As another certificate's.
const OTHER: &str = "afcfe0e35b3e1d4bbc4a7d8d21a4e5cbf4a1ea0ed1a3b6f9c07cb2a5e0d1f6aa";

/// The canonical spelling of the thumbprint: the example's last letter has bits left over.
fn thumbprint() -> String {
    let bytes: Vec<u8> =
        (0..HEX.len() / 2).map(|i| u8::from_str_radix(&HEX[2 * i..][..2], 16).unwrap()).collect();
    let text = b64(bytes);
    assert_eq!(text[..42], THUMBPRINT[..42]);
    text
}

/// What the runtime says of a good certificate.
fn shown() -> Value {
    json!({
        "certPresented": "1", "certVerified": "SUCCESS", "certRevoked": "0",
        "certFingerprintSHA256": HEX, "certFingerprintSHA1": "00".repeat(20),
        "certSubjectDN": "CN=\"a\",O=\u{1F980}\n\u{0}",
    })
}

fn bound(cnf: Value) -> Value {
    json!({ "cnf": cnf })
}

fn to_certificate() -> Value {
    bound(json!({ "x5t#S256": thumbprint() }))
}

/// A token with these claims at entries that have `mtls`, by a client with this certificate.
fn verify(entries: &Value, changes: &Value, certificate: Option<&str>) -> Run {
    verify_by(&trusted(), entries, changes, certificate)
}

fn verify_by(key: &Es256, entries: &Value, changes: &Value, certificate: Option<&str>) -> Run {
    let config = config(&with_entries(entries.clone()));
    let token = key.with_claims(&with(claims(), changes.clone()));
    run_shown(resource(&config), &token, certificate, NOW, |_, _| Ok(trusted().key_set()))
}

fn at(mtls: &str) -> Value {
    json!([with(entry(), json!({ "mtls": mtls }))])
}

#[test]
fn who_has_to_show_a_certificate() {
    let good = shown().to_string();
    let both = bound(json!({ "x5t#S256": thumbprint(), "jkt": thumbprint() }));
    // The last column: how often the certificate was asked for.
    let rows = [
        ("off", json!({}), "accepted", 0),
        ("accept", json!({}), "accepted", 0),
        ("require", json!({}), "certificate_unbound", 0),
        ("off", to_certificate(), "token_bound", 0),
        ("accept", to_certificate(), "accepted", 1),
        ("require", to_certificate(), "accepted", 1),
        ("off", bound(json!({ "jkt": thumbprint() })), "token_bound", 0),
        ("accept", bound(json!({ "jkt": thumbprint() })), "token_bound", 0),
        ("require", bound(json!({ "jkt": thumbprint() })), "certificate_unbound", 0),
        ("off", both.clone(), "token_bound", 0),
        ("accept", both.clone(), "token_bound", 0),
        ("require", both, "token_bound", 0),
        // The claims come first: of a token that is refused anyway, no certificate is asked for.
        ("require", with(to_certificate(), json!({ "aud": "x" })), "aud_mismatch", 0),
        ("accept", with(to_certificate(), json!({ "sub": "" })), "sub_missing", 0),
    ];
    for_each_row(rows, |(mtls, changes, reason, certificates)| {
        let run = verify(&at(mtls), changes, Some(&good));
        same(&format!("{mtls} {changes}"), (run.reason(), run.certificates), (*reason, *certificates))
    });
    // Before the signature nothing is asked for, either.
    let forged = verify_by(&stranger(), &at("require"), &to_certificate(), Some(&good));
    assert_eq!((forged.reason(), forged.certificates), ("signature_invalid", 0));
    // Without a word in the settings it is off.
    let plain = verify(&json!([entry()]), &to_certificate(), Some(&good));
    assert_eq!((plain.reason(), plain.certificates), ("token_bound", 0));
}

#[test]
fn what_a_token_is_bound_to() {
    let x5t = |value: Value| json!({ "x5t#S256": value });
    let text = thumbprint();
    let last = text.len() - 1;
    let left_over = THUMBPRINT; // RFC 8705's example itself is not canonical
    assert_ne!(left_over, text);
    let unlike = text.replace(['-', '_'], "+");
    let rows = [
        ("null", Value::Null),
        ("a text", json!(text)),
        ("an array", json!([text])),
        ("a bool", json!(true)),
        ("an array of it", json!([x5t(json!(text))])),
        ("nothing in it", json!({})),
        ("a number", x5t(json!(1))),
        ("null in it", x5t(Value::Null)),
        ("an array in it", x5t(json!([text]))),
        ("empty", x5t(json!(""))),
        ("too short", x5t(json!(text[..last]))),
        ("too long", x5t(json!(format!("{text}A")))),
        ("31 bytes", x5t(json!(b64([7; 31])))),
        ("33 bytes", x5t(json!(b64([7; 33])))),
        ("with padding", x5t(json!(format!("{text}=")))),
        ("with a space", x5t(json!(format!("{text} ")))),
        ("with a line", x5t(json!(format!("{text}\n")))),
        ("with NUL", x5t(json!(format!("{text}\u{0}")))),
        ("base64", x5t(json!(unlike))),
        ("hexadecimal", x5t(json!(HEX))),
        ("bits left over", x5t(json!(left_over))),
        ("an unknown member", json!({ "x5t#S512": text })),
        ("of another case", json!({ "X5T#S256": text })),
        ("its SHA-1", json!({ "x5t": text })),
        ("a key", json!({ "jwk": { "kty": "EC" } })),
        ("a name of a key", json!({ "kid": "1" })),
        ("an unknown member beside it", json!({ "x5t#S256": text, "kid": "1" })),
        ("a bad jkt beside it", json!({ "x5t#S256": text, "jkt": "x" })),
        ("a null jkt beside it", json!({ "x5t#S256": text, "jkt": null })),
    ];
    let good = shown().to_string();
    for_each_row(rows, |(name, cnf)| {
        let found = ["off", "accept", "require"].map(|mtls| {
            let run = verify(&at(mtls), &bound(cnf.clone()), Some(&good));
            (run.reason(), run.certificates)
        });
        same(name, found, [("token_bound", 0); 3])
    });
    // Twice, in whatever order, the token is no JSON that is read at all.
    let twice = format!(r#"{{"x5t#S256":"{text}","x5t#S256":"{text}"}}"#);
    let claims = claims().to_string().replacen('{', &format!(r#"{{"cnf":{twice},"#), 1);
    let token = trusted().token(&crate::support::es256::header().to_string(), &claims);
    let config = config(&with_entries(at("accept")));
    let run = run_shown(resource(&config), &token, Some(&good), NOW, |_, _| Ok(trusted().key_set()));
    assert_eq!(run.reason(), "token_json");
}

#[test]
fn which_certificates_count() {
    let rows: Vec<(&str, Value, &str)> = vec![
        ("it", json!({}), "accepted"),
        ("in capitals", json!({ "certFingerprintSHA256": HEX.to_uppercase() }), "accepted"),
        ("another", json!({ "certFingerprintSHA256": OTHER }), "certificate_mismatch"),
        (
            "another in its last bit",
            json!({ "certFingerprintSHA256": format!("{}c", &HEX[..63]) }),
            "certificate_mismatch",
        ),
        (
            "another in its first",
            json!({ "certFingerprintSHA256": format!("e{}", &HEX[1..]) }),
            "certificate_mismatch",
        ),
        ("of no bytes", json!({ "certFingerprintSHA256": "" }), "certificate_missing"),
        ("cut off", json!({ "certFingerprintSHA256": &HEX[..62] }), "certificate_missing"),
        ("half a byte", json!({ "certFingerprintSHA256": &HEX[..63] }), "certificate_missing"),
        ("a byte more", json!({ "certFingerprintSHA256": format!("{HEX}00") }), "certificate_missing"),
        ("with colons", json!({ "certFingerprintSHA256": colons() }), "certificate_missing"),
        ("with a sign", json!({ "certFingerprintSHA256": format!("+{}", &HEX[1..]) }), "certificate_missing"),
        ("no digits", json!({ "certFingerprintSHA256": "g".repeat(64) }), "certificate_missing"),
        ("of two bytes each", json!({ "certFingerprintSHA256": "é".repeat(32) }), "certificate_missing"),
        ("base64url", json!({ "certFingerprintSHA256": thumbprint() }), "certificate_missing"),
        ("a list", json!({ "certFingerprintSHA256": [HEX] }), "certificate_missing"),
        ("none", json!({ "certFingerprintSHA256": "<absent>" }), "certificate_missing"),
        (
            "only the other hash",
            json!({ "certFingerprintSHA256": "<absent>", "certFingerprintSHA1": HEX }),
            "certificate_missing",
        ),
        ("not presented", json!({ "certPresented": "0" }), "certificate_missing"),
        ("presented as a number", json!({ "certPresented": 1 }), "certificate_missing"),
        ("presented as true", json!({ "certPresented": true }), "certificate_missing"),
        ("nobody knows whether", json!({ "certPresented": "<absent>" }), "certificate_missing"),
        ("not verified", json!({ "certVerified": "NONE" }), "certificate_unverified"),
        (
            "self-signed",
            json!({ "certVerified": "FAILED:self signed certificate" }),
            "certificate_unverified",
        ),
        (
            "of an unknown issuer",
            json!({ "certVerified": "FAILED:unable to get local issuer certificate" }),
            "certificate_unverified",
        ),
        ("verified in another spelling", json!({ "certVerified": "success" }), "certificate_unverified"),
        ("verified as true", json!({ "certVerified": true }), "certificate_unverified"),
        ("nobody knows of it", json!({ "certVerified": "<absent>" }), "certificate_unverified"),
        ("revoked", json!({ "certRevoked": "1" }), "certificate_unverified"),
        ("revoked as true", json!({ "certRevoked": true }), "certificate_unverified"),
        ("perhaps revoked", json!({ "certRevoked": "<absent>" }), "certificate_unverified"),
        (
            "not good, and another",
            json!({ "certVerified": "NONE", "certFingerprintSHA256": OTHER }),
            "certificate_unverified",
        ),
    ];
    for_each_row(rows, |(name, changes, reason)| {
        let told = with(shown(), changes.clone()).to_string();
        let found =
            ["accept", "require"].map(|mtls| verify(&at(mtls), &to_certificate(), Some(&told)).reason());
        same(name, found, [*reason; 2])
    });
    // Where the runtime says nothing, or nothing that can be read, none was shown.
    let told = shown().to_string();
    let twice = told.replacen('{', &format!(r#"{{"certFingerprintSHA256":"{OTHER}","#), 1);
    for told in
        [None, Some(""), Some("null"), Some("[]"), Some("\"1\""), Some("{}"), Some(&told[1..]), Some(&twice)]
    {
        let run = verify(&at("accept"), &to_certificate(), told);
        assert_eq!(run.verdict.err(), Some(Refusal::CertificateMissing), "{told:?}");
    }
}

fn colons() -> String {
    let pairs: Vec<&str> = (0..32).map(|i| &HEX[2 * i..][..2]).collect();
    pairs.join(":")
}

#[test]
fn of_several_entries_the_one_that_has_it_shown_accepts() {
    let entries = |all: &[&str]| {
        let entry = |mtls: &&str| with(entry(), json!({ "mtls": mtls }));
        Value::from(all.iter().map(entry).collect::<Vec<_>>())
    };
    let good = shown().to_string();
    let bad = with(shown(), json!({ "certFingerprintSHA256": OTHER })).to_string();
    let rows = [
        ("off, accept", vec!["off", "accept"], to_certificate(), &good, "accepted", 1),
        ("require, off: plain", vec!["require", "off"], json!({}), &good, "accepted", 0),
        ("require, off: bound", vec!["require", "off"], to_certificate(), &bad, "certificate_mismatch", 1),
        (
            "accept, require: each asks",
            vec!["accept", "require"],
            to_certificate(),
            &bad,
            "certificate_mismatch",
            2,
        ),
        (
            "off, require: the more specific",
            vec!["off", "require"],
            json!({ "cnf": {} }),
            &good,
            "token_bound",
            0,
        ),
    ];
    for_each_row(rows, |(name, all, changes, told, reason, certificates)| {
        let run = verify(&entries(all), changes, Some(told));
        same(name, (run.reason(), run.certificates), (*reason, *certificates))
    });
}

#[test]
fn the_setting() {
    let faults = |mtls: Value| {
        let read = read(&with_entries(json!([with(entry(), json!({ "mtls": mtls }))])));
        read.err().map(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    for sound in ["off", "accept", "require"] {
        assert_eq!(faults(json!(sound)), None, "{sound}");
    }
    for odd in
        [json!(""), json!("Require"), json!("on"), json!(true), json!(null), json!(["require"]), json!({})]
    {
        let told = faults(odd.clone()).unwrap_or_default();
        assert!(told.contains("[0].mtls") && told.contains("off, accept or require"), "{odd}: {told}");
    }
}

#[test]
fn on_workers_dev_there_are_no_certificates() {
    let warned = |url: &str, mtls: &str| {
        let entry = with(entry(), json!({ "mtls": mtls, "expected_audiences": ["a"] }));
        let config = config(&with(with_entries(json!([entry])), json!({ CANONICAL_URL: url })));
        config
            .warnings
            .iter()
            .any(|warning| warning.field == "[0].mtls" && warning.text.contains("workers.dev"))
    };
    let rows = [
        ("https://mcp.acme.workers.dev/mcp", "accept", true),
        ("https://mcp.acme.workers.dev/mcp", "require", true),
        ("https://mcp.acme.workers.dev/mcp", "off", false),
        ("https://mcp.acme.example/workers.dev", "require", false),
        ("https://workers.dev.example/mcp", "require", false),
    ];
    for_each_row(rows, |(url, mtls, expected)| same(&format!("{url} {mtls}"), warned(url, mtls), *expected));
}

#[test]
fn outside_cloudflare_nobody_tells_of_certificates() {
    let faults = |settings: &Value, is_outside: bool| -> Vec<String> {
        let variables = variables(settings).outside_cloudflare(is_outside);
        let faults = mcp_edge_auth::settings::read(&variables).err().unwrap_or_default();
        faults.iter().map(|fault| [fault.variable.as_str(), &fault.field].concat()).collect()
    };
    let one = |mtls: &str| with_entries(json!([entry(), with(entry(), json!({ "mtls": mtls }))]));
    for mtls in ["off", "accept"] {
        assert_eq!(faults(&one(mtls), true), Vec::<String>::new(), "{mtls}");
    }
    assert_eq!(faults(&one("require"), false), Vec::<String>::new());
    assert_eq!(faults(&one("require"), true), [[SERVERS, "[1].mtls"].concat()]);
    // The same of one of several servers, wherever its entries stand.
    let server = json!({ "canonical_url": CANONICAL, "origin_url": ORIGIN });
    let entries = json!([with(entry(), json!({ "mtls": "require" }))]);
    let beside = json!({ "MCP_SERVER_AUTH_RESOURCES": [server], SERVERS: entries });
    assert_eq!(faults(&beside, true), [[SERVERS, "[0].mtls"].concat()]);
    let within = with(server, json!({ "authorization_servers": entries }));
    let within = json!({ "MCP_SERVER_AUTH_RESOURCES": [within] });
    assert_eq!(faults(&within, true), ["MCP_SERVER_AUTH_RESOURCES[0].authorization_servers[0].mtls"]);
    assert_eq!(faults(&within, false), Vec::<String>::new());
}

#[test]
fn another_claim_may_say_whose_the_token_is() {
    let by = |name: &str| json!([with(entry(), json!({ "subject": name }))]);
    let rows = [
        ("it", "username", json!({ "username": "u", "sub": "<absent>" }), "accepted", Some("u")),
        ("it, and sub", "username", json!({ "username": "u", "sub": "s" }), "accepted", Some("u")),
        ("only sub", "username", json!({}), "sub_missing", None),
        ("empty", "username", json!({ "username": "" }), "sub_missing", None),
        ("a number", "username", json!({ "username": 1 }), "sub_not_string", None),
        ("null", "username", json!({ "username": null }), "sub_not_string", None),
        ("a list", "username", json!({ "username": ["u"] }), "sub_not_string", None),
        ("sub by its name", "sub", json!({}), "accepted", Some("user-1")),
        ("the case counts", "username", json!({ "Username": "u" }), "sub_missing", None),
        ("a name, not a path", "a.b", json!({ "a": { "b": "u" } }), "sub_missing", None),
        ("a name with a dot", "a.b", json!({ "a.b": "u" }), "accepted", Some("u")),
    ];
    for_each_row(rows, |(name, subject, changes, reason, header)| {
        let run = verify(&by(subject), changes, None);
        same(name, (run.reason(), run.header("X-MCP-Auth-User-Id")), (*reason, *header))
    });
    for odd in [json!(""), json!(" "), json!(1), json!(null), json!(["sub"]), json!({})] {
        let read = read(&with_entries(json!([with(entry(), json!({ "subject": odd.clone() }))])));
        assert!(read.is_err_and(|faults| faults.iter().any(|f| f.field == "[0].subject")), "{odd}");
    }
    // Two entries of one issuer: whoever has the one claim or the other.
    let two = json!([entry(), with(entry(), json!({ "subject": "common_name" }))]);
    let rows = [
        ("a user", json!({}), "accepted", Some("user-1")),
        ("a machine", json!({ "sub": "", "common_name": "m" }), "accepted", Some("m")),
        ("both: the first entry's", json!({ "common_name": "m" }), "accepted", Some("user-1")),
        ("neither", json!({ "sub": "" }), "sub_missing", None),
    ];
    for_each_row(rows, |(name, changes, reason, header)| {
        let run = verify(&two, changes, None);
        same(name, (run.reason(), run.header("X-MCP-Auth-User-Id")), (*reason, *header))
    });
}
