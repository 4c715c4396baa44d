//! `MCP_SERVER_AUTH_LOG` and `MCP_SERVER_AUTH_LOG_SAMPLE`.

use super::variables::Variables;
use crate::fault::Faults;
use crate::resource::logging::{Lines, Logging};

pub(super) fn read(variables: &Variables, faults: &mut Faults) -> Logging {
    let lines = lines(variables, faults);
    let Some(found) = variables.get("LOG_SAMPLE", faults) else { return Logging { lines, ..Logging::ALL } };
    let sample = match found.value.as_str() {
        // Not `parse`, which brings a reader of numbers of its own into the wasm.
        Some(text) => serde_json::from_str(text).ok(),
        None => found.value.as_f64(),
    };
    let sample = sample.filter(|sample| (0.0..=1.0).contains(sample));
    if sample.is_none() {
        faults.add(found.name, "", "a number from 0 to 1");
    } else if lines != Lines::All {
        faults.warn(found.name, "", "has no effect: no line is written of what is not refused");
    }
    Logging { lines, sample: sample.unwrap_or(1.0) }
}

fn lines(variables: &Variables, faults: &mut Faults) -> Lines {
    let Some(found) = variables.get("LOG", faults) else { return Lines::All };
    match found.value.as_str() {
        Some("all") => Lines::All,
        Some("refusals") => Lines::Refusals,
        Some("none") => Lines::None,
        _ => {
            faults.add(found.name, "", "all, refusals or none");
            Lines::All
        }
    }
}
