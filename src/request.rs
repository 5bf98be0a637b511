//! The parts of an API Gateway event that the relay reads.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The headers that the relay reads.
const HEADERS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_ENCODING, HeaderName::from_static("idempotency-key")];

/// An HTTP API event of payload format 2.0, without the members that the relay does not read. No `Debug`: the body contains
/// personal data.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub(crate) raw_path: Option<String>,
    #[serde(default, deserialize_with = "headers")]
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<String>,
    pub(crate) is_base64_encoded: Option<bool>,
    #[serde(rename = "requestContext")]
    pub(crate) context: GatewayContext,
}

/// What API Gateway adds to a request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GatewayContext {
    pub(crate) request_id: Option<String>,
    /// When API Gateway received the request, in milliseconds since the Unix epoch. Anything else counts as absent.
    #[serde(default)]
    pub(crate) time_epoch: serde_json::Value,
    pub(crate) http: Http,
}

/// The request line.
#[derive(Deserialize)]
pub(crate) struct Http {
    pub(crate) method: String,
}

/// A JSON string, borrowed unless it has escapes.
#[derive(Deserialize)]
struct JsonString<'a>(#[serde(borrow)] Cow<'a, str>);

fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HeaderMap, D::Error> {
    deserializer.deserialize_option(Headers)
}

/// The visitor that keeps the headers that the relay reads. It accepts their names in any case, because some emulators do not
/// send them in lower case.
struct Headers;

impl<'de> Visitor<'de> for Headers {
    type Value = HeaderMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers, each one string")
    }

    fn visit_none<E>(self) -> Result<HeaderMap, E> {
        Ok(HeaderMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<HeaderMap, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<HeaderMap, A::Error> {
        let mut headers = HeaderMap::with_capacity(HEADERS.len());
        while let Some(JsonString(name)) = members.next_key()? {
            match HEADERS.into_iter().find(|read| name.eq_ignore_ascii_case(read.as_str())) {
                Some(name) => headers.extend(header_value(members.next_value()?).map(|value| (name, value))),
                None => _ = members.next_value::<IgnoredAny>()?,
            }
        }
        Ok(headers)
    }
}

/// A header's value; `None` if it is not a string, or contains a character that a header must not contain (RFC 9110,
/// section 5.5), such as a control character. An invalid header must not make the whole event unreadable: the response would
/// then lack its request id.
fn header_value(json: &RawValue) -> Option<HeaderValue> {
    let JsonString(text) = serde_json::from_str(json.get()).ok()?;
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers_of(headers: &serde_json::Value) -> Option<HeaderMap> {
        request(&headers.to_string()).map(|request| request.headers)
    }

    fn request(headers: &str) -> Option<Request> {
        let context = r#"{"requestId": "an id", "http": {"method": "POST"}}"#;
        serde_json::from_str(&format!(r#"{{"headers": {headers}, "requestContext": {context}}}"#)).ok()
    }

    #[test]
    fn only_known_headers_are_read_in_any_case() {
        let headers = headers_of(&json!({"Content-Type": "text/plain", "x-forwarded-for": "10.0.0.1", "cookie": 1}));
        assert_eq!(
            headers.unwrap(),
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))])
        );
    }

    #[test]
    fn a_request_may_have_no_headers() {
        assert_eq!(headers_of(&json!(null)), Some(HeaderMap::new()));
    }

    #[test]
    fn an_invalid_header_value_counts_as_absent() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let control = |c: char| json!(format!("Bearer a{c}b")).to_string();
        let impossible = ['\0', '\u{1}', '\n', '\r', '\u{1b}', '\u{7f}'].map(control);
        let others = ["null", "7", "true", "{}", r#"["Bearer a"]"#, r#"{"a": "Bearer a"}"#, r#""\ud800""#, &deep];
        for name in HEADERS {
            for value in impossible.iter().map(String::as_str).chain(others) {
                let request = request(&format!(r#"{{"{name}": {value}, "Content-Type": "text/plain"}}"#)).unwrap();
                let left = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
                assert_eq!(request.headers, left, "{name} {value:.40}");
                assert_eq!(request.context.request_id.as_deref(), Some("an id"));
            }
        }
    }

    #[test]
    fn a_header_value_may_contain_tabs_and_non_ascii() {
        for value in ["Bearer a\tb", "Bearer \u{e9}", "", " "] {
            let headers = headers_of(&json!({"Authorization": value})).unwrap();
            assert_eq!(headers[header::AUTHORIZATION].as_bytes(), value.as_bytes());
        }
    }
}
