//! A `WWW-Authenticate` line, read as strictly as the strictest client does (RFC 9110 section
//! 11.6.1, RFC 6750 section 3): one scheme, `Bearer`, then parameters in quotes, each once.

/// The parameters, in order.
///
/// # Errors
/// What a client would stumble over.
pub fn parse(line: &str) -> Result<Vec<(&str, &str)>, String> {
    let rest = line.strip_prefix("Bearer").ok_or("the scheme is not Bearer")?;
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let mut rest = rest.strip_prefix(' ').ok_or("no single space after Bearer")?;
    let mut parameters: Vec<(&str, &str)> = Vec::new();
    loop {
        let (name, value) = rest.split_once('=').ok_or_else(|| format!("no parameter: {rest}"))?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("no parameter name: {name}"));
        }
        let value = value.strip_prefix('"').ok_or_else(|| format!("{name} is not in quotes"))?;
        let (value, after) = value.split_once('"').ok_or_else(|| format!("{name} has no closing quote"))?;
        if !value.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'\\') {
            return Err(format!("{name} has a character that not every client reads"));
        }
        if parameters.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return Err(format!("{name} is there twice"));
        }
        parameters.push((name, value));
        if after.is_empty() {
            return Ok(parameters);
        }
        rest = after.strip_prefix(", ").ok_or_else(|| format!("no comma and space after {name}"))?;
    }
}

/// RFC 9110 section 5.6.2
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
