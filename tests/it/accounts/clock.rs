//! A clock that the tests move, and posts at its instants.

use std::time::Duration;

use support::{Request, SecretsBehaviour, TestApp};
use tokio::{
    task,
    time::{self, pause, resume},
};

/// A step of a timeline: the seconds since the step before, Secrets Manager's behaviour from now on, the API key of a post, the
/// status of its response, and how often Secrets Manager was called so far.
pub type Step = (u64, SecretsBehaviour, &'static str, u16, usize);

/// Plays the steps.
pub async fn play(app: &TestApp, steps: &[Step]) {
    for (number, (seconds, behaviour, key, status, calls)) in steps.iter().enumerate() {
        pass(*seconds).await;
        app.secrets.behave(*behaviour);
        let response = app.post(&Request::lead().key(key)).await;
        assert_eq!((response.status, app.secrets.calls().len()), (*status, *calls), "step {number} of {steps:?}");
    }
}

/// Moves the clock without waiting.
pub async fn pass(seconds: u64) {
    pause();
    time::advance(Duration::from_secs(seconds)).await;
    resume();
}

/// Runs `scene` on a clock that stands still unless the scene moves it.
pub async fn on_a_still_clock<T>(scene: impl Future<Output = T>) -> T {
    pause();
    // A paused clock jumps ahead whenever there is nothing to do but wait, even for the network. So there is always something.
    let busy = async {
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(300) {
            task::yield_now().await;
        }
    };
    let result = tokio::select! {
        result = scene => result,
        () = busy => panic!("the scene waits for a time that does not come"),
    };
    resume();
    result
}

/// Moves a clock that stands still.
pub async fn advance(milliseconds: u64) {
    time::advance(Duration::from_millis(milliseconds)).await;
}

/// Lets everything happen that needs no clock.
pub async fn settle() {
    for _ in 0..1000 {
        task::yield_now().await;
    }
}

/// Waits until Secrets Manager was called this many times.
pub async fn called(app: &TestApp, times: usize) {
    while app.secrets.calls().len() < times {
        task::yield_now().await;
    }
}
