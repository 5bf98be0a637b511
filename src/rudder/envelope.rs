//! The envelope of AI Rudder's responses.

use std::string::FromUtf8Error;

use serde::Deserialize;

/// The largest envelope in bytes. A longer body is not an envelope, so it is not forwarded.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// A response that says what happened to a lead: a JSON object of at most 64 KiB with an integer `code`. The contract's
/// other fields are not checked: a response must not be lost because one is missing or new.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    text: String,
    code: i64,
}

/// The part of an envelope that is parsed. A repeated `code` is an error, so a second one cannot override the first.
#[derive(Deserialize)]
struct Parsed {
    code: i64,
}

impl Envelope {
    /// Parses a body. `Err` returns the body if it is not an envelope.
    pub(super) fn parse(body: Vec<u8>) -> Result<Self, Vec<u8>> {
        // Without this check, serde would also parse the struct from an array.
        if body.len() > MAX_BYTES || !body.trim_ascii_start().starts_with(b"{") {
            return Err(body);
        }
        let text = String::from_utf8(body).map_err(FromUtf8Error::into_bytes)?;
        match serde_json::from_str(&text) {
            Ok(Parsed { code }) => Ok(Self { text, code }),
            Err(_) => Err(text.into_bytes()),
        }
    }

    /// AI Rudder's own code for the result. Only 200 is documented.
    #[must_use]
    pub fn code(&self) -> i64 {
        self.code
    }

    /// The code if it may be logged: a number of more than six digits may be a phone number.
    #[must_use]
    pub fn loggable_code(&self) -> Option<i64> {
        loggable_code(self.code)
    }

    /// The envelope as received.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// AI Rudder's id of the response, for questions to AI Rudder: 16 to 64 hex digits and hyphens. `None` for any other form,
    /// because it is logged and could be a phone number.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.any_trace_id().filter(|id| {
            (16..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        })
    }

    /// AI Rudder's id of the response in any form, which must not be logged.
    pub(super) fn any_trace_id(&self) -> Option<&str> {
        #[derive(Deserialize)]
        struct Trace<'a> {
            trace_id: Option<&'a str>,
        }
        let Trace { trace_id } = serde_json::from_str(&self.text).ok()?;
        trace_id
    }

    /// The envelope as received, byte for byte.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

pub(super) fn loggable_code(code: i64) -> Option<i64> {
    Some(code).filter(|code| code.unsigned_abs() < 1_000_000)
}

/// Only the code: an envelope may contain personal data, even the lead.
impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope").field("code", &self.loggable_code()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = concat!(
        r#"{"code":200,"message":"success","show_err":false,"timestamp":1683135757,"#,
        r#""body":{},"trace_id":"4a1986b786e944dcb7ce97f455d39743"}"#
    );

    fn code(body: &str) -> Option<i64> {
        Envelope::parse(body.as_bytes().to_vec()).ok().map(|envelope| envelope.code())
    }

    #[test]
    fn an_envelope_is_kept_byte_for_byte() {
        for body in [SAMPLE, r#"{"code":200}"#, " {\n\"more\": [1, {}], \"code\" : 0 }\n", r#"{"code":-1,"code2":1}"#] {
            let envelope = Envelope::parse(body.as_bytes().to_vec()).unwrap();
            assert_eq!(envelope.into_text(), body);
        }
        assert_eq!(code(SAMPLE), Some(200));
    }

    #[test]
    fn other_bodies_are_not_envelopes() {
        for body in [
            "",
            "{}",
            "[200]",
            "200",
            "<html>",
            r#"{"code":"200"}"#,
            r#"{"code":200.0}"#,
            r#"{"code":null}"#,
            r#"{"code":200,"code":400}"#,
            r#"{"code":200"#,
            r#"{"code":200} {}"#,
        ] {
            assert_eq!(Envelope::parse(body.into()), Err(body.into()), "{body}");
        }
        assert!(Envelope::parse(b"{\"code\":200,\"message\":\"\xff\"}".to_vec()).is_err(), "not UTF-8");
    }

    #[test]
    fn an_envelope_has_at_most_64_kib() {
        let padded = |length: usize| format!("{{\"code\":200{}}}", " ".repeat(length - 12));
        assert_eq!(code(&padded(65_536)), Some(200));
        assert_eq!(code(&padded(65_537)), None);
    }

    #[test]
    fn a_trace_id_is_hex_digits_or_nothing() {
        let trace = |body: &str| Envelope::parse(body.as_bytes().to_vec()).unwrap().trace_id().map(str::to_owned);
        assert_eq!(trace(SAMPLE).as_deref(), Some("4a1986b786e944dcb7ce97f455d39743"));
        let uuid = "4a1986b7-86e9-44dc-b7ce-97f455d39743";
        assert_eq!(trace(&format!(r#"{{"trace_id":"{uuid}","code":200}}"#)).as_deref(), Some(uuid));
        for body in [
            r#"{"code":200}"#.to_owned(),
            r#"{"code":200,"trace_id":7}"#.to_owned(),
            r#"{"code":200,"trace_id":""}"#.to_owned(),
            r#"{"code":200,"trace_id":"16501231234"}"#.to_owned(),
            r#"{"code":200,"trace_id":"1JqFE7K6ucf94hAvqu7Jg"}"#.to_owned(),
            format!(r#"{{"code":200,"trace_id":"{}"}}"#, "a".repeat(15)),
            format!(r#"{{"code":200,"trace_id":"{}"}}"#, "a".repeat(65)),
        ] {
            assert_eq!(trace(&body), None, "{body}");
        }
    }

    #[test]
    fn a_code_of_more_than_six_digits_is_not_logged() {
        for (code, logged) in
            [(999_999, Some(999_999)), (-999_999, Some(-999_999)), (1_000_000, None), (-1_000_000, None)]
        {
            let envelope = Envelope::parse(format!(r#"{{"code":{code}}}"#).into_bytes()).unwrap();
            assert_eq!(envelope.loggable_code(), logged, "{code}");
        }
    }

    #[test]
    fn an_envelope_prints_its_code_alone() {
        let envelope = Envelope::parse(SAMPLE.as_bytes().to_vec()).unwrap();
        assert_eq!(format!("{envelope:?}"), "Envelope { code: Some(200), .. }");
        let envelope = Envelope::parse(br#"{"code":16501231234}"#.to_vec()).unwrap();
        assert_eq!(format!("{envelope:?}"), "Envelope { code: None, .. }");
    }
}
