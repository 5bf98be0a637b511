//! The part of AWS Lambda that runs one function's process.

mod api;
mod output;
mod process;

use std::{
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::Mutex as Turn;

pub use self::api::RuntimeApi;
use self::{output::Log, process::Process};
use crate::fakes::server::lock;

/// One execution environment of a function; dropping it kills the process.
pub struct Lambda {
    binary: PathBuf,
    variables: Vec<(String, String)>,
    run: Mutex<Arc<Run>>,
    log: Log,
    /// Held by the event that is served. Whether the process is suspended between events.
    turn: Turn<bool>,
}

/// The end of an event.
#[derive(Debug, PartialEq)]
pub enum Invoked {
    /// The function's response.
    Answered(Value),
    /// The error that the function reported.
    Failed(Value),
    /// The process ended before it responded.
    Died(ExitStatus),
}

/// A process and its own runtime API: nothing is left for the next process.
struct Run {
    api: RuntimeApi,
    process: Process,
    started: Instant,
}

impl Lambda {
    /// Starts the binary with the variables of Lambda and these, and no others.
    pub async fn start(binary: &Path, env: &[(&str, &str)]) -> io::Result<Self> {
        let variables: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let log = Log::default();
        let run = Mutex::new(Arc::new(Run::start(binary, &variables, &log).await?));
        Ok(Self { binary: binary.to_owned(), variables, run, log, turn: Turn::new(false) })
    }

    /// Waits until the process has asked for an event, unless it ends before that.
    pub async fn ready(&self) -> Result<(), ExitStatus> {
        let run = self.run();
        tokio::select! {
            biased;
            () = run.api.ready() => Ok(()),
            exit = run.process.end() => Err(exit),
        }
    }

    /// Gives an event to the process once those before it have ended. The deadline (in ms since 1970) is passed on to the
    /// process and not enforced. Dropping the future stops and suspends nothing.
    pub async fn invoke(&self, event: &str, deadline_ms: u64) -> Invoked {
        let suspends = self.turn.lock().await;
        let run = self.run();
        if *suspends {
            run.process.resume();
        }
        let invoked = self.invoke_at_once(event, deadline_ms).await;
        if *suspends {
            run.suspend_when_idle().await;
        }
        invoked
    }

    /// Gives an event to a process that is not suspended, without waiting for the events before it. The process asks for
    /// several at a time if `AWS_LAMBDA_MAX_CONCURRENCY` says so.
    pub async fn invoke_at_once(&self, event: &str, deadline_ms: u64) -> Invoked {
        let run = self.run();
        tokio::select! {
            biased;
            outcome = run.api.invoke(event, deadline_ms) => outcome.map_or_else(Invoked::Failed, Invoked::Answered),
            exit = run.process.end() => Invoked::Died(exit),
        }
    }

    /// Kills the process, suspended or not, and waits for its end.
    pub async fn kill(&self) -> ExitStatus {
        let run = self.run();
        run.process.kill();
        run.process.end().await
    }

    /// Stops the process where it stands.
    pub fn suspend(&self) {
        self.run().process.suspend();
    }

    /// Lets the process go on.
    pub fn resume(&self) {
        self.run().process.resume();
    }

    /// Whether the process is suspended, from its next request for an event on, whenever it has none:
    /// as Lambda does. While this is on, [`Self::invoke`] and [`Self::restart`] return when the process
    /// is suspended, and so does this.
    pub async fn suspend_between_events(&self, suspend: bool) {
        let mut suspends = self.turn.lock().await;
        *suspends = suspend;
        if suspend {
            self.run().suspend_when_idle().await;
        } else {
            self.resume();
        }
    }

    /// Kills the process if it is still there, and starts another with the same environment.
    pub async fn restart(&self) -> io::Result<()> {
        self.kill().await;
        let suspends = self.turn.lock().await;
        let run = Arc::new(Run::start(&self.binary, &self.variables, &self.log).await?);
        *lock(&self.run) = Arc::clone(&run);
        if *suspends {
            run.suspend_when_idle().await;
        }
        Ok(())
    }

    /// What all processes have written so far to their two outputs, line by line.
    pub fn log(&self) -> Vec<String> {
        self.run().process.log_output();
        lock(&self.log).clone()
    }

    /// The process's number.
    pub fn process_id(&self) -> u32 {
        self.run().process.id()
    }

    /// How long the process took from its start to its first request for an event.
    pub fn started_in(&self) -> Option<Duration> {
        let run = self.run();
        run.api.ready_at().map(|ready| ready - run.started)
    }

    /// How long the last answer took: from the moment the event was handed out until the answer was here.
    pub fn answered_in(&self) -> Option<Duration> {
        self.run().api.answered_in()
    }

    /// Waits until the process has asked for an event and has none, or is no more.
    pub async fn idle(&self) {
        let run = self.run();
        tokio::select! {
            biased;
            () = run.api.polled() => {}
            _ = run.process.end() => {}
        }
    }

    fn run(&self) -> Arc<Run> {
        Arc::clone(&lock(&self.run))
    }
}

impl Run {
    async fn start(binary: &Path, variables: &[(String, String)], log: &Log) -> io::Result<Self> {
        let api = RuntimeApi::start((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let mut command = Command::new(binary);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "lendswift-relay")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/lendswift-relay")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "an example")
            .env("AWS_SESSION_TOKEN", "an example")
            .envs(variables.iter().map(|(name, value)| (name, value)));
        let started = Instant::now();
        let process = Process::start(command, Arc::clone(log))?;
        Ok(Self { api, process, started })
    }

    async fn suspend_when_idle(&self) {
        tokio::select! {
            biased;
            () = self.api.polled() => self.process.suspend(),
            _ = self.process.end() => {}
        }
    }
}

#[cfg(test)]
mod tests;
