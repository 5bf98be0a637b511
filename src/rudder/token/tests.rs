//! Tokens in URLs, and quoted in texts.

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
fn a_token_that_a_url_would_change_is_rejected() {
    assert_eq!(token(""), Err(TokenError::Empty));
    assert_eq!(token("."), Err(TokenError::PathStep));
    assert_eq!(token(".."), Err(TokenError::PathStep));
    for text in ["a\nb", "a\tb", "a\0", "\u{7f}"] {
        assert_eq!(token(text), Err(TokenError::ControlCharacter), "{text:?}");
    }
}

#[test]
fn a_token_with_white_space_is_rejected() {
    for text in [" ", "a b", " 1JqFE7K6ucf94hAvqu+7Jg", "1JqFE7K6ucf94hAvqu+7Jg ", "a\u{a0}b", "a\u{2003}", "\u{3000}a"]
    {
        assert_eq!(token(text), Err(TokenError::WhiteSpace), "{text:?}");
    }
}

/// A token with every byte percent-encoded, in digits of either case.
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
fn a_short_token_is_found_only_after_a_slash() {
    let found = |text: &str, envelope: &str| token(text).unwrap().is_quoted_in(envelope);
    assert!(found("12345678", "x12345678x"));
    assert!(found("töken-78", "xtöken-78"), "8 characters, and 9 bytes");
    assert!(!found("1234567", "x1234567"));
    assert!(!found("töken-7", "xtöken-7"), "7 characters, and 8 bytes");
    assert!(found("1234567", "x/1234567"));
    assert!(found("1234567", "1234567 x/1234567"), "the second occurrence");
    assert!(!found("1234567", "1234567"), "no slash before it");
}

#[test]
fn a_similar_text_is_not_a_quotation() {
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
fn tokens_are_compared_and_not_printed() {
    assert_eq!(token("a"), token("a"));
    assert_ne!(token("a"), token("b"));
    assert!(!format!("{:?}", token("1JqFE7K6ucf94hAvqu+7Jg")).contains("1Jq"));
}
