//! README's tables against the code.

use std::{cell::RefCell, collections::BTreeSet, ffi::OsString, fs, path::Path};

use lendswift_relay::{
    answer::{Answer, Problem},
    config::Config,
    lead::{Malformed, Reading},
    rudder::{Envelope, Push, Verdict, payload},
};

use crate::request::LEAD;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The rows of the table whose head begins with these cells.
pub fn table(head: &[&str]) -> Vec<Vec<String>> {
    let readme = readme();
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = readme.lines().skip_while(|line| !line.starts_with('|') || !starts_with(&cells(line), head));
    assert!(lines.next().is_some(), "README has no table {head:?}");
    lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect()
}

fn starts_with(cells: &[String], head: &[&str]) -> bool {
    cells.len() >= head.len() && cells.iter().zip(head).all(|(cell, head)| cell == head)
}

/// What stands in back-quotes.
pub fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// One of each problem. The `match` makes a new one be added here.
fn problems() -> Vec<Problem> {
    let text = String::new;
    let all = vec![
        Problem::NotFound,
        Problem::MethodNotAllowed,
        Problem::BodyTooLarge,
        Problem::UnsupportedMediaType,
        Problem::InvalidIdempotencyKey,
        Problem::Unauthorized(text()),
        Problem::SecretUnreadable(text()),
        Problem::Malformed(Malformed::NotAnObject),
        Problem::InvalidLead(Vec::new()),
        Problem::IdempotencyKeyReused,
        Problem::InProgress,
        Problem::RefusedUpstream,
        Problem::RateLimited(None),
        Problem::TokenRefused(text()),
        Problem::AccountMisconfigured(text()),
        Problem::UpstreamUnreachable(text()),
        Problem::TemporarilyUnavailable(text()),
        Problem::BadUpstreamAnswer(text()),
        Problem::UpstreamTimeout,
        Problem::UpstreamBroke(text()),
        Problem::Interrupted(text()),
        Problem::Internal { may_have_sent: false, cause: "" },
        Problem::Internal { may_have_sent: true, cause: "" },
    ];
    for problem in &all {
        match problem {
            Problem::NotFound
            | Problem::MethodNotAllowed
            | Problem::BodyTooLarge
            | Problem::UnsupportedMediaType
            | Problem::InvalidIdempotencyKey
            | Problem::Unauthorized(_)
            | Problem::SecretUnreadable(_)
            | Problem::Malformed(_)
            | Problem::InvalidLead(_)
            | Problem::IdempotencyKeyReused
            | Problem::InProgress
            | Problem::RefusedUpstream
            | Problem::RateLimited(_)
            | Problem::TokenRefused(_)
            | Problem::AccountMisconfigured(_)
            | Problem::UpstreamUnreachable(_)
            | Problem::TemporarilyUnavailable(_)
            | Problem::BadUpstreamAnswer(_)
            | Problem::UpstreamTimeout
            | Problem::UpstreamBroke(_)
            | Problem::Interrupted(_)
            | Problem::Internal { .. } => {}
        }
    }
    all
}

#[test]
fn the_table_of_answers_is_what_the_code_answers() {
    let documented: BTreeSet<(String, String, String)> = table(&["what happened", "status", "`lead-outcome`"])
        .into_iter()
        .map(|row| {
            let error = quoted(&row[3]).pop().unwrap_or_default();
            (row[1].clone(), quoted(&row[2]).remove(0), error)
        })
        .collect();
    let envelope = Envelope::read(br#"{"code":200}"#.to_vec());
    let accepted = Push { verdict: Verdict::Accepted, status: 200, envelope, retry_after: None };
    let answers = problems().into_iter().map(Answer::from).chain([Answer::from(accepted)]);
    let answered: BTreeSet<(String, String, String)> = answers
        .map(|answer| {
            let error = answer.error.unwrap_or_default();
            (answer.status.as_u16().to_string(), answer.outcome.as_str().to_owned(), error.to_owned())
        })
        .collect();
    assert_eq!(documented, answered);
}

#[test]
fn every_outcome_is_explained_to_the_sender() {
    let explained: BTreeSet<String> =
        table(&["`lead-outcome`", "it means"]).into_iter().filter_map(|row| quoted(&row[0]).pop()).collect();
    let used: BTreeSet<String> =
        table(&["what happened", "status"]).into_iter().map(|row| quoted(&row[2]).remove(0)).collect();
    assert_eq!(explained, used);
}

/// A configuration, printed, or what is wrong with it.
pub fn config(variables: &[(&str, &str)]) -> Result<String, String> {
    let config = Config::read(|name| {
        let mut all = variables.iter().rev();
        all.find(|(variable, _)| *variable == name).map(|(_, value)| OsString::from(value))
    });
    config.map(|config| format!("{config:?}")).map_err(|error| error.to_string())
}

/// The relay's own variables in README, with their defaults and meanings.
pub fn documented_variables() -> Vec<(String, String, String)> {
    let rows = table(&["variable", "default", "meaning"]).into_iter();
    let rows = rows.map(|row| (quoted(&row[0]), row[1].trim_matches('`').to_owned(), row[2].clone()));
    rows.filter(|(names, ..)| names.len() == 1)
        .map(|(mut names, default, meaning)| (names.remove(0), default, meaning))
        .collect()
}

#[test]
fn the_table_of_variables_names_all_that_are_read_and_no_other() {
    let read = RefCell::new(BTreeSet::new());
    let _ = Config::read(|name| {
        read.borrow_mut().insert(name.to_owned());
        (name == "CLAIMS_TABLE").then(|| "off".into())
    });
    // Set by the tool itself, so it is explained where it matters and has no row.
    let mut documented: BTreeSet<String> = documented_variables().into_iter().map(|(name, ..)| name).collect();
    assert!(documented.insert("AWS_SAM_LOCAL".to_owned()));
    assert_eq!(read.into_inner(), documented);
}

#[test]
fn the_defaults_in_the_table_are_those_of_the_code() {
    let by_default = config(&[("CLAIMS_TABLE", "off")]);
    for (name, default, _) in documented_variables() {
        match default.as_str() {
            "required" => assert!(config(&[]).unwrap_err().starts_with(&name)),
            "none" => assert_eq!(config(&[("CLAIMS_TABLE", "off"), (&name, "")]), by_default, "{name}"),
            "AI Rudder's" => assert!(by_default.as_ref().unwrap().contains("flex-route-ia.airudder.com")),
            default => assert_eq!(config(&[("CLAIMS_TABLE", "off"), (&name, default)]), by_default, "{name}"),
        }
    }
}

#[test]
fn the_bounds_in_the_table_are_those_of_the_code() {
    let mut checked = 0;
    for (name, _, meaning) in documented_variables() {
        // "… 1 to 86,400: …", "… at least 3600."
        let words: Vec<String> = meaning.split_whitespace().map(|word| word.replace(',', "")).collect();
        let number = |word: &String| word.trim_end_matches(['.', ':']).parse::<u64>().ok();
        let accepts = |value: u64| config(&[("CLAIMS_TABLE", "off"), (&name, &value.to_string())]).is_ok();
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| number(&words[before]));
            let after = words.get(at + 1).and_then(number);
            match (before, word.as_str(), after) {
                (Some(least), "to", Some(most)) => {
                    assert!(accepts(least) && accepts(most) && !accepts(least - 1) && !accepts(most + 1), "{name}");
                    checked += 1;
                }
                (_, "to", Some(most)) => {
                    assert!(accepts(most) && !accepts(most + 1), "{name}");
                    checked += 1;
                }
                (_, "least", Some(least)) => {
                    assert!(accepts(least) && !accepts(least - 1), "{name}");
                    checked += 1;
                }
                _ => {}
            }
        }
    }
    assert_eq!(checked, 5, "five variables have bounds");
}

/// What AI Rudder would get for a lead with these members beside the required ones, and how many were ignored.
fn sent(members: &str) -> (Option<String>, usize) {
    let body = LEAD.replace(r#""details":{}"#, &format!(r#""details":{{{members}}}"#));
    let reading = Reading::of(body.as_bytes()).unwrap();
    (reading.lead.ok().map(|lead| String::from_utf8(payload(&lead)).unwrap()), reading.ignored.count())
}

#[test]
fn the_names_of_the_text_fields_are_those_of_the_code() {
    let readme = readme();
    let paragraph = readme.split("The text fields of `details`:").nth(1).unwrap().split("\n\n").next().unwrap();
    // "a, b (or c, d), e": what stands outside of brackets is AI Rudder's name.
    let mut theirs = "";
    let mut names = 0;
    for part in paragraph.split('`').collect::<Vec<_>>().windows(2).step_by(2) {
        let [_, name] = part else { panic!() };
        if !in_brackets(paragraph, name) {
            theirs = name;
        }
        let expected = LEAD.replace(r#""details":{}"#, &format!(r#""details":{{"{theirs}":"x"}}"#));
        assert_eq!(sent(&format!(r#""{name}":"x""#)), (Some(expected), 0), "{name} becomes {theirs}");
        names += 1;
    }
    assert_eq!(names, 19);
}

/// Whether a name stands in brackets, as an alias.
fn in_brackets(paragraph: &str, name: &str) -> bool {
    let before = paragraph.split(&format!("`{name}`")).next().unwrap();
    before.matches('(').count() > before.matches(')').count()
}

#[test]
fn the_table_of_fields_has_every_field_and_its_bounds() {
    let rows = table(&["field", "accepted", "becomes", "refused"]);
    let fields: Vec<String> = rows.iter().map(|row| row[0].replace('`', "")).collect();
    assert_eq!(
        fields,
        [
            "caller_id",
            "loan_amount",
            "customer_name (or first_name)",
            "text fields of details",
            "had_late_payment",
            "details"
        ]
    );
    let name_of = |length: usize| LEAD.replace("Ann", &"a".repeat(length));
    let text_of = |length: usize| LEAD.replace("{}", &format!(r#"{{"status":"{}"}}"#, "a".repeat(length)));
    let amount_of = |dollars: u32| LEAD.replace("4000", &dollars.to_string());
    let passes = |body: String| Reading::of(body.as_bytes()).unwrap().lead.is_ok();
    assert!(rows[1][2].contains("1 to 10,000,000"));
    assert!(passes(amount_of(1)) && passes(amount_of(10_000_000)));
    assert!(!passes(amount_of(0)) && !passes(amount_of(10_000_001)));
    assert!(rows[2][3].contains("over 100 characters"));
    assert!(passes(name_of(100)) && !passes(name_of(101)));
    assert!(rows[3][3].contains("over 200 characters"));
    assert!(passes(text_of(200)) && !passes(text_of(201)));
}

#[test]
fn the_examples_in_the_table_of_fields_are_accepted_and_refused_as_it_says() {
    let rows = table(&["field", "accepted", "becomes", "refused"]);
    let passes = |field: &str, value: &str| {
        let body = match field {
            "loan_amount" => LEAD.replace("4000", value),
            _ => LEAD.replace("{}", &format!(r#"{{"{field}":{value}}}"#)),
        };
        Reading::of(body.as_bytes()).unwrap().lead.is_ok()
    };
    for refused in quoted(&rows[1][3]) {
        assert!(!passes("loan_amount", &format!("\"{refused}\"")), "{refused}");
    }
    assert_eq!(quoted(&rows[1][3]).len(), 4);
    let words: Vec<String> =
        quoted(&rows[4][1])[..2].iter().flat_map(|group| group.split(' ')).map(str::to_owned).collect();
    assert_eq!(words.len(), 10);
    for word in words {
        assert!(passes("had_late_payment", &format!("\"{}\"", word.to_uppercase())), "{word}");
    }
    for flag in ["true", "false", "1", "0", "null", r#""""#] {
        assert!(passes("had_late_payment", flag), "{flag}");
    }
}
