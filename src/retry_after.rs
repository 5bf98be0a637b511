//! The header `retry-after`.

use std::time::SystemTime;

use http::{HeaderMap, HeaderValue, header};

/// A valid `retry-after` (RFC 9110, section 10.2.3): seconds, or a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// A delay in seconds.
    Seconds(u32),
    /// A point in time.
    Date(SystemTime),
}

impl RetryAfter {
    /// The `retry-after` of a response, if it has a valid one.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Self::Seconds);
        }
        httpdate::parse_http_date(text).ok().map(Self::Date)
    }

    /// The delay from now to a later time, in seconds, rounded up.
    #[must_use]
    pub fn between(now: SystemTime, later: SystemTime) -> Self {
        let delay = later.duration_since(now).unwrap_or_default();
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        Self::Seconds(seconds.try_into().unwrap_or(u32::MAX))
    }
}

impl From<RetryAfter> for HeaderValue {
    fn from(retry_after: RetryAfter) -> Self {
        match retry_after {
            RetryAfter::Seconds(seconds) => seconds.into(),
            // A formatted date is a valid header value.
            RetryAfter::Date(date) => Self::try_from(httpdate::fmt_http_date(date)).unwrap_or(Self::from_static("0")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn forwarded(value: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_str(value).unwrap())]);
        RetryAfter::from_headers(&headers)
            .map(|retry_after| HeaderValue::from(retry_after).to_str().unwrap().to_owned())
    }

    #[test]
    fn a_delay_is_rounded_up() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(500);
        for (milliseconds, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (86_400_000, 86_400)] {
            let later = now + Duration::from_millis(milliseconds);
            assert_eq!(RetryAfter::between(now, later), RetryAfter::Seconds(seconds));
        }
        assert_eq!(RetryAfter::between(now, SystemTime::UNIX_EPOCH), RetryAfter::Seconds(0));
    }

    #[test]
    fn seconds_and_dates_are_valid() {
        for value in ["0", "120", "Fri, 31 Dec 1999 23:59:59 GMT"] {
            assert_eq!(forwarded(value).as_deref(), Some(value));
        }
    }

    #[test]
    fn other_values_are_invalid() {
        for value in ["", "soon", "-1", "1.5", "1 minute", "99999999999", "2026-11-22T00:00:00Z"] {
            assert_eq!(forwarded(value), None, "{value}");
        }
        assert_eq!(RetryAfter::from_headers(&HeaderMap::new()), None);
    }
}
