//! A list of leads, as the operator gives it.

use std::{collections::HashSet, path::Path};

use serde::{Deserialize, Deserializer, de::Error};

use crate::{cli, failure::Failure, input};

/// Enough for a million leads.
const MAX_LIST: u64 = 1 << 30;

/// A lead of a list. Only its claim identifies it; the rest of an exported lead is for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Listed {
    /// The `pk` of its item, if the list has it.
    pub(super) lead: Option<String>,
    #[serde(deserialize_with = "claim")]
    pub(super) claim: String,
    /// The table from which it was exported.
    pub(super) table: Option<String>,
    /// Whether this run found its item in the table.
    #[serde(skip)]
    pub(super) was_found: bool,
}

/// A claim's id is a UUID.
fn claim<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    cli::claim(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The documents that count as a list: that of `unknown list --json`, or only its leads.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Export { leads: Vec<Listed> },
    Leads(Vec<Listed>),
}

/// Reads a list. A lead that is listed twice counts once.
pub(super) fn read(path: &Path) -> Result<Vec<Listed>, Failure> {
    let bytes = input::read(path, MAX_LIST)?;
    let path = input::name(path);
    let fix = "Give the list as `lendswift unknown list --json` prints it, or one claim's id per line.";
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{path} is not UTF-8"), fix))?;
    let leads = parse(&text).map_err(|fault| Failure::usage(format!("{path}: {fault}"), fix))?;
    if let Some(lead) = leads.iter().filter_map(|listed| listed.lead.as_ref()).find(|lead| !lead.contains("#lead#")) {
        let fault = if lead.is_empty() { "an empty lead" } else { "a lead that is not the pk of a lead's item" };
        return Err(Failure::usage(format!("{path} has {fault}"), fix));
    }
    let mut seen = HashSet::new();
    Ok(leads.into_iter().filter(|listed| seen.insert(listed.claim.clone())).collect())
}

fn parse(text: &str) -> Result<Vec<Listed>, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(['{', '[']) {
        let document: Document =
            serde_json::from_str(text).map_err(|_| "not a list of leads, each with lead and claim".to_owned())?;
        let (Document::Export { leads } | Document::Leads(leads)) = document;
        return Ok(leads);
    }
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let leads: Vec<Listed> = lines.map(|(index, text)| line(index, text)).collect::<Result<_, _>>()?;
    if leads.is_empty() { Err("it has no lead".to_owned()) } else { Ok(leads) }
}

/// The lead of a line. The error does not repeat the line: it could be personal data.
fn line(index: usize, text: &str) -> Result<Listed, String> {
    let claim = cli::claim(text).map_err(|_| format!("line {} is not a claim's id", index + 1))?;
    Ok(Listed { lead: None, claim, table: None, was_found: false })
}

/// A list of another table could free a lead here that was never looked at.
pub(super) fn refuse_other_table(leads: &[Listed], table: &str) -> Result<(), Failure> {
    let other = leads.iter().filter_map(|listed| listed.table.as_deref()).find(|other| *other != table);
    other.map_or(Ok(()), |other| {
        Err(Failure::usage(
            format!("the list was exported from the table {other}, and this command uses {table}"),
            "Nothing was changed. Check --stack and --table.",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

    /// The lead of a line.
    fn listed() -> Listed {
        Listed { lead: None, claim: CLAIM.to_owned(), table: None, was_found: false }
    }

    #[test]
    fn an_export_its_leads_and_lines_are_lists() {
        let exported = Listed { lead: Some("acme#lead#1".to_owned()), table: Some("claims".to_owned()), ..listed() };
        let leads =
            format!(r#"[{{"lead": "acme#lead#1", "claim": "{CLAIM}", "state": "unknown", "table": "claims"}}]"#);
        assert_eq!(parse(&leads), Ok(vec![exported.clone()]));
        assert_eq!(parse(&format!(r#"{{"time": "x", "leads": {leads}}}"#)), Ok(vec![exported]));
        assert_eq!(parse(&format!("# from the log\n\n {CLAIM} \n")), Ok(vec![listed()]));
        assert_eq!(parse("[]"), Ok(vec![]));
    }

    #[test]
    fn a_claim_has_the_form_in_which_the_relay_writes_it() {
        let upper = CLAIM.to_uppercase();
        for text in [
            format!("{{{upper}}}").replace(['{', '}'], ""),
            CLAIM.replace('-', ""),
            format!(r#"[{{"claim": "{upper}"}}]"#),
        ] {
            assert_eq!(parse(&text), Ok(vec![listed()]), "{text}");
        }
    }

    #[test]
    fn a_list_without_a_lead_is_none() {
        for text in ["", "\n", "# nothing\n"] {
            assert_eq!(parse(text), Err("it has no lead".to_owned()), "{text:?}");
        }
    }

    #[test]
    fn the_error_of_another_text_does_not_repeat_it() {
        assert_eq!(parse(&format!("{CLAIM}\n16501231234")), Err("line 2 is not a claim's id".to_owned()));
        for text in ["{}", "[1]", r#"{"leads": [{"lead": "16501231234"}]}"#, r#"[{"claim": "16501231234"}]"#, "[}"] {
            assert_eq!(parse(text), Err("not a list of leads, each with lead and claim".to_owned()), "{text}");
        }
    }
}
