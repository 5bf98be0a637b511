//! Which API key is removed.

use lendswift_relay::account::AccountId;

use super::document::{Document, short};
use crate::{cli::KeySelector, failure::Failure};

/// How the entries are named that are no digests. They may be API keys, so they are not shown.
pub(super) const MALFORMED: &str = "malformed";

/// The name of the API key that is removed, and the digests that stay. `Err` if the account would have none, or if it
/// would still have entries that are no digests.
pub(super) fn choose(
    name: &AccountId,
    document: &Document,
    selector: &KeySelector,
) -> Result<(String, Vec<String>), Failure> {
    let see = format!("See `lendswift account show {name}`.");
    let malformed = document.malformed();
    let prefix = match selector {
        KeySelector::Malformed if malformed == 0 => {
            return Err(Failure::refused(format!("all API keys of {name} have well-formed digests"), see));
        }
        KeySelector::Malformed => return Ok((MALFORMED.to_owned(), document.digests())),
        KeySelector::Digest(_) if malformed > 0 => return Err(super::change::has_malformed(name, malformed)),
        KeySelector::Digest(prefix) => prefix,
    };
    // All digits could be those of an API key or of a `hash_key`, which no message shows.
    let shown = short(prefix);
    let (revoked, kept): (Vec<_>, Vec<_>) =
        document.digests().into_iter().partition(|digest| digest.starts_with(prefix));
    let digest = match revoked.as_slice() {
        [] => {
            return Err(Failure::refused(format!("no API key of {name} has a digest that begins with {shown}"), see));
        }
        [digest, others @ ..] if others.iter().all(|other| other == digest) => short(digest),
        _ => {
            let message = format!("{} API keys of {name} have digests that begin with {shown}", revoked.len());
            return Err(Failure::refused(message, format!("Give more digits. {see}")));
        }
    };
    if kept.is_empty() {
        return Err(Failure::refused(
            format!("{digest} is the last API key of {name}"),
            format!(
                "Add another one first with `lendswift account rotate-key {name}`, or close the account with \
                 `lendswift account close {name}`."
            ),
        ));
    }
    Ok((digest, kept))
}
