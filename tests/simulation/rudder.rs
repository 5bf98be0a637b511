//! AI Rudder: the pushes that it receives, and its responses.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use tokio::time::{Instant, sleep};

/// AI Rudder, shared by all processes of a schedule.
#[derive(Clone)]
pub struct Rudder(Arc<Mutex<State>>);

struct State {
    random: Rng,
    /// The number of each push that it accepted. It calls the consumer once per push.
    accepted: Vec<u32>,
}

/// The result of a push, as its sender sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushResult {
    Accepted,
    Refused,
    RateLimited,
    NoResponse,
}

/// How long the kernel may still deliver a push that was given up (`TCP_USER_TIMEOUT`; `PUSH_ACK_TIMEOUT` in
/// `budget`).
const KERNEL_TIMEOUT: Duration = Duration::from_secs(3);

impl Rudder {
    pub fn new(random: Rng) -> Self {
        Self(Arc::new(Mutex::new(State { random, accepted: Vec::new() })))
    }

    /// The numbers of the pushes that it accepted.
    pub fn accepted(&self) -> Vec<u32> {
        self.0.lock().unwrap().accepted.clone()
    }

    fn accept(&self, number: u32) {
        self.0.lock().unwrap().accepted.push(number);
    }

    /// Closes the connection of a push, half of the time after it accepted the lead.
    pub fn close_on(&self, number: u32) -> PushResult {
        if self.0.lock().unwrap().random.bool() {
            self.accept(number);
        }
        PushResult::NoResponse
    }

    /// Receives a push whose sender waits until `until`.
    pub async fn push(&self, number: u32, until: Instant) -> PushResult {
        let (kind, duration) = {
            let random = &mut self.0.lock().unwrap().random;
            (random.u8(0..10), Duration::from_millis(random.u64(1..1500)))
        };
        let left = until.saturating_duration_since(Instant::now());
        match kind {
            0 | 1 => {
                sleep(duration.min(left)).await;
                if kind == 0 { PushResult::Refused } else { PushResult::RateLimited }
            }
            // It accepts the lead, and the response is lost; or the bytes never arrive.
            2 | 4 => {
                if kind == 2 {
                    self.accept(number);
                }
                sleep(left).await;
                PushResult::NoResponse
            }
            // The bytes arrive after the sender gave up or was killed, as late as the kernel delivers them.
            3 => {
                let (rudder, late) = (self.clone(), left + KERNEL_TIMEOUT.mul_f64(duration.as_secs_f64() / 1.5));
                tokio::spawn(async move {
                    sleep(late).await;
                    rudder.accept(number);
                });
                sleep(left).await;
                PushResult::NoResponse
            }
            _ => {
                self.accept(number);
                sleep(duration.min(left)).await;
                if duration < left { PushResult::Accepted } else { PushResult::NoResponse }
            }
        }
    }
}
