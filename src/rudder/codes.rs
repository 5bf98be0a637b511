//! The meanings that the operator has configured for AI Rudder's own codes.

use std::{collections::BTreeMap, str::FromStr};

/// The meanings of AI Rudder's own codes under HTTP 2xx.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamCodes(BTreeMap<i64, Meaning>);

/// A meaning that can be configured for a code. Each says that nobody is called: no code can be configured as an acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// AI Rudder refused the lead.
    Refused,
    /// AI Rudder refused the token.
    TokenRefused,
    /// AI Rudder rate-limited the request.
    RateLimited,
}

/// Why the variable is invalid. It never contains a part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamCodesError {
    /// A word is not a `code=meaning` pair.
    #[error("must be pairs like 10510=refused, separated by white space")]
    Pair,
    /// A code is not a whole number, or HTTP already gives it a meaning.
    #[error("a code must be a whole number, and neither 200 nor one of 400 to 499")]
    Code,
    /// A meaning is not one of the three.
    #[error("a code must mean refused, token_refused or rate_limited")]
    Meaning,
    /// A code is listed twice.
    #[error("a code must not be listed twice")]
    Repeated,
}

impl UpstreamCodes {
    /// The configured meaning of a code under HTTP 2xx.
    pub(super) fn meaning(&self, code: i64) -> Option<Meaning> {
        self.0.get(&code).copied()
    }

    /// Whether a code is configured.
    pub(crate) fn contains(&self, code: i64) -> bool {
        self.0.contains_key(&code)
    }
}

impl FromStr for UpstreamCodes {
    type Err = UpstreamCodesError;

    fn from_str(text: &str) -> Result<Self, UpstreamCodesError> {
        let mut codes = BTreeMap::new();
        for pair in text.split_whitespace() {
            let (code, meaning) = pair.split_once('=').ok_or(UpstreamCodesError::Pair)?;
            if codes.insert(parse_code(code)?, parse_meaning(meaning)?).is_some() {
                return Err(UpstreamCodesError::Repeated);
            }
        }
        Ok(Self(codes))
    }
}

/// Parses an integer as AI Rudder writes it: without `+` and leading zeros.
fn parse_code(text: &str) -> Result<i64, UpstreamCodesError> {
    let code = text.parse().ok().filter(|code: &i64| code.to_string() == text);
    code.filter(|code| !matches!(code, 200 | 400..=499)).ok_or(UpstreamCodesError::Code)
}

fn parse_meaning(text: &str) -> Result<Meaning, UpstreamCodesError> {
    match text {
        "refused" => Ok(Meaning::Refused),
        "token_refused" => Ok(Meaning::TokenRefused),
        "rate_limited" => Ok(Meaning::RateLimited),
        _ => Err(UpstreamCodesError::Meaning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_configured_in_pairs_separated_by_white_space() {
        let codes: UpstreamCodes =
            " 10510=refused\t10814=token_refused\n  10901=rate_limited -1=refused ".parse().unwrap();
        for (code, meaning) in [
            (10510, Some(Meaning::Refused)),
            (10814, Some(Meaning::TokenRefused)),
            (10901, Some(Meaning::RateLimited)),
            (-1, Some(Meaning::Refused)),
            (1, None),
        ] {
            assert_eq!((codes.meaning(code), codes.contains(code)), (meaning, meaning.is_some()), "{code}");
        }
        for empty in ["", " \n"] {
            assert_eq!(empty.parse(), Ok(UpstreamCodes::default()));
        }
    }

    #[test]
    fn codes_that_http_explains_cannot_be_configured() {
        for code in ["399", "500", "0", "199", "201", "-200", "9223372036854775807", "-9223372036854775808"] {
            assert!(format!("{code}=refused").parse::<UpstreamCodes>().is_ok(), "{code}");
        }
        for code in
            ["200", "400", "429", "460", "499", "", "+1", "01", "-0", "1.0", "1e3", "9223372036854775808", "x", "１"]
        {
            assert_eq!(format!("{code}=refused").parse::<UpstreamCodes>(), Err(UpstreamCodesError::Code), "{code}");
        }
    }

    #[test]
    fn malformed_and_repeated_pairs_are_rejected() {
        for (text, error) in [
            ("10510", UpstreamCodesError::Pair),
            ("10510=refused 10814", UpstreamCodesError::Pair),
            ("10510 = refused", UpstreamCodesError::Pair),
            ("10510:refused", UpstreamCodesError::Pair),
            ("10510=refused,10814=refused", UpstreamCodesError::Meaning),
            ("10510=", UpstreamCodesError::Meaning),
            ("10510=Refused", UpstreamCodesError::Meaning),
            ("10510=accepted", UpstreamCodesError::Meaning),
            ("10510=unknown", UpstreamCodesError::Meaning),
            ("10510=refused=refused", UpstreamCodesError::Meaning),
            ("10510=refused 1=refused 10510=refused", UpstreamCodesError::Repeated),
            ("10510=refused 10510=rate_limited", UpstreamCodesError::Repeated),
        ] {
            assert_eq!(text.parse::<UpstreamCodes>(), Err(error), "{text}");
        }
    }
}
