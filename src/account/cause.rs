//! The log text for an AWS error response.

/// The maximum number of characters of AWS's message that are logged: enough for an access denial, which names two ARNs.
const MAX_MESSAGE: usize = 300;

/// The strings at which a message about a signature begins to quote the request, whose headers contain the session token.
const QUOTES_THE_REQUEST: [&str; 5] = ["\r", "\n", "Canonical String", "Authorization", "Credential="];

/// The code and the message of an AWS error response, in one line. The account's name is replaced: the caller chose it, and it
/// may contain personal data.
pub(super) fn cause(code: Option<&str>, message: Option<&str>, prefix: &str, account: &str) -> String {
    let code = code.unwrap_or("no error code");
    let message = message.unwrap_or_default();
    let end = QUOTES_THE_REQUEST.iter().filter_map(|quote| message.find(quote)).min().unwrap_or(message.len());
    let message = message.split_at(end).0.replace(&format!("{prefix}/{account}"), &format!("{prefix}/{{account}}"));
    let message = without_word(&message, account);
    let message: String = message.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
    match message.trim() {
        "" => code.to_owned(),
        message => format!("{code}: {message}"),
    }
}

/// Replaces each occurrence of a whole word with `{account}`. A short name may also be part of other words, which are kept.
fn without_word(text: &str, word: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric();
    let mut result = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices(word) {
        let (before, after) = (text.split_at(at).0, text.split_at(at + word.len()).1);
        if !before.ends_with(is_part) && !after.starts_with(is_part) {
            result.push_str(before.split_at(done).1);
            result.push_str("{account}");
            done = at + word.len();
        }
    }
    result + text.split_at(done).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(message: &str) -> String {
        cause(Some("AccessDeniedException"), Some(message), "lendswift", "acme")
    }

    #[test]
    fn the_cause_is_the_code_and_message_of_aws() {
        let denied = "User: arn:aws:sts::123456789012:assumed-role/relay/relay is not authorized to perform: \
                      secretsmanager:GetSecretValue on resource: ";
        assert_eq!(
            logged(&format!("{denied}lendswift/acme because no identity-based policy allows it")),
            format!("AccessDeniedException: {denied}lendswift/{{account}} because no identity-based policy allows it")
        );
        assert_eq!(cause(Some("KMSFault"), None, "lendswift", "acme"), "KMSFault");
        assert_eq!(cause(None, Some(" \u{7} "), "lendswift", "acme"), "no error code");
    }

    #[test]
    fn the_account_name_is_replaced_and_other_words_are_kept() {
        for (message, expected) in [
            ("secret:lendswift/acme-a1b2c3", "secret:lendswift/{account}-a1b2c3"),
            ("xlendswift/acme9", "xlendswift/{account}9"),
            ("acme", "{account}"),
            ("no 'acme', no acme/acme.", "no '{account}', no {account}/{account}."),
            ("acmeacme acmes pacme", "acmeacme acmes pacme"),
        ] {
            assert_eq!(logged(message), format!("AccessDeniedException: {expected}"));
        }
    }

    #[test]
    fn a_message_is_one_short_line_without_control_characters() {
        assert_eq!(logged("a\u{7}b\u{85}c\u{1b}[31m"), "AccessDeniedException: abc[31m");
        assert_eq!(logged("one\ntwo"), "AccessDeniedException: one");
        assert_eq!(logged(&"ä".repeat(400)), format!("AccessDeniedException: {}", "ä".repeat(300)));
    }

    #[test]
    fn quoted_parts_of_the_request_are_dropped() {
        for message in [
            "The signature does not match. The Canonical String for this request should have been 'POST x-amz-security-token:t'",
            "The signature does not match.\nx-amz-security-token:t",
            "The signature does not match.\rx-amz-security-token:t",
            "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential=t",
            "'x' is not a valid key=value pair in Authorization header: 'AWS4-HMAC-SHA256 Credential=t'",
            "Credential=t",
        ] {
            let cause = logged(message);
            assert!(!cause.contains("=t") && !cause.contains(":t") && !cause.contains("AWS4"), "{cause}");
        }
    }
}
