//! The crate `cli` as a module for Node, into the folder where `cli/core.mjs` finds it.

use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{compile, in_place};

const COMPILED: &str = "target/wasm32-unknown-unknown/release/cli.wasm";
const FOLDER: &str = "cli/build";
const WASM: &str = "index_bg.wasm";

/// Builds it. The wasm is dated with the time at which the compiler started, by which
/// `cli/core.mjs` knows whether a source has changed since.
pub(crate) fn build() -> Result<()> {
    let started = SystemTime::now();
    compile("cli", Path::new("target"), None)?;
    let folder = Path::new(FOLDER);
    in_place(Path::new("target"), folder, |made| {
        let mut bindgen = Bindgen::new();
        bindgen.input_path(COMPILED).out_name("index").typescript(false).nodejs_module(true)?;
        // Function names: a panic says its file and line without them.
        bindgen.remove_name_section(true).generate(made).context("wasm-bindgen failed")
    })?;
    let wasm = File::options().append(true).open(folder.join(WASM))?;
    wasm.set_modified(started).context("the wasm cannot be dated")
}
