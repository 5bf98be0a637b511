//! How many instructions the relay takes as a process: for its start, for twenty leads with everything around them, and for a
//! hundred that are refused, where all but Lambda's runtime client is its own work.
//!
//! This is Lambda's runtime API and all that the relay talks to, on ports 19400 to 19403. `cargo bench --features instructions
//! --bench process` needs valgrind, and `cargo install gungraun-runner` in the version that `Cargo.toml` has of gungraun. It
//! fails where a figure grows by more than a twentieth over the one that is written down here.

#![expect(missing_docs, reason = "what the harness's macros make has none")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark ends where it can't go on")]

#[path = "../cost/build.rs"]
#[expect(dead_code, reason = "the other benchmark's: some of it is its alone")]
mod build;
#[path = "../cost/far.rs"]
mod far;
#[path = "../cost/leads.rs"]
mod leads;
#[path = "../cost/neighbours.rs"]
#[expect(dead_code, reason = "the other benchmark's: some of it is its alone")]
mod neighbours;

use std::{
    error::Error,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gungraun::{
    BinaryBenchmarkConfig, Callgrind, Command, Delay, DelayKind, EventKind, ExitWith, binary_benchmark,
    binary_benchmark_group, main,
};
use support::{TABLE, fakes::RuntimeApi};
use tokio::{runtime::Runtime, time::timeout};

use self::{leads::Leads, neighbours::Neighbours};

type Failure = Box<dyn Error + Send + Sync>;

const fn here(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

const RUNTIME_API: SocketAddr = here(19400);
const RUDDER: SocketAddr = here(19401);
const SECRETS: SocketAddr = here(19402);
const DYNAMODB: SocketAddr = here(19403);

/// What one start and its leads get.
const LIMIT: Duration = Duration::from_secs(120);

fn authority() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(build::FOLDER).join("instructions-ca.pem")
}

/// Lambda, for as long as it takes the process to answer so many leads, and so many that are wrong, and to ask for another.
/// Then nobody is there any more, and the process ends.
fn lambda(_table: &str, _connect_at_start: bool, leads: u32, refused: u32) {
    let lambda = async {
        let _neighbours = Neighbours::at([RUDDER, SECRETS, DYNAMODB], authority()).await?;
        let api = RuntimeApi::start(RUNTIME_API).await?;
        api.ready().await;
        let mut next = Leads::new()?;
        let deadline = (SystemTime::now() + LIMIT).duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
        for _ in 0..leads {
            let answer = api.invoke(&next.next(), deadline).await;
            assert_eq!(answer.unwrap()["headers"]["lead-outcome"], "accepted");
        }
        for _ in 0..refused {
            let answer = api.invoke(include_str!("../../events/every-field-wrong.json"), deadline).await;
            assert_eq!(answer.unwrap()["statusCode"], 422);
        }
        api.polled().await;
        Ok::<_, Failure>(())
    };
    Runtime::new().unwrap().block_on(async { timeout(LIMIT, lambda).await }).unwrap().unwrap();
}

/// A figure, and a twentieth more. Counted on x86-64 with Rust 1.95, glibc 2.36 and valgrind 3.19; another of these may count
/// otherwise, and then the figure follows.
fn about(instructions: u64) -> BinaryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions + instructions / 20)]);
    let mut config = BinaryBenchmarkConfig::default();
    config.tool(callgrind).setup_parallel(true).exit_with(ExitWith::Failure);
    config
}

#[binary_benchmark]
#[bench::start(args = (TABLE, false, 0, 0), setup = lambda, config = about(1_810_000))]
#[bench::start_without_ledger(args = ("off", false, 0, 0), setup = lambda, config = about(1_300_000))]
#[bench::start_connected(args = (TABLE, true, 0, 0), setup = lambda, config = about(8_120_000))]
#[bench::twenty_leads(args = (TABLE, false, 20, 0), setup = lambda, config = about(61_200_000))]
#[bench::twenty_leads_without_ledger(args = ("off", false, 20, 0), setup = lambda, config = about(35_900_000))]
#[bench::hundred_refusals(args = ("off", false, 0, 100), setup = lambda, config = about(52_700_000))]
fn relay(table: &str, connect_at_start: bool, _leads: u32, _refused: u32) -> Command {
    let mut command = Command::new(build::relay().unwrap());
    for (name, value) in [
        ("AWS_LAMBDA_RUNTIME_API", RUNTIME_API.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "lendswift-relay".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/lendswift-relay".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "an example".to_owned()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", format!("https://localhost:{}", SECRETS.port())),
        ("AWS_ENDPOINT_URL_DYNAMODB", format!("https://localhost:{}", DYNAMODB.port())),
        ("AWS_CA_BUNDLE", authority().to_string_lossy().into_owned()),
        ("UPSTREAM_BASE_URL", format!("https://localhost:{}/api/push/lendswift-under-wirting", RUDDER.port())),
        ("UPSTREAM_CA_FILE", authority().to_string_lossy().into_owned()),
        ("CLAIMS_TABLE", table.to_owned()),
        ("CONNECT_AT_START", connect_at_start.to_string()),
    ] {
        command.env(name, value);
    }
    command.delay(Delay::new(DelayKind::TcpConnect(RUNTIME_API)));
    command.build()
}

binary_benchmark_group!(name = process, benchmarks = relay);
main!(binary_benchmark_groups = process);
