//! Rules of the code that no reviewer should need to check.

use support::sources;

/// The files of `src`, except for this one, whose code is like that, without their tests.
fn files(except: &str, is_like_that: impl Fn(&str) -> bool) -> Vec<String> {
    let sources = sources("src").into_iter().filter(|(name, _)| !name.ends_with("tests.rs") && !name.ends_with(except));
    let code = |text: &str| text.split("#[cfg(test)]\n").next().unwrap_or_default().to_owned();
    sources.filter(|(_, text)| is_like_that(&code(text))).map(|(name, _)| name).collect()
}

#[test]
fn no_file_is_longer_than_250_lines_without_its_tests() {
    assert_eq!(files("none", |code| code.lines().count() > 250), Vec::<String>::new());
}

#[test]
fn only_the_configuration_reads_the_environment() {
    assert_eq!(files("src/config.rs", |code| code.contains("env::var")), Vec::<String>::new());
}

#[test]
fn only_the_clock_reads_a_clock() {
    let reads_a_clock =
        |code: &str| ["Instant::now(", "SystemTime::now", ".elapsed("].iter().any(|read| code.contains(read));
    assert_eq!(files("src/clock.rs", reads_a_clock), Vec::<String>::new());
}
