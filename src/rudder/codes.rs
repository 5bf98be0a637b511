//! AI Rudder's own codes, with what the operator has learnt that they mean.

use std::{collections::BTreeMap, str::FromStr};

use super::verdict::Verdict;

/// What codes under HTTP 2xx mean. Each says that nobody is called, so no code can be named as an acceptance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamCodes(BTreeMap<i64, Verdict>);

/// Why a text names no codes. Never holds a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamCodesError {
    /// Something that is no pair.
    #[error("must be pairs like 10510=refused, separated by white space")]
    Pair,
    /// No number, or one whose meaning is given already.
    #[error("a code must be a whole number, and neither 200 nor one of 400 to 499")]
    Code,
    /// Another word than these.
    #[error("a code must mean refused, token_refused or rate_limited")]
    Meaning,
    /// The same code again.
    #[error("a code must be named once")]
    Twice,
}

impl UpstreamCodes {
    /// What a code under HTTP 2xx means, where it is named.
    pub(super) fn meaning(&self, code: i64) -> Option<Verdict> {
        self.0.get(&code).copied()
    }

    /// Whether a code is named.
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
            if codes.insert(read_code(code)?, read_meaning(meaning)?).is_some() {
                return Err(UpstreamCodesError::Twice);
            }
        }
        Ok(Self(codes))
    }
}

/// Digits as AI Rudder would write them: no `+`, no zeros in front.
fn read_code(text: &str) -> Result<i64, UpstreamCodesError> {
    let code = text.parse().ok().filter(|code: &i64| code.to_string() == text);
    code.filter(|code| !matches!(code, 200 | 400..=499)).ok_or(UpstreamCodesError::Code)
}

fn read_meaning(text: &str) -> Result<Verdict, UpstreamCodesError> {
    match text {
        "refused" => Ok(Verdict::Refused),
        "token_refused" => Ok(Verdict::TokenRefused),
        "rate_limited" => Ok(Verdict::RateLimited),
        _ => Err(UpstreamCodesError::Meaning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_in_pairs_separated_by_white_space() {
        let codes: UpstreamCodes =
            " 10510=refused\t10814=token_refused\n  10901=rate_limited -1=refused ".parse().unwrap();
        for (code, meaning) in [
            (10510, Some(Verdict::Refused)),
            (10814, Some(Verdict::TokenRefused)),
            (10901, Some(Verdict::RateLimited)),
            (-1, Some(Verdict::Refused)),
            (1, None),
        ] {
            assert_eq!((codes.meaning(code), codes.contains(code)), (meaning, meaning.is_some()), "{code}");
        }
        for empty in ["", " \n"] {
            assert_eq!(empty.parse(), Ok(UpstreamCodes::default()));
        }
    }

    #[test]
    fn only_codes_without_a_meaning_of_their_own_can_be_named() {
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
    fn what_is_no_pair_no_meaning_or_named_twice_is_refused() {
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
            ("10510=refused 1=refused 10510=refused", UpstreamCodesError::Twice),
            ("10510=refused 10510=rate_limited", UpstreamCodesError::Twice),
        ] {
            assert_eq!(text.parse::<UpstreamCodes>(), Err(error), "{text}");
        }
    }
}
