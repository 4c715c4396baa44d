//! The libFuzzer program of all targets. The environment variable `FUZZ_TARGET` says which one
//! runs.

#![no_main]

#[path = "../targets/mod.rs"]
mod targets;

use std::sync::OnceLock;

static CHECK: OnceLock<fn(&[u8])> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
        let target = targets::TARGETS.iter().find(|(known, _)| *known == name);
        let (_, check) = target.unwrap_or_else(|| panic!("there is no target {name}"));
        CHECK.get_or_init(|| *check);
    },
    |data: &[u8]| CHECK.get().expect("it was chosen at the start")(data)
);
