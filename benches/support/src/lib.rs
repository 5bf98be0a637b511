//! What the benchmarks share: the programs that they measure, the services that these programs call, and the leads.

mod dependencies;
mod latency_proxy;
mod leads;
pub mod programs;

use std::error::Error;

pub use self::{
    dependencies::{Dependencies, Endpoints, FREE, TABLE, TOKEN},
    leads::Leads,
};

/// Why a benchmark can't go on.
pub type Failure = Box<dyn Error + Send + Sync>;
