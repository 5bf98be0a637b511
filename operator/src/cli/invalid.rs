//! What is printed for an invalid command line.

use std::{
    error::Error as _,
    ffi::OsString,
    io::{self, Write},
    process,
};

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use serde_json::json;

/// What helps against an argument of an account's command that is not valid.
const TOKEN_FIX: &str = "The value is not shown, because it could be a token. The shell's history has it: if it was \
                         one, ask AI Rudder for another.";

/// Prints the error of this command line, and ends the process. With `--json`, stdout gets a document too.
pub(super) fn exit(error: &Error, arguments: &[OsString]) -> ! {
    let has = |text| arguments.iter().any(|argument| argument == text);
    let secret_free = if has("account") { without_values(error) } else { None };
    match &secret_free {
        Some(text) => drop(writeln!(io::stderr(), "{text}")),
        None => drop(error.print()),
    }
    if has("--json") && error.use_stderr() {
        let text = secret_free.unwrap_or_else(|| error.render().to_string());
        let (message, fix) = text.trim().split_once("\n\n").unwrap_or((&text, ""));
        let document = json!({ "error": message.trim_start_matches("error: "), "fix": fix, "fields": null });
        drop(writeln!(io::stdout(), "{document:#}"));
    }
    process::exit(error.exit_code());
}

/// The text of an error that would repeat an argument, without it; `None` for another error.
fn without_values(error: &Error) -> Option<String> {
    let definition = || match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => name.clone(),
        _ => "an argument".to_owned(),
    };
    let message = match error.kind() {
        ErrorKind::InvalidValue
        | ErrorKind::ValueValidation
        | ErrorKind::TooManyValues
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues
        | ErrorKind::NoEquals => {
            let accepted = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            format!("invalid value for '{}'{accepted}", definition())
        }
        ErrorKind::UnknownArgument => "an argument that this command does not have".to_owned(),
        ErrorKind::InvalidSubcommand => "there is no such command for accounts".to_owned(),
        _ => return None,
    };
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => format!("\n\n{usage}"),
        _ => String::new(),
    };
    // Nobody takes these for the token's.
    let is_policy = ["--calling-hours", "--once-per-phone-hours"].iter().any(|option| definition().starts_with(option));
    let fix = if is_policy { "Nothing was changed. Correct the value." } else { TOKEN_FIX };
    Some(format!("error: {message}\n\n{fix}{usage}\n\nFor more information, try '--help'."))
}
