//! `cargo xtask build [--size] [--features F[,F]] [--out DIR]`: the Worker into `build/`, or DIR.
//! `cargo xtask size DIR`: how many bytes each file of a bundled Worker has, raw and compressed.
//! `cargo xtask cli`: what the commands run in Node, into `cli/build/`.
//!
//! cargo for wasm32-unknown-unknown, then wasm-bindgen as a library, at the version that Cargo.lock
//! pins: nothing is downloaded but the Rust target, and that only if it is missing.

#![allow(clippy::print_stdout, reason = "a command talks to its user")]

mod cli;
mod options;
mod size;
mod target;
mod unused;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use options::{Options, Task};
use wasm_bindgen_cli_support::Bindgen;

const WASM: &str = "wasm32-unknown-unknown/release/mcp_edge_auth.wasm";

/// The Worker's own JavaScript, in `src/edge`.
const MODULES: [&str; 14] = [
    "entry.mjs",
    "exchange.mjs",
    "introspect.mjs",
    "keys.mjs",
    "limiting.mjs",
    "deciding.mjs",
    "bodies.mjs",
    "bytes.mjs",
    "audit.mjs",
    "headers.mjs",
    "line.mjs",
    "patience.mjs",
    "proof.mjs",
    "sign.mjs",
];

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has a parent folder")?;
    let enter =
        || std::env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()));
    match options::parse(std::env::args().skip(1))? {
        Task::Build(options) => enter().and_then(|()| worker(&options, root)),
        Task::Size(folder) => size::print_bytes(&folder),
        Task::Cli => enter().and_then(|()| cli::build()),
    }
}

fn worker(options: &Options, root: &Path) -> Result<()> {
    options.refuse_to_deploy_features(root)?;
    compile("mcp-edge-auth", &options.target_dir(), options.features.as_deref())?;
    in_place(&options.target_dir(), &options.out, |made| make(options, made))
        .context("wasm-bindgen failed")?;
    if options.size { size::print(&options.out) } else { Ok(()) }
}

/// Rust to wasm, of one package. `js-sys` types in bindings are worker-build's setting, too.
fn compile(package: &str, target_dir: &Path, features: Option<&str>) -> Result<()> {
    let toolchain = target::ensure()?;
    let mut cargo = match toolchain {
        Some(_) => Command::new("cargo"),
        None => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
    };
    if let Some(toolchain) = toolchain {
        cargo.env("RUSTUP_TOOLCHAIN", toolchain).env_remove("CARGO").env_remove("RUSTC");
    }
    let status = cargo
        .args(["build", "--release", "--locked", "--lib", "--target", target::WASM, "--package", package])
        .arg("--target-dir")
        .arg(target_dir)
        .args(features.map(|features| format!("--features={features}")))
        .env("WASM_BINDGEN_USE_JS_SYS", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags()?)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "{package} does not compile");
    Ok(())
}

/// How many instructions may be inlined at once, about half of what `opt-level` 3 allows: a
/// request takes no more with it, and the Worker is smaller (`docs/decisions`, 9).
const INLINED: &str = "-Cllvm-args=-inline-threshold=120";

/// A panic says its file. The files of other crates lie in cargo's folder, and where that is would
/// make other bytes of the same sources on another machine. Flags of this machine would, too: what
/// is given here takes the place of `RUSTFLAGS` and of cargo's configuration.
fn flags() -> Result<OsString> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).filter(|home| !home.as_os_str().is_empty());
    let home =
        home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("where is cargo's home?")?;
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(home.join("registry").join("src"));
    flag.push("=crates");
    flag.push("\u{1f}"); // cargo takes it for the end of a flag
    flag.push(INLINED);
    Ok(flag)
}

/// Has a folder made, elsewhere, and then puts it in place, file by file and only what has changed:
/// whoever reads it meanwhile (a bundler, a test) finds a whole one.
fn in_place(target_dir: &Path, folder: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let made = target_dir.join(format!("made-{}", std::process::id()));
    let result = make(&made).and_then(|()| put(&made, folder));
    std::fs::remove_dir_all(&made).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    result
}

/// wasm to a module, with what it needs to recover from a panic; beside it the modules of our own
/// around it.
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
    for module in MODULES {
        ours += &std::fs::read_to_string(Path::new("src/edge").join(module))?;
        std::fs::copy(Path::new("src/edge").join(module), folder.join(module))?;
    }
    // What such a build exports beside is called by the benchmark.
    if options.features.as_deref() != Some("bench-signing") {
        unused::drop(folder, &ours).context("what is unused could not be dropped")?;
    }
    let script = std::fs::read_to_string(&index)?;
    ensure!(script.matches(EACH_CHARACTER).count() == 1, "wasm-bindgen copies strings in another way now");
    // The bundler of wrangler knows wasm modules, but not the source phase of their import.
    let script = script.replace("import source ", "import ").replace(EACH_CHARACTER, SHORT_ONES);
    let script = guarded(&script);
    std::fs::write(&index, script)?;
    Ok(())
}

/// Has each export look first whether a fresh instance is due. wasm-bindgen looks after it has
/// copied strings and bytes, and would hand a fresh instance what lies in the memory of the old.
fn guarded(script: &str) -> String {
    let mut guarded = String::with_capacity(script.len());
    for line in script.lines() {
        guarded += line;
        guarded.push('\n');
        if line.starts_with("export function ") && !line.contains(" __") {
            guarded += "    __wbg_call_guard();\n";
        }
    }
    guarded
}

/// How wasm-bindgen copies a string into wasm: as long as its characters are ASCII, one by one, and
/// from there on by the runtime.
const EACH_CHARACTER: &str = "for (; offset < len; offset++) {";

/// The same for short strings. A long one, a token for the most part, is the runtime's from the
/// start, which takes a fraction of the time.
const SHORT_ONES: &str = "for (; len < 96 && offset < len; offset++) {";

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
