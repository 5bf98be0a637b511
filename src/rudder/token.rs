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
    /// White space in it, which comes of copying and is in no token.
    #[error("lendswift_token holds white space")]
    WhiteSpace,
}

/// A token of fewer characters is in many a text by chance. It counts behind a `/`, as it stands in the URL.
const ENOUGH_TO_TELL: usize = 8;

/// How many escapings may be wrapped in each other: two of a URL's in JSON that is a string in JSON, say.
const LAYERS: usize = 4;

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(token: String) -> Result<Self, TokenError> {
        match token.as_str() {
            "" => Err(TokenError::Empty),
            "." | ".." => Err(TokenError::PathStep),
            _ if token.chars().any(char::is_control) => Err(TokenError::ControlCharacter),
            _ if token.chars().any(char::is_whitespace) => Err(TokenError::WhiteSpace),
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

    /// Whether a text quotes it: as it is, percent-encoded, behind JSON's escapes, or behind both. Other encodings, such as
    /// base64, are not looked for.
    pub(crate) fn is_quoted_in(&self, text: &str) -> bool {
        is_quoted(self.0.expose_secret(), text.as_bytes(), LAYERS)
    }
}

/// Whether a token stands in a text, or in what up to so many decodings make of it. A token may itself look like an
/// escape, so each layer is looked at before it is decoded, and each is decoded either way.
fn is_quoted(token: &str, text: &[u8], layers: usize) -> bool {
    let is_deeper = |decode: fn(&[u8]) -> Option<Vec<u8>>| {
        decode(text).is_some_and(|decoded| is_quoted(token, &decoded, layers.saturating_sub(1)))
    };
    stands_in(text, token) || layers > 0 && [json_unescaped, percent_decoded].into_iter().any(is_deeper)
}

/// A space in the text may stand for a `+`: that is what a form's decoder makes of one.
fn stands_in(text: &[u8], token: &str) -> bool {
    let anywhere = token.chars().count() >= ENOUGH_TO_TELL;
    let is_behind_slash = |at: usize| at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'/');
    let is_same = |(theirs, ours): (&u8, u8)| *theirs == ours || (ours == b'+' && *theirs == b' ');
    text.windows(token.len())
        .enumerate()
        .any(|(at, window)| window.iter().zip(token.bytes()).all(is_same) && (anywhere || is_behind_slash(at)))
}

/// The text without JSON's escapes (RFC 8259, section 7), if it has any.
fn json_unescaped(text: &[u8]) -> Option<Vec<u8>> {
    decoded(text, b'\\', |escape, plain| {
        let (kind, rest) = escape.split_first()?;
        match kind {
            b'u' => return Some(1 + unicode_escape(rest, plain)?),
            // Control characters, which no token holds.
            b'b' | b'f' | b'n' | b'r' | b't' => plain.push(b'\n'),
            itself => plain.push(*itself),
        }
        Some(1)
    })
}

/// The character of the hex digits behind `\u`, in a surrogate pair with those of the `\u` that follows.
fn unicode_escape(digits: &[u8], plain: &mut Vec<u8>) -> Option<usize> {
    let unit = |at: usize| {
        let mut unit = [0; 2];
        hex::decode_to_slice(digits.get(at..at + 4)?, &mut unit).ok()?;
        Some(u16::from_be_bytes(unit))
    };
    let second = digits.get(4..6).filter(|mark| mark == b"\\u").and_then(|_| unit(6));
    let character = char::decode_utf16([unit(0)?].into_iter().chain(second)).next()?.ok()?;
    plain.extend(character.encode_utf8(&mut [0; 4]).bytes());
    Some(if character.len_utf16() == 2 { 10 } else { 4 })
}

/// The text without a URL's escapes (RFC 3986, section 2.1), if it has any.
fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    decoded(text, b'%', |escape, plain| {
        let mut byte = [0];
        hex::decode_to_slice(escape.get(..2)?, &mut byte).ok()?;
        plain.extend(byte);
        Some(2)
    })
}

/// The text with what each `mark` introduces decoded, if there is a mark in it. `decode` gets what follows one, writes
/// what it stands for, and says how long it was; a mark that introduces nothing stays.
fn decoded(text: &[u8], mark: u8, decode: impl Fn(&[u8], &mut Vec<u8>) -> Option<usize>) -> Option<Vec<u8>> {
    if !text.contains(&mark) {
        return None;
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let length = if *first == mark { decode(after, &mut plain) } else { None };
        if length.is_none() {
            plain.push(*first);
        }
        rest = after.get(length.unwrap_or(0)..).unwrap_or_default();
    }
    Some(plain)
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
        assert_eq!(path("a?b#c&d\\é"), "/api/push/a%3Fb%23c&d%5C%C3%A9");
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
    fn white_space_is_in_no_token() {
        for text in
            [" ", "a b", " 1JqFE7K6ucf94hAvqu+7Jg", "1JqFE7K6ucf94hAvqu+7Jg ", "a\u{a0}b", "a\u{2003}", "\u{3000}a"]
        {
            assert_eq!(token(text), Err(TokenError::WhiteSpace), "{text:?}");
        }
    }

    /// A token, percent-encoded to the last character, in digits of either case.
    fn all_percent(token: &str, upper: bool) -> String {
        let hex = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        token.bytes().map(hex).collect()
    }

    /// The URL with its escapes in lower case.
    fn in_lower_case(url: &str) -> String {
        let (before, escapes) = url.split_once('%').unwrap_or((url, ""));
        let escapes = escapes.split('%').map(|part| {
            let (digits, rest) = part.split_at(part.len().min(2));
            format!("%{}{rest}", digits.to_lowercase())
        });
        if url.contains('%') { format!("{before}{}", escapes.collect::<String>()) } else { url.to_owned() }
    }

    /// A text as JSON with every character escaped.
    fn all_escaped(text: &str, upper: bool) -> String {
        let hex = |unit: u16| if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
        text.encode_utf16().map(hex).collect()
    }

    /// The forms in which AI Rudder may quote a token.
    fn quotes(text: &str) -> Vec<String> {
        let base = "https://rudder.example/push".parse().unwrap();
        let json = |text: &str| {
            let quoted = serde_json::to_string(text).unwrap();
            quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap().to_owned()
        };
        let in_url = token(text).unwrap().url(&base).path().to_owned();
        let plain = [
            format!("/{text}"),
            in_url.clone(),
            in_lower_case(&in_url),
            format!("/{}", text.replace('+', "%2B").replace('=', "%3D")),
            format!("/{}", text.replace('+', "%2b").replace('=', "%3d")),
            format!("/{}", text.replace('+', " ")),
            format!("/{}", all_percent(text, true)),
            format!("/{}", all_percent(text, false)),
            format!("%2F{}", all_percent(text, false)),
            // Encoded once more, as by a proxy.
            format!("/{}", all_percent(text, true).replace('%', "%25")),
        ];
        let mut quotes = Vec::new();
        for plain in plain {
            let escaped = json(&plain);
            quotes.extend([
                escaped.clone(),
                escaped.replace('/', "\\/"),
                escaped.replace('/', "\\u002f"),
                escaped.replace('%', "\\u0025"),
                all_escaped(&plain, true),
                all_escaped(&plain, false),
                // JSON that is a string in JSON.
                json(&escaped),
                json(&escaped.replace('/', "\\/")),
                json(&all_escaped(&plain, false)),
            ]);
        }
        quotes
    }

    #[test]
    fn a_quoted_token_is_found_in_every_form() {
        for text in [
            "1JqFE7K6ucf94hAvqu+7Jg",
            "1JqFE7K6ucf94hAvqu+7Jg==",
            "4a1986b786e944dcb7ce97f455d39743",
            "with/slashes/and%2Fsigns",
            "back\\slash\\nnnn\\u0041",
            "quote\"quote\"",
            "tökén-🙂-tökén",
            "100%",
            "short",
            "a",
            "...",
        ] {
            for quote in quotes(text) {
                for envelope in [
                    format!(r#"{{"code":400,"message":"no such path: /api{quote}"}}"#),
                    format!(r#"{{"{quote}":1,"code":400}}"#),
                    format!(r#"{{"code":400,"body":{{"deep":["https:\/\/rudder{quote}?a=%zz\u12"]}}}}"#),
                ] {
                    assert!(token(text).unwrap().is_quoted_in(&envelope), "{text} in {envelope}");
                }
            }
        }
    }

    #[test]
    fn a_long_token_is_found_anywhere_and_a_short_one_behind_a_slash() {
        let found = |text: &str, envelope: &str| token(text).unwrap().is_quoted_in(envelope);
        assert!(found("12345678", "x12345678x"));
        assert!(found("töken-78", "xtöken-78"), "8 characters, and 9 bytes");
        assert!(!found("1234567", "x1234567"));
        assert!(!found("töken-7", "xtöken-7"), "7 characters, and 8 bytes");
        assert!(found("1234567", "x/1234567"));
        assert!(found("1234567", "1234567 x/1234567"), "the second of two");
        assert!(!found("1234567", "1234567"), "nothing is before it");
    }

    #[test]
    fn what_is_not_the_token_is_no_quote() {
        for envelope in [
            "",
            r#"{"code":200,"message":"success"}"#,
            r#"{"message":"1JqFE7K6ucf94hAvqu+7J"}"#,
            r#"{"message":"1jqfe7k6ucf94havqu+7jg"}"#,
            r#"{"message":"1JqFE7K6ucf94hAvqu-7Jg %2 \u00 \ud83d % \"}"#,
            "%",
            "\\",
            "\\u",
            "%2",
        ] {
            assert!(!token("1JqFE7K6ucf94hAvqu+7Jg").unwrap().is_quoted_in(envelope), "{envelope}");
        }
    }

    #[test]
    fn an_envelope_without_escapes_is_not_copied() {
        let envelope = br#"{"code":200,"message":"success"}"#;
        assert_eq!((json_unescaped(envelope), percent_decoded(envelope)), (None, None));
    }

    #[test]
    fn tokens_are_equal_when_their_text_is_and_are_not_printed() {
        assert_eq!(token("a"), token("a"));
        assert_ne!(token("a"), token("b"));
        assert!(!format!("{:?}", token("1JqFE7K6ucf94hAvqu+7Jg")).contains("1Jq"));
    }
}
