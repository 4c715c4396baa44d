//! A `WWW-Authenticate` line, read as strictly as the strictest client does (RFC 9110 section
//! 11.6.1, RFC 6750 section 3): `Bearer`, behind it or in its place `DPoP` (RFC 9449 section 7.1),
//! then parameters in quotes, each once in all of the line.

/// The parameters of all challenges, in order.
///
/// # Errors
/// What a client would stumble over.
pub fn parse(line: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut parameters: Vec<(&str, &str)> = Vec::new();
    let rest = match line.strip_prefix("Bearer") {
        Some(rest) => challenge("Bearer", rest, &mut parameters)?,
        None => line.strip_prefix("DPoP").map(|_| line).ok_or("the scheme is not Bearer")?,
    };
    if let Some(rest) = rest.strip_prefix("DPoP") {
        challenge("DPoP", rest, &mut parameters)?;
    }
    Ok(parameters)
}

/// The parameters of one challenge, and what follows it.
fn challenge<'l>(
    scheme: &str,
    rest: &'l str,
    parameters: &mut Vec<(&'l str, &'l str)>,
) -> Result<&'l str, String> {
    if rest.is_empty() {
        return Ok(rest);
    }
    if let Some(next) = another(scheme, rest.strip_prefix(", ")) {
        return Ok(next);
    }
    let mut rest = rest.strip_prefix(' ').ok_or_else(|| format!("no single space after {scheme}"))?;
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
            return Ok(after);
        }
        rest = after.strip_prefix(", ").ok_or_else(|| format!("no comma and space after {name}"))?;
        if let Some(next) = another(scheme, Some(rest)) {
            return Ok(next);
        }
    }
}

/// The challenge that may follow.
fn another<'l>(scheme: &str, rest: Option<&'l str>) -> Option<&'l str> {
    rest.filter(|rest| scheme == "Bearer" && rest.starts_with("DPoP "))
}

/// RFC 9110 section 5.6.2
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
