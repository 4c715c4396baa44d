//! What a deploy sends: the size of each file of the Worker, raw and as gzip compresses it.

use std::fs;
use std::io::{Write, stdout};
use std::path::Path;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Two counts of bytes.
#[derive(Clone, Copy, Default)]
struct Size {
    raw: usize,
    compressed: usize,
}

/// The sizes of a build, for people.
pub(crate) fn print(folder: &Path) -> Result<()> {
    let mut total = Size::default();
    for (name, size) in sizes(folder, &["js", "wasm"])? {
        line(&name, size);
        total = Size { raw: total.raw + size.raw, compressed: total.compressed + size.compressed };
    }
    line("total", total);
    Ok(())
}

/// The sizes of a bundle in bytes, for programs: a file a line, its name, raw, compressed.
pub(crate) fn print_bytes(folder: &Path) -> Result<()> {
    for (name, Size { raw, compressed }) in sizes(folder, &["js", "mjs", "wasm"])? {
        writeln!(stdout(), "{name} {raw} {compressed}")?;
    }
    Ok(())
}

/// Of each file with one of these extensions.
fn sizes(folder: &Path, extensions: &[&str]) -> Result<Vec<(String, Size)>> {
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<std::io::Result<_>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    files.retain(|f| f.path().extension().is_some_and(|e| extensions.iter().any(|known| e == *known)));
    files
        .iter()
        .map(|file| Ok((file.file_name().to_string_lossy().into_owned(), size(&file.path())?)))
        .collect()
}

fn size(file: &Path) -> Result<Size> {
    let bytes = fs::read(file)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes)?;
    Ok(Size { raw: bytes.len(), compressed: gzip.finish()?.len() })
}

fn line(name: &str, Size { raw, compressed }: Size) {
    let kib = |bytes: usize| bytes as f64 / 1024.0;
    // Whoever reads a pipe may have seen enough: that is no failure.
    let _ended =
        writeln!(stdout(), "{name:<16} {:>7.1} KiB   {:>7.1} KiB compressed", kib(raw), kib(compressed));
}
