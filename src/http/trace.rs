//! `traceparent` (W3C Trace Context, section 3.2), as a message of MCP may carry it (SEP-414). That
//! of a request's header is read where the log is written (`edge/line.mjs`).

/// The trace-id, if it is valid: no version is ff, neither id is only zeros, and version 00 ends
/// with its flags. A later version may go on behind a hyphen.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let mut fields = traceparent.split('-');
    let [version, trace, parent, flags] = std::array::from_fn(|_| fields.next().unwrap_or_default());
    let sound = is_hex(version, 2)
        && version != "ff"
        && is_id(trace, 32)
        && is_id(parent, 16)
        && is_hex(flags, 2)
        && (version != "00" || fields.next().is_none());
    sound.then_some(trace)
}

fn is_id(field: &str, digits: usize) -> bool {
    is_hex(field, digits) && field.bytes().any(|b| b != b'0')
}

fn is_hex(field: &str, digits: usize) -> bool {
    field.len() == digits && field.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
