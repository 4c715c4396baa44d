//! What an `Accept` header asks for (RFC 9110 section 12.5.1): the page for people, or less than
//! MCP demands.

/// The media types of MCP's Streamable HTTP: whoever wants one of them is a client.
const OF_CLIENTS: [&str; 2] = ["application/json", "text/event-stream"];

/// Whether `text/html` is named with a weight above 0, above that of any media type of MCP's that
/// is named too, and not below that of a wildcard which takes one in. What cannot be read asks for
/// nothing.
pub fn prefers_html(accept: Option<&str>) -> bool {
    let Some(ranges) = accept.and_then(ranges) else { return false };
    let weight = |name: &str| {
        let weights = ranges.iter().filter(|(range, _)| range.eq_ignore_ascii_case(name)).map(|(_, q)| *q);
        weights.max()
    };
    let Some(html) = weight("text/html").filter(|q| *q > 0) else { return false };
    OF_CLIENTS.iter().all(|name| match weight(name) {
        Some(named) => named < html,
        None => {
            let kind = name.split('/').next().unwrap_or_default();
            weight(&format!("{kind}/*")).or_else(|| weight("*/*")).unwrap_or(0) <= html
        }
    })
}

/// What to send in place of an `Accept` that does not name both media types, as MCP demands of a
/// POST (2025-11-25, Streamable HTTP): servers that hold to it answer
/// 406. A wildcard names nothing.
pub fn repaired(accept: Option<&str>) -> Option<&'static str> {
    let ranges = accept.and_then(ranges).unwrap_or_default();
    let is_named = |name: &&str| ranges.iter().any(|(range, q)| range.eq_ignore_ascii_case(name) && *q > 0);
    (!OF_CLIENTS.iter().all(is_named)).then_some("application/json, text/event-stream")
}

/// Media ranges and their weights, in thousandths.
fn ranges(accept: &str) -> Option<Vec<(&str, u16)>> {
    accept.split(',').map(str::trim).filter(|range| !range.is_empty()).map(range).collect()
}

fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?;
    let mut weight = 1000;
    for parameter in parts {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if key.eq_ignore_ascii_case("q") {
            weight = thousandths(value)?;
        }
    }
    Some((name, weight))
}

/// `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`
fn thousandths(qvalue: &str) -> Option<u16> {
    let (whole, fraction) = qvalue.split_once('.').unwrap_or((qvalue, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}
