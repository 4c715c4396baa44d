//! `cargo xtask build [--size] [--features F[,F]] [--out DIR]`: the Worker into `build/`, or DIR.
//! `cargo xtask size DIR`: how many bytes each file of a bundled Worker has, raw and compressed.
//!
//! cargo for wasm32-unknown-unknown, then wasm-bindgen as a library, at the version that Cargo.lock
//! pins: nothing is downloaded but the Rust target, and that only if it is missing.

#![allow(clippy::print_stdout, reason = "a command talks to its user")]

mod options;
mod size;
mod target;
mod unused;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use options::Options;
use wasm_bindgen_cli_support::Bindgen;

const WASM: &str = "wasm32-unknown-unknown/release/mcp_edge_auth.wasm";

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
    if let [command, folder] = arguments.as_slice()
        && command == "size"
    {
        return size::print_bytes(Path::new(folder));
    }
    let options = Options::parse(arguments)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has a parent folder")?;
    std::env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))?;
    options.refuse_to_deploy_features(root)?;
    compile(target::ensure()?, &options)?;
    bind(&options).context("wasm-bindgen failed")?;
    if options.size { size::print(&options.out) } else { Ok(()) }
}

/// Rust to wasm. `js-sys` types in bindings are worker-build's setting, too.
fn compile(toolchain: Option<&str>, options: &Options) -> Result<()> {
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
        .arg("--target-dir")
        .arg(options.target_dir())
        .args(options.features.as_ref().map(|features| format!("--features={features}")))
        .env("WASM_BINDGEN_USE_JS_SYS", "1")
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the Worker does not compile");
    Ok(())
}

/// wasm to a module, with what it needs to recover from a panic; beside it the modules of our own
/// around it.
///
/// Made elsewhere and then put in place, file by file and only what has changed: whoever reads the
/// folder meanwhile (a bundler, a test) finds a whole Worker.
fn bind(options: &Options) -> Result<()> {
    let made = options.target_dir().join(format!("made-{}", std::process::id()));
    let result = make(options, &made).and_then(|()| put(&made, &options.out));
    std::fs::remove_dir_all(&made).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    result
}

fn make(options: &Options, folder: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(options.target_dir().join(WASM))
        .out_name("index")
        .typescript(false)
        .module(true)?
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        // Function names: a third of the size, and a panic says its file and line without them.
        .remove_name_section(true)
        .generate(folder)?;
    let index = folder.join("index.js");
    let mut ours = String::new();
    for module in ["entry.mjs", "glue.mjs", "keys.mjs", "bodies.mjs", "bytes.mjs", "patience.mjs", "sign.mjs"]
    {
        ours += &std::fs::read_to_string(Path::new("src/edge").join(module))?;
        std::fs::copy(Path::new("src/edge").join(module), folder.join(module))?;
    }
    unused::drop(folder, &ours).context("what is unused could not be dropped")?;
    // The bundler of wrangler knows wasm modules, but not the source phase of their import.
    let script = std::fs::read_to_string(&index)?;
    std::fs::write(&index, script.replace("import source ", "import "))?;
    Ok(())
}

/// Copies files and folders to a folder, but for those files that are there already, byte for byte.
fn put(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for file in std::fs::read_dir(from)? {
        let file = file?;
        let place = to.join(file.file_name());
        if file.path().is_dir() {
            put(&file.path(), &place)?;
            continue;
        }
        let is_there =
            std::fs::read(&place).is_ok_and(|old| std::fs::read(file.path()).is_ok_and(|new| old == new));
        if !is_there {
            let part = to.join(format!(".{}.part", file.file_name().display()));
            std::fs::copy(file.path(), &part)?;
            std::fs::rename(&part, &place)?;
        }
    }
    Ok(())
}
