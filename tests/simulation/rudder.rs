//! AI Rudder: what it got, and what it says.

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
    /// The number of each push that it accepted: the consumer is telephoned.
    accepted: Vec<u32>,
}

/// What a sender gets for a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    Accepted,
    Refused,
    RateLimited,
    NoAnswer,
}

/// How long the kernel goes on delivering a push that was given up (`TCP_USER_TIMEOUT`).
const UNACKNOWLEDGED: Duration = Duration::from_secs(3);

impl Rudder {
    pub fn new(random: Rng) -> Self {
        Self(Arc::new(Mutex::new(State { random, accepted: Vec::new() })))
    }

    /// The pushes that it accepted.
    pub fn accepted(&self) -> Vec<u32> {
        self.0.lock().unwrap().accepted.clone()
    }

    fn accept(&self, number: u32) {
        self.0.lock().unwrap().accepted.push(number);
    }

    /// Takes the bytes of a push, whose sender waits until `until`.
    pub async fn push(&self, number: u32, until: Instant) -> Pushed {
        let (kind, takes) = {
            let random = &mut self.0.lock().unwrap().random;
            (random.u8(0..10), Duration::from_millis(random.u64(1..1500)))
        };
        let left = until.saturating_duration_since(Instant::now());
        match kind {
            0 => {
                sleep(takes.min(left)).await;
                Pushed::Refused
            }
            1 => {
                sleep(takes.min(left)).await;
                Pushed::RateLimited
            }
            // It has the lead, and its answer is lost.
            2 => {
                self.accept(number);
                sleep(left).await;
                Pushed::NoAnswer
            }
            // The bytes arrive after the sender gave up, as late as the kernel allows, also when it is dead.
            3 => {
                let (rudder, late) = (self.clone(), left + UNACKNOWLEDGED.mul_f64(takes.as_secs_f64() / 1.5));
                tokio::spawn(async move {
                    sleep(late).await;
                    rudder.accept(number);
                });
                sleep(left).await;
                Pushed::NoAnswer
            }
            // They never arrive.
            4 => {
                sleep(left).await;
                Pushed::NoAnswer
            }
            _ => {
                self.accept(number);
                sleep(takes.min(left)).await;
                if takes < left { Pushed::Accepted } else { Pushed::NoAnswer }
            }
        }
    }
}
