//! What the eye should not have to check.

use std::{fs, path::Path};

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    sources
}

pub fn src() -> Vec<(String, String)> {
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn no_file_is_longer_than_250_lines_without_its_tests() {
    let long: Vec<_> = src()
        .into_iter()
        .filter(|(name, _)| !name.ends_with("tests.rs"))
        .map(|(name, text)| (name, text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count()))
        .filter(|(_, lines)| *lines > 250)
        .collect();
    assert_eq!(long, []);
}

#[test]
fn only_the_configuration_reads_the_environment() {
    let readers: Vec<_> = src()
        .into_iter()
        .filter(|(name, text)| text.contains("env::var") && !name.ends_with("src/config.rs"))
        .map(|(name, _)| name)
        .collect();
    assert!(readers.is_empty(), "{readers:?}");
}

#[test]
fn only_the_clock_reads_a_clock() {
    let code = |text: &str| text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect::<String>();
    let readers: Vec<_> = src()
        .into_iter()
        .filter(|(name, _)| !name.ends_with("tests.rs") && !name.ends_with("src/clock.rs"))
        .filter(|(_, text)| {
            ["Instant::now(", "SystemTime::now", ".elapsed("].iter().any(|read| code(text).contains(read))
        })
        .map(|(name, _)| name)
        .collect();
    assert!(readers.is_empty(), "{readers:?}");
}
