//! Amounts: accepted forms, bounds, and forms that could mean two things.

use super::*;

fn read(json: &str) -> Result<Option<u32>, FaultKind> {
    let raw: &serde_json::value::RawValue = serde_json::from_str(json).unwrap();
    Amount::parse_json(&Json::from(raw)).map(|amount| amount.map(|amount| amount.dollars()))
}

#[test]
fn every_accepted_form_becomes_the_same_integer() {
    for form in [
        "4000",
        "4000.0",
        "4000.000",
        "4E+3",
        "4e3",
        "4.0E3",
        "0.4e4",
        "40000e-1",
        r#""4000""#,
        r#"" 4000 ""#,
        r#""04000""#,
        r#""+4000""#,
        r#""4,000""#,
        r#""4 000""#,
        r#""4\u00a0000""#,
        r#""4\u2009000.00""#,
        r#""4000.0""#,
        r#""4000.00""#,
        r#""4000.000""#,
        r#""4000.000000""#,
        r#""4,000.000""#,
        r#""4.0000""#,
    ] {
        let expected = if form == r#""4.0000""# { 4 } else { 4000 };
        assert_eq!(read(form), Ok(Some(expected)), "{form}");
    }
}

#[test]
fn the_currency_stands_before_or_after_the_amount() {
    for form in [
        "$4000",
        "$4,000",
        "$ 4,000.00",
        "4000$",
        "4,000.00 $",
        "US$4,000",
        "us$ 4000",
        "US $4,000",
        "4000 US$",
        "4000US$",
        "4 000 US $",
        "4,000 USD",
        "4000usd",
        "usd 4000",
        "USD4000",
        "USD $4,000.00",
        "$4,000USD",
        "+$4,000",
        "+ 4000 USD",
        "&dollar;4&comma;000",
        "US\u{200b}$4,000",
    ] {
        let json = serde_json::to_string(form).unwrap();
        assert_eq!(read(&json), Ok(Some(4000)), "{form}");
    }
}

#[test]
fn thousands_are_separated_by_one_kind_of_separator() {
    for (form, dollars) in [
        ("10 000", 10_000),
        ("1 000 000", 1_000_000),
        ("$10 000 000.00", MAX_DOLLARS),
        ("100,000", 100_000),
        ("1,000,000", 1_000_000),
    ] {
        assert_eq!(read(&format!("\"{form}\"")), Ok(Some(dollars)), "{form}");
    }
    for form in [
        "500 600",
        "100 000",
        "100 000 000",
        "4000 000",
        "4 00",
        "4 0000",
        "4 000 00",
        "4 000,00",
        "1 000,000",
        "1,000 000",
        "4, 000",
        "4 . 000",
        "4 000 .00",
        "4'000",
        "4_000",
    ] {
        assert_eq!(read(&format!("\"{form}\"")), Err(FaultKind::NotAnAmount), "{form}");
    }
}

#[test]
fn the_bounds_are_one_dollar_and_ten_million() {
    for (form, dollars) in [("1", 1), ("10000000", MAX_DOLLARS), ("1E7", MAX_DOLLARS), (r#""10,000,000""#, MAX_DOLLARS)]
    {
        assert_eq!(read(form), Ok(Some(dollars)), "{form}");
    }
    for form in [
        "0",
        "-0",
        "-1",
        "-0.5",
        "-4e3",
        "0.0",
        "0e3",
        "10000001",
        "99999999999999999999",
        "1e8",
        "1e300",
        r#""0""#,
        r#""$10,000,001""#,
    ] {
        assert_eq!(read(form), Err(FaultKind::OutOfRange), "{form}");
    }
}

#[test]
fn cents_are_refused() {
    for form in [
        "4000.5",
        "0.99",
        "4.0005e3",
        "4e-1",
        r#""4000.50""#,
        r#""$4,000.99""#,
        r#""4000.5""#,
        r#""4 000.50""#,
        r#""4000.0001""#,
    ] {
        assert_eq!(read(form), Err(FaultKind::NotWholeDollars), "{form}");
    }
}

#[test]
fn ambiguous_amounts_are_refused() {
    for form in [
        "4k",
        "1e3",
        "4E+3",
        "1.000,50",
        "4.000",
        "4.500",
        "40.000",
        "400.000",
        "4.000.000",
        "$4.000",
        "4000.",
        ".00",
        "4,00",
        "40,00",
        "4000,000",
        "4,,000",
        ",000",
        "4,000,",
        "3000-4000",
        "3000 4000",
        "3000 to 4000",
        "-4000",
        "+-4000",
        "++4000",
        "4000+",
        "$-4000",
        "$$4000",
        "$4000$",
        "€4000",
        "4000 EUR",
        "CA$4000",
        "AUS$4000",
        "US 4000",
        "USD 4000 USD",
        "USD",
        "US$",
        "$",
        "+",
        "four thousand",
        "N/A",
        "{{loan.amount}}",
        "٤٠٠٠",
        "４０００",
        "4000²",
        "4\u{2024}000",
    ] {
        let json = serde_json::to_string(form).unwrap();
        assert_eq!(read(&json), Err(FaultKind::NotAnAmount), "{form}");
    }
}

#[test]
fn null_is_not_given_and_other_types_are_refused() {
    for form in ["true", "[]", "[4000]", r#"{"amount": 4000}"#] {
        assert_eq!(read(form), Err(FaultKind::WrongType("an integer or a string")), "{form}");
    }
    assert_eq!(read(r#""""#), Err(FaultKind::Empty));
    assert_eq!(read(r#""\udc00""#), Err(FaultKind::BrokenText));
    assert_eq!(read("null"), Ok(None));
}

#[test]
fn an_amount_is_not_printed() {
    let amount: Amount = "4000".parse().unwrap();
    assert_eq!(format!("{amount:?}"), "Amount(personal)");
}
