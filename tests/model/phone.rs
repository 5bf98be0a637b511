//! Posts of two leads that have one phone number, in an account whose policy has `once_per_phone_hours`.

use super::{
    SAME_PROCESS, TWO_PROCESSES,
    check::{AWS, AWS_WITHOUT_RUNNING},
    mutant::Mutant,
    properties::{
        NAMES_ANOTHER_POST, NO_OPEN_CLAIM, NO_ORPHANED_CLAIM, NO_ORPHANED_PHONE, NOT_SENT_IS_TRUE, ONE_ACCEPTED_PUSH,
        ONE_SENDER, SENDER_HOLDS_PHONE,
    },
    scenario::{OncePerPhone, Scenario, Window},
    two, two_with_late_copies, two_with_operator,
};

/// One post of each lead. The phone number is free again when the leads are.
fn two_leads(scenario: Scenario) -> Scenario {
    Scenario { leads: &[0, 1], once_per_phone: OncePerPhone::AsLongAsLead, ..scenario }
}

/// The same, but the phone number is free again before the leads are.
fn with_short_period(scenario: Scenario) -> Scenario {
    Scenario { once_per_phone: OncePerPhone::Shorter, window: Window::AfterLeases, ..two_leads(scenario) }
}

/// A second post of the first lead.
fn with_repeated_lead(scenario: Scenario) -> Scenario {
    Scenario { leads: &[0, 1, 0], ..scenario }
}

#[test]
fn two_leads_with_crashes_and_an_operator_are_pushed_once() {
    for aws in AWS {
        let scenario =
            Scenario { transactions_run: true, crashes: true, operator_moves: 1, ..Scenario::new(TWO_PROCESSES, aws) };
        two_leads(scenario).violates_only(&[NO_OPEN_CLAIM]);
    }
}

#[test]
fn without_crashes_no_claim_of_two_leads_stays_open() {
    for aws in AWS {
        two_leads(Scenario { transactions_run: true, ..Scenario::new(TWO_PROCESSES, aws) }).violates_only(&[]);
    }
}

#[test]
fn left_claims_of_two_leads_are_closed_despite_late_requests() {
    for aws in AWS_WITHOUT_RUNNING {
        two_leads(Scenario { late_copies: 1, ..Scenario::new(SAME_PROCESS, aws) }).violates_only(&[]);
    }
}

#[test]
fn number_of_another_lead_does_not_hinder_the_release() {
    for aws in AWS {
        let scenario = Scenario { transactions_run: true, ..Scenario::new(SAME_PROCESS, aws) };
        with_short_period(scenario).violates_only(&[]);
    }
    for aws in [AWS[0], AWS[3]] {
        let scenario = Scenario { transactions_run: true, ..Scenario::new(TWO_PROCESSES, aws) };
        with_short_period(scenario).violates_only(&[]);
    }
    with_short_period(two_with_operator()).violates_only(&[]);
}

#[test]
fn suspension_then_reopening_pushes_two_leads_of_a_number() {
    let scenario = Scenario { suspensions: true, ..two_with_operator() };
    two_leads(scenario).violates_only(&[ONE_ACCEPTED_PUSH]);
}

#[test]
fn period_that_ends_while_a_sender_is_active_pushes_two_leads() {
    let at_any_time = Scenario { window: Window::AnyTime, ..with_short_period(two()) };
    at_any_time.violates_only(&[ONE_ACCEPTED_PUSH, ONE_SENDER, SENDER_HOLDS_PHONE]);
    two_leads(Scenario { window: Window::AfterLeases, ..two() }).violates_only(&[]);
}

#[test]
#[ignore = "part of the long run"]
fn three_posts_of_two_leads_push_once() {
    for aws in [AWS[0], AWS[3]] {
        with_repeated_lead(two_leads(Scenario::new(&[0, 1, 2], aws))).violates_only(&[]);
    }
}

#[test]
#[ignore = "part of the long run"]
fn called_lead_is_replayed_although_another_has_its_number() {
    with_repeated_lead(with_short_period(Scenario::new(&[0, 1, 0], AWS[0]))).violates_only(&[]);
}

#[test]
#[ignore = "part of the long run"]
fn three_posts_of_two_leads_with_crashes_push_once() {
    let scenario = Scenario { crashes: true, ..Scenario::new(&[0, 1, 0], AWS[0]) };
    with_repeated_lead(two_leads(scenario)).violates_only(&[NO_OPEN_CLAIM]);
}

#[test]
#[ignore = "part of the long run"]
fn crash_after_a_doubtful_release_does_not_leave_the_number() {
    two_leads_with_doubtful_releases().violates_only(&[NO_OPEN_CLAIM]);
}

/// The release's request may fail because the number is another lead's. Then that lead is released, a late copy of the claim is
/// written, and the process crashes. If it had deleted the lead alone before, the number would stay.
fn two_leads_with_doubtful_releases() -> Scenario {
    two_leads(Scenario { late_copies: 1, crashes: true, ..Scenario::new(SAME_PROCESS, AWS[0]) })
}

#[test]
#[ignore = "part of the long run"]
fn short_period_with_late_requests_crashes_and_an_operator() {
    let late = Scenario { late_copies: 1, ..Scenario::new(SAME_PROCESS, AWS[0]) };
    with_short_period(late).violates_only(&[]);
    let with_crashes = Scenario { transactions_run: true, crashes: true, ..two_with_operator() };
    with_short_period(with_crashes).violates_only(&[NO_OPEN_CLAIM]);
}

/// Mutants whose phone number's item is wrong, each in the scenario that shows it.
pub fn mutants() -> [(Mutant, Scenario, &'static str); 10] {
    let running = Scenario { transactions_run: true, ..two() };
    let called_before = with_repeated_lead(with_short_period(Scenario::new(&[0, 0, 0], AWS[0])));
    [
        (Mutant::PhoneNotClaimed, two_leads(two()), ONE_ACCEPTED_PUSH),
        (Mutant::PhoneClaimedBefore, two_leads(two()), NO_ORPHANED_PHONE),
        (Mutant::PhoneClaimedAfter, two_leads(two_with_late_copies()), NO_ORPHANED_PHONE),
        (Mutant::PhoneConflictIsInProgress, two_leads(running), NAMES_ANOTHER_POST),
        (Mutant::PhoneBeforeLead, called_before, NOT_SENT_IS_TRUE),
        (Mutant::ReleaseKeepsPhone, two_leads(two()), NO_ORPHANED_PHONE),
        (Mutant::ReleaseIgnoresPhoneLead, two_leads(two_with_late_copies()), SENDER_HOLDS_PHONE),
        (Mutant::ReleaseNeedsPhone, with_short_period(two()), NO_ORPHANED_CLAIM),
        (Mutant::DoubtfulReleaseLeavesPhone, two_leads_with_doubtful_releases(), NO_ORPHANED_PHONE),
        (Mutant::ReopeningKeepsPhone, two_leads(two_with_operator()), NO_ORPHANED_PHONE),
    ]
}
