//! The credential that AI Rudder issues for an account.

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// An account's token. AI Rudder takes it as the last segment of the path, so it is never printed with a URL.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

/// Why a string is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing in it.
    #[error("lendswift_token is empty")]
    Empty,
    /// `.` or `..`, which a URL takes for a step in its path.
    #[error("lendswift_token is a step in a path")]
    PathStep,
    /// A control character in it, which a URL drops.
    #[error("lendswift_token holds a control character")]
    ControlCharacter,
}

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(token: String) -> Result<Self, TokenError> {
        match token.as_str() {
            "" => Err(TokenError::Empty),
            "." | ".." => Err(TokenError::PathStep),
            _ if token.chars().any(char::is_control) => Err(TokenError::ControlCharacter),
            _ => Ok(Self(token.into())),
        }
    }
}

impl Token {
    /// The address to push to: the base with the token as ONE more segment, `/` and `%` in it escaped, `+` left alone.
    pub(super) fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        // A base is http or https (`Config` sees to it), and those have segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(self.0.expose_secret());
        }
        url
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(other.0.expose_secret().as_bytes()).into()
    }
}

impl Eq for Token {}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(token: &str) -> Result<Token, TokenError> {
        token.to_owned().try_into()
    }

    fn path(text: &str) -> String {
        let base = "https://rudder.example/api/push".parse().unwrap();
        token(text).unwrap().url(&base).path().to_owned()
    }

    #[test]
    fn a_token_is_one_segment_of_the_path() {
        assert_eq!(path("1JqFE7K6ucf94hAvqu+7Jg"), "/api/push/1JqFE7K6ucf94hAvqu+7Jg");
        assert_eq!(path("a/b%2F=c"), "/api/push/a%2Fb%252F=c");
        assert_eq!(path("a?b#c d\\é"), "/api/push/a%3Fb%23c%20d%5C%C3%A9");
        assert_eq!(path("%2e%2e"), "/api/push/%252e%252e");
    }

    #[test]
    fn a_slash_at_the_end_of_the_base_makes_no_difference() {
        let base = "https://rudder.example/api/push/".parse().unwrap();
        assert_eq!(token("a").unwrap().url(&base).path(), "/api/push/a");
    }

    #[test]
    fn what_a_url_would_change_is_no_token() {
        assert_eq!(token(""), Err(TokenError::Empty));
        assert_eq!(token("."), Err(TokenError::PathStep));
        assert_eq!(token(".."), Err(TokenError::PathStep));
        for text in ["a\nb", "a\tb", "a\0", "\u{7f}"] {
            assert_eq!(token(text), Err(TokenError::ControlCharacter), "{text:?}");
        }
    }

    #[test]
    fn tokens_are_equal_when_their_text_is_and_are_not_printed() {
        assert_eq!(token("a"), token("a"));
        assert_ne!(token("a"), token("b"));
        assert!(!format!("{:?}", token("1JqFE7K6ucf94hAvqu+7Jg")).contains("1Jq"));
    }
}
