//! The deadline that Lambda gives to the process.

use std::time::{Duration, Instant};

use support::{Lead, ProcessHarness, TABLE, deadline_in, fakes::Answering};

use crate::{RELAY, run::report};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plausible_deadline_is_kept_and_others_are_ignored() {
    let harness = ProcessHarness::start(RELAY, &[]).await;
    let an_hour_ago = -3_601_000;
    let deadlines = [
        ("none", 0, "200 accepted"),
        ("an emulator's", 600_000, "200 accepted"),
        ("the largest number", u64::MAX, "200 accepted"),
        ("over an hour past", deadline_in(an_hour_ago), "200 accepted"),
        ("a minute past", deadline_in(-60_000), "503 not_sent temporarily_unavailable"),
        ("now", deadline_in(0), "503 not_sent temporarily_unavailable"),
        ("in 2 s", deadline_in(2000), "503 not_sent temporarily_unavailable"),
        ("in a year", deadline_in(31_536_000_000), "200 accepted"),
    ];
    for (number, (deadline, at, expected)) in (1..).zip(deadlines) {
        let lead = Lead(number);
        let response = harness.lambda.post(&lead.post(), at).await.expect("the process lives");
        assert_eq!(response, expected, "{deadline}");
        let pushes = usize::from(response.outcome == "accepted");
        assert_eq!((lead.pushes(&harness.rudder), lead.item(&harness.dynamodb).iter().count()), (pushes, pushes));
        report(format_args!("deadline {deadline}: {response}, {pushes} pushes"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_upstream_yields_unknown_before_the_deadline() {
    let harness = ProcessHarness::start(RELAY, &[]).await;
    harness.post(&Lead(1).post()).await;
    harness.rudder.answering(|| Answering::Hang);
    for (number, left) in (2..).zip([3000, 4000, 6000]) {
        let lead = Lead(number);
        let begun = Instant::now();
        let response = harness.post_within(&lead.post(), left).await.expect("the process lives");
        let took = begun.elapsed();
        assert_eq!(response, "504 unknown upstream_timeout");
        assert!(took < Duration::from_millis(left.unsigned_abs()), "{took:?} of {left} ms");
        assert_eq!(harness.post(&lead.post()).await, response.again());
        assert_eq!(lead.pushes(&harness.rudder), 1);
        report(format_args!("{left} ms to the deadline, AI Rudder silent: {response} after {took:?}"));
    }
    assert_eq!(harness.dynamodb.items(TABLE).len(), 4);
}
