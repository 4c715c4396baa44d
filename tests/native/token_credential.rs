//! One credential is read from `Authorization`; everything else is refused as what it is.

use mcp_edge_auth::token::credential::{self, Scheme};

use crate::support::{for_each_row, same};

#[test]
fn credentials() {
    let long = "a".repeat(100_000);
    let long_header = format!("Bearer {long}");
    let rows: Vec<(&str, Option<&str>, Result<&str, &str>)> = vec![
        ("no header", None, Err("credentials_missing")),
        ("the scheme as it is written", Some("Bearer abc"), Ok("abc")),
        ("in small letters", Some("bearer abc"), Ok("abc")),
        ("in capitals", Some("BEARER abc"), Ok("abc")),
        ("in both", Some("bEaReR abc"), Ok("abc")),
        ("every character of token68", Some("Bearer aZ09-._~+/=="), Ok("aZ09-._~+/==")),
        ("one character", Some("Bearer a"), Ok("a")),
        ("several spaces", Some("Bearer   abc"), Ok("abc")),
        ("spaces around", Some("  Bearer abc  "), Ok("abc")),
        ("tabs around", Some("\tBearer abc\t"), Ok("abc")),
        ("a long token", Some(&long_header), Ok(&long)),
        ("an empty header", Some(""), Err("scheme_not_bearer")),
        ("spaces alone", Some("   "), Err("scheme_not_bearer")),
        ("another scheme", Some("Basic dXNlcjpwYXNz"), Err("scheme_not_bearer")),
        ("a token alone", Some("abc"), Err("scheme_not_bearer")),
        ("a longer scheme", Some("BearerX abc"), Err("scheme_not_bearer")),
        ("a shorter scheme", Some("Beare abc"), Err("scheme_not_bearer")),
        ("no space", Some("Bearerabc"), Err("scheme_not_bearer")),
        ("a colon", Some("Bearer: abc"), Err("scheme_not_bearer")),
        ("an equals sign", Some("Bearer=abc"), Err("scheme_not_bearer")),
        ("a tab for a space", Some("Bearer\tabc"), Err("scheme_not_bearer")),
        ("the name of the header again", Some("Authorization: Bearer abc"), Err("scheme_not_bearer")),
        ("a letter that only looks like it", Some("Bеarer abc"), Err("scheme_not_bearer")),
        ("another credential first", Some("Basic abc, Bearer abc"), Err("scheme_not_bearer")),
        ("the scheme alone", Some("Bearer"), Err("token_empty")),
        ("the scheme and spaces", Some("Bearer   "), Err("token_empty")),
        ("two credentials", Some("Bearer abc, Bearer def"), Err("credentials_malformed")),
        ("two credentials, no space", Some("Bearer abc,Bearer"), Err("credentials_malformed")),
        ("two tokens", Some("Bearer abc def"), Err("credentials_malformed")),
        ("the scheme twice", Some("Bearer Bearer abc"), Err("credentials_malformed")),
        ("a parameter", Some("Bearer abc;x=1"), Err("credentials_malformed")),
        ("in quotes", Some("Bearer \"abc\""), Err("credentials_malformed")),
        ("a tab within", Some("Bearer a\tb"), Err("credentials_malformed")),
        ("a tab before", Some("Bearer \tabc"), Err("credentials_malformed")),
        ("a line end", Some("Bearer abc\nx"), Err("credentials_malformed")),
        ("a NUL", Some("Bearer abc\0"), Err("credentials_malformed")),
        ("beyond ASCII", Some("Bearer abcé"), Err("credentials_malformed")),
        ("padding alone", Some("Bearer =="), Err("credentials_malformed")),
        ("padding first", Some("Bearer =abc"), Err("credentials_malformed")),
        ("padding within", Some("Bearer a=b"), Err("credentials_malformed")),
        ("a percent sign", Some("Bearer a%20b"), Err("credentials_malformed")),
        ("a backslash", Some("Bearer a\\b"), Err("credentials_malformed")),
    ];
    for_each_row(rows, |(name, header, expected)| {
        let read = credential::read(*header).map_err(|refusal| refusal.row().reason);
        same(name, read.map(|read| (read.scheme, read.token)), expected.map(|token| (Scheme::Bearer, token)))
    });
    // The other scheme, with the same rules.
    let rows = [
        ("as it is written", "DPoP abc", Ok("abc")),
        ("in small letters", "dpop abc", Ok("abc")),
        ("in capitals", "DPOP abc", Ok("abc")),
        ("several spaces", "DPoP   abc ", Ok("abc")),
        ("the scheme alone", "DPoP", Err("token_empty")),
        ("the scheme and spaces", "DPoP  ", Err("token_empty")),
        ("a longer scheme", "DPoPX abc", Err("scheme_not_bearer")),
        ("a shorter scheme", "DPo abc", Err("scheme_not_bearer")),
        ("no space", "DPoPabc", Err("scheme_not_bearer")),
        ("a letter that only looks like it", "DPоP abc", Err("scheme_not_bearer")),
        ("two credentials", "DPoP abc, Bearer def", Err("credentials_malformed")),
        ("two of it", "DPoP abc, DPoP abc", Err("credentials_malformed")),
        ("after another", "Bearer abc, DPoP abc", Err("credentials_malformed")),
        ("in quotes", "DPoP \"abc\"", Err("credentials_malformed")),
        ("a NUL", "DPoP abc\0", Err("credentials_malformed")),
    ];
    for_each_row(rows, |(name, header, expected)| {
        let read = credential::read(Some(header)).map_err(|refusal| refusal.row().reason);
        same(name, read.map(|read| (read.scheme, read.token)), expected.map(|token| (Scheme::Dpop, token)))
    });
}
