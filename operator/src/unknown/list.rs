//! A list of leads, as the operator gives it.

use std::{collections::HashSet, path::Path};

use serde::Deserialize;

use crate::{failure::Failure, input};

/// Enough for a million leads.
const MAX_LIST: u64 = 1 << 30;

/// A lead of a list. Only its claim identifies it; the rest of an exported lead is for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Listed {
    /// The `pk` of its item, if the list has it.
    pub(super) lead: Option<String>,
    pub(super) claim: String,
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
    lines.map(|(index, line)| claim(line).ok_or_else(|| format!("line {} is not a claim's id", index + 1))).collect()
}

/// A claim's id is a UUID. The message about any other line does not repeat it: it could be personal data.
fn claim(line: &str) -> Option<Listed> {
    let is_id = uuid::Uuid::try_parse(line).is_ok();
    is_id.then(|| Listed { lead: None, claim: line.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIM: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

    #[test]
    fn an_export_its_leads_and_lines_are_lists() {
        let exported = Listed { lead: Some("acme#lead#1".to_owned()), claim: CLAIM.to_owned() };
        let leads = format!(r#"[{{"lead": "acme#lead#1", "claim": "{CLAIM}", "state": "unknown"}}]"#);
        assert_eq!(parse(&leads), Ok(vec![exported.clone()]));
        assert_eq!(parse(&format!(r#"{{"time": "x", "leads": {leads}}}"#)), Ok(vec![exported]));
        let line = Listed { lead: None, claim: CLAIM.to_owned() };
        assert_eq!(parse(&format!("# from the log\n\n {CLAIM} \n")), Ok(vec![line]));
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn the_error_of_another_text_does_not_repeat_it() {
        assert_eq!(parse(&format!("{CLAIM}\n16501231234")), Err("line 2 is not a claim's id".to_owned()));
        for text in ["{}", "[1]", r#"{"leads": [{"lead": "16501231234"}]}"#, "[}"] {
            assert_eq!(parse(text), Err("not a list of leads, each with lead and claim".to_owned()), "{text}");
        }
    }
}
