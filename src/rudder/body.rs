//! The body of AI Rudder's response.

use std::fmt;

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{
    envelope::{Envelope, loggable_code},
    token::Token,
};

/// The body of AI Rudder's response, by what it says about the lead.
#[derive(Clone, PartialEq, Eq)]
pub enum UpstreamBody {
    /// An envelope, which may be forwarded to the caller.
    Envelope(Envelope),
    /// An envelope that quoted a token. Only its `code` is kept.
    Withheld(i64),
    /// A JSON object whose `code` is not a single integer, or text that begins like an object and cannot be parsed. It may
    /// say anything about the lead.
    UnreadableCode,
    /// Not a JSON object, or one without a `code`.
    NoCode,
}

/// The `code` of a response, which AI Rudder sends in addition to the HTTP status. Only 200 is documented.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The integer in an envelope.
    Integer(i64),
    /// There is or may be a `code`, but it cannot be read.
    Unreadable,
    /// There is no `code`.
    Absent,
}

impl UpstreamBody {
    /// Parses a body. A body of more than 64 KiB is never an envelope.
    #[must_use]
    pub fn parse(body: Vec<u8>) -> Self {
        match Envelope::parse(body) {
            Ok(envelope) => Self::Envelope(envelope),
            Err(body) if begins_like_an_object(&body) && !is_object_without_code(&body) => Self::UnreadableCode,
            Err(_) => Self::NoCode,
        }
    }

    /// Removes the envelope, except its `code`, if it quotes the token.
    #[must_use]
    pub fn without_token(self, token: &Token) -> Self {
        match self {
            Self::Envelope(envelope) if token.is_quoted_in(envelope.text()) => Self::Withheld(envelope.code()),
            body => body,
        }
    }

    /// The `code` in the body.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Envelope(envelope) => Code::Integer(envelope.code()),
            Self::Withheld(code) => Code::Integer(*code),
            Self::UnreadableCode => Code::Unreadable,
            Self::NoCode => Code::Absent,
        }
    }

    /// AI Rudder's id of the response, if it is safe to log ([`Envelope::trace_id`]).
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        if let Self::Envelope(envelope) = self { envelope.trace_id() } else { None }
    }
}

impl UpstreamBody {
    /// AI Rudder's id of the response in any form, which must not be logged.
    pub(super) fn any_trace_id(&self) -> Option<&str> {
        if let Self::Envelope(envelope) = self { envelope.any_trace_id() } else { None }
    }
}

/// Whether a body begins with `{`, possibly after a byte order mark, which a parser may ignore (RFC 8259, section 8.1).
fn begins_like_an_object(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    body.trim_ascii_start().starts_with(b"{")
}

/// Whether a body is a JSON object without a member `code` at its top level, however that name is escaped or repeated.
fn is_object_without_code(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        #[serde(default, rename = "code", deserialize_with = "any_value")]
        has_code: bool,
    }
    serde_json::from_slice(body).is_ok_and(|Probe { has_code }| !has_code)
}

fn any_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl Code {
    /// The code if it may be logged: a number of more than six digits may be a phone number.
    #[must_use]
    pub fn loggable(self) -> Option<i64> {
        if let Self::Integer(code) = self { loggable_code(code) } else { None }
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope(envelope) => envelope.fmt(f),
            Self::Withheld(code) => f.debug_tuple("Withheld").field(&loggable_code(*code)).finish(),
            Self::UnreadableCode => f.write_str("UnreadableCode"),
            Self::NoCode => f.write_str("NoCode"),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(_) => f.debug_tuple("Integer").field(&self.loggable()).finish(),
            Self::Unreadable => f.write_str("Unreadable"),
            Self::Absent => f.write_str("Absent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: impl Into<Vec<u8>>) -> Code {
        UpstreamBody::parse(body.into()).code()
    }

    #[test]
    fn an_envelope_has_an_integer_code() {
        for (body, expected) in [
            (r#"{"code":200}"#, 200),
            (" \r\n\t{\"code\":400}", 400),
            (r#"{"\u0063ode":10510}"#, 10510),
            (r#"{"error":{"code":"no"},"code":-1,"Code":2}"#, -1),
        ] {
            assert_eq!(code(body), Code::Integer(expected), "{body}");
        }
    }

    #[test]
    fn a_code_that_is_not_a_single_integer_is_unreadable() {
        for body in [
            r#"{"code":"200"}"#,
            r#"{"code":200.0}"#,
            r#"{"code":2e2}"#,
            r#"{"code":null}"#,
            r#"{"code":true}"#,
            r#"{"code":[200]}"#,
            r#"{"code":{"code":200}}"#,
            r#"{"code":9223372036854775808}"#,
            r#"{"code":200,"code":200}"#,
            r#"{"code":400,"\u0063ode":200}"#,
            r#"{"c\u006fde":"200"}"#,
        ] {
            assert_eq!(code(body), Code::Unreadable, "{body}");
        }
    }

    #[test]
    fn an_incomplete_or_invalid_object_may_contain_a_code() {
        let too_long = format!(r#"{{"code":200,"message":"{}"}}"#, "x".repeat(65_536));
        let cut_off = too_long.get(..65_536).unwrap();
        for body in [
            "{",
            r#"{"code":20"#,
            r#"{"message":"oh"#,
            r#"{"code":200} {}"#,
            r#"{"code":200}<html>"#,
            r#"{"\ud800":1}"#,
            "{'code':200}",
            "\u{feff}{\"code\":200}",
            &too_long,
            cut_off,
        ] {
            assert_eq!(code(body), Code::Unreadable, "{body:.40}");
        }
        assert_eq!(code(b"{\"code\":400,\"message\":\"\xe9\"}"), Code::Unreadable, "not UTF-8");
    }

    #[test]
    fn other_bodies_and_objects_without_a_code_have_none() {
        let long_page = format!("<html>{}</html>", "{\"code\":200}".repeat(7000));
        for body in [
            "",
            "{}",
            "[200]",
            r#"[{"code":200}]"#,
            "200",
            r#""code""#,
            "null",
            r#"<html>{"code":200}"#,
            r#"{"error":{"code":200}}"#,
            r#"{"Code":200,"CODE":200,"code ":200,"message":"code"}"#,
            r#"{"message":1,"message":2}"#,
            &long_page,
        ] {
            assert_eq!(code(body), Code::Absent, "{body:.40}");
        }
        assert_eq!(code(b"\xff\xfe<\0"), Code::Absent);
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = |code: &str| format!(r#"{{"a":{}{}{code}}}"#, "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(code(deep("")), Code::Absent);
        assert_eq!(code(deep(r#","code":200"#)), Code::Integer(200));
        assert_eq!(code(deep(r#","code":"200""#)), Code::Unreadable);
    }

    #[test]
    fn only_the_code_is_kept_if_an_envelope_quotes_the_token() {
        let token: Token = "1JqFE7K6ucf94hAvqu+7Jg".to_owned().try_into().unwrap();
        let read = |message: &str| UpstreamBody::parse(format!(r#"{{"code":400,"message":"{message}"}}"#).into_bytes());
        assert_eq!(read("no /push/1JqFE7K6ucf94hAvqu%2B7Jg").without_token(&token), UpstreamBody::Withheld(400));
        assert_eq!(read("no").without_token(&token), read("no"));
        for none in ["<html>1JqFE7K6ucf94hAvqu+7Jg", r#"{"code":"1JqFE7K6ucf94hAvqu+7Jg"}"#] {
            let body = UpstreamBody::parse(none.into());
            assert_eq!(body.clone().without_token(&token), body, "{none}");
        }
    }

    #[test]
    fn only_a_code_of_at_most_six_digits_is_printed() {
        for (body, printed) in [
            (r#"{"code":10510,"message":"Ann"}"#, "Envelope { code: Some(10510), .. }"),
            (r#"{"code":16501231234}"#, "Envelope { code: None, .. }"),
            (r#"{"code":"16501231234"}"#, "UnreadableCode"),
            ("16501231234", "NoCode"),
        ] {
            assert_eq!(format!("{:?}", UpstreamBody::parse(body.into())), printed);
        }
        assert_eq!(format!("{:?}", UpstreamBody::Withheld(16_501_231_234)), "Withheld(None)");
        assert_eq!(
            format!("{:?} {:?}", Code::Integer(999_999), Code::Integer(-1_000_000)),
            "Integer(Some(999999)) Integer(None)"
        );
    }
}
