//! What an answer of AI Rudder means for the consumer: called, not called, or nobody knows.
//!
//! The contract documents one answer, HTTP 200 with `code` 200. Everything else here is our reading of HTTP: a 4xx says
//! that the request was not carried out (RFC 9110, section 15.5), and a few of them say so less firmly. An answer speaks
//! twice, in its HTTP status and in its envelope's `code`. **Nobody was called only where neither of the two leaves a
//! doubt**: a wrong "not sent" telephones a consumer twice, a wrong "unknown" costs an operator a question.

/// What became of a push that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The robot will call.
    Accepted,
    /// AI Rudder does not want this lead; nobody is called.
    Refused,
    /// AI Rudder wants fewer leads for now; nobody is called.
    RateLimited,
    /// AI Rudder does not know the token; nobody is called.
    TokenRefused,
    /// The consumer may be called, or may not.
    Unknown,
}

/// The verdict of an answer's HTTP status and, where there was an envelope, its `code`.
#[must_use]
pub fn verdict(status: u16, code: Option<i64>) -> Verdict {
    let by_status = match status {
        200..=299 => Verdict::Accepted,
        404 => Verdict::TokenRefused,
        _ => by_number(i64::from(status)),
    };
    let by_code = match code {
        Some(200) => Verdict::Accepted,
        Some(code) => by_number(code),
        // A refusal may come without an envelope, an acceptance never does.
        None if by_status == Verdict::Accepted => Verdict::Unknown,
        None => by_status,
    };
    match (by_status, by_code) {
        (Verdict::Unknown, _) | (_, Verdict::Unknown) => Verdict::Unknown,
        // HTTP's success says no more than that there is an envelope to read.
        (Verdict::Accepted, by_code) => by_code,
        // A failure whose envelope says that all went well.
        (_, Verdict::Accepted) => Verdict::Unknown,
        (Verdict::RateLimited, _) | (_, Verdict::RateLimited) => Verdict::RateLimited,
        (Verdict::TokenRefused, _) | (_, Verdict::TokenRefused) => Verdict::TokenRefused,
        (Verdict::Refused, Verdict::Refused) => Verdict::Refused,
    }
}

/// The reading that an HTTP status and a `code` share.
fn by_number(number: i64) -> Verdict {
    match number {
        401 | 403 => Verdict::TokenRefused,
        // The server gave up waiting, saw a conflict with what it has, or would not risk a replay: it may have this lead.
        408 | 409 | 425 => Verdict::Unknown,
        429 => Verdict::RateLimited,
        400..=499 => Verdict::Refused,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_said_twice_is_accepted() {
        for status in 100..=999 {
            for code in [None, Some(0), Some(200), Some(201), Some(400), Some(500)] {
                let accepted = (200..300).contains(&status) && code == Some(200);
                assert_eq!(verdict(status, code) == Verdict::Accepted, accepted, "{status} {code:?}");
            }
        }
    }

    #[test]
    fn a_4xx_alone_is_a_refusal_except_for_those_that_say_something_else() {
        for status in 400..=499 {
            let expected = match status {
                401 | 403 | 404 => Verdict::TokenRefused,
                408 | 409 | 425 => Verdict::Unknown,
                429 => Verdict::RateLimited,
                _ => Verdict::Refused,
            };
            assert_eq!(verdict(status, None), expected, "HTTP {status} without an envelope");
            assert_eq!(verdict(status, Some(i64::from(status))), expected, "HTTP {status} with the same code");
        }
    }

    #[test]
    fn a_code_in_a_successful_answer_reads_like_a_status_except_404() {
        for code in 400..=499 {
            let expected = match code {
                401 | 403 => Verdict::TokenRefused,
                408 | 409 | 425 => Verdict::Unknown,
                429 => Verdict::RateLimited,
                _ => Verdict::Refused,
            };
            for status in [200, 201, 202, 299] {
                assert_eq!(verdict(status, Some(code)), expected, "HTTP {status}, code {code}");
            }
        }
    }

    #[test]
    fn everything_else_is_unknown() {
        for status in (100..200).chain(300..400).chain(500..1000) {
            for code in [None, Some(200), Some(400), Some(401), Some(429), Some(500)] {
                assert_eq!(verdict(status, code), Verdict::Unknown, "HTTP {status}, code {code:?}");
            }
        }
        for code in [i64::MIN, -200, 0, 1, 100, 199, 201, 204, 299, 301, 399, 500, 503, 2000, 10_001, i64::MAX] {
            assert_eq!(verdict(200, Some(code)), Verdict::Unknown, "code {code}");
        }
        assert_eq!(verdict(200, None), Verdict::Unknown, "success without an envelope");
    }

    #[test]
    fn an_answer_that_contradicts_itself_is_read_as_the_one_that_leaves_a_doubt() {
        for (status, code) in [(400, 200), (401, 200), (429, 200), (404, 200), (400, 500), (400, 0), (422, 409)] {
            assert_eq!(verdict(status, Some(code)), Verdict::Unknown, "HTTP {status}, code {code}");
        }
        assert_eq!(verdict(400, Some(429)), Verdict::RateLimited);
        assert_eq!(verdict(429, Some(401)), Verdict::RateLimited);
        assert_eq!(verdict(400, Some(403)), Verdict::TokenRefused);
        assert_eq!(verdict(403, Some(400)), Verdict::TokenRefused);
        assert_eq!(verdict(404, Some(404)), Verdict::TokenRefused);
        assert_eq!(verdict(422, Some(404)), Verdict::Refused);
    }
}
