//! A policy for people.

use std::{collections::BTreeMap, fmt};

use super::Rules;

/// The days, in their order.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.members.calling_hours.as_ref().map(|json| format!("calling hours {}", hours(json.get())));
        let once = self.members.once_per_phone_hours.as_ref().map(|json| once(json.get()));
        let rules: Vec<_> = [hours, once].into_iter().flatten().collect();
        if rules.is_empty() { f.write_str("none") } else { f.write_str(&rules.join("; ")) }
    }
}

/// `mon-fri 09:00-20:00, sat 10:00-18:00`.
fn hours(json: &str) -> String {
    let Ok(windows) = serde_json::from_str::<BTreeMap<String, String>>(json) else {
        return "08:00-21:00 on every day (federal)".to_owned();
    };
    let mut windows: Vec<_> = windows.into_iter().collect();
    windows.sort_by_key(|(days, _)| DAYS.iter().position(|day| days.starts_with(day)));
    windows.iter().map(|(days, hours)| format!("{days} {hours}")).collect::<Vec<_>>().join(", ")
}

fn once(json: &str) -> String {
    let hours = if json == "1" { "an hour".to_owned() } else { format!("{json} hours") };
    format!("at most one lead per phone number in {hours}")
}
