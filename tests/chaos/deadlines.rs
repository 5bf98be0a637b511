//! The deadline that Lambda gives to the process.

use std::time::{Duration, Instant};

use support::{Answering, Lead, ProcessHarness, TABLE, deadline_in};

use crate::{RELAY, run::report};

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
