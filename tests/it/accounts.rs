//! The accounts' secrets: when Secrets Manager is called, and which secret is used meanwhile. The tests move tokio's clock.

mod caching;
mod clock;
mod early_refresh;
mod signatures;
mod single_flight;
mod unknown_keys;
