//! Text fields: numbers, limits and types.

use super::*;

fn read(json: &str) -> Result<Option<String>, FaultKind> {
    read_as(Detail::Status, json)
}

fn read_as(detail: Detail, json: &str) -> Result<Option<String>, FaultKind> {
    let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
    Text::parse_json(detail, Json::from(raw)).map(|text| text.map(|text| text.as_str().to_owned()))
}

/// Numbers, each with its normalized form.
const NUMBERS: [(&str, &str); 20] = [
    ("10", "10"),
    ("10.0", "10"),
    ("10.00", "10"),
    ("100", "100"),
    ("100.0", "100"),
    ("2.5", "2.5"),
    ("2.50", "2.5"),
    ("2.500", "2.5"),
    ("2.05", "2.05"),
    ("2.050", "2.05"),
    ("0", "0"),
    ("0.0", "0"),
    ("-0", "0"),
    ("-0.0", "0"),
    ("-0.00", "0"),
    ("-0.5", "-0.5"),
    ("-0.50", "-0.5"),
    ("-1", "-1"),
    ("-10.0", "-10"),
    ("12345678901234567890123.4500", "12345678901234567890123.45"),
];

const COUNTS: [Detail; 6] = [
    Detail::YearsOfWorking,
    Detail::NumberOfBankAccounts,
    Detail::YearsOfDepositBankAccount,
    Detail::NumberOfLoans,
    Detail::SuccessfulPaydayLoans,
    Detail::YearsOfResidence,
];

const OTHERS: [Detail; 7] = [
    Detail::LoanReason,
    Detail::JobTitle,
    Detail::CompanyName,
    Detail::PayType,
    Detail::NextPayDate,
    Detail::PayTimeOfDay,
    Detail::Status,
];

#[test]
fn a_json_number_is_normalized_in_every_field() {
    for (number, form) in NUMBERS {
        for detail in COUNTS.into_iter().chain(OTHERS) {
            assert_eq!(read_as(detail, number), Ok(Some(form.to_owned())), "{detail:?} {number}");
        }
    }
}

#[test]
fn a_number_in_a_string_is_normalized_in_counts_only() {
    for (number, form) in NUMBERS {
        // As a plain string, with white space around it, and with escapes.
        let escaped = format!(r#""{}""#, number.replace('0', "\\u0030").replace('1', "\\u0031"));
        for string in [format!(r#""{number}""#), format!(r#""\t {number}\n""#), escaped] {
            for detail in COUNTS {
                assert_eq!(read_as(detail, &string), Ok(Some(form.to_owned())), "{detail:?} {string}");
            }
            for detail in OTHERS {
                assert_eq!(read_as(detail, &string), Ok(Some(number.to_owned())), "{detail:?} {string}");
            }
        }
    }
}

#[test]
fn a_string_that_is_not_a_json_number_stays_as_written() {
    for text in [
        "+10",
        "+10.0",
        "10.",
        ".50",
        "-.50",
        "007",
        "007.50",
        "-00",
        "00.0",
        "1,000.00",
        "10.0.0",
        "1e3",
        "1.50e1",
        "--1.0",
        ".",
        "10.0 years",
        "2.50-3.50",
        "\u{ff11}.\u{ff10}",
        "\u{2212}0",
    ] {
        let json = format!(r#""{text}""#);
        assert_eq!(read_as(Detail::YearsOfWorking, &json), Ok(Some(text.to_owned())), "{text}");
    }
}

#[test]
fn a_text_is_copied_only_if_it_changes_inside() {
    for (json, is_borrowed) in [
        ("10.0", true),
        ("-0.0", true),
        (r#"" 2.50 ""#, true),
        (r#""-0""#, true),
        (r#""a car""#, true),
        (r#""José""#, true),
        (r#""a  car""#, false),
        (r#""Jos&eacute;""#, false),
    ] {
        let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
        let text = Text::parse_json(Detail::NumberOfLoans, Json::from(raw)).unwrap().unwrap();
        assert_eq!(matches!(text, Text(Personal(Cow::Borrowed(_)))), is_borrowed, "{json}");
    }
}

#[test]
fn text_is_cleaned() {
    for json in [
        r#""  buy  a car ""#,
        r#""buy a\ncar""#,
        r#""buy\r\n\r\na\tcar\n""#,
        r#""buy&nbsp;a\u00a0car""#,
        r#""\ufeffbuy a\u200b car""#,
        r#""buy\u2028a&#13;&#10;car""#,
    ] {
        assert_eq!(read(json), Ok(Some("buy a car".to_owned())), "{json}");
    }
    for json in [r#""\u0020caf\u00e9 ""#, r#""cafe\u0301""#, r#""caf&eacute;""#, r#""caf&#xE9;""#, r#""cafe&#769;""#] {
        assert_eq!(read(json), Ok(Some("café".to_owned())), "{json}");
    }
    assert_eq!(read(r#""caf\u00e9 \ud83d\ude42""#), Ok(Some("café 🙂".to_owned())));
    assert_eq!(read(r#""AT&T &amp;amp; R&D""#), Ok(Some("AT&T &amp; R&D".to_owned())));
}

#[test]
fn a_number_is_recognized_after_cleaning() {
    for json in [r#""\u200b2.50""#, r#""2&period;50""#, r#""&nbsp;2.50\u00a0""#] {
        assert_eq!(read_as(Detail::NumberOfLoans, json), Ok(Some("2.5".to_owned())), "{json}");
        assert_eq!(read_as(Detail::PayTimeOfDay, json), Ok(Some("2.50".to_owned())), "{json}");
    }
}

#[test]
fn a_number_keeps_its_digits() {
    assert_eq!(read("12345678901234567890123"), Ok(Some("12345678901234567890123".to_owned())));
    for number in ["1e3", "1E3", "1.5e-3"] {
        assert_eq!(read(number), Err(FaultKind::Exponent), "{number}");
    }
}

#[test]
fn null_empty_placeholders_and_templates_are_not_given() {
    for json in [
        "null",
        r#""""#,
        r#""  ""#,
        r#""\n\t""#,
        r#""\u200b""#,
        r#""&nbsp;""#,
        r#""N/A""#,
        r#"" n/a ""#,
        r#""NULL""#,
        r#""undefined""#,
        r#""NaN""#,
        r#""-""#,
        r#""--""#,
        r#""\u2014""#,
        r#""{{contact.job_title}}""#,
        r#""${jobTitle}""#,
        r#""%JOB%""#,
        r#""[[job]]""#,
        r#""&lt;job title&gt;""#,
    ] {
        for detail in [Detail::JobTitle, Detail::NumberOfLoans] {
            assert_eq!(read_as(detail, json), Ok(None), "{json}");
        }
    }
    // Answers, in a field of text.
    for text in ["none", "unknown", "Nan", "na", "nil", "not n/a"] {
        assert_eq!(read(&format!("\"{text}\"")), Ok(Some(text.to_owned())));
    }
}

#[test]
fn text_has_at_most_two_hundred_characters() {
    let longest = "é".repeat(200);
    assert_eq!(read(&format!("\" {longest} \"")), Ok(Some(longest.clone())));
    assert_eq!(read(&format!("\"{longest}é\"")), Err(FaultKind::TooLong(200)));
    let reference = "&eacute;".repeat(200);
    assert_eq!(read(&format!("\"{reference}\"")), Ok(Some(longest)), "counted after cleaning");
    assert_eq!(read(&"1".repeat(201)), Err(FaultKind::TooLong(200)));
    // The limit applies after normalization.
    let zeros = "0".repeat(300);
    for number in [format!("10.{zeros}"), format!(r#""10.{zeros}""#)] {
        assert_eq!(read_as(Detail::NumberOfLoans, &number), Ok(Some("10".to_owned())));
    }
    assert_eq!(read(&format!(r#""10.{zeros}""#)), Err(FaultKind::TooLong(200)));
    assert_eq!(read(&format!("10{zeros}.0")), Err(FaultKind::TooLong(200)));
}

#[test]
fn control_characters_and_other_types_are_refused() {
    for json in [
        r#""a\u0000b""#,
        r#""a\u001bb""#,
        "\"a\u{7f}b\"",
        "\"a\u{80}b\"",
        r#""a&#7;b""#,
        r#""a&#0;b""#,
        r#""a&#129;b""#,
    ] {
        assert_eq!(read(json), Err(FaultKind::ControlCharacter), "{json}");
    }
    for json in ["true", "false", "[]", "{}"] {
        assert_eq!(read(json), Err(FaultKind::WrongType("a string or a number")), "{json}");
    }
    assert_eq!(read(r#""\ud800""#), Err(FaultKind::BrokenText));
}

#[test]
fn text_is_not_printed() {
    assert_eq!(
        format!("{:?}", Text::parse_json(Detail::Status, Json::Number("10")).unwrap().unwrap()),
        "Text(personal)"
    );
}
