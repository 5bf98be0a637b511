//! The verdict on a response of AI Rudder: AI Rudder took the lead, nobody is called, or either is possible.
//!
//! The contract documents one response, HTTP 200 with `code` 200. Everything else is the relay's interpretation of HTTP: a
//! 4xx means that the request was not carried out (RFC 9110, section 15.5), except for a few that do not rule it out. The
//! operator configures what AI Rudder's own codes mean under HTTP 2xx ([`UpstreamCodes`]). A response has an HTTP status
//! and, in its envelope, a `code`. **Only if neither is ambiguous can it mean that nobody was called**: a wrong "not sent"
//! telephones a consumer twice, a wrong "unknown" costs an operator a question.

use super::{
    body::Code,
    codes::{Meaning, UpstreamCodes},
};

/// What a response of AI Rudder means for the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// AI Rudder took the lead, and should call the consumer.
    Accepted,
    /// AI Rudder refused the lead; nobody is called.
    Refused,
    /// AI Rudder rate-limited the request; nobody is called.
    RateLimited,
    /// AI Rudder refused the token; nobody is called.
    TokenRefused,
    /// The response is ambiguous; the consumer may have been called, or may still be called.
    Unknown,
}

impl From<Meaning> for Verdict {
    fn from(meaning: Meaning) -> Self {
        match meaning {
            Meaning::Refused => Self::Refused,
            Meaning::TokenRefused => Self::TokenRefused,
            Meaning::RateLimited => Self::RateLimited,
        }
    }
}

/// The verdict on an HTTP status and the `code` in the body, with the configured meanings of AI Rudder's own codes.
#[must_use]
pub fn verdict(status: u16, code: Code, codes: &UpstreamCodes) -> Verdict {
    let by_status = match status {
        200..=299 => Verdict::Accepted,
        // The token is a segment of the path, so an unknown token may be Not Found.
        404 => Verdict::TokenRefused,
        _ => by_number(i64::from(status)),
    };
    let by_code = match code {
        Code::Integer(200) => Verdict::Accepted,
        Code::Integer(code) if by_status == Verdict::Accepted => {
            codes.meaning(code).map_or(by_number(code), Verdict::from)
        }
        Code::Integer(code) => by_number(code),
        // It may report success.
        Code::Unreadable => Verdict::Unknown,
        // A refusal may lack an envelope; an acceptance must have one.
        Code::Absent if by_status == Verdict::Accepted => Verdict::Unknown,
        Code::Absent => by_status,
    };
    match (by_status, by_code) {
        (Verdict::Unknown, _) | (_, Verdict::Unknown) => Verdict::Unknown,
        // Under HTTP 2xx the envelope decides.
        (Verdict::Accepted, by_code) => by_code,
        // HTTP reports a failure, and the envelope reports success.
        (_, Verdict::Accepted) => Verdict::Unknown,
        (Verdict::RateLimited, _) | (_, Verdict::RateLimited) => Verdict::RateLimited,
        (Verdict::TokenRefused, _) | (_, Verdict::TokenRefused) => Verdict::TokenRefused,
        (Verdict::Refused, Verdict::Refused) => Verdict::Refused,
    }
}

/// The response's `code` if only AI Rudder can explain it: under HTTP 2xx, and neither 200 nor a refusal that HTTP defines.
pub(super) fn own_code(status: u16, code: Code) -> Option<i64> {
    let Code::Integer(code) = code else { return None };
    let is_own = (200..=299).contains(&status) && code != 200 && by_number(code) == Verdict::Unknown;
    is_own.then_some(code)
}

/// The verdict on a number, as an HTTP status or as a `code`.
///
/// A 4xx is a refusal only if HTTP defines it (IANA, "HTTP Status Code Registry"). Any other, such as 460 and 499 for a
/// client that disconnected, says nothing about the lead. 418 is "(Unused)": RFC 9110, section 15.5.19, reserves the number
/// without a meaning. 402 is reserved too (section 15.5.3), but its name, "Payment Required", is clear.
fn by_number(number: i64) -> Verdict {
    match number {
        401 | 403 => Verdict::TokenRefused,
        429 => Verdict::RateLimited,
        // Request Timeout, Conflict, Failed Dependency, Too Early: the server may have this lead.
        408 | 409 | 424 | 425 => Verdict::Unknown,
        400..=417 | 421..=423 | 426 | 428 | 431 | 451 => Verdict::Refused,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Code = Code::Absent;

    fn verdict(status: u16, code: impl Into<Option<i64>>) -> Verdict {
        let code = code.into().map_or(Code::Absent, Code::Integer);
        super::verdict(status, code, &UpstreamCodes::default())
    }

    /// The 4xx of IANA's registry as of 2026 without the ambiguous ones, listed one by one to find a mistake in a range.
    fn expected_4xx(number: u16) -> Verdict {
        match number {
            401 | 403 => Verdict::TokenRefused,
            429 => Verdict::RateLimited,
            400 | 402 | 404 | 405 | 406 | 407 | 410 | 411 | 412 | 413 | 414 | 415 | 416 | 417 | 421 | 422 | 423
            | 426 | 428 | 431 | 451 => Verdict::Refused,
            _ => Verdict::Unknown,
        }
    }

    #[test]
    fn accepted_needs_http_2xx_and_code_200() {
        for status in 100..=999 {
            for code in [None, Some(0), Some(200), Some(201), Some(400), Some(500)] {
                let accepted = (200..300).contains(&status) && code == Some(200);
                assert_eq!(verdict(status, code) == Verdict::Accepted, accepted, "{status} {code:?}");
            }
        }
    }

    #[test]
    fn an_unambiguous_4xx_that_http_defines_is_a_refusal() {
        for status in 400..=499 {
            let expected = if status == 404 { Verdict::TokenRefused } else { expected_4xx(status) };
            assert_eq!(verdict(status, None), expected, "HTTP {status} without an envelope");
            assert_eq!(verdict(status, i64::from(status)), expected, "HTTP {status} with the same code");
        }
        for status in [408, 409, 418, 419, 420, 424, 425, 427, 430, 432, 444, 450, 452, 460, 494, 499] {
            assert_eq!(verdict(status, None), Verdict::Unknown, "HTTP {status}");
            assert_eq!(verdict(200, i64::from(status)), Verdict::Unknown, "code {status}");
        }
    }

    #[test]
    fn a_code_under_http_2xx_means_what_the_status_would() {
        for code in 400..=499 {
            for status in [200, 201, 202, 299] {
                let seen = verdict(status, i64::from(code));
                assert_eq!(seen, expected_4xx(code), "HTTP {status}, code {code}");
            }
        }
    }

    #[test]
    fn every_other_status_is_unknown_under_any_code() {
        for status in (0..200).chain(300..400).chain(500..=u16::MAX) {
            for code in [None, Some(200), Some(400), Some(401), Some(429), Some(500)] {
                assert_eq!(verdict(status, code), Verdict::Unknown, "HTTP {status}, code {code:?}");
            }
        }
        for code in (-70_000..400).chain(500..70_000).chain([i64::MIN, i64::MAX]).filter(|code| *code != 200) {
            assert_eq!(verdict(200, code), Verdict::Unknown, "code {code}");
        }
        assert_eq!(verdict(200, None), Verdict::Unknown, "success without an envelope");
    }

    #[test]
    fn an_unreadable_code_is_unknown_under_every_status() {
        for status in 0..=u16::MAX {
            let seen = super::verdict(status, Code::Unreadable, &UpstreamCodes::default());
            assert_eq!(seen, Verdict::Unknown, "HTTP {status}");
        }
    }

    #[test]
    fn contradicting_status_and_code_are_unknown() {
        for (status, code) in
            [(400, 200), (401, 200), (429, 200), (404, 200), (400, 500), (400, 0), (422, 409), (400, 499), (499, 400)]
        {
            assert_eq!(verdict(status, code), Verdict::Unknown, "HTTP {status}, code {code}");
        }
        assert_eq!(verdict(400, 429), Verdict::RateLimited);
        assert_eq!(verdict(429, 401), Verdict::RateLimited);
        assert_eq!(verdict(400, 403), Verdict::TokenRefused);
        assert_eq!(verdict(403, 400), Verdict::TokenRefused);
        assert_eq!(verdict(404, 404), Verdict::TokenRefused);
        assert_eq!(verdict(422, 404), Verdict::Refused);
    }

    #[test]
    fn configured_codes_apply_only_under_http_2xx() {
        let codes: UpstreamCodes = "10510=refused 10814=token_refused 10901=rate_limited 500=refused".parse().unwrap();
        let meanings = [
            (10510, Verdict::Refused),
            (10814, Verdict::TokenRefused),
            (10901, Verdict::RateLimited),
            (500, Verdict::Refused),
            (10511, Verdict::Unknown),
        ];
        for status in 0..=u16::MAX {
            for (code, meaning) in meanings {
                let meaning = if (200..300).contains(&status) { meaning } else { Verdict::Unknown };
                assert_eq!(super::verdict(status, Code::Integer(code), &codes), meaning, "HTTP {status}, code {code}");
            }
        }
        // Other codes keep their meaning.
        assert_eq!(super::verdict(200, Code::Integer(200), &codes), Verdict::Accepted);
        assert_eq!(super::verdict(200, Code::Integer(422), &codes), Verdict::Refused);
        assert_eq!(super::verdict(500, NONE, &codes), Verdict::Unknown);
    }

    #[test]
    fn a_code_that_http_does_not_explain_is_ai_rudders_own() {
        for code in [0, 201, 408, 409, 424, 425, 460, 499, 500, 10510, -1] {
            for status in [200, 204, 299] {
                assert_eq!(own_code(status, Code::Integer(code)), Some(code), "HTTP {status}, code {code}");
            }
            for status in [199, 300, 400, 500] {
                assert_eq!(own_code(status, Code::Integer(code)), None, "HTTP {status}, code {code}");
            }
        }
        for code in [Code::Integer(200), Code::Integer(400), Code::Integer(429), Code::Absent, Code::Unreadable] {
            assert_eq!(own_code(200, code), None, "{code:?}");
        }
    }
}
