//! The relay's in-process overhead.

use std::path::Path;

use bench_support::{Failure, TOKEN};
use tokio::process::Command;

/// CPU time per lead in microseconds, as `benches/overhead` measures it.
pub async fn measure(program: &Path) -> Result<f64, Failure> {
    let output = Command::new(program)
        .arg(TOKEN)
        .env_clear()
        .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")])
        .envs([("CLAIMS_TABLE", "off"), ("AWS_LAMBDA_LOG_FORMAT", "JSON")])
        .output()
        .await?;
    match serde_json::from_slice(&output.stdout) {
        Ok(overhead) if output.status.success() => Ok(overhead),
        _ => Err(format!("overhead: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into()),
    }
}
