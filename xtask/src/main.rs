//! `cargo xtask build [--size]`: the Worker into `build/`.
//!
//! cargo for wasm32-unknown-unknown, then wasm-bindgen as a library, at the version that Cargo.lock pins: nothing is downloaded but the Rust target,
//! and that only if it is missing.

#![allow(clippy::print_stdout, reason = "a command talks to its user")]

mod size;
mod target;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

const WASM: &str = "target/wasm32-unknown-unknown/release/mcp_edge_auth.wasm";
const OUT: &str = "build";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["build"] => false,
        ["build", "--size"] => true,
        _ => bail!("usage: cargo xtask build [--size]"),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has a parent folder")?;
    std::env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))?;
    compile(target::ensure()?)?;
    bind().context("wasm-bindgen failed")?;
    if size { size::print(Path::new(OUT)) } else { Ok(()) }
}

/// Rust to wasm. `js-sys` types in bindings are worker-build's setting, too.
fn compile(toolchain: Option<&str>) -> Result<()> {
    let mut cargo = match toolchain {
        Some(_) => Command::new("cargo"),
        None => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
    };
    if let Some(toolchain) = toolchain {
        cargo.env("RUSTUP_TOOLCHAIN", toolchain).env_remove("CARGO").env_remove("RUSTC");
    }
    let status = cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--lib",
            "--package",
            "mcp-edge-auth",
            "--target",
            target::WASM,
        ])
        .env("WASM_BINDGEN_USE_JS_SYS", "1")
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the Worker does not compile");
    Ok(())
}

/// wasm to a module, with what it needs to recover from a panic; beside it the two modules of our own around it.
fn bind() -> Result<()> {
    if Path::new(OUT).exists() {
        std::fs::remove_dir_all(OUT)?; // what an earlier build left would be found in tests and sizes
    }
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(WASM)
        .out_name("index")
        .typescript(false)
        .module(true)?
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .remove_name_section(true) // function names: a third of the size, and a panic says its file and line without them
        .generate(OUT)?;
    let index = Path::new(OUT).join("index.js");
    let script = std::fs::read_to_string(&index)?;
    for module in ["entry.mjs", "glue.mjs"] {
        std::fs::copy(Path::new("src/edge").join(module), Path::new(OUT).join(module))?;
    }
    // The bundler of wrangler knows wasm modules, but not the source phase of their import.
    std::fs::write(&index, script.replace("import source ", "import "))?;
    Ok(())
}
