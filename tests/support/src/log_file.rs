//! The file that `LOG_FILE` names, to which everything that is logged is appended.

use std::{
    env,
    fs::{File, OpenOptions},
    io::Write,
    sync::LazyLock,
};

static FILE: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = env::var_os("LOG_FILE")?;
    Some(OpenOptions::new().create(true).append(true).open(path).expect("LOG_FILE can be written"))
});

/// Appends a whole line at once, since several processes share the file.
pub(crate) fn append(line: &[u8]) {
    if let Some(mut file) = FILE.as_ref() {
        file.write_all(line).expect("LOG_FILE can be written");
    }
}
