//! A day of the week, and the hours of a day.

use std::{fmt, ops::Range, str::FromStr};

use jiff::civil::{DateTime, Weekday};

/// The days, in the order of `mon-sun`.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(Weekday);

/// The hours of a day in which leads may be sent, in whole minutes since midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window(Range<u16>);

/// A text that is not a day, or not a window.
#[derive(Debug)]
pub(super) struct Invalid;

impl Day {
    /// All days.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        DAYS.into_iter().map(|(_, day)| Self(day))
    }

    /// Parses a day, `sat`, or a range of days, `mon-fri`.
    pub(super) fn parse_range(text: &str) -> Result<impl Iterator<Item = Self> + use<>, Invalid> {
        let position = |name| DAYS.iter().position(|(day, _)| *day == name).ok_or(Invalid);
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (position(first)?, position(last)?),
            None => (position(text)?, position(text)?),
        };
        let count = (last + 1).checked_sub(first).filter(|count| *count > 0).ok_or(Invalid)?;
        Ok(Self::all().skip(first).take(count))
    }

    /// The day of a local time.
    pub(super) fn of(time: DateTime) -> Self {
        Self(time.weekday())
    }

    /// The number of days since Monday.
    pub(super) fn number(self) -> usize {
        usize::try_from(self.0.to_monday_zero_offset()).unwrap_or_default()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DAYS.iter().find(|(_, day)| *day == self.0).map_or("", |(name, _)| name))
    }
}

impl Window {
    /// 08:00 to 21:00: 47 CFR 64.1200(c)(1).
    pub(super) const FEDERAL: Self = Self(8 * 60..21 * 60);

    /// Whether a minute of the day is in it.
    pub(super) fn contains(&self, minute: u16) -> bool {
        self.0.contains(&minute)
    }

    /// Whether another window is a part of it.
    pub(super) fn includes(&self, other: &Self) -> bool {
        self.0.start <= other.0.start && other.0.end <= self.0.end
    }

    /// The minute of the hour in which it begins.
    pub(super) fn first_minute(&self) -> u16 {
        self.0.start % 60
    }
}

/// Parses `09:00-20:00`. The end is not part of it, and may be `24:00`.
impl FromStr for Window {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (start, end) = text.split_once('-').ok_or(Invalid)?;
        let (start, end) = (minute(start)?, minute(end)?);
        if start < end { Ok(Self(start..end)) } else { Err(Invalid) }
    }
}

/// Parses `HH:MM`, from `00:00` to `24:00`, as minutes since midnight.
fn minute(text: &str) -> Result<u16, Invalid> {
    let two_digits = |text: &str| match text.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Ok(u16::from(tens - b'0') * 10 + u16::from(ones - b'0')),
        _ => Err(Invalid),
    };
    let (hour, minute) = text.split_once(':').ok_or(Invalid)?;
    match (two_digits(hour)?, two_digits(minute)?) {
        (hour @ 0..=23, minute @ 0..=59) => Ok(hour * 60 + minute),
        (24, 0) => Ok(24 * 60),
        _ => Err(Invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> Option<String> {
        Some(Day::parse_range(text).ok()?.map(|day| day.to_string()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_range_of_days_does_not_pass_sunday() {
        for (text, expected) in [
            ("mon-fri", "mon tue wed thu fri"),
            ("sat", "sat"),
            ("sat-sun", "sat sun"),
            ("mon-sun", "mon tue wed thu fri sat sun"),
            ("sun-sun", "sun"),
        ] {
            assert_eq!(days(text).as_deref(), Some(expected));
        }
        for text in ["", "Mon", "monday", "fri-mon", "mon-", "-fri", "mon-wed-fri", "mon,tue", " mon", "mon - fri", "0"]
        {
            assert_eq!(days(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_monday() {
        assert_eq!(Day::all().map(Day::number).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_window_has_two_times_of_a_day_in_order() {
        for (text, expected) in [
            ("09:00-20:00", 540..1200),
            ("00:00-24:00", 0..1440),
            ("23:59-24:00", 1439..1440),
            ("08:30-08:31", 510..511),
        ] {
            assert_eq!(text.parse::<Window>().ok(), Some(Window(expected)));
        }
        for text in [
            "",
            "09:00",
            "09:00-",
            "-09:00",
            "9:00-20:00",
            "09:00-8pm",
            "09:00-20:60",
            "09:00-24:01",
            "24:00-24:00",
            "20:00-09:00",
            "09:00-09:00",
            "09:00 - 20:00",
            "09-20",
            "0900-2000",
            "+9:00-20:00",
            "09:00-20:00-21:00",
            "09:00–20:00",
            "09:00-25:00",
            "09:00:00-20:00:00",
        ] {
            assert_eq!(text.parse::<Window>().ok(), None, "{text}");
        }
    }

    #[test]
    fn a_window_ends_before_its_last_minute() {
        let window: Window = "09:15-20:00".parse().unwrap();
        assert_eq!([554, 555, 1199, 1200].map(|minute| window.contains(minute)), [false, true, true, false]);
        assert_eq!(window.first_minute(), 15);
    }
}
