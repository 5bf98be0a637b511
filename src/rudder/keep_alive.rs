//! What a response says about its connection.

use std::time::Duration;

use http::{HeaderMap, Version, header};

/// How long the connection of a response may be idle before it is reused: `keep_alive`, or half of the time that the server
/// states, so that it does not close the connection while a lead is on its way. `None` if it may not be reused.
pub(super) fn idle_limit(version: Version, headers: &HeaderMap, keep_alive: Duration) -> Option<Duration> {
    let stated = stated_timeout(headers).map(|timeout| timeout / 2);
    let limit = stated.unwrap_or(Duration::MAX).min(keep_alive);
    (version == Version::HTTP_11 && !closes(headers) && !limit.is_zero()).then_some(limit)
}

/// The `timeout` of a `Keep-Alive` header (RFC 2068, section 19.7.1.1). Zero if it is not a number of seconds.
fn stated_timeout(headers: &HeaderMap) -> Option<Duration> {
    let seconds = elements(headers, "keep-alive").find_map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.trim().eq_ignore_ascii_case("timeout").then(|| value.trim().trim_matches('"').parse().unwrap_or(0))
    });
    seconds.map(Duration::from_secs)
}

/// Whether the server closes the connection after the response (RFC 9112, section 9.6).
fn closes(headers: &HeaderMap) -> bool {
    elements(headers, header::CONNECTION.as_str()).any(|option| option.eq_ignore_ascii_case("close"))
}

/// The elements of a header that is a list.
fn elements<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_connection_is_idle_for_half_of_the_stated_time_at_most() {
        let limit = |version, stated: &[&'static str], keep_alive| {
            idle_limit(version, &headers("keep-alive", stated), Duration::from_millis(keep_alive))
        };
        let milliseconds = |limit| Some(Duration::from_millis(limit));
        assert_eq!(limit(Version::HTTP_11, &[], 1000), milliseconds(1000));
        assert_eq!(limit(Version::HTTP_11, &["timeout=5"], 1000), milliseconds(1000));
        assert_eq!(limit(Version::HTTP_11, &["timeout=5"], 10_000), milliseconds(2500));
        assert_eq!(limit(Version::HTTP_11, &["timeout=1"], 1000), milliseconds(500));
        assert_eq!(limit(Version::HTTP_11, &["timeout=5"], 0), None);
        assert_eq!(limit(Version::HTTP_11, &["timeout=0"], 1000), None);
        assert_eq!(limit(Version::HTTP_10, &[], 1000), None);
        assert_eq!(idle_limit(Version::HTTP_11, &headers("connection", &["close"]), Duration::MAX), None);
    }

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let header = |value: &&'static str| (HeaderName::from_static(name), HeaderValue::from_static(value));
        values.iter().map(header).collect()
    }

    #[test]
    fn an_unreadable_timeout_counts_as_zero() {
        for (values, expected) in [
            (&["timeout=5"][..], Some(5)),
            (&["timeout=5, max=100"], Some(5)),
            (&["max=100 ,Timeout = \"7\""], Some(7)),
            (&["max=100", "timeout=3"], Some(3)),
            (&["max=100"], None),
            (&[""], None),
            (&[], None),
            (&["timeout"], Some(0)),
            (&["timeout="], Some(0)),
            (&["timeout=-1"], Some(0)),
            (&["timeout=1.5"], Some(0)),
            (&["timeout=soon"], Some(0)),
        ] {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(stated_timeout(&headers("keep-alive", values)), expected, "{values:?}");
        }
    }

    #[test]
    fn any_option_may_say_that_the_server_closes() {
        for (values, expected) in [
            (&["close"][..], true),
            (&["Close"], true),
            (&["keep-alive, CLOSE"], true),
            (&["x", "close"], true),
            (&["keep-alive"], false),
            (&["closed"], false),
            (&[], false),
        ] {
            assert_eq!(closes(&headers("connection", values)), expected, "{values:?}");
        }
    }
}
