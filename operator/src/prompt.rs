//! What the command asks the operator, always on stderr.

use std::io::{self, IsTerminal, Read};

use dialoguer::{Confirm, Password};
use secrecy::{ExposeSecret, SecretString};

use crate::{cli::Ask, failure::Failure};

/// In bytes. More than any token; AWS limits a secret to 64 KiB.
const MAX_TOKEN: u64 = 4096;

/// A token, from a hidden prompt, or from stdin if that is no terminal. White space around it is dropped.
pub(crate) fn token(account: &str) -> Result<SecretString, Failure> {
    let text: SecretString = if io::stdin().is_terminal() {
        let prompt = Password::new().with_prompt(format!("AI Rudder's token for {account} (not shown)"));
        prompt.interact().map_err(|cause| unreadable(&cause))?.into()
    } else {
        let mut text = String::new();
        io::stdin().take(MAX_TOKEN + 1).read_to_string(&mut text).map_err(|cause| unreadable(&cause))?;
        text.into()
    };
    if u64::try_from(text.expose_secret().len()).is_ok_and(|length| length > MAX_TOKEN) {
        return Err(Failure::usage(
            format!("the input has more than {MAX_TOKEN} bytes, so it is not a token"),
            "Nothing was changed. Enter the token alone.",
        ));
    }
    Ok(text.expose_secret().trim().into())
}

/// Asks a question that only yes answers. `Err` if the answer is another, or if nobody can be asked.
pub(crate) fn confirm(question: &str, ask: Ask) -> Result<(), Failure> {
    if ask.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(
            "this needs a confirmation, and there is no terminal to ask on",
            format!("{question}. Add --yes once you are sure."),
        ));
    }
    let answer = Confirm::new().with_prompt(question).default(false).interact();
    if answer.map_err(|cause| unreadable(&cause))? {
        return Ok(());
    }
    Err(Failure::usage("not confirmed: nothing was changed", "Run the command again and answer y."))
}

fn unreadable(cause: &impl ToString) -> Failure {
    Failure::usage(format!("the input cannot be read: {}", cause.to_string()), "Run the command in a terminal.")
}
