//! How many instructions the relay takes as a process: to start, for twenty leads with everything around them, and for
//! a hundred refused requests, which are the relay's own work and that of Lambda's runtime client.
//!
//! `cargo bench --profile dev --package instructions` builds the relay (ten minutes the first time) and counts for two.
//! It needs valgrind, and `cargo install gungraun-runner` in the version of gungraun in `Cargo.toml`. It fails when a
//! count exceeds the one written down here by more than 5 %. This process plays Lambda's runtime API and the services
//! that the relay calls, on ports 19400 to 19403.

#![expect(missing_docs, reason = "the macros generate items without")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that can't go on ends")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bench_support::{Dependencies, Endpoints, Failure, Leads, TABLE, programs};
use gungraun::{
    BinaryBenchmarkConfig, Callgrind, Command, Delay, DelayKind, EventKind, ExitWith, binary_benchmark,
    binary_benchmark_group, main,
};
use support::fakes::RuntimeApi;
use tokio::{runtime::Runtime, time::timeout};

/// Fixed: the relay's variables are set in another process than the one that plays Lambda.
const RUNTIME_API: SocketAddr = local(19400);

/// The time limit for one start and its requests.
const LIMIT: Duration = Duration::from_mins(2);

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn endpoints() -> Endpoints {
    Endpoints::at([19401, 19402, 19403].map(local), "instructions-ca.pem")
}

/// Plays Lambda until the relay has answered this many leads and this many wrong requests, and asks for another event.
/// The runtime API closes then, and the relay ends.
fn lambda(_table: &str, _connect_at_start: bool, leads: u32, refused: u32) {
    let lambda = async {
        let _dependencies = Dependencies::start(endpoints()).await?;
        let api = RuntimeApi::start(RUNTIME_API).await?;
        api.ready().await;
        let mut events = Leads::new()?;
        let deadline = (SystemTime::now() + LIMIT).duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
        for _ in 0..leads {
            let response = api.invoke(&events.next_event(), deadline).await;
            assert_eq!(response.unwrap()["headers"]["lead-outcome"], "accepted");
        }
        for _ in 0..refused {
            let response = api.invoke(include_str!("../../events/every-field-wrong.json"), deadline).await;
            assert_eq!(response.unwrap()["statusCode"], 422);
        }
        api.polled().await;
        Ok::<_, Failure>(())
    };
    Runtime::new().unwrap().block_on(async { timeout(LIMIT, lambda).await }).unwrap().unwrap();
}

/// A count and 5 % more. Counted on x86-64 with Rust 1.95, glibc 2.36 and valgrind 3.19: update it after an upgrade of
/// one.
fn about(instructions: u64) -> BinaryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions + instructions / 20)]);
    let mut config = BinaryBenchmarkConfig::default();
    config.tool(callgrind).setup_parallel(true).exit_with(ExitWith::Failure);
    config
}

#[binary_benchmark]
#[bench::start(args = (TABLE, false, 0, 0), setup = lambda, config = about(729_000))]
#[bench::start_without_ledger(args = ("off", false, 0, 0), setup = lambda, config = about(727_000))]
#[bench::start_connected(args = (TABLE, true, 0, 0), setup = lambda, config = about(6_755_000))]
#[bench::twenty_leads(args = (TABLE, false, 20, 0), setup = lambda, config = about(31_800_000))]
#[bench::twenty_leads_without_ledger(args = ("off", false, 20, 0), setup = lambda, config = about(16_000_000))]
#[bench::hundred_refusals(args = ("off", false, 0, 100), setup = lambda, config = about(53_900_000))]
fn relay(table: &str, connect_at_start: bool, _leads: u32, _refused: u32) -> Command {
    let mut command = Command::new(programs::relay().unwrap());
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
        ("CLAIMS_TABLE", table.to_owned()),
        ("CONNECT_AT_START", connect_at_start.to_string()),
    ]
    .into_iter()
    .chain(endpoints().variables())
    {
        command.env(name, value);
    }
    command.delay(Delay::new(DelayKind::TcpConnect(RUNTIME_API)));
    command.build()
}

binary_benchmark_group!(name = process, benchmarks = relay);
main!(binary_benchmark_groups = process);
