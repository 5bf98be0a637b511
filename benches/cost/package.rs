//! How large a function is when it is zipped for Lambda.

use std::{
    fs::File,
    io::{self, Cursor},
    path::Path,
};

use walkdir::{DirEntry, WalkDir};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::Failure;

/// The zip's bytes for a program or a folder of them, at the level that packagers take by default.
pub fn zipped(what: &Path) -> Result<u64, Failure> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in WalkDir::new(what).into_iter().filter_entry(|entry| !is_compiled(entry)) {
        let entry = entry?;
        if entry.file_type().is_file() {
            zip.start_file(name(entry.path().strip_prefix(what)?), SimpleFileOptions::default())?;
            io::copy(&mut File::open(entry.path())?, &mut zip)?;
        }
    }
    Ok(zip.finish()?.into_inner().len().try_into()?)
}

/// A program alone is what Lambda starts.
fn name(inside: &Path) -> String {
    if inside == "" { "bootstrap".to_owned() } else { inside.to_string_lossy().into_owned() }
}

/// What Python writes beside its sources.
fn is_compiled(entry: &DirEntry) -> bool {
    entry.file_name() == "__pycache__"
}
