//! The wasm32 target: there already, or added by rustup, or (where the Rust release server cannot
//! be reached, on Debian as root, and if packages may be installed) built from Debian's Rust.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The toolchain that the fallback links into rustup.
const DEBIAN: &str = "debian";

/// Makes sure that the target is there. `Some`: another toolchain than the normal one has it.
pub(crate) fn ensure() -> Result<Option<&'static str>> {
    if installed(None) {
        return Ok(None);
    }
    if installed(Some(DEBIAN)) {
        return Ok(Some(DEBIAN));
    }
    println!("Adding the Rust target {WASM} (rustup target add {WASM})");
    let added = Command::new("rustup").args(["target", "add", WASM]).status();
    if added.is_ok_and(|status| status.success()) && installed(None) {
        return Ok(None);
    }
    let is_possible = Path::new("/etc/debian_version").exists() && is_root();
    if let Some(sentence) = hindrance(is_possible, |name| std::env::var(name).ok()) {
        bail!(sentence);
    }
    println!(
        "The Rust release server cannot be reached. Building the target from Debian's Rust instead: this installs the packages \
         rustc-web, cargo-web and rust-web-src, compiles the standard library for {WASM} (about 2 minutes, once) and links \
         /usr into rustup as the toolchain \"{DEBIAN}\", which only the wasm build uses."
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("debian-wasm-target.sh");
    let status = Command::new("sh")
        .arg(script)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .env_remove("RUSTC")
        .status()
        .context("cannot start sh")?;
    ensure!(
        status.success() && installed(Some(DEBIAN)),
        "the target {WASM} could not be built from Debian's Rust"
    );
    Ok(Some(DEBIAN))
}

/// Why the target is not built from Debian's Rust: it cannot be, or nobody said that packages may
/// be installed on this machine. A CI has nobody to ask.
fn hindrance(is_possible: bool, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_permitted = variable("MCP_EDGE_AUTH_APT").is_some_and(|value| value == "1")
        || variable("CI").is_some_and(|value| !value.is_empty());
    let otherwise = match (is_possible, is_permitted) {
        (true, true) => return None,
        (true, false) => {
            ", or let it be built from Debian's Rust by setting MCP_EDGE_AUTH_APT=1, which installs the packages \
             rustc-web, cargo-web and rust-web-src"
        }
        (false, _) => "",
    };
    Some(format!(
        "The Rust target {WASM} is missing and could not be added: run `rustup target add {WASM}` where the Rust release server can be \
         reached{otherwise}; then try again."
    ))
}

/// Whether a toolchain has the target's standard library.
fn installed(toolchain: Option<&str>) -> bool {
    let mut rustc = Command::new("rustc");
    if let Some(toolchain) = toolchain {
        rustc.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    let output = rustc.args(["--print", "target-libdir", "--target", WASM]).output();
    output.is_ok_and(|out| {
        let folder = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        out.status.success() && has_core(Path::new(&folder))
    })
}

/// The folder may be there and empty.
fn has_core(folder: &Path) -> bool {
    folder.read_dir().is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    })
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends where something is amiss")]
mod tests {
    use super::hindrance;

    #[test]
    fn packages_are_installed_only_where_somebody_said_so() {
        const APT: &str = "MCP_EDGE_AUTH_APT";
        let rows: [(&[(&str, &str)], bool); 9] = [
            (&[], false),
            (&[(APT, "1")], true),
            (&[("CI", "true")], true),
            (&[("CI", "1"), (APT, "0")], true),
            (&[(APT, "")], false),
            (&[(APT, "0")], false),
            (&[(APT, "true")], false),
            (&[("CI", "")], false),
            (&[("DEBIAN_FRONTEND", "noninteractive")], false),
        ];
        for (set, is_permitted) in rows {
            let variable =
                |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
            let sentence = hindrance(true, variable);
            assert_eq!(sentence.is_none(), is_permitted, "{set:?}");
            assert!(sentence.is_none_or(|sentence| sentence.contains("MCP_EDGE_AUTH_APT=1")), "{set:?}");
            // Who cannot install packages is not told to.
            let elsewhere = hindrance(false, variable).unwrap();
            assert!(elsewhere.contains("rustup target add wasm32-unknown-unknown"), "{elsewhere}");
            assert!(!elsewhere.contains("Debian"), "{elsewhere}");
        }
    }
}
