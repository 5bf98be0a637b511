//! The credential that AI Rudder issues for an account.

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// An account's token for AI Rudder. It is the last segment of the URL's path, so that URL is never printed.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

/// Why a string is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The string is empty.
    #[error("lendswift_token is empty")]
    Empty,
    /// The string is `.` or `..`, which a URL's path resolves.
    #[error("lendswift_token is . or ..")]
    PathStep,
    /// The string contains a control character, which a URL drops.
    #[error("lendswift_token contains a control character")]
    ControlCharacter,
    /// The string contains white space. No token does, so it was probably copied wrongly.
    #[error("lendswift_token contains white space")]
    WhiteSpace,
}

/// The minimum length, in characters, of a token that is found anywhere in a text. A shorter one may occur by chance, so it is
/// found only after a `/`, as in the URL.
const MIN_DISTINCTIVE_LENGTH: usize = 8;

/// How many nested encodings are decoded. Four cover, for example, a text that is percent-encoded twice, in a JSON string, in a
/// string of another JSON document.
const MAX_LAYERS: usize = 4;

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
    /// The URL to push to: the base with the token as one more segment, in which `/` and `%` are escaped, and `+` is not.
    pub(super) fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        // `Config` ensures that the base is http or https, so its path has segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(self.0.expose_secret());
        }
        url
    }

    /// Whether a text contains it: plain, percent-encoded, with JSON's escapes, or with both. Other encodings, such as base64,
    /// are not decoded.
    pub(crate) fn is_quoted_in(&self, text: &str) -> bool {
        is_quoted(self.0.expose_secret(), text.as_bytes(), MAX_LAYERS)
    }
}

/// Whether a text contains a token, as it is or after up to `layers` decodings. A token may itself look like an escape, so each
/// layer is searched before it is decoded. Each layer is decoded both as JSON and as a URL.
fn is_quoted(token: &str, text: &[u8], layers: usize) -> bool {
    let is_deeper = |decode: fn(&[u8]) -> Option<Vec<u8>>| {
        decode(text).is_some_and(|decoded| is_quoted(token, &decoded, layers.saturating_sub(1)))
    };
    contains(text, token) || layers > 0 && [json_unescaped, percent_decoded].into_iter().any(is_deeper)
}

/// Whether a text contains a token. A space matches a `+`, which a decoder of HTML forms turns into a space.
fn contains(text: &[u8], token: &str) -> bool {
    let anywhere = token.chars().count() >= MIN_DISTINCTIVE_LENGTH;
    let is_after_slash = |at: usize| at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'/');
    let is_same = |(theirs, ours): (&u8, u8)| *theirs == ours || (ours == b'+' && *theirs == b' ');
    text.windows(token.len())
        .enumerate()
        .any(|(at, window)| window.iter().zip(token.bytes()).all(is_same) && (anywhere || is_after_slash(at)))
}

/// The text with JSON's escapes decoded (RFC 8259, section 7); `None` if it contains no `\`.
fn json_unescaped(text: &[u8]) -> Option<Vec<u8>> {
    decoded(text, b'\\', |escape, plain| {
        let (kind, rest) = escape.split_first()?;
        match kind {
            b'u' => return Some(1 + unicode_escape(rest, plain)?),
            // Control characters, which no token contains.
            b'b' | b'f' | b'n' | b'r' | b't' => plain.push(b'\n'),
            itself => plain.push(*itself),
        }
        Some(1)
    })
}

/// Decodes the hex digits after `\u`, in a surrogate pair with those of the next `\u`. Returns how many bytes it read.
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

/// The text with percent-encoding decoded (RFC 3986, section 2.1); `None` if it contains no `%`.
fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    decoded(text, b'%', |escape, plain| {
        let mut byte = [0];
        hex::decode_to_slice(escape.get(..2)?, &mut byte).ok()?;
        plain.extend(byte);
        Some(2)
    })
}

/// Decodes each escape that `mark` introduces; `None` if the text contains no mark. `decode` gets the text after a mark,
/// appends the decoded bytes and returns the length of the escape, or `None` if the mark introduces no escape. Such a mark is
/// kept.
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
mod tests;
