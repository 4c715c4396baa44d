//! Settings with one fault, and what the fault says was found.

use serde_json::{Value, json};

use super::{entry, for_each_row, read, settings, with, with_entries};

/// All faults, one a line.
pub fn said(settings: &Value) -> String {
    let faults = read(settings).err().unwrap_or_default();
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

/// Each row: settings, the place of its one fault, and what the fault ends with.
pub fn expect(rows: Vec<(Value, &str, &str)>) {
    for_each_row(rows, |(settings, place, end)| {
        let said = said(settings);
        let is = said.starts_with(&format!("{place}: expected ")) && said.ends_with(&format!("; {end}\n"));
        if is && said.lines().count() == 1 { Ok(()) } else { Err(format!("{place}, {end}\n  {said}")) }
    });
}

pub fn set(name: &str, value: Value) -> Value {
    with(settings(), json!({ name: value }))
}

pub fn in_entry(changes: Value) -> Value {
    with_entries(json!([with(entry(), changes)]))
}
