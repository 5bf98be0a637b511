//! Files that the operator names; `-` is stdin.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::failure::Failure;

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().take(limit + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
    };
    let path = name(path);
    read.map_err(|cause| Failure::usage(format!("{path} cannot be read: {cause}"), "Name a file, or - for stdin."))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(Failure::usage(format!("{path} has more than {limit} bytes"), "Name another file."));
    }
    Ok(bytes)
}

/// A file's name in a message.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "the standard input".to_owned() } else { path.display().to_string() }
}
