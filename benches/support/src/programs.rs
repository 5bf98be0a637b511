//! The measured programs, built by Cargo with the release profile, as the relay is shipped.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::Failure;

/// The root of the workspace. Cargo starts a benchmark in the folder of its package instead.
#[must_use]
pub fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

/// Where the programs are built: apart from other builds, so that the features of those don't get into them.
#[must_use]
pub fn folder() -> PathBuf {
    workspace().join("target/benches")
}

/// The relay.
pub fn relay() -> Result<PathBuf, Failure> {
    build(&["--package", "lendswift-relay", "--bin", "lendswift-relay"], "lendswift-relay")
}

/// The program that measures the relay's in-process overhead.
pub fn overhead() -> Result<PathBuf, Failure> {
    build(&["--package", "overhead", "--example", "overhead"], "examples/overhead")
}

/// One of the programs that the relay is compared with.
pub fn candidate(name: &str) -> Result<PathBuf, Failure> {
    build(&["--manifest-path", "benches/candidates/Cargo.toml", "--bin", name], name)
}

fn build(target: &[&str], path: &str) -> Result<PathBuf, Failure> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace()).args(["build", "--release", "--locked", "--target-dir"]).arg(folder()).args(target);
    if cargo.status()?.success() {
        Ok(folder().join("release").join(path))
    } else {
        Err(format!("Cargo could not build {path}").into())
    }
}
