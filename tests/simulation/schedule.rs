//! One schedule: everything that happens, drawn from a seed.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, http_client_fn};
use aws_smithy_runtime_api::shared::IntoShared;
use fastrand::Rng;
use lendswift_relay::{claim::Ledger, clock::Clock, config::Config};
use support::fakes::{DynamoCore, TokenRules};
use tokio::{
    runtime::Builder,
    select,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    network::{Network, Weather},
    operator::operate,
    process::{Happened, Post, Process, World, frozen},
    rudder::Rudder,
    verify,
};

/// Two leads: the one that all of it is about, and one that meets it under the same key.
pub const LEADS: [&str; 2] = [r#"{"lead":1}"#, r#"{"lead":2}"#];

/// A schedule that is being run.
pub struct Schedule {
    random: Rng,
    world: World,
    dynamodb: DynamoCore,
    weather: Weather,
    config: Config,
}

impl Schedule {
    /// Runs the schedule of a seed, verifies what came of it, and names what was seen.
    pub fn run(seed: u64) -> Vec<String> {
        // The ledger's backoff draws its jitter from here.
        fastrand::seed(seed);
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async { Self::new(seed).play().await })
    }

    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let dynamodb = DynamoCore::new().unwrap();
        dynamodb.create_table("claims");
        dynamodb.set_token_rules(*random.choice(TokenRules::ALL.iter()).unwrap());
        let world = World {
            rudder: Rudder::new(random.fork()),
            happened: Arc::default(),
            killed: Arc::default(),
            wall: SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_000 + random.u64(0..1000)),
            began: Instant::now(),
        };
        let short_window = random.bool();
        let config = Config::read(|variable| match variable {
            "CLAIMS_TABLE" => Some("claims".into()),
            "AWS_REGION" => Some("us-east-1".into()),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some("http://127.0.0.1:1".into()),
            // The shortest that there may be, which a late clock could undercut.
            "DUPLICATE_WINDOW_SECONDS" => short_window.then(|| "3600".into()),
            _ => None,
        });
        let weather = Weather::draw(&mut random, Instant::now());
        Self { random, world, dynamodb, weather, config: config.unwrap() }
    }

    async fn play(mut self) -> Vec<String> {
        let mut seen = Vec::new();
        let mut numbers = 0;
        let processes: Vec<_> = (0..self.random.u32(2..=3)).map(|number| self.posts(number, &mut numbers)).collect();
        let weather = Arc::new(Mutex::new(self.weather.clone()));
        let mut tasks = JoinSet::new();
        for (number, posts) in (0..).zip(processes) {
            let wall = self.wall(&mut seen);
            let lane = Lane {
                first: number * 100,
                is_late: wall < self.world.wall,
                wall,
                random: self.random.fork(),
                world: self.world.clone(),
                dynamodb: self.dynamodb.clone(),
                weather: Arc::clone(&weather),
                config: self.config.clone(),
            };
            tasks.spawn(lane.play(posts));
        }
        let operator = operate(&self.world, &self.dynamodb, self.random.fork(), |number| verify::pk(lead(number)));
        let (operated, lanes) = tokio::join!(operator, tasks.join_all());
        // Whatever is still on its way arrives.
        sleep(Duration::from_secs(60)).await;
        *weather.lock().unwrap() = Weather::fair();
        seen.extend(operated);
        seen.extend(verify::left(&self.world, &self.dynamodb));
        let mut quiet = 9000;
        for lane in lanes {
            quiet += 1;
            seen.extend(lane.end(quiet).await);
        }
        sleep(Duration::from_secs(60)).await;
        seen.extend(verify::verify(&self.world, &self.dynamodb));
        seen
    }

    /// The wall clock of a process: mostly right, sometimes minutes late, as after a thaw, or a little fast.
    fn wall(&mut self, seen: &mut Vec<String>) -> SystemTime {
        match self.random.u8(0..6) {
            0 => {
                seen.push("late wall clock".to_owned());
                self.world.wall - Duration::from_millis(self.random.u64(1000..3_600_000))
            }
            1 => self.world.wall + Duration::from_millis(self.random.u64(0..2000)),
            _ => self.world.wall,
        }
    }

    /// What one process gets.
    fn posts(&mut self, _process: u32, numbers: &mut u32) -> Vec<Post> {
        let mut at = Instant::now();
        (0..self.random.u8(1..=3))
            .map(|_| {
                *numbers += 1;
                at += Duration::from_millis(self.random.u64(0..15_000));
                let other = self.random.u8(0..8) == 0;
                Post {
                    // The lead is part of the number: see `lead`.
                    number: *numbers * 2 + u32::from(other),
                    lead: LEADS[usize::from(other)],
                    key: *self.random.choice([None, Some("one"), Some("one"), Some("another")].iter()).unwrap(),
                    at,
                    left: Duration::from_millis(
                        *self.random.choice([29_000, 29_000, 12_000, 5000, 3000].iter()).unwrap(),
                    ),
                }
            })
            .collect()
    }
}

/// The lead of a post.
pub fn lead(number: u32) -> &'static str {
    LEADS[usize::from(number % 2 == 1)]
}

/// One sandbox of Lambda: a process, and after it was killed another.
struct Lane {
    first: u32,
    wall: SystemTime,
    is_late: bool,
    random: Rng,
    world: World,
    dynamodb: DynamoCore,
    weather: Arc<Mutex<Weather>>,
    config: Config,
}

/// A lane at the end of its posts.
pub struct Ended {
    process: Process,
    seen: Vec<String>,
}

impl Lane {
    async fn play(mut self, posts: Vec<Post>) -> Ended {
        let process = self.process();
        if self.random.u8(0..5) == 0 { self.at_once(process, posts).await } else { self.in_turn(process, posts).await }
    }

    /// Several events at a time, as under Lambda Managed Instances.
    async fn at_once(self, process: Process, posts: Vec<Post>) -> Ended {
        let handled = posts.into_iter().map(async |post| {
            sleep_until(post.at).await;
            let answer = Some(process.handle(&post).await);
            self.world.happened.lock().unwrap().push(Happened { post, answer, process: process.number });
        });
        futures_util::future::join_all(handled).await;
        Ended { process, seen: vec!["several at once".to_owned()] }
    }

    /// One event after the other, as Lambda sends them.
    async fn in_turn(mut self, mut process: Process, posts: Vec<Post>) -> Ended {
        let mut seen = Vec::new();
        for post in posts {
            sleep_until(post.at.max(Instant::now())).await;
            let now = Instant::now();
            // Lambda kills a process at its deadline, and one that was frozen then some time after it thaws.
            let mut dies = now + post.left;
            let mut freeze = (dies, dies);
            if self.random.u8(0..5) == 0 {
                seen.push("frozen".to_owned());
                let from = now + Duration::from_millis(self.random.u64(0..6000));
                freeze = (from, from + Duration::from_millis(self.random.u64(1..60_000)));
                dies = dies.max(freeze.1 + Duration::from_millis(self.random.u64(0..5000)));
            }
            let is_healthy = !self.is_late && dies == now + post.left && freeze.0 == dies;
            let mut killed_early = false;
            if self.random.u8(0..6) == 0 {
                killed_early = true;
                dies = now + Duration::from_millis(self.random.u64(0..6000));
            }
            let answer = select! {
                biased;
                answer = frozen(freeze.0, freeze.1, process.handle(&post)) => Some(answer),
                () = sleep_until(dies) => None,
            };
            let killed = answer.is_none();
            assert!(!killed || killed_early || !is_healthy, "post {} got no answer by its deadline", post.number);
            self.world.happened.lock().unwrap().push(Happened { post, answer, process: process.number });
            if killed {
                seen.push("killed".to_owned());
                self.world.killed.lock().unwrap().push(process.number);
                self.first += 1;
                process = self.process();
            }
        }
        Ended { process, seen }
    }

    fn process(&mut self) -> Process {
        let network = Network::new(&self.dynamodb, Arc::clone(&self.weather), self.random.fork());
        let clock = Clock::starting_at(self.wall + self.world.began.elapsed());
        let ledger = Ledger::new(&self.config, &aws(network), clock);
        Process { number: self.first, ledger, clock, world: self.world.clone(), random: Mutex::new(self.random.fork()) }
    }
}

impl Ended {
    /// One more event, of a lead of its own: with it the process closes what it kept.
    async fn end(self, number: u32) -> Vec<String> {
        let lead = [r#"{"quiet":1}"#, r#"{"quiet":2}"#, r#"{"quiet":3}"#][usize::try_from(number % 3).unwrap()];
        let post = Post { number: number * 2, lead, key: None, at: Instant::now(), left: Duration::from_secs(29) };
        self.process.handle(&post).await;
        self.seen
    }
}

fn aws(network: Network) -> SdkConfig {
    let http: SharedHttpClient = http_client_fn(move |_, _| network.clone().into_shared());
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("local", "local", None)))
        .http_client(http)
        .build()
}
