use std::time::UNIX_EPOCH;

use super::*;
use crate::lead::Phone;

fn hours(json: &str) -> Result<CallingHours, String> {
    let json = RawValue::from_string(json.to_owned()).unwrap();
    CallingHours::parse(&json).map_err(|error| error.to_string())
}

fn area_code(digits: u16) -> AreaCode {
    format!("{digits}5550123").parse::<Phone>().unwrap().area_code()
}

/// A time of 2027, when the clocks change on 14 March and on 7 November.
fn utc(text: &str) -> SystemTime {
    httpdate::parse_http_date(text).unwrap()
}

/// Whether the area code is open at that time of Friday, 16 July 2027, in UTC.
fn is_open_on_friday(hours: &CallingHours, digits: u16, time: &str) -> bool {
    let time = utc(&format!("Fri, 16 Jul 2027 {time} GMT"));
    hours.is_open(area_code(digits), time, time)
}

#[test]
fn federal_hours_are_8_to_21_on_each_day() {
    let federal = hours("\"federal\"").unwrap();
    // 212 is New York, at UTC-4.
    for (time, expected) in
        [("11:59:59", false), ("12:00:00", true), ("00:59:59", true), ("01:00:00", false), ("23:00:00", true)]
    {
        assert_eq!(is_open_on_friday(&federal, 212, time), expected, "{time}");
    }
    assert_eq!(hours(r#"{"mon-sun": "08:00-21:00"}"#).unwrap(), federal);
}

#[test]
fn a_day_without_a_window_is_closed() {
    let hours = hours(r#"{"mon-thu": "08:00-20:00", "sat-sun": "08:00-20:00"}"#).unwrap();
    assert!(!is_open_on_friday(&hours, 212, "16:00:00"));
    let (thursday, saturday) = (utc("Thu, 15 Jul 2027 16:00:00 GMT"), utc("Sat, 17 Jul 2027 16:00:00 GMT"));
    assert!(hours.is_open(area_code(212), thursday, thursday) && hours.is_open(area_code(212), saturday, saturday));
}

#[test]
fn hours_include_those_that_never_open_when_they_are_closed() {
    let federal = hours("\"federal\"").unwrap();
    for (other, is_part, is_whole) in [
        (r#"{"mon-sun": "08:00-21:00"}"#, true, true),
        (r#"{"mon-fri": "09:00-20:00", "sat": "10:00-18:00"}"#, true, false),
        (r#"{"mon-sun": "07:59-21:00"}"#, false, true),
        (r#"{"mon-sun": "08:00-21:01"}"#, false, true),
        (r#"{"mon": "08:00-22:00"}"#, false, false),
    ] {
        let other = hours(other).unwrap();
        assert_eq!((federal.includes(&other), other.includes(&federal)), (is_part, is_whole), "{other:?}");
    }
}

#[test]
fn a_split_area_code_is_closed_if_any_of_its_zones_is() {
    let federal = hours("\"federal\"").unwrap();
    // When the last zone opens, and when the first one closes, in UTC in July.
    for (digits, opens, closes) in [
        (270, 13, 1),
        (364, 13, 1),
        (850, 13, 1),
        (448, 13, 1),
        (423, 13, 1),
        (729, 13, 1),
        (541, 15, 3),
        (458, 15, 3),
        (605, 14, 2),
        (402, 14, 2),
        (531, 14, 2),
        (928, 15, 3),
        (907, 17, 5),
        // Not assigned: New York to Los Angeles.
        (290, 15, 1),
        // Not split.
        (502, 12, 1),
        (256, 13, 2),
        (602, 15, 4),
        (808, 18, 7),
        (787, 12, 1),
    ] {
        for (hour, expected) in [(opens - 1, false), (opens, true), (closes - 1, true), (closes, false)] {
            let time = format!("{hour:02}:30:00");
            assert_eq!(is_open_on_friday(&federal, digits, &time), expected, "{digits} at {time}");
        }
    }
}

#[test]
fn a_period_must_be_open_from_end_to_end() {
    let hours = hours(r#"{"mon-sun": "08:00-20:30"}"#).unwrap();
    let is_open = |from: &str, until: &str| {
        let at = |time| utc(&format!("Fri, 16 Jul 2027 {time} GMT"));
        hours.is_open(area_code(212), at(from), at(until))
    };
    assert!(is_open("00:29:00", "00:29:59"));
    assert!(!is_open("00:29:30", "00:30:00"));
    assert!(!is_open("00:29:30", "00:30:05"));
    assert!(!is_open("11:59:50", "12:00:30"));
    assert!(is_open("12:00:00", "12:00:35"));
    // Clocks that differ by less than an hour, in either direction.
    assert!(is_open("12:30:35", "12:30:00") && is_open("13:00:00", "12:00:00") && is_open("12:00:00", "13:00:00"));
    assert!(!is_open("13:00:01", "12:00:00"));
    // Open at both ends.
    assert!(
        !CallingHours::parse(&RawValue::from_string(r#"{"mon-sun": "00:01-24:00"}"#.to_owned()).unwrap())
            .unwrap()
            .is_open(area_code(787), utc("Fri, 16 Jul 2027 03:59:30 GMT"), utc("Fri, 16 Jul 2027 04:01:30 GMT"))
    );
}

#[test]
fn a_period_is_closed_from_its_first_closed_moment() {
    let hours = hours(r#"{"mon-sun": "08:30-20:45"}"#).unwrap();
    let at = |time| utc(&format!("Sat, 17 Jul 2027 {time} GMT"));
    let first_closed = |from, until| hours.first_closed(area_code(212), at(from), at(until));
    assert_eq!(first_closed("00:25:00", "00:44:59"), None);
    assert_eq!(first_closed("00:25:00", "00:50:30"), Some(at("00:45:00")));
    assert_eq!(first_closed("00:45:30", "00:50:30"), Some(at("00:45:30")));
    assert_eq!(first_closed("13:00:10", "14:00:10"), None);
    assert_eq!(first_closed("13:00:10", "14:00:11"), Some(at("14:00:11")), "too long");
}

#[test]
fn local_time_decides_in_the_hours_of_a_clock_change() {
    let hours = hours(r#"{"mon-sat": "08:00-21:00", "sun": "01:30-06:30"}"#).unwrap();
    // New York: 01:30 to 01:59:59, then from 03:00 on.
    for (time, expected) in [("06:29:59", false), ("06:30:00", true), ("06:59:59", true), ("07:00:00", true)] {
        let time = utc(&format!("Sun, 14 Mar 2027 {time} GMT"));
        assert_eq!(hours.is_open(area_code(212), time, time), expected);
    }
    // 01:00 to 01:59:59 twice.
    for (time, expected) in
        [("05:29:59", false), ("05:30:00", true), ("05:59:59", true), ("06:00:00", false), ("06:30:00", true)]
    {
        let time = utc(&format!("Sun, 07 Nov 2027 {time} GMT"));
        assert_eq!(hours.is_open(area_code(212), time, time), expected, "{time:?}");
    }
    let next = |time: &str| hours.next_opening(area_code(212), utc(&format!("Sun, 07 Nov 2027 {time} GMT")));
    assert_eq!(next("05:00:00"), utc("Sun, 07 Nov 2027 05:30:00 GMT"));
    assert_eq!(next("06:00:00"), utc("Sun, 07 Nov 2027 06:30:00 GMT"));
}

#[test]
fn a_clock_change_can_open() {
    // 02:00 becomes 03:00, which is open.
    let hours = hours(r#"{"mon-sun": "02:30-12:30"}"#).unwrap();
    let next = hours.next_opening(area_code(212), utc("Sun, 14 Mar 2027 06:00:00 GMT"));
    assert_eq!(next, utc("Sun, 14 Mar 2027 07:00:00 GMT"));
}

#[test]
fn the_next_opening_may_be_days_away() {
    let hours = hours(r#"{"mon-fri": "09:15-20:00"}"#).unwrap();
    let friday = utc("Fri, 16 Jul 2027 23:59:50 GMT");
    assert_eq!(hours.next_opening(area_code(212), friday), utc("Mon, 19 Jul 2027 13:15:00 GMT"));
    assert_eq!(hours.next_opening(area_code(290), friday), utc("Mon, 19 Jul 2027 16:15:00 GMT"));
    let monday = utc("Mon, 19 Jul 2027 13:14:59 GMT");
    assert_eq!(hours.next_opening(area_code(212), monday), utc("Mon, 19 Jul 2027 13:15:00 GMT"));
}

#[test]
fn an_opening_that_a_clock_change_skips_is_a_week_later() {
    // From New York to Los Angeles: 05:00 to 06:00 in New York, and 02:00 to 03:00 in Los Angeles.
    let hours = hours(r#"{"sun": "02:00-06:00"}"#).unwrap();
    let next = hours.next_opening(area_code(290), utc("Mon, 08 Mar 2027 00:00:00 GMT"));
    assert_eq!(next, utc("Sun, 21 Mar 2027 09:00:00 GMT"));
}

/// One area code for each set of zones.
const OF_EACH_KIND: [u16; 17] = [787, 212, 312, 303, 602, 213, 808, 684, 671, 270, 605, 928, 541, 907, 290, 729, 448];

#[test]
fn the_next_opening_is_the_first_minute_that_is_open_again() {
    const YEAR: u64 = 1_798_761_600;
    for (json, step) in [("\"federal\"", 1), (r#"{"mon-sat": "00:30-23:45", "sun": "01:15-24:00"}"#, 7)] {
        let hours = hours(json).unwrap();
        for code in OF_EACH_KIND.map(area_code) {
            let at = |minute: u64| UNIX_EPOCH + Duration::from_secs(YEAR + 60 * minute);
            let is_open = |minute| hours.is_open(code, at(minute), at(minute));
            // From the end: the minute of the next opening after each minute in question.
            let mut next = None;
            let end = 365 * 24 * 60;
            let mut was_open = is_open(end);
            for minute in (0..end).rev().step_by(5) {
                let now_open = is_open(minute);
                if was_open && !now_open {
                    // Closed here and open five minutes later.
                    next = (minute + 1..=minute + 5).find(|minute| is_open(*minute));
                }
                if !now_open
                    && minute % step == 0
                    && minute % 60 < 5
                    && let Some(next) = next
                {
                    assert_eq!(hours.next_opening(code, at(minute)), at(next), "minute {minute}");
                }
                was_open = now_open;
            }
            assert!(next.is_some());
        }
    }
}

#[test]
fn the_error_names_the_member_and_quotes_nothing() {
    for (json, expected) in [
        ("null", PolicyError::CallingHours),
        ("7", PolicyError::CallingHours),
        ("\"Federal\"", PolicyError::CallingHours),
        ("[\"federal\"]", PolicyError::CallingHours),
        (r#"{"weekdays": "09:00-20:00"}"#, PolicyError::Day),
        (r#"{"mon-fri": "09:00-20:00", "note": 1}"#, PolicyError::Day),
        (r#"{"fri-mon": "09:00-20:00"}"#, PolicyError::Day),
        (r#"{"mon-fri": "9-20"}"#, PolicyError::Window(day("mon"))),
        (r#"{"mon-sat": "09:00-20:00", "sun": null}"#, PolicyError::Window(day("sun"))),
        (r#"{"mon-fri": "09:00-20:00", "fri": "09:00-18:00"}"#, PolicyError::DayTwice(day("fri"))),
        (r#"{"sat": "09:00-20:00", "sat": "09:00-20:00"}"#, PolicyError::DayTwice(day("sat"))),
        ("{}", PolicyError::NoCommonOpening),
        (r#"{"mon-sun": "09:00-12:00"}"#, PolicyError::NoCommonOpening),
    ] {
        assert_eq!(hours(json), Err(expected.to_string()), "{json}");
    }
    assert!(PolicyError::Window(day("sun")).to_string().contains(" sun "));
    assert!(PolicyError::DayTwice(day("fri")).to_string().contains(" fri "));
}

fn day(name: &str) -> Day {
    Day::parse_range(name).unwrap().next().unwrap()
}

#[test]
fn windows_need_a_minute_in_common_from_new_york_to_los_angeles() {
    assert!(hours(r#"{"wed": "09:00-12:01"}"#).is_ok());
    // 23:00 to 24:00 on Sunday in Los Angeles is 02:00 to 03:00 on Monday in New York.
    assert!(hours(r#"{"sun": "22:00-24:00", "mon": "00:00-03:00"}"#).is_ok());
    assert!(hours(r#"{"mon": "00:00-03:00"}"#).is_err());
}
