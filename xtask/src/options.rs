//! What `cargo xtask` is told.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

pub(crate) const USAGE: &str = "usage: cargo xtask build [--size] [--features F[,F]] [--out DIR]
       cargo xtask size DIR
       cargo xtask cli";

/// What `src/edge/entry.mjs` imports, and so what is deployed.
const DEPLOYED: &str = "build";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Builds the Worker.
    Build(Options),
    /// Prints the size of each file in a folder.
    Size(PathBuf),
    /// Builds what the commands run in Node.
    Cli,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) size: bool,
    /// Cargo features of the Worker, as cargo takes them.
    pub(crate) features: Option<String>,
    /// The folder that the Worker is written to, from the repository's.
    pub(crate) out: PathBuf,
}

/// The arguments, the task first.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Task> {
    let arguments: Vec<String> = arguments.into_iter().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["build", ..] => Ok(Task::Build(Options::parse(arguments.into_iter().skip(1))?)),
        ["size", folder] => Ok(Task::Size(folder.into())),
        ["cli"] => Ok(Task::Cli),
        _ => bail!(USAGE),
    }
}

impl Options {
    /// The arguments, in any order.
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { size: false, features: None, out: DEPLOYED.into() };
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next().filter(|value| !value.is_empty() && !value.starts_with('-'));
                value.with_context(|| format!("{argument} takes a value; {USAGE}"))
            };
            match argument.as_str() {
                "--size" => options.size = true,
                "--features" => options.features = Some(value()?),
                "--out" => options.out = value()?.into(),
                _ => bail!("there is no argument {argument}; {USAGE}"),
            }
        }
        Ok(options)
    }

    /// cargo's folder. With features it is another, so that no build ever picks up what the other
    /// has just compiled.
    pub(crate) fn target_dir(&self) -> PathBuf {
        if self.features.is_some() { "target/features".into() } else { "target".into() }
    }

    /// A Worker with features is not the one that is documented and tested: it must not stand where
    /// a deploy would find it.
    pub(crate) fn refuse_to_deploy_features(&self, root: &Path) -> Result<()> {
        let (deployed, out) = (real(&root.join(DEPLOYED)), real(&root.join(&self.out)));
        ensure!(
            self.features.is_none() || !out.starts_with(&deployed),
            "a build with --features must go to a folder other than {DEPLOYED}/, which is what is deployed: add --out DIR"
        );
        Ok(())
    }
}

/// A path without dots and, as far as it exists, without symbolic links.
fn real(path: &Path) -> PathBuf {
    let mut real = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => _ = real.pop(),
            Component::CurDir => {}
            component => real.push(component),
        }
        real = real.canonicalize().unwrap_or(real);
    }
    real
}

#[cfg(test)]
#[allow(clippy::panic, clippy::unwrap_used, reason = "a test ends where something is amiss")]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Task> {
        super::parse(arguments.split_ascii_whitespace().map(str::to_owned))
    }

    fn refused(arguments: &str, root: &Path) -> bool {
        let Task::Build(options) = parse(arguments).unwrap() else { panic!("no build: {arguments}") };
        options.refuse_to_deploy_features(root).is_err()
    }

    #[test]
    fn arguments_in_any_order() {
        let all = Options { size: true, features: Some("a,b".to_owned()), out: "dist/a".into() };
        let bare = Options { size: false, features: None, out: "build".into() };
        let all = Task::Build(all);
        assert_eq!(parse("build --size --features a,b --out dist/a").unwrap(), all);
        assert_eq!(parse("build --out dist/a --features a,b --size").unwrap(), all);
        assert_eq!(parse("build").unwrap(), Task::Build(bare));
        assert_eq!(parse("size dist/a").unwrap(), Task::Size("dist/a".into()));
        assert_eq!(parse("cli").unwrap(), Task::Cli);
    }

    #[test]
    fn what_is_no_argument() {
        for arguments in [
            "",
            "bulid",
            "--size build",
            "build size",
            "build --features",
            "build --features --size",
            "build --out",
            "size",
            "size a b",
            "cli --size",
        ] {
            let error = parse(arguments).unwrap_err().to_string();
            assert!(error.ends_with(USAGE), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn features_never_reach_the_deployed_folder() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let inside = format!("build --features a --out {}/build", root.display());
        for arguments in [
            "build --features a",
            "build --features a --out build",
            "build --features a --out ./build/",
            "build --features a --out build/a",
            "build --features a --out xtask/../build",
            &inside,
        ] {
            assert!(refused(arguments, root), "{arguments}");
        }
        for arguments in [
            "build",
            "build --out build",
            "build --features a --out build-a",
            "build --features a --out dist/build",
        ] {
            assert!(!refused(arguments, root), "{arguments}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn nor_by_a_symbolic_link() {
        let root = std::env::temp_dir().join(format!("xtask-options-{}", std::process::id()));
        std::fs::create_dir_all(root.join("build")).unwrap();
        std::os::unix::fs::symlink(root.join("build"), root.join("elsewhere")).unwrap();
        let verdict = refused("build --features a --out elsewhere", &root);
        std::fs::remove_dir_all(&root).unwrap();
        assert!(verdict);
    }
}
