//! README's tables against the code.

use std::{cell::RefCell, collections::BTreeSet, ffi::OsString, fs, path::Path};

use lendswift_relay::{
    answer::{Answer, Problem},
    config::Config,
    lead::{Malformed, Reading},
    rudder::{Push, UpstreamBody, Verdict, payload},
};
use support::{LEAD, TEXT_FIELDS};

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

/// One of each problem.
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
    all.iter().for_each(is_listed);
    all
}

/// A new problem does not compile before it is written down here, and in the list above.
fn is_listed(problem: &Problem) {
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

#[test]
fn the_table_of_answers_is_what_the_code_answers() {
    let documented: BTreeSet<(String, String, String)> = table(&["what happened", "status", "`lead-outcome`"])
        .into_iter()
        .map(|row| {
            let error = quoted(&row[3]).pop().unwrap_or_default();
            (row[1].clone(), quoted(&row[2]).remove(0), error)
        })
        .collect();
    let body = UpstreamBody::read(br#"{"code":200}"#.to_vec());
    let accepted = Push { verdict: Verdict::Accepted, status: 200, body, retry_after: None };
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
        let mut all = [("AWS_REGION", "us-east-1")].iter().chain(variables).rev();
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
        matches!(name, "CLAIMS_TABLE" | "AWS_REGION").then(|| "off".into())
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
            "required" => {
                assert!(config(&[("CLAIMS_TABLE", "off"), (&name, "")]).unwrap_err().starts_with(&name), "{name}");
            }
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

/// The values of a variable as its row names them.
fn documented_values(variable: &str) -> Vec<String> {
    let (.., meaning) = documented_variables().into_iter().find(|(name, ..)| name == variable).unwrap();
    quoted(&meaning)
}

#[test]
fn the_levels_and_formats_of_the_log_in_the_table_are_those_of_the_code() {
    for (variable, all) in [
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE, DEBUG, INFO, WARN, ERROR or FATAL"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON or Text"),
    ] {
        let of = |value: &str| config(&[("CLAIMS_TABLE", "off"), (variable, value)]);
        let mut values = documented_values(variable);
        for value in &values {
            assert!(of(value).is_ok() && of(&value.to_lowercase()).is_ok(), "{variable} {value}");
        }
        // What is wrong is told all that is right.
        assert_eq!(of("loud"), Err(format!("{variable}: must be {all}")));
        let mut told: Vec<String> = all.replace(" or ", ", ").split(", ").map(str::to_owned).collect();
        values.sort();
        told.sort();
        assert_eq!(values, told);
    }
    let distinct = |variable: &str| {
        let values = documented_values(variable);
        values.iter().map(|value| config(&[("CLAIMS_TABLE", "off"), (variable, value)])).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(distinct("AWS_LAMBDA_LOG_LEVEL"), 5, "FATAL logs what ERROR does, the others differ");
    assert_eq!(distinct("AWS_LAMBDA_LOG_FORMAT"), 2);
}

#[test]
fn the_rust_that_readme_asks_for_is_the_one_of_the_manifest() {
    assert!(readme().contains(&format!("nothing but Rust ({})", env!("CARGO_PKG_RUST_VERSION"))));
}

/// What AI Rudder would get for a lead with these members beside the required ones, and how many were ignored.
fn sent(members: &str) -> (Option<String>, usize) {
    let body = LEAD.replace(r#""details":{}"#, &format!(r#""details":{{{members}}}"#));
    let reading = Reading::of(body.as_bytes()).unwrap();
    (reading.lead.ok().map(|lead| String::from_utf8(payload(&lead)).unwrap()), reading.ignored.count())
}

/// The code of the one fault that a lead has with this member in place of its own, or what AI Rudder would get.
fn read(member: &str, value: &str) -> Result<String, String> {
    let mut lead: serde_json::Map<String, serde_json::Value> = serde_json::from_str(LEAD).unwrap();
    lead.remove(member);
    let rest = serde_json::to_string(&lead).unwrap();
    let body = format!("{{\"{member}\":{value},{}", rest.trim_start_matches('{'));
    match Reading::of(body.as_bytes()).unwrap().lead {
        Ok(lead) => Ok(String::from_utf8(payload(&lead)).unwrap()),
        Err(faults) => {
            assert_eq!(faults.len(), 1, "{value}: {faults:?}");
            Err(faults[0].kind.code().to_owned())
        }
    }
}

/// Checks a cell of kinds against one value or more of each, with its fault: every kind of the cell, and no other.
fn refuses(member: &str, cell: &str, kinds: &[(&str, &[&str], &str)]) {
    let mut rest = cell.to_owned();
    for (kind, values, code) in kinds {
        assert!(rest.contains(kind), "{member}: the cell does not say {kind:?} (any more): {cell}");
        rest = rest.replacen(kind, "", 1);
        for value in *values {
            assert_eq!(read(member, value), Err((*code).to_owned()), "{member} {value}, {kind}");
        }
    }
    let rest: Vec<&str> = rest.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    assert_eq!(rest, Vec::<&str>::new(), "{member}: kinds without a value here: {cell}");
}

#[test]
fn a_caller_id_is_accepted_in_the_forms_of_its_row_and_no_other() {
    let row = table(&["field", "accepted", "becomes", "refused"]).remove(0);
    let sent = |value: &str| read("caller_id", value);
    let normal = LEAD.to_owned();
    assert_eq!(
        row[1],
        "integer or string; 10 digits, or 11 beginning with 1; `+`, spaces, `( ) - .` and `tel:` in strings"
    );
    for digits in ["6501231234", "16501231234"] {
        assert_eq!(sent(digits), Ok(normal.clone()));
        assert_eq!(sent(&format!("\"{digits}\"")), Ok(normal.clone()));
    }
    let marks = quoted(&row[1]);
    let [plus, between, scheme] = marks.as_slice() else { panic!("{marks:?}") };
    assert_eq!(sent(&format!("\"{plus}16501231234\"")), Ok(normal.clone()));
    assert_eq!(sent(&format!("\"{scheme}6501231234\"")), Ok(normal.clone()));
    for mark in (' '..='~').filter(|mark| !mark.is_ascii_alphanumeric()) {
        let value = serde_json::json!(format!("650{mark}1231234")).to_string();
        assert_eq!(sent(&value).is_ok(), mark == ' ' || between.contains(mark), "{value}");
    }
    assert_eq!(row[2].replace("XXXXXXXXXX", "6501231234"), "integer `16501231234`");
}

#[test]
fn a_caller_id_is_refused_for_the_reasons_of_its_row() {
    let row = table(&["field", "accepted", "becomes", "refused"]).remove(0);
    refuses(
        "caller_id",
        &row[3],
        &[
            ("anything else", &["650123123", "165012312345", r#""650/123/1234""#], "not_a_phone_number"),
            ("letters", &[r#""650-CALL-NOW""#], "not_a_phone_number"),
            ("extensions", &[r#""650 123 1234 x12""#, r#""6501231234;ext=1""#], "not_a_phone_number"),
            (
                "other countries (`+` asks for the country code)",
                &[r#""+44 20 7946 0958""#, r#""+6501231234""#],
                "not_a_phone_number",
            ),
            (
                "area codes beginning with 0 or 1",
                &[r#""0501231234""#, "1501231234", "11501231234"],
                "not_a_phone_number",
            ),
            ("area codes of Canada and the Caribbean", &["4161231234", "8761231234"], "area_code_abroad"),
            ("and those no consumer has", &[], ""),
            ("premium 900", &["9001231234"], "area_code_of_a_service"),
            ("toll-free 8xx", &["8001231234", "8881231234"], "area_code_of_a_service"),
            ("N11", &["2111231234", "9111231234"], "area_code_of_a_service"),
            ("personal", &["5001231234"], "area_code_of_a_service"),
            ("and carrier codes", &["7001231234"], "area_code_of_a_service"),
        ],
    );
}

#[test]
fn amounts_and_names_are_refused_for_the_reasons_of_their_rows() {
    let rows = table(&["field", "accepted", "becomes", "refused"]);
    refuses(
        "loan_amount",
        &rows[1][3],
        &[
            ("cents", &["4000.5", r#""4,000.50""#], "not_whole_dollars"),
            ("negatives", &["-4000"], "out_of_range"),
            ("zero", &["0", r#""$0.00""#], "out_of_range"),
            ("`4k`", &[r#""4k""#], "not_an_amount"),
            ("`1e3`", &[r#""1e3""#, "1e3"], "not_an_amount"),
            ("`1.000,50`", &[r#""1.000,50""#], "not_an_amount"),
            ("`4.000` in a string", &[r#""4.000""#], "not_an_amount"),
            ("ranges", &[r#""3000-4000""#], "not_an_amount"),
            ("two numbers", &[r#""3000 4000""#], "not_an_amount"),
        ],
    );
    let long = format!("\"{}\"", "a".repeat(101));
    refuses(
        "customer_name",
        &rows[2][3],
        &[
            ("missing", &["null"], "missing"),
            ("empty", &[r#""""#, r#"" ""#], "empty"),
            ("over 100 characters", &[&long], "too_long"),
            ("control characters", &[r#""A\u0007""#], "control_character"),
            ("no letter at all", &[r#""12""#], "no_letter"),
        ],
    );
}

#[test]
fn an_amount_is_accepted_in_the_forms_of_its_row_and_no_other() {
    let row = table(&["field", "accepted", "becomes", "refused"]).remove(1);
    assert_eq!(row[1], "integer, integral float, or string with `$`, thousands commas, `.00`, spaces, `USD`");
    for value in
        ["4000", "4000.0", r#""4000""#, r#""$4000""#, r#""4,000""#, r#""4000.00""#, r#"" $ 4000 ""#, r#""4000 USD""#]
    {
        assert_eq!(read("loan_amount", value), Ok(LEAD.to_owned()), "{value}");
    }
    for mark in (' '..='~').filter(|mark| !mark.is_ascii_alphanumeric()) {
        let value = serde_json::json!(format!("{mark}4000")).to_string();
        assert_eq!(read("loan_amount", &value).is_ok(), [' ', '$'].contains(&mark), "{value}");
    }
    for other in ["true", "[4000]", "{}"] {
        assert_eq!(read("loan_amount", other), Err("wrong_type".to_owned()), "{other}");
    }
    assert_eq!(row[2], "integer dollars, 1 to 10,000,000");
}

#[test]
fn a_name_is_accepted_and_reshaped_as_its_row_says() {
    let row = table(&["field", "accepted", "becomes", "refused"]).remove(2);
    assert_eq!((row[1].as_str(), row[2].as_str()), ("string", "trimmed, inner white space single"));
    assert_eq!(read("customer_name", r#""\t Ann  Zqxjkvwyp ""#), Ok(LEAD.to_owned()));
    for other in ["1", "true", "[]", "{}"] {
        assert_eq!(read("customer_name", other), Err("wrong_type".to_owned()), "{other}");
    }
}

#[test]
fn a_text_field_is_accepted_and_refused_as_its_row_says() {
    let row = table(&["field", "accepted", "becomes", "refused"]).remove(3);
    assert_eq!(row[1], "string or number without an exponent");
    assert_eq!(row[2], "trimmed string, a number in one form (below); `null` and empty are left out");
    let details = |details: &str| Ok(LEAD.replace(r#""details":{}"#, &format!(r#""details":{details}"#)));
    for (value, becomes) in [(r#"" new ""#, "new"), ("10", "10"), ("2.50", "2.5"), ("-1", "-1")] {
        assert_eq!(read("status", value), details(&format!(r#"{{"status":"{becomes}"}}"#)), "{value}");
    }
    for nothing in ["null", r#""""#, r#"" ""#] {
        assert_eq!(read("status", nothing), details("{}"), "{nothing}");
    }
    assert_eq!(read("status", "1e3"), Err("exponent".to_owned()));
    let long = format!("\"{}\"", "a".repeat(201));
    refuses(
        "status",
        &row[3],
        &[
            ("over 200 characters", &[&long], "too_long"),
            ("control characters", &[r#""a\u0007""#], "control_character"),
            ("booleans", &["true", "false"], "wrong_type"),
            ("arrays", &["[]", r#"["a"]"#], "wrong_type"),
            ("objects", &["{}"], "wrong_type"),
        ],
    );
}

#[test]
fn a_number_in_a_text_field_has_the_one_form_that_readme_gives() {
    let readme = readme().split_whitespace().collect::<Vec<_>>().join(" ");
    let paragraph = readme.split("- A number in a text field has one form:").nth(1).unwrap();
    let paragraph = paragraph.split(" - The same field twice").next().unwrap();
    let [forms, strings] = paragraph.split_once(" So has a string").map(<[&str; 2]>::from).unwrap();
    let becomes = |field: &str, value: &str| {
        let sent = read("details", &format!(r#"{{"{field}":{value}}}"#)).unwrap();
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        sent["details"][field].as_str().unwrap().to_owned()
    };
    // "`10.0` is `10`"
    let forms = quoted(forms);
    assert_eq!(forms.len(), 6, "{forms:?}");
    let counts: Vec<String> = quoted(strings).into_iter().filter(|name| name.contains('_')).collect();
    assert_eq!(counts.len(), 6, "{counts:?}");
    for pair in forms.chunks(2) {
        for field in TEXT_FIELDS.map(|field| field.name) {
            assert_eq!(becomes(field, &pair[0]), pair[1], "{field}");
            let as_string = becomes(field, &format!("\"{}\"", pair[0]));
            assert_eq!(as_string == pair[1], counts.iter().any(|count| count == field), "{field} {as_string}");
        }
    }
}

#[test]
fn a_flag_is_accepted_and_refused_as_its_row_says() {
    let row = table(&["field", "accepted", "becomes", "refused"]).remove(4);
    assert_eq!(row[1], "boolean; 1, 0; `true t yes y 1`, `false f no n 0` in any case; `null` and empty are left out");
    assert_eq!(row[2], "boolean");
    let details = |details: &str| Ok(LEAD.replace(r#""details":{}"#, &format!(r#""details":{details}"#)));
    let words = quoted(&row[1]);
    for (becomes, number, words) in [(true, 1, &words[0]), (false, 0, &words[1])] {
        let mut forms = vec![becomes.to_string(), number.to_string()];
        for word in words.split(' ') {
            forms.extend([word.to_owned(), word.to_uppercase()].map(|word| format!("\"{word}\"")));
        }
        for form in forms {
            let sent = read("had_late_payment", &form);
            assert_eq!(sent, details(&format!(r#"{{"had_late_payment":{becomes}}}"#)), "{form}");
        }
    }
    for nothing in ["null", r#""""#, r#"" ""#] {
        assert_eq!(read("had_late_payment", nothing), details("{}"), "{nothing}");
    }
    let others: &[&str] = &["2", "-1", "1.0", "1e0", r#""maybe""#, r#""on""#, "[]", "[true]", "{}"];
    refuses("had_late_payment", &row[3], &[("anything else", others, "not_a_boolean")]);
}

#[test]
fn details_are_accepted_and_refused_as_their_row_says() {
    let row = table(&["field", "accepted", "becomes", "refused"]).remove(5);
    assert_eq!(row[1], "object, `{}` too; its fields may also stand at the top level");
    assert_eq!(row[2], "one `details` object");
    assert_eq!(read("details", "{}"), Ok(LEAD.to_owned()));
    let one = LEAD.replace("{}", r#"{"pay_type":"weekly","status":"new"}"#);
    assert_eq!(read("details", r#"{"status":"new"},"pay_type":"weekly""#), Ok(one));
    refuses(
        "details",
        &row[3],
        &[
            ("not an object", &["[]", r#""{}""#, "1", "true"], "wrong_type"),
            ("missing when none of its fields stands at the top level either", &["null"], "missing"),
        ],
    );
    let flat = |name: &str| read("details", &format!("null,\"{name}\":\"no\"")).is_ok();
    assert!(flat("status") && flat("had_late_payment") && !flat("email"));
}

/// The errors that the sender can mend, by README's words on `show_err` and on what to do.
const MENDED_BY_THE_SENDER: [&str; 10] = [
    "not_found",
    "method_not_allowed",
    "body_too_large",
    "unsupported_media_type",
    "invalid_idempotency_key",
    "unauthorized",
    "malformed_json",
    "invalid_lead",
    "idempotency_key_reused",
    "refused_upstream",
];

#[test]
fn show_err_says_whether_the_sender_can_mend_it() {
    for problem in problems() {
        let answer = Answer::from(problem);
        let error = answer.error.unwrap();
        let response = answer.into_response("an id", 0);
        let envelope: serde_json::Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(envelope["show_err"], MENDED_BY_THE_SENDER.contains(&error), "{error}");
    }
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
    let name_of = |length: usize| LEAD.replace("Ann Zqxjkvwyp", &"a".repeat(length));
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
