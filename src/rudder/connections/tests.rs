//! What a response says about its connection.

use http::{HeaderName, HeaderValue};

use super::*;

fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
    let header = |value: &&'static str| (HeaderName::from_static(name), HeaderValue::from_static(value));
    values.iter().map(header).collect()
}

#[test]
fn a_stated_timeout_is_a_number_of_seconds_and_anything_else_is_zero() {
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
fn a_server_closes_if_one_of_its_options_says_so() {
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
