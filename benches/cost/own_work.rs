//! What the relay itself takes for a lead.

use std::path::Path;

use tokio::process::Command;

use crate::{Failure, neighbours::Neighbours, stage::TOKEN};

/// In microseconds, as the program says that was built for it.
pub struct OwnWork {
    /// Beside an AI Rudder on the same thread.
    pub alone: f64,
    /// Where AI Rudder is another process, and both have to be switched between.
    pub switching: f64,
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
    let told = String::from_utf8(output.stdout)?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    let times: Result<Vec<f64>, _> = told.split_whitespace().map(str::parse).collect();
    match times.as_deref() {
        Ok(&[alone, switching]) if neighbours.pushes()? > 0 => Ok(OwnWork { alone, switching }),
        _ => Err(format!("own-work: {}: {told}{complaint}", output.status).into()),
    }
}
