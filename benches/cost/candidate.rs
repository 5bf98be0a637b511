//! What is measured.

use std::{
    fs,
    io::{Cursor, Write},
    path::PathBuf,
};

use bench_support::{Failure, TABLE, TOKEN, programs};
use clap::ValueEnum;
use serde_json::Value;
use support::fakes::api_gateway;
use zip::{ZipWriter, write::SimpleFileOptions};

/// A program with its configuration. A round starts them in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// The relay as it is shipped.
    Relay,
    /// The relay with `CLAIMS_TABLE=off`.
    RelayWithoutLedger,
    /// The relay with `UPSTREAM_KEEP_ALIVE_MS=0`.
    RelayWithoutReuse,
    /// The relay with `CONNECT_AT_START=false`.
    RelayUnconnected,
    /// The relay with `CONNECT_AT_START=false` and `CLAIMS_TABLE=off`.
    RelayUnconnectedWithoutLedger,
    /// A function that answers `{}`.
    Baseline,
    /// A function that passes the body on, and does nothing else.
    PassThrough,
}

/// A variant that is ready to be started.
pub struct Candidate {
    /// Which one.
    pub variant: Variant,
    /// The executable.
    pub program: PathBuf,
    /// Its size in bytes.
    pub binary: usize,
    /// Its size in bytes as Lambda takes it: zipped, at the level that packagers use by default.
    pub zip: usize,
}

pub const UNCONNECTED: (&str, &str) = ("CONNECT_AT_START", "false");

impl Variant {
    /// Its name in the report.
    pub fn title(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::RelayWithoutLedger => "relay, no ledger",
            Self::RelayWithoutReuse => "relay, no reuse",
            Self::RelayUnconnected => "relay, not connected",
            Self::RelayUnconnectedWithoutLedger => "relay, no ledger, not connected",
            Self::Baseline => "baseline: answers `{}`",
            Self::PassThrough => "pass-through relay",
        }
    }

    /// Its variables, in addition to those for the dependencies.
    pub fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Relay => &[("CLAIMS_TABLE", TABLE)],
            Self::RelayWithoutLedger => &[("CLAIMS_TABLE", "off")],
            Self::RelayWithoutReuse => &[("CLAIMS_TABLE", TABLE), ("UPSTREAM_KEEP_ALIVE_MS", "0")],
            Self::RelayUnconnected => &[("CLAIMS_TABLE", TABLE), UNCONNECTED],
            Self::RelayUnconnectedWithoutLedger => &[("CLAIMS_TABLE", "off"), UNCONNECTED],
            Self::Baseline => &[],
            Self::PassThrough => &[("LENDSWIFT_TOKEN", TOKEN)],
        }
    }

    /// Builds it.
    pub fn build(self) -> Result<Candidate, Failure> {
        let program = match self {
            Self::Baseline => programs::candidate("baseline")?,
            Self::PassThrough => programs::candidate("pass-through")?,
            _ => programs::relay()?,
        };
        let binary = fs::read(&program)?;
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("bootstrap", SimpleFileOptions::default())?;
        zip.write_all(&binary)?;
        let zip = zip.finish()?.into_inner().len();
        Ok(Candidate { variant: self, program, binary: binary.len(), zip })
    }

    /// How many pushes a post results in.
    pub fn pushes(self) -> usize {
        usize::from(self != Self::Baseline)
    }

    /// Whether this is the response to a lead that AI Rudder accepted.
    #[expect(clippy::indexing_slicing, reason = "only JSON is indexed, which yields null for a missing member")]
    pub fn is_accepted(self, response: &Value) -> bool {
        let response = api_gateway::response(response);
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let outcome = response.headers.iter().any(|(name, value)| name == "lead-outcome" && value == "accepted");
        let expected = match self {
            Self::Baseline => response.body == b"{}",
            Self::PassThrough => body["code"] == 200,
            _ => body["code"] == 200 && outcome,
        };
        response.status == 200 && expected
    }
}
