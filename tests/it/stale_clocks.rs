//! A process that resumes with the clocks of the moment at which it was suspended: only Lambda's deadlines show the time.

use std::time::SystemTime;

use lambda_http::Context;
use lendswift_relay::{aws::Aws, clock::Clock, relay::Relay};
use support::{Lead, TABLE, TestApp, aws, config, deadline_in, post};
use tokio::{
    task::yield_now,
    time::{pause, resume},
};

const ROUNDS: u32 = 200;

/// Posts leads while the monotonic clock and the wall clock stand still. Between two events, Lambda's deadlines advance by
/// `milliseconds`. Returns how many connections to AI Rudder there were.
async fn connections_after(milliseconds: u64) -> usize {
    let app = TestApp::with_ledger().await;
    let variables = [
        ("CLAIMS_TABLE", TABLE),
        ("UPSTREAM_BASE_URL", &*app.rudder.base_url()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &*app.secrets.url()),
        ("AWS_ENDPOINT_URL_DYNAMODB", &*app.dynamodb.url()),
    ];
    let config = config(&variables).unwrap();
    let mut relay_aws = Aws::new(&config).unwrap();
    relay_aws.sdk = aws();
    pause();
    let relay = Relay::new(&config, relay_aws, Clock::starting_at(SystemTime::now())).unwrap();
    let mut deadline = deadline_in(20_000);
    let rounds = async {
        for number in 1..=ROUNDS {
            let mut context = Context::default();
            context.deadline = deadline;
            assert_eq!(post(&relay, &Lead(number).post(), context).await, "200 accepted");
            deadline += milliseconds;
            if number == ROUNDS / 2 {
                // AI Rudder closed what was idle while the process was suspended.
                app.rudder.connections().close();
            }
        }
    };
    // A paused clock jumps ahead when every task waits, so one never does.
    let busy = async {
        loop {
            yield_now().await;
        }
    };
    tokio::select! {
        () = rounds => {}
        () = busy => {}
    }
    resume();
    assert_eq!(app.rudder.received().len(), ROUNDS as usize);
    app.rudder.connections_made()
}

#[tokio::test]
async fn lambdas_deadlines_forbid_reuse_when_both_local_clocks_stand_still() {
    assert_eq!(connections_after(1001).await, ROUNDS as usize);
    // One of the first lead, one of all others, and after it was closed one that is not kept, and one of the rest.
    assert_eq!(connections_after(1000).await, 4);
}
