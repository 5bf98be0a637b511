//! The relay's in-process overhead.

use std::path::Path;

use bench_support::{Dependencies, Endpoints, Failure, TOKEN};
use tokio::process::Command;

/// CPU time per lead in microseconds, as `benches/overhead` measures it.
pub struct Overhead {
    /// With an AI Rudder on the same thread, over plain HTTP.
    pub same_thread: f64,
    /// With one in another process, over TLS.
    pub other_process: f64,
}

/// Runs the program that measures it.
pub async fn measure(program: &Path, dependencies: &Dependencies, endpoints: &Endpoints) -> Result<Overhead, Failure> {
    let output = Command::new(program)
        .arg(TOKEN)
        .env_clear()
        .envs(endpoints.variables())
        .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")])
        .envs([("CLAIMS_TABLE", "off"), ("AWS_LAMBDA_LOG_FORMAT", "JSON")])
        .output()
        .await?;
    // So that those of the next candidate are counted alone.
    dependencies.take_pushes()?;
    match serde_json::from_slice::<[f64; 2]>(&output.stdout) {
        Ok([same_thread, other_process]) if output.status.success() => Ok(Overhead { same_thread, other_process }),
        _ => Err(format!("overhead: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into()),
    }
}
