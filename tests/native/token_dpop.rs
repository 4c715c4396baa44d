//! The proof beside a token that is sent by DPoP: each check of RFC 9449 section 4.3, and what else
//! would make one proof mean two things.

use mcp_edge_auth::limits;
use mcp_edge_auth::token::dpop::{Proof, Request, Terms, hash};
use serde_json::{Value, json};

use crate::support::es256::Es256;
use crate::support::proofs::{Sent, ath, bound_token, holder, jkt, proof, proof_claims, proof_header, thief};
use crate::support::{CANONICAL, NOW, b64, config, entry, for_each_row, resource, same, with, with_entries};

/// What becomes of a proof beside a good token: the reason, and whether its signature was checked.
fn judged(proof: Option<String>) -> (&'static str, usize) {
    let config = config(&with_entries(json!([with(entry(), json!({ "dpop": "accept" }))])));
    let came = Sent { proof, ..Sent::default() }.verify(resource(&config));
    assert_eq!(came.asked.0, 1);
    assert_eq!(came.nonce, None, "nobody asked for one");
    (came.reason, came.asked.1)
}

/// Rows of proofs: what is wrong with their form or their claims is found before the signature.
fn expect(rows: Vec<(&str, String, &'static str)>) {
    for_each_row(rows, |(name, proof, reason)| {
        let is_checked = ["accepted", "proof_signature", "proof_mismatch"].contains(reason);
        same(name, judged(Some(proof.clone())), (*reason, usize::from(is_checked)))
    });
}

/// A proof, soundly signed by the holder, whose header has changes.
fn headed(changes: Value) -> String {
    let header = with(proof_header(), changes).to_string();
    holder().token(&header, &proof_claims(&bound_token()).to_string())
}

/// The same with changes in its `jwk`.
fn keyed(changes: Value) -> String {
    headed(json!({ "jwk": with(holder().public_jwk(), changes) }))
}

/// A proof, soundly signed by the holder, whose claims have changes.
fn claiming(changes: Value) -> String {
    proof(&bound_token(), changes)
}

/// A proof over texts.
fn texts(header: &str, claims: &str) -> String {
    holder().token(header, claims)
}

#[test]
fn the_header_and_its_form() {
    let good = claiming(json!({}));
    let (header, claims) = (proof_header().to_string(), proof_claims(&bound_token()).to_string());
    let parts: Vec<&str> = good.split('.').collect();
    let long = |length: usize| claiming(json!({ "x": "y".repeat(length) }));
    let spare = limits::PROOF_BYTES - long(0).len();
    let twice = |json: &str, member: &str| json.replacen('{', &format!("{{{member},"), 1);
    let jwk = holder().public_jwk().to_string();
    expect(vec![
        ("a good one", good.clone(), "accepted"),
        ("nothing in it", String::new(), "proof_missing"),
        ("two headers", format!("{good}, {good}"), "proof_malformed"),
        ("two headers, one of them empty", format!("{good}, "), "proof_malformed"),
        ("two headers, the first empty", format!(", {good}"), "proof_malformed"),
        ("a space before", format!(" {good}"), "proof_malformed"),
        ("a scheme before", format!("DPoP {good}"), "proof_malformed"),
        ("two parts", format!("{}.{}", parts[0], parts[1]), "proof_malformed"),
        ("four parts", format!("{good}.{}", parts[2]), "proof_malformed"),
        ("no signature", format!("{}.{}.", parts[0], parts[1]), "proof_signature"),
        ("padding", format!("{good}="), "proof_malformed"),
        ("another alphabet", format!("{}+", &good[..good.len() - 1]), "proof_malformed"),
        ("the header as JSON", format!("{header}.{}.{}", parts[1], parts[2]), "proof_malformed"),
        ("the header is an array", texts("[]", &claims), "proof_malformed"),
        ("the claims are an array", texts(&header, "[]"), "proof_malformed"),
        ("the claims are no JSON", texts(&header, "{"), "proof_malformed"),
        ("something behind the claims", texts(&header, &format!("{claims} x")), "proof_malformed"),
        ("the largest", long(spare * 3 / 4), "accepted"),
        ("larger", long(spare * 3 / 4 + 3), "proof_malformed"),
        ("alg twice", texts(&twice(&header, r#""alg":"ES256""#), &claims), "proof_malformed"),
        ("typ twice", texts(&twice(&header, r#""typ":"dpop+jwt""#), &claims), "proof_malformed"),
        ("jwk twice", texts(&twice(&header, &format!(r#""jwk":{jwk}"#)), &claims), "proof_malformed"),
        (
            "kty twice",
            texts(&header.replace(r#""kty":"EC""#, r#""kty":"EC","kty":"EC""#), &claims),
            "proof_malformed",
        ),
        (
            "x twice, with an escape",
            texts(&header.replace(r#""kty":"EC""#, r#""kty":"EC","\u0078":"AA""#), &claims),
            "proof_malformed",
        ),
        ("jti twice", texts(&header, &twice(&claims, r#""jti":"b""#)), "proof_malformed"),
        ("ath twice", texts(&header, &twice(&claims, r#""ath":"b""#)), "proof_malformed"),
        (
            "a member twice, far within",
            texts(&header, &twice(&claims, r#""x":[{"a":1,"a":1}]"#)),
            "proof_malformed",
        ),
        ("crit", headed(json!({ "crit": ["exp"] })), "proof_malformed"),
        ("crit with nothing in it", headed(json!({ "crit": [] })), "proof_malformed"),
        ("crit of the wrong type", headed(json!({ "crit": "exp" })), "proof_malformed"),
        ("another payload", headed(json!({ "b64": false })), "proof_malformed"),
        ("compression", headed(json!({ "zip": "DEF" })), "proof_malformed"),
        ("encryption", headed(json!({ "enc": "A128GCM" })), "proof_malformed"),
        ("a kid that is no text", headed(json!({ "kid": 1 })), "proof_malformed"),
        ("a kid", headed(json!({ "kid": "mine" })), "accepted"),
        ("other members", headed(json!({ "x5u": "https://a", "jku": "https://b", "x": null })), "accepted"),
    ]);
    assert_eq!(judged(None), ("proof_missing", 0));
}

#[test]
fn typ_and_alg() {
    expect(vec![
        ("no typ", headed(json!({ "typ": "<absent>" })), "proof_typ"),
        ("typ of an access token", headed(json!({ "typ": "at+jwt" })), "proof_typ"),
        ("typ of any JWT", headed(json!({ "typ": "JWT" })), "proof_typ"),
        ("typ in capitals", headed(json!({ "typ": "DPOP+JWT" })), "proof_typ"),
        ("typ in the long form", headed(json!({ "typ": "application/dpop+jwt" })), "proof_typ"),
        ("typ with a space", headed(json!({ "typ": "dpop+jwt " })), "proof_typ"),
        ("typ empty", headed(json!({ "typ": "" })), "proof_typ"),
        ("typ null", headed(json!({ "typ": null })), "proof_malformed"),
        ("typ in an array", headed(json!({ "typ": ["dpop+jwt"] })), "proof_malformed"),
        ("no alg", headed(json!({ "alg": "<absent>" })), "proof_malformed"),
        ("alg null", headed(json!({ "alg": null })), "proof_malformed"),
        ("alg none", headed(json!({ "alg": "none" })), "proof_alg"),
        ("alg None", headed(json!({ "alg": "None" })), "proof_alg"),
        ("a symmetric alg", headed(json!({ "alg": "HS256" })), "proof_alg"),
        ("alg in small letters", headed(json!({ "alg": "es256" })), "proof_alg"),
        ("alg with a space", headed(json!({ "alg": "ES256 " })), "proof_alg"),
        ("an unknown alg", headed(json!({ "alg": "ES256K" })), "proof_alg"),
        ("the alg of another curve", headed(json!({ "alg": "ES384" })), "proof_key"),
        ("the alg of another kind of key", headed(json!({ "alg": "RS256" })), "proof_key"),
        ("EdDSA over P-256", headed(json!({ "alg": "EdDSA" })), "proof_key"),
    ]);
    // An entry's own list.
    let settings = |algorithms: Value| {
        with_entries(json!([with(entry(), json!({ "dpop": "accept", "dpop_algorithms": algorithms }))]))
    };
    for (algorithms, expected) in [("ES256", "accepted"), ("ES384", "proof_alg"), ("EdDSA", "proof_alg")] {
        let config = config(&settings(json!([algorithms])));
        assert_eq!(Sent::default().verify(resource(&config)).reason, expected, "{algorithms}");
    }
}

#[test]
fn the_key() {
    let jwk = holder().public_jwk();
    let (x, y) = (jwk["x"].clone(), jwk["y"].clone());
    let rsa = |bytes: usize| {
        let n = b64([vec![0xff; bytes - 1], vec![0xfb]].concat());
        headed(json!({ "alg": "RS256", "jwk": { "kty": "RSA", "e": "AQAB", "n": n } }))
    };
    expect(vec![
        ("no jwk", headed(json!({ "jwk": "<absent>" })), "proof_key"),
        ("jwk null", headed(json!({ "jwk": null })), "proof_key"),
        ("jwk as a text", headed(json!({ "jwk": jwk.to_string() })), "proof_key"),
        ("jwk in an array", headed(json!({ "jwk": [jwk] })), "proof_key"),
        ("a key set", headed(json!({ "jwk": { "keys": [jwk] } })), "proof_key"),
        ("jwk with nothing in it", headed(json!({ "jwk": {} })), "proof_key"),
        ("a private key", headed(json!({ "jwk": holder().private_jwk() })), "proof_key"),
        ("an empty private member", keyed(json!({ "d": "" })), "proof_key"),
        ("a private member that is null", keyed(json!({ "d": null })), "proof_key"),
        ("a private member of RSA", keyed(json!({ "p": "AQ" })), "proof_key"),
        ("a symmetric key beside it", keyed(json!({ "k": "AQ" })), "proof_key"),
        ("a symmetric key", headed(json!({ "jwk": { "kty": "oct", "k": "AQ" } })), "proof_key"),
        ("no kty", keyed(json!({ "kty": "<absent>" })), "proof_key"),
        ("kty in small letters", keyed(json!({ "kty": "ec" })), "proof_key"),
        ("kty of another kind", keyed(json!({ "kty": "OKP" })), "proof_key"),
        ("no crv", keyed(json!({ "crv": "<absent>" })), "proof_key"),
        ("another crv", keyed(json!({ "crv": "P-384" })), "proof_key"),
        ("a crv that is not known", keyed(json!({ "crv": "secp256k1" })), "proof_key"),
        ("no y", keyed(json!({ "y": "<absent>" })), "proof_key"),
        ("x of 31 bytes", keyed(json!({ "x": b64([1; 31]) })), "proof_key"),
        ("x of 33 bytes", keyed(json!({ "x": b64([1; 33]) })), "proof_key"),
        ("x with padding", keyed(json!({ "x": format!("{}=", x.as_str().unwrap()) })), "proof_key"),
        ("use: enc", keyed(json!({ "use": "enc" })), "proof_key"),
        ("use null", keyed(json!({ "use": null })), "proof_key"),
        ("use: sig", keyed(json!({ "use": "sig" })), "accepted"),
        ("key_ops: sign", keyed(json!({ "key_ops": ["sign"] })), "proof_key"),
        ("key_ops as a text", keyed(json!({ "key_ops": "verify" })), "proof_key"),
        ("key_ops: verify", keyed(json!({ "key_ops": ["verify"], "ext": true })), "accepted"),
        ("another alg", keyed(json!({ "alg": "ES384" })), "proof_key"),
        ("an alg that is not known", keyed(json!({ "alg": "ECDH-ES" })), "proof_key"),
        ("its alg", keyed(json!({ "alg": "ES256", "kid": "1" })), "accepted"),
        ("RSA of 2047 bits", rsa_of_2047(), "proof_key"),
        ("RSA of 2040 bits", rsa(255), "proof_key"),
        ("RSA of 8200 bits", rsa(1025), "proof_key"),
        ("x and y in each other's place", keyed(json!({ "x": y, "y": x })), "proof_signature"),
        ("a point that is on no curve", keyed(json!({ "y": b64([1; 32]) })), "proof_signature"),
        ("another's key", headed(json!({ "jwk": thief().public_jwk() })), "proof_signature"),
    ]);
    // The same proof in all but its key, soundly signed by that.
    let theirs = with(proof_header(), json!({ "jwk": thief().public_jwk() }));
    let proof = thief().token(&theirs.to_string(), &proof_claims(&bound_token()).to_string());
    assert_eq!(judged(Some(proof)), ("proof_mismatch", 1));
}

fn rsa_of_2047() -> String {
    let n = b64([vec![0x7f], vec![0xff; 254], vec![0xfb]].concat());
    headed(json!({ "alg": "RS256", "jwk": { "kty": "RSA", "e": "AQAB", "n": n } }))
}

#[test]
fn the_signature() {
    let good = claiming(json!({}));
    let other = claiming(json!({ "jti": "b" }));
    let (input, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let mut bytes = holder().signature(input);
    bytes[63] ^= 1;
    expect(vec![
        ("another proof's", format!("{input}.{signature}"), "proof_signature"),
        ("one bit turned", format!("{input}.{}", b64(&bytes)), "proof_signature"),
        ("in DER", format!("{input}.{}", b64(holder().der_signature(input))), "proof_signature"),
        ("half of it", format!("{input}.{}", b64(&holder().signature(input)[..32])), "proof_signature"),
        ("nothing but zeros", format!("{input}.{}", b64([0; 64])), "proof_signature"),
        ("of another key", format!("{input}.{}", b64(thief().signature(input))), "proof_signature"),
        (
            "of the issuer's key",
            format!("{input}.{}", b64(Es256::new(1).signature(input))),
            "proof_signature",
        ),
    ]);
}

#[test]
fn the_claims() {
    let of = |name: &str, value: Value| claiming(json!({ name: value }));
    expect(vec![
        ("no jti", of("jti", json!("<absent>")), "proof_jti"),
        ("jti empty", of("jti", json!("")), "proof_jti"),
        ("jti a number", of("jti", json!(1)), "proof_jti"),
        ("jti null", of("jti", Value::Null), "proof_jti"),
        ("jti in an array", of("jti", json!(["a"])), "proof_jti"),
        ("the longest jti", of("jti", json!("é".repeat(256))), "accepted"),
        ("a longer jti", of("jti", json!("a".repeat(257))), "proof_jti"),
        ("jti with a NUL and a line end", of("jti", json!("a\u{0}\nb")), "accepted"),
        ("no htm", of("htm", json!("<absent>")), "proof_htm"),
        ("another method", of("htm", json!("GET")), "proof_htm"),
        ("the method in small letters", of("htm", json!("post")), "proof_htm"),
        ("the method with a space", of("htm", json!("POST ")), "proof_htm"),
        ("two methods", of("htm", json!(["POST"])), "proof_htm"),
        ("no htu", of("htu", json!("<absent>")), "proof_htu"),
        ("htu null", of("htu", Value::Null), "proof_htu"),
        ("htu of another server", of("htu", json!("https://mcp.example.org/mcp")), "proof_htu"),
        ("htu of the origin", of("htu", json!("https://origin.internal.example/srv")), "proof_htu"),
        ("htu below", of("htu", json!(format!("{CANONICAL}/x"))), "proof_htu"),
        ("htu without a path", of("htu", json!("https://mcp.example.com")), "proof_htu"),
        ("htu with a query", of("htu", json!(format!("{CANONICAL}?a=b"))), "accepted"),
        ("htu in capitals", of("htu", json!("HTTPS://MCP.EXAMPLE.COM:443/mcp")), "accepted"),
        ("no iat", of("iat", json!("<absent>")), "proof_iat"),
        ("iat a text", of("iat", json!(NOW.to_string())), "proof_iat"),
        ("iat null", of("iat", Value::Null), "proof_iat"),
        ("iat 300 s ago", of("iat", json!(NOW - 300)), "accepted"),
        ("iat 301 s ago", of("iat", json!(NOW - 301)), "proof_iat"),
        ("iat a bit more than 300 s ago", of("iat", json!(NOW as f64 - 300.5)), "proof_iat"),
        ("iat 300 s ahead", of("iat", json!(NOW + 300)), "accepted"),
        ("iat 301 s ahead", of("iat", json!(NOW + 301)), "proof_iat"),
        ("iat a bit more than 300 s ahead", of("iat", json!(NOW as f64 + 300.5)), "proof_iat"),
        ("iat within a second", of("iat", json!(NOW as f64 + 0.25)), "accepted"),
        ("iat in milliseconds", of("iat", json!(NOW * 1000)), "proof_iat"),
        ("iat 0", of("iat", json!(0)), "proof_iat"),
        ("iat below 0", of("iat", json!(-(NOW as i64))), "proof_iat"),
        ("no ath", of("ath", json!("<absent>")), "proof_ath"),
        ("ath empty", of("ath", json!("")), "proof_ath"),
        ("ath null", of("ath", Value::Null), "proof_ath"),
        ("ath of another token", of("ath", json!(ath("another"))), "proof_ath"),
        ("ath with padding", of("ath", json!(format!("{}=", ath(&bound_token())))), "proof_ath"),
        ("the token for ath", of("ath", json!(bound_token())), "proof_ath"),
        ("a nonce that nobody asked for", of("nonce", json!("x")), "accepted"),
        ("a nonce that is no text", of("nonce", json!(1)), "proof_malformed"),
        ("a nonce that is null", of("nonce", Value::Null), "proof_malformed"),
        ("other claims", of("x", json!([{}, null])), "accepted"),
    ]);
}

/// The entry's own time.
#[test]
fn max_age() {
    let settings = with_entries(json!([with(entry(), json!({ "dpop": "require", "dpop_max_age": 30 }))]));
    let config = config(&settings);
    let rows = [(-31, "proof_iat"), (-30, "accepted"), (30, "accepted"), (31, "proof_iat")];
    for_each_row(rows, |(offset, expected)| {
        let proof = Some(claiming(json!({ "iat": NOW as i64 + offset })));
        let came = Sent { proof, ..Sent::default() }.verify(resource(&config));
        same(&offset.to_string(), came.reason, *expected)
    });
}

/// What comes first is told: the order of the checks, each row but the last also wrong in all that
/// follows.
#[test]
fn the_first_check_that_fails_is_told() {
    let mut header = proof_header();
    let mut claims = with(
        proof_claims(&bound_token()),
        json!({ "jti": "", "htm": "GET", "htu": "https://a.example", "iat": 0, "ath": "x" }),
    );
    header["typ"] = json!("JWT");
    header["alg"] = json!("none");
    header["jwk"] = json!({});
    let mut told = Vec::new();
    let mut tell = |header: &Value, claims: &Value| {
        told.push(judged(Some(thief().token(&header.to_string(), &claims.to_string()))).0);
    };
    tell(&header, &claims);
    header["typ"] = json!("dpop+jwt");
    tell(&header, &claims);
    header["alg"] = json!("ES256");
    tell(&header, &claims);
    header["jwk"] = holder().public_jwk();
    for (name, value) in
        [("jti", "a"), ("htm", "POST"), ("htu", CANONICAL), ("iat", ""), ("ath", &ath(&bound_token()))]
    {
        tell(&header, &claims);
        claims[name] = if name == "iat" { json!(NOW) } else { json!(value) };
    }
    tell(&header, &claims);
    header["jwk"] = thief().public_jwk();
    tell(&header, &claims);
    let order = [
        "proof_typ",
        "proof_alg",
        "proof_key",
        "proof_jti",
        "proof_htm",
        "proof_htu",
        "proof_iat",
        "proof_ath",
        "proof_signature",
        "proof_mismatch",
    ];
    assert_eq!(told, order);
}

/// The example of RFC 9449 section 7.1 (figure 12), and the thumbprint of section 6.1.
#[test]
fn the_example_of_the_specification() {
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let request = |method, address| (method, address);
    let check = |(method, address): (&str, &str), token: &str, now| {
        let ath = hash(token);
        Proof::check(Some(PROOF), &Request { method, address, ath: &ath }, &Terms::default(), now)
            .map_err(|refusal| refusal.row().reason)
    };
    let at = request("GET", "https://resource.example.org/protectedresource");
    let proof = check(at, TOKEN, 1_562_262_618).unwrap();
    assert_eq!(b64(proof.thumbprint), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert!(cli::signatures::is_good(&proof).unwrap());
    assert_eq!((proof.until, proof.has_old_nonce), (1_562_262_978, false));
    let elsewhere = request("GET", "https://resource.example.org/");
    let rows = [
        (check(at, TOKEN, 1_562_262_919).err(), "proof_iat"),
        (check(at, "another", 1_562_262_618).err(), "proof_ath"),
        (check(elsewhere, TOKEN, 1_562_262_618).err(), "proof_htu"),
        (check(request("POST", at.1), TOKEN, 1_562_262_618).err(), "proof_htm"),
    ];
    for (found, expected) in rows {
        assert_eq!(found, Some(expected));
    }
}

/// The support of these tests makes thumbprints as RFC 7638 has them.
#[test]
fn the_tests_own_thumbprint() {
    let key = mcp_edge_auth::keys::set::key(holder().public_jwk().as_object().unwrap()).unwrap();
    assert_eq!(b64(mcp_edge_auth::keys::thumbprint::thumbprint(&key.material)), jkt(&holder()));
}
