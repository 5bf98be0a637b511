//! The deadline that the process is told.

use std::time::{Duration, Instant};

use stand_ins::Answering;

use crate::{
    house::{House, post},
    stage::TABLE,
    told::{Lead, in_ms, report},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_that_is_one_is_kept_and_one_that_is_none_is_ignored() {
    let house = House::open(&[]).await;
    let an_hour_ago = -3_601_000;
    let deadlines = [
        ("none", 0, "200 accepted"),
        ("an emulator's", 600_000, "200 accepted"),
        ("the largest number", u64::MAX, "200 accepted"),
        ("over an hour past", in_ms(an_hour_ago), "200 accepted"),
        ("a minute past", in_ms(-60_000), "503 not_sent temporarily_unavailable"),
        ("now", in_ms(0), "503 not_sent temporarily_unavailable"),
        ("in 2 s", in_ms(2000), "503 not_sent temporarily_unavailable"),
        ("in a year", in_ms(31_536_000_000), "200 accepted"),
    ];
    for (number, (deadline, at, expected)) in (1..).zip(deadlines) {
        let lead = Lead(number);
        let told = post(&house.lambda, &lead.post(), at).await.expect("the process lives");
        assert_eq!(told.to_string(), expected, "{deadline}");
        let sent = usize::from(told.outcome == "accepted");
        assert_eq!((lead.pushes(&house.rudder), lead.item(&house.dynamodb).iter().count()), (sent, sent), "{deadline}");
        report(format_args!("deadline {deadline}: {told}, {sent} pushes"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_kept_waiting_answers_before_the_deadline_what_nobody_knows() {
    let house = House::open(&[]).await;
    house.told(&Lead(1).post()).await;
    house.rudder.answering(|| Answering::Silent);
    for (number, left) in (2..).zip([3000, 4000, 6000]) {
        let lead = Lead(number);
        let begun = Instant::now();
        let told = house.post(&lead.post(), left).await.expect("the process lives");
        let took = begun.elapsed();
        assert_eq!(told.to_string(), "504 unknown upstream_timeout");
        assert!(took < Duration::from_millis(left.unsigned_abs()), "{took:?} of {left} ms");
        assert_eq!(house.told(&lead.post()).await, told.again());
        assert_eq!(lead.pushes(&house.rudder), 1);
        report(format_args!("{left} ms to the deadline, AI Rudder silent: {told} after {took:?}"));
    }
    assert_eq!(house.dynamodb.items(TABLE).len(), 4);
}
