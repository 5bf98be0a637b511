//! The hours in which an account's consumers may be called.

use std::{
    collections::BTreeSet,
    iter,
    time::{Duration, SystemTime},
};

use jiff::{Timestamp, civil::DateTime};
use serde_json::value::RawValue;

use super::{
    PolicyError,
    object::Object,
    window::{Day, Window},
    zone::zones,
};
use crate::{lead::AreaCode, unix_time};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How far ahead the next opening is searched. There is one per week, unless a change of the clocks skips it.
const MAX_HOURS_TO_OPENING: u64 = 15 * 24;

/// For how many minutes a period is examined. The time for one lead is less than one minute, if the clocks are right.
const MAX_MINUTES: u64 = 60;

/// The hours in which an account's consumers may be called, by the clocks of the places that their area codes may be
/// in. Each area code has an opening in almost every week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingHours {
    /// One window per day, from Monday on. `None`: closed all day.
    windows: [Option<Window>; 7],
}

impl CallingHours {
    /// Parses `"federal"`, or an object such as `{"mon-fri": "09:00-20:00", "sat": "10:00-18:00"}`.
    pub fn parse(json: &RawValue) -> Result<Self, PolicyError> {
        let hours = match serde_json::from_str::<Object<'_>>(json.get()) {
            Ok(days) => Self::from_days(days)?,
            Err(_) if text(json).as_deref() == Some("federal") => {
                Self { windows: [const { Some(Window::FEDERAL) }; 7] }
            }
            Err(_) => return Err(PolicyError::CallingHours),
        };
        if hours.has_common_opening() { Ok(hours) } else { Err(PolicyError::NoCommonOpening) }
    }

    fn from_days(Object(members): Object<'_>) -> Result<Self, PolicyError> {
        let mut windows = [const { None }; 7];
        for (days, window) in members {
            let window = text(window).and_then(|text| text.parse::<Window>().ok());
            for day in Day::parse_range(&days).map_err(|_| PolicyError::Day)? {
                let window = window.clone().ok_or(PolicyError::Window(day))?;
                let slot = windows.get_mut(day.number());
                if slot.is_none_or(|slot| slot.replace(window).is_some()) {
                    return Err(PolicyError::DayTwice(day));
                }
            }
        }
        Ok(Self { windows })
    }

    /// Whether the zones of the contiguous states are ever open at once. Their clocks are up to three hours apart, and
    /// those of no area code are further apart.
    fn has_common_opening(&self) -> bool {
        let minutes = Day::all().flat_map(|day| (0..24 * 60).map(move |minute| (day.number(), minute)));
        let is_open = |day: usize, minute: u16, earlier: u16| match minute.checked_sub(earlier * 60) {
            Some(minute) => self.is_open_at(day, minute),
            None => self.is_open_at((day + 6) % 7, minute + (24 - earlier) * 60),
        };
        minutes.into_iter().any(|(day, minute)| (0..=3).all(|earlier| is_open(day, minute, earlier)))
    }

    /// Whether every place that the area code may be in is open from one instant to another, whichever comes first: they
    /// may be by different clocks.
    #[must_use]
    pub fn is_open(&self, area_code: AreaCode, from: SystemTime, until: SystemTime) -> bool {
        self.first_closed(area_code, from, until).is_none()
    }

    /// The first moment from one instant to another at which some place that the area code may be in is closed. A period
    /// of more than an hour counts as closed at its end.
    #[must_use]
    pub fn first_closed(&self, area_code: AreaCode, from: SystemTime, until: SystemTime) -> Option<SystemTime> {
        let (from, until) = (unix_time::seconds(from.min(until)), unix_time::seconds(until.max(from)));
        let end = until.min(from + MAX_MINUTES * MINUTE);
        // It can only close at a whole minute.
        let minutes = (from / MINUTE + 1..=end / MINUTE).map(|minute| minute * MINUTE);
        let closed = iter::once(from).chain(minutes).find(|second| !self.is_open_in_all_zones(area_code, *second));
        closed.or((until > end).then_some(until)).map(at)
    }

    /// Whether it is open at every time at which `other` is.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.windows.iter().zip(&other.windows).all(|(ours, theirs)| match (ours, theirs) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(ours), Some(theirs)) => ours.includes(theirs),
        })
    }

    /// When the area code opens next, after this instant, at most 15 days later. It then stays open for at least a minute.
    #[must_use]
    pub fn next_opening(&self, area_code: AreaCode, after: SystemTime) -> SystemTime {
        let after = unix_time::seconds(after);
        // Zones are whole hours apart, so they open in one of these minutes of an hour: the first, if a change of the
        // clocks opens them.
        let minutes: BTreeSet<_> = self.windows.iter().flatten().map(Window::first_minute).chain([0]).collect();
        let last_hour = after / HOUR + MAX_HOURS_TO_OPENING;
        let opening = (after / HOUR..last_hour)
            .flat_map(|hour| minutes.iter().map(move |minute| hour * HOUR + u64::from(*minute) * MINUTE))
            .find(|second| *second > after && self.is_open_in_all_zones(area_code, *second));
        // Always found: a change of the clocks skips at most one of the weekly openings.
        at(opening.unwrap_or_default())
    }

    fn is_open_in_all_zones(&self, area_code: AreaCode, second: u64) -> bool {
        let timestamp = i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
        timestamp.is_some_and(|timestamp| {
            zones(area_code).iter().all(|zone| self.is_open_at_local(zone.time_zone().to_datetime(timestamp)))
        })
    }

    fn is_open_at_local(&self, time: DateTime) -> bool {
        let minute = u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs());
        self.is_open_at(Day::of(time).number(), minute)
    }

    fn is_open_at(&self, day: usize, minute: u16) -> bool {
        self.windows.get(day).and_then(Option::as_ref).is_some_and(|window| window.contains(minute))
    }
}

/// The instant of a Unix second. Beyond what the system's clock can show, which is never asked for, it is the first one.
fn at(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(second)).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn text(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

#[cfg(test)]
mod tests;
