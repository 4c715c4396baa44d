//! What a deploy sends: the size of each file of the Worker, raw and as gzip compresses it.

use std::fs;
use std::io::{Write, stdout};
use std::path::Path;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

pub(crate) fn print(folder: &Path) -> Result<()> {
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<std::io::Result<_>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let (mut raw, mut compressed) = (0, 0);
    for file in files.iter().filter(|f| f.path().extension().is_some_and(|e| e == "js" || e == "wasm")) {
        let bytes = fs::read(file.path())?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        let gzip = gzip.finish()?;
        line(&file.file_name().to_string_lossy(), bytes.len(), gzip.len());
        raw += bytes.len();
        compressed += gzip.len();
    }
    line("total", raw, compressed);
    Ok(())
}

fn line(name: &str, raw: usize, compressed: usize) {
    let kib = |bytes: usize| bytes as f64 / 1024.0;
    // Whoever reads a pipe may have seen enough: that is no failure.
    let _ended =
        writeln!(stdout(), "{name:<16} {:>7.1} KiB   {:>7.1} KiB compressed", kib(raw), kib(compressed));
}
