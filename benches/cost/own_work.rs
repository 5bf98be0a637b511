//! What the relay itself takes for a lead.

use std::path::Path;

use support::TOKEN;
use tokio::process::Command;

use crate::{Failure, neighbours::Neighbours};

/// In microseconds, as the program says that was built for it.
pub struct OwnWork {
    /// With an AI Rudder on the same thread, over plain HTTP.
    pub same_thread: f64,
    /// With one in another process, over TLS.
    pub other_process: f64,
}

/// Measures it.
pub async fn of(program: &Path, neighbours: &Neighbours) -> Result<OwnWork, Failure> {
    let output = Command::new(program)
        .arg(TOKEN)
        .env_clear()
        .envs(neighbours.variables())
        .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")])
        .envs([("CLAIMS_TABLE", "off"), ("AWS_LAMBDA_LOG_FORMAT", "JSON")])
        .output()
        .await?;
    // Taken away, so that the next subject's are counted alone.
    neighbours.pushes()?;
    let told = String::from_utf8(output.stdout)?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let times: Result<Vec<f64>, _> = told.split_whitespace().map(str::parse).collect();
    match times.as_deref() {
        Ok(&[same_thread, other_process]) if output.status.success() => Ok(OwnWork { same_thread, other_process }),
        _ => Err(format!("own-work: {}: {told}{complaint}", output.status).into()),
    }
}
