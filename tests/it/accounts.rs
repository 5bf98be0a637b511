//! The accounts' secrets: when Secrets Manager is called, and what is served meanwhile. The clock is tokio's, and moved by the
//! tests.

mod caching;
mod clock;
mod early_refresh;
mod signatures;
mod single_flight;
mod unknown_keys;
