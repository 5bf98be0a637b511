//! Rules of the code that no reviewer should need to check.

use support::sources;

#[test]
fn no_file_is_longer_than_250_lines_without_its_tests() {
    let long: Vec<_> = sources("src")
        .into_iter()
        .filter(|(name, _)| !name.ends_with("tests.rs"))
        .map(|(name, text)| (name, text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count()))
        .filter(|(_, lines)| *lines > 250)
        .collect();
    assert_eq!(long, []);
}

#[test]
fn only_the_configuration_reads_the_environment() {
    let readers: Vec<_> = sources("src")
        .into_iter()
        .filter(|(name, text)| text.contains("env::var") && !name.ends_with("src/config.rs"))
        .map(|(name, _)| name)
        .collect();
    assert!(readers.is_empty(), "{readers:?}");
}

#[test]
fn only_the_clock_reads_a_clock() {
    let code = |text: &str| text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect::<String>();
    let readers: Vec<_> = sources("src")
        .into_iter()
        .filter(|(name, _)| !name.ends_with("tests.rs") && !name.ends_with("src/clock.rs"))
        .filter(|(_, text)| {
            ["Instant::now(", "SystemTime::now", ".elapsed("].iter().any(|read| code(text).contains(read))
        })
        .map(|(name, _)| name)
        .collect();
    assert!(readers.is_empty(), "{readers:?}");
}
