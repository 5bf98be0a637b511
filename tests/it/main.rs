//! The real relay, from event to event, with its neighbours on the wire.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test says what it expects by failing"
)]

mod accounts;
mod answers;
mod area_codes;
mod claims;
mod corpus;
mod emulators;
mod events;
mod faults;
mod given_up;
mod invariants;
mod leads;
mod log;
mod metrics;
mod outages;
mod properties;
mod reference;
mod renewed_token;
mod secrecy;
mod sending;
mod start;
mod template;
mod tidy;
mod tls;
mod token;

mod front {
    pub use support::{Authority, Handshake, TlsProxy as Front};
}
mod request {
    pub use support::{DIGITS, LEAD, LETTERS, REQUEST_ID, Request};
    pub const TEXTS: [(&str, &[&str]); 13] = {
        let mut texts: [(&str, &[&str]); 13] = [("", &[]); 13];
        let mut at = 0;
        while at < 13 {
            texts[at] = (support::TEXT_FIELDS[at].name, support::TEXT_FIELDS[at].aliases);
            at += 1;
        }
        texts
    };
}
mod stage {
    pub use support::{
        ACCOUNT, FREE_PORT as ANYWHERE, KEY, TABLE, TOKEN, TestApp as Stage, aws, aws_trusting, relay as relay_over,
        secret, seed as furnish, serve, with_deadline,
    };
    pub fn relay(rudder_url: &str, secrets_url: &str, variables: &[(&str, &str)]) -> lendswift_relay::relay::Relay {
        let neighbours = [("UPSTREAM_BASE_URL", rudder_url), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets_url)];
        relay_over(&aws(), &[&neighbours, variables].concat())
    }
}
mod wire {
    pub use support::{RawTcpServer as Wire, read_request};
}
use support::snapshot;
