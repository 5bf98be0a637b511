//! One schedule: everything that happens, derived from a seed.

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, SystemTime},
};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use fastrand::Rng;
use lendswift_relay::{aws::Aws, claim::Ledger, clock::Clock, config::Config};
use support::fakes::{DynamoCore, TokenRules};
use tokio::{
    runtime::Builder,
    select,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    network::{Network, NetworkConditions},
    operator::run_operator,
    process::{Post, PostRecord, Process, World, suspended},
    rudder::Rudder,
    verify,
};

/// The lead of most posts, and another that sometimes uses the same idempotency key. In half of the schedules they have
/// the same phone number.
pub const LEADS: [&str; 2] = [r#"{"lead":1}"#, r#"{"lead":2}"#];

/// Posts from this number on only make the processes close the claims that they kept. They have leads of their own.
pub const FIRST_CLOSING_POST: u32 = 9000;

/// A running schedule.
pub struct Schedule {
    random: Rng,
    world: World,
    dynamodb: DynamoCore,
    conditions: NetworkConditions,
    config: Config,
}

impl Schedule {
    /// Runs the schedule of a seed and verifies the guarantees. Returns the names of the events that were seen.
    pub fn run(seed: u64) -> Vec<String> {
        // The jitter of the ledger's backoff uses this generator.
        fastrand::seed(seed);
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async { Self::new(seed).run_all().await })
    }

    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let dynamodb = DynamoCore::new().unwrap();
        dynamodb.create_table("claims");
        dynamodb.set_token_rules(*random.choice(TokenRules::ALL.iter()).unwrap());
        let world = World {
            rudder: Rudder::new(random.fork()),
            records: Arc::default(),
            conflicts: Arc::default(),
            once_per_phone: random.bool(),
            reuses: Arc::default(),
            killed: Arc::default(),
            wall: SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_000 + random.u64(0..1000)),
            started_at: Instant::now(),
        };
        let short_window = random.bool();
        let config = Config::from_variables(|variable| match variable {
            "CLAIMS_TABLE" => Some("claims".into()),
            "AWS_REGION" => Some("us-east-1".into()),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some("http://127.0.0.1:1".into()),
            // The shortest window that is allowed: the most difficult one for a slow clock.
            "DUPLICATE_WINDOW_SECONDS" => short_window.then(|| "3600".into()),
            _ => None,
        });
        let conditions = NetworkConditions::random(&mut random, Instant::now());
        Self { random, world, dynamodb, conditions, config: config.unwrap() }
    }

    async fn run_all(mut self) -> Vec<String> {
        let mut seen = Vec::new();
        let mut numbers = 0;
        let processes: Vec<_> = (0..self.random.u32(2..=3)).map(|_| self.posts(&mut numbers)).collect();
        let conditions = Arc::new(Mutex::new(self.conditions.clone()));
        let mut tasks = JoinSet::new();
        for (number, posts) in (0..).zip(processes) {
            let wall = self.wall(&mut seen);
            let sandbox = Sandbox {
                number: number * 100,
                is_slow: wall < self.world.wall,
                wall,
                random: self.random.fork(),
                world: self.world.clone(),
                dynamodb: self.dynamodb.clone(),
                conditions: Arc::clone(&conditions),
                config: self.config.clone(),
            };
            tasks.spawn(sandbox.run(posts));
        }
        let operator = run_operator(&self.world, &self.dynamodb, self.random.fork(), |number| verify::pk(lead(number)));
        let (operator_log, sandboxes) = tokio::join!(operator, tasks.join_all());
        // All requests in transit arrive.
        sleep(Duration::from_secs(60)).await;
        *conditions.lock().unwrap() = NetworkConditions::perfect();
        seen.extend(operator_log);
        seen.extend(verify::kept_claims(&self.world, &self.dynamodb));
        let event = |breaks| if breaks { "reused connection broke" } else { "connection reused" }.to_owned();
        seen.extend(self.world.reuses.lock().unwrap().iter().map(|breaks| event(*breaks)));
        for (number, sandbox) in (FIRST_CLOSING_POST..).zip(sandboxes) {
            seen.extend(sandbox.close_left_claims(number).await);
        }
        sleep(Duration::from_secs(60)).await;
        seen.extend(verify::verify(&self.world, &self.dynamodb));
        seen
    }

    /// The wall clock of a process: mostly right, sometimes up to an hour slow, as after a suspension, or up to 2 s
    /// fast.
    fn wall(&mut self, seen: &mut Vec<String>) -> SystemTime {
        match self.random.u8(0..6) {
            0 => {
                seen.push("slow wall clock".to_owned());
                self.world.wall - Duration::from_millis(self.random.u64(1000..3_600_000))
            }
            1 => self.world.wall + Duration::from_millis(self.random.u64(0..2000)),
            _ => self.world.wall,
        }
    }

    /// The posts that one process receives.
    fn posts(&mut self, numbers: &mut u32) -> Vec<Post> {
        let mut at = Instant::now();
        (0..self.random.u8(1..=3))
            .map(|_| {
                *numbers += 1;
                at += Duration::from_millis(self.random.u64(0..15_000));
                let other = self.random.u8(0..if self.world.once_per_phone { 3 } else { 8 }) == 0;
                Post {
                    // The number encodes which lead it is: see `lead`.
                    number: *numbers * 2 + u32::from(other),
                    lead: LEADS[usize::from(other)],
                    key: *self.random.choice([None, Some("one"), Some("one"), Some("another")].iter()).unwrap(),
                    at,
                    time_left: Duration::from_millis(
                        *self.random.choice([29_000, 29_000, 12_000, 5000, 3000].iter()).unwrap(),
                    ),
                }
            })
            .collect()
    }
}

/// The lead of the post with this number.
pub fn lead(number: u32) -> &'static str {
    LEADS[usize::from(number % 2 == 1)]
}

/// An execution environment of Lambda: a process, and a new one after that was killed.
struct Sandbox {
    /// The number of the current process.
    number: u32,
    wall: SystemTime,
    is_slow: bool,
    random: Rng,
    world: World,
    dynamodb: DynamoCore,
    conditions: Arc<Mutex<NetworkConditions>>,
    config: Config,
}

/// A sandbox after its last post.
pub struct FinishedSandbox {
    process: Process,
    seen: Vec<String>,
}

impl Sandbox {
    async fn run(mut self, posts: Vec<Post>) -> FinishedSandbox {
        let process = self.process();
        if self.random.u8(0..5) == 0 {
            self.concurrently(process, posts).await
        } else {
            self.sequentially(process, posts).await
        }
    }

    /// Handles events concurrently, as under Lambda Managed Instances.
    async fn concurrently(self, process: Process, posts: Vec<Post>) -> FinishedSandbox {
        let handled = posts.into_iter().map(async |post| {
            sleep_until(post.at).await;
            let response = Some(process.handle(&post).await);
            self.world.records.lock().unwrap().push(PostRecord { post, response, process: process.number });
        });
        futures_util::future::join_all(handled).await;
        FinishedSandbox { process, seen: vec!["concurrent requests".to_owned()] }
    }

    /// Handles one event after the other, as in ordinary Lambda.
    async fn sequentially(mut self, mut process: Process, posts: Vec<Post>) -> FinishedSandbox {
        let mut seen = Vec::new();
        for post in posts {
            sleep_until(post.at.max(Instant::now())).await;
            let now = Instant::now();
            // Lambda kills a process at its deadline, or if it is suspended then, some time after it resumes.
            let mut killed_at = now + post.time_left;
            let mut suspension = (killed_at, killed_at);
            if self.random.u8(0..5) == 0 {
                seen.push("suspended".to_owned());
                let from = now + Duration::from_millis(self.random.u64(0..6000));
                suspension = (from, from + Duration::from_millis(self.random.u64(1..60_000)));
                killed_at = killed_at.max(suspension.1 + Duration::from_millis(self.random.u64(0..5000)));
            }
            let is_healthy = !self.is_slow && killed_at == now + post.time_left && suspension.0 == killed_at;
            let mut killed_early = false;
            if self.random.u8(0..6) == 0 {
                killed_early = true;
                killed_at = now + Duration::from_millis(self.random.u64(0..6000));
            }
            let response = select! {
                biased;
                response = suspended(suspension.0, suspension.1, process.handle(&post)) => Some(response),
                () = sleep_until(killed_at) => None,
            };
            let killed = response.is_none();
            assert!(!killed || killed_early || !is_healthy, "post {} got no response by its deadline", post.number);
            self.world.records.lock().unwrap().push(PostRecord { post, response, process: process.number });
            if killed {
                seen.push("killed".to_owned());
                self.world.killed.lock().unwrap().push(process.number);
                self.number += 1;
                process = self.process();
            }
        }
        FinishedSandbox { process, seen }
    }

    fn process(&mut self) -> Process {
        let network = Network::new(
            &self.dynamodb,
            Arc::clone(&self.conditions),
            self.random.fork(),
            Arc::clone(&self.world.conflicts),
        );
        let clock = Clock::starting_at(self.wall + self.world.started_at.elapsed());
        let ledger = Ledger::new(&self.config, &aws(network), clock);
        Process {
            number: self.number,
            ledger,
            clock,
            world: self.world.clone(),
            random: Mutex::new(self.random.fork()),
        }
    }
}

impl FinishedSandbox {
    /// Posts a lead of its own, after which the process closes the claims that it kept.
    async fn close_left_claims(self, number: u32) -> Vec<String> {
        let lead = [r#"{"last":1}"#, r#"{"last":2}"#, r#"{"last":3}"#][usize::try_from(number % 3).unwrap()];
        let post = Post { number: number * 2, lead, key: None, at: Instant::now(), time_left: Duration::from_secs(29) };
        self.process.handle(&post).await;
        self.seen
    }
}

/// Built once: its TLS, which no schedule uses, takes longer than a schedule.
static AWS: LazyLock<Aws> = LazyLock::new(|| {
    let mut aws = Aws::new(&support::config(&[]).unwrap()).unwrap();
    aws.sdk = support::aws();
    aws
});

fn aws(network: Network) -> Aws {
    let mut aws = AWS.clone();
    aws.connector = SharedHttpConnector::new(network);
    aws
}
