//! `lendswift account policy …`.

use clap::{ArgGroup, Args, Subcommand};
use lendswift_relay::{
    account::AccountId,
    policy::{CallingHours, PolicyError},
};
use serde_json::value::RawValue;

use super::{Ask, DryRun, account::account};
use crate::policy::Rules;

/// The commands for an account's policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Shows an account's policy, or which member of it is malformed
    #[command(after_help = SHOW)]
    Show {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
    },
    /// Changes an account's policy: when its leads are sent, and how often one phone number is called
    ///
    /// Rules that are not given stay as they are, and so do the secret's other members. Processes that have the secret
    /// cached follow the old policy for up to SECRET_TTL_SECONDS, 5 minutes by default. The command asks first if leads
    /// that are refused now could be sent then.
    ///
    /// A malformed policy is replaced only as a whole: give both rules. With --once-per-phone-hours, the secret gets a
    /// random `hash_key` if it has none, under which the ledger hides the phone numbers. An existing one is kept, also
    /// while the rule is off. A malformed one is refused: restore it, or replace it with --new-hash-key.
    #[command(after_help = SET)]
    Set {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        change: PolicyChange,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        ask: Ask,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
}

/// What of a policy is changed.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true)
    .args(["calling_hours", "once_per_phone_hours", "new_hash_key"]))]
pub struct PolicyChange {
    /// When leads are sent, by the clocks of the consumer's area code: `federal` (08:00-21:00 on every day), windows
    /// such as `mon-fri=09:00-20:00,sat=10:00-18:00`, or `off`
    #[arg(long, value_name = "WINDOWS", value_parser = calling_hours)]
    pub calling_hours: Option<Rule>,

    /// For how many hours a phone number belongs to the lead that was sent last: 1 to 720, or `off`
    #[arg(long, value_name = "HOURS", value_parser = once_per_phone_hours, allow_hyphen_values = true)]
    pub once_per_phone_hours: Option<Rule>,

    /// Replace `hash_key` with another random one: the relay then does not recognize the phone numbers called so far
    #[arg(long)]
    pub new_hash_key: bool,
}

/// A rule of a policy, as the operator gives it.
#[derive(Debug, Clone)]
pub enum Rule {
    /// The policy gets this member, which the relay accepts.
    On(Box<RawValue>),
    /// The policy loses this member.
    Off,
}

impl PolicyChange {
    /// Whether it leaves nothing of the policy before it.
    pub(crate) fn is_whole(&self) -> bool {
        self.calling_hours.is_some() && self.once_per_phone_hours.is_some()
    }
}

const SHOW: &str = "\
Examples:
  lendswift account policy show acme
  lendswift account policy show acme --json | jq .policy";

const SET: &str = "\
Examples:
  lendswift account policy set acme --calling-hours federal
  lendswift account policy set acme --calling-hours mon-fri=09:00-20:00,sat=10:00-18:00
  lendswift account policy set acme --once-per-phone-hours 24
  lendswift account policy set acme --calling-hours off --once-per-phone-hours off";

fn calling_hours(text: &str) -> Result<Rule, String> {
    let json = match text {
        "off" => return Ok(Rule::Off),
        "federal" => raw("\"federal\"".to_owned()),
        windows => self::windows(windows),
    };
    let json = json.and_then(|json| match CallingHours::parse(&json) {
        Ok(_) => Ok(json),
        Err(fault) => Err(fault.to_string()),
    });
    json.map(Rule::On).map_err(|fault| {
        format!("{fault}. Accepted are federal, off, and windows such as mon-fri=09:00-20:00,sat=10:00-18:00")
    })
}

/// `{"mon-fri": "09:00-20:00", "sat": "10:00-18:00"}` for `mon-fri=09:00-20:00,sat=10:00-18:00`.
fn windows(text: &str) -> Result<Box<RawValue>, String> {
    let windows = text.split(',').enumerate().map(|(index, part)| window(index + 1, part));
    raw(format!("{{{}}}", windows.collect::<Result<Vec<_>, _>>()?.join(", ")))
}

/// The member for one part of the text, even if another part has the same name: the relay refuses both.
fn window(number: usize, part: &str) -> Result<String, String> {
    let (days, hours) = part.split_once('=').ok_or_else(|| format!("part {number} is not DAYS=HOURS"))?;
    let [days, hours] = [days, hours].map(|text| serde_json::Value::from(text.trim()));
    let member = format!("{days}: {hours}");
    match CallingHours::parse(&raw(format!("{{{member}}}"))?) {
        Err(fault @ (PolicyError::Day | PolicyError::Window(_))) => Err(format!("part {number}: {fault}")),
        _ => Ok(member),
    }
}

fn once_per_phone_hours(text: &str) -> Result<Rule, String> {
    if text == "off" {
        return Ok(Rule::Off);
    }
    let accepted = |fault: PolicyError| format!("{fault}. Accepted are 1 to 720, and off");
    let hours = raw(text.to_owned()).map_err(|_| accepted(PolicyError::OncePerPhoneHours))?;
    let policy = raw(format!("{{\"once_per_phone_hours\": {hours}}}"))?;
    Rules::parse(Some(&policy)).map(|_| Rule::On(hours)).map_err(accepted)
}

fn raw(json: String) -> Result<Box<RawValue>, String> {
    RawValue::from_string(json).map_err(|_| "it is not JSON".to_owned())
}
