//! The corpora of the fuzz targets, replayed: what a target once disagreed about stays settled.
//!
//! `npm run fuzz` looks for more. A file that it finds belongs in the corpus of its target.

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// More files than this are a burden to every test run.
const FILES: usize = 200;

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn every_target_agrees_about_its_corpus() {
    let mut failed = Vec::new();
    for (name, check) in targets::TARGETS {
        for file in entries(&corpora().join(name)) {
            let input = fs::read(&file).unwrap();
            if catch_unwind(|| check(&input)).is_err() {
                failed.push(file);
            }
        }
    }
    assert!(failed.is_empty(), "these fail, for the reasons above: {failed:#?}");
}

#[test]
fn every_target_has_a_corpus_of_some_size_and_there_is_no_other() {
    let folders: Vec<String> = entries(&corpora())
        .iter()
        .map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, targets::TARGETS.map(|(name, _)| name));
    for folder in folders {
        let files = entries(&corpora().join(&folder)).len();
        assert!((1..=FILES).contains(&files), "{folder} has {files} files");
    }
}
