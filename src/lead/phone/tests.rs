//! Phone numbers: accepted forms, and numbers that must not be called.

use super::*;

fn read(json: &str) -> Result<Option<u64>, FaultKind> {
    let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
    Phone::parse_json(&Json::from(raw)).map(|phone| phone.map(|phone| phone.as_integer()))
}

#[test]
fn every_accepted_form_becomes_the_same_integer() {
    for form in [
        "6501231234",
        "16501231234",
        r#""6501231234""#,
        r#""16501231234""#,
        r#""+16501231234""#,
        r#""+1 (650) 123-1234""#,
        r#"" 1 650 123 1234 ""#,
        r#""(650)123-1234""#,
        r#""650.123.1234""#,
        r#""tel:+1-650-123-1234""#,
        r#""TEL: 650-123-1234""#,
    ] {
        assert_eq!(read(form), Ok(Some(16_501_231_234)), "{form}");
    }
}

#[test]
fn numbers_in_any_notation_are_accepted() {
    for form in [
        "16501231234.0",
        "6501231234.00",
        "1.6501231234E10",
        "1.6501231234e+10",
        "6.501231234E9",
        "6501231234e0",
        "65012312340e-1",
        r#""16501231234.0""#,
        r#""6501231234.000""#,
        r#""+16501231234.0""#,
        r#""650 123 1234.0""#,
    ] {
        assert_eq!(read(form), Ok(Some(16_501_231_234)), "{form}");
    }
    for rounded in ["1.650123E10", "1.6501232E10", "1.65012316E+10", "6.5012311E9", "6.50123162E9", "6501231e3"] {
        assert_eq!(read(rounded), Err(FaultKind::NotAPhoneNumber), "{rounded}");
    }
    // Ten digits: more than a rounded number has.
    assert_eq!(read("1.650123124E10"), Ok(Some(16_501_231_240)));
    assert_eq!(read("6.501231240E9"), Ok(Some(16_501_231_240)));
}

#[test]
fn country_codes_dashes_and_prefixes_are_accepted_in_any_style() {
    for form in [
        "(+1) 650 123 1234",
        "(+1)6501231234",
        "( +1 ) 650-123-1234",
        "(+1 650) 123 1234",
        "+(1) 650 123 1234",
        "(1) 650 123 1234",
        "650\u{2010}123\u{2011}1234",
        "650\u{2012}123\u{2013}1234",
        "650\u{2014}123\u{2015}1234",
        "650\u{2212}123\u{fe63}1234",
        "650\u{ff0d}123\u{30a0}1234",
        "p:+16501231234",
        "P: 650-123-1234",
        "tel:(650) 123-1234",
        "６５０１２３１２３４",
        "＋１（６５０）１２３－１２３４",
        "ｔｅｌ：650 123 1234",
        "650\u{a0}123\u{202f}1234",
        "\u{202d}650\u{200b}1231234\u{202c}",
        "&#43;1&nbsp;650&nbsp;123&ndash;1234",
    ] {
        let json = serde_json::to_string(form).unwrap();
        assert_eq!(read(&json), Ok(Some(16_501_231_234)), "{form}");
    }
}

#[test]
fn a_short_zero_fraction_is_not_read_as_digits() {
    for form in ["650123123.0", "165012312.00", "1650123123.0", "1501231234.0", "65012312.00", "650 123 123.0"] {
        assert_eq!(read(&format!("\"{form}\"")), Err(FaultKind::NotAPhoneNumber), "{form}");
    }
    for form in ["650.123.0000", "(650) 123.0000", "1 650 123.0000"] {
        assert_eq!(read(&format!("\"{form}\"")), Ok(Some(16_501_230_000)), "{form}");
    }
}

#[test]
fn other_lengths_and_characters_are_refused() {
    for form in [
        "650123123",
        "165012312345",
        "26501231234",
        "16501231234.5",
        "1.65012312345E10",
        "1.65E10",
        "6.5e300",
        "-16501231234",
        "0",
        r#""650 123 123""#,
        r#""650-CALL-NOW""#,
        r#""650 123 1234 x12""#,
        r#""6501231234 x5""#,
        r#""650 123 1234 ext. 12""#,
        r#""650 123 1234;ext=12""#,
        r#""+44 20 7946 0958""#,
        r#""(+44) 20 7946 0958""#,
        r#""+650 123 1234""#,
        r#""(+650) 123 1234""#,
        r#""+26501231234""#,
        r#""++16501231234""#,
        r#""0016501231234""#,
        r#""65+01231234""#,
        r#""650_123_1234""#,
        r#""650/123/1234""#,
        r#""650,123,1234""#,
        r#""6501231234 6501231235""#,
        r#""1.6501231234E10""#,
        r#""16501231234.5""#,
        r#""fax:6501231234""#,
        r#""p:tel:6501231234""#,
        r#""6501231234 p:""#,
        r#""tel:""#,
        r#""p:""#,
        r#""()-.""#,
        r#""+""#,
        r#""N/A""#,
        r#""{{contact.phone}}""#,
        // Digits of other scripts, superscript digits and circled ones.
        r#""٦٥٠١٢٣١٢٣٤""#,
        r#""६५०१२३१२३४""#,
        r#""650123123⁴""#,
        r#""650123123④""#,
        r#""6501231234¹""#,
        r#""650123123\ud835\udfd2""#,
    ] {
        assert_eq!(read(form), Err(FaultKind::NotAPhoneNumber), "{form}");
    }
}

#[test]
fn null_is_not_given_and_other_types_are_refused() {
    for form in ["true", "[]", "[6501231234]", r#"{"number": 6501231234}"#] {
        assert_eq!(read(form), Err(FaultKind::WrongType("an integer or a string")), "{form}");
    }
    assert_eq!(read(r#""  ""#), Err(FaultKind::Empty));
    assert_eq!(read(r#""\ud800""#), Err(FaultKind::BrokenText));
    assert_eq!(read("null"), Ok(None));
}

#[test]
fn a_forbidden_area_code_is_refused_in_every_form() {
    for form in ["4161231234", "1.4161231234e10", r#""(+1) 416 123 1234""#, r#""４１６1231234""#] {
        assert_eq!(read(form), Err(FaultKind::AreaCodeAbroad), "{form}");
    }
    for form in ["8001231234", r#""(900) 123-1234""#, "2111231234"] {
        assert_eq!(read(form), Err(FaultKind::AreaCodeOfAService), "{form}");
    }
    for form in [r#""0501231234""#, "1150123123", "10501231234"] {
        assert_eq!(read(form), Err(FaultKind::NotAPhoneNumber), "{form}");
    }
}

#[test]
fn a_phone_number_is_not_printed() {
    let phone: Phone = "6501231234".parse().unwrap();
    assert_eq!(format!("{phone:?}"), "Phone(personal)");
}
