//! The Rust subjects, built by Cargo as the relay is shipped.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Failure;

/// Where everything that is measured is made: no other build has its hands in it.
pub const FOLDER: &str = "target/cost";

/// The relay without the features that tests switch on in its dependencies.
pub fn relay() -> Result<PathBuf, Failure> {
    build(&["--package", "lendswift-relay", "--bin"], "lendswift-relay")
}

/// What times the relay's own work, built in the same way.
pub fn own_work() -> Result<PathBuf, Failure> {
    build(&["--package", "own-work", "--example"], "examples/own-work")
}

/// One of the programs that the relay is compared with.
pub fn subject(name: &str) -> Result<PathBuf, Failure> {
    build(&["--manifest-path", "benches/subjects/Cargo.toml", "--bin"], name)
}

/// Builds a target, and says where it is then.
fn build(what: &[&str], place: &str) -> Result<PathBuf, Failure> {
    let name = place.rsplit('/').next().unwrap_or(place);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--target-dir", FOLDER]).args(what).arg(name);
    if build.status()?.success() {
        Ok(Path::new(FOLDER).join("release").join(place))
    } else {
        Err(format!("{name} can't be built").into())
    }
}
