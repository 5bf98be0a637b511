//! The permission to send a lead, which its claim grants.

use std::sync::Arc;

use tokio::{sync::SetOnce, time::Instant};

use crate::{
    budget::{Budget, Lease},
    clock::{Clock, Event, Moment},
};

/// The permission to send one lead. Until it is granted, a push opens a connection and sends nothing.
#[derive(Debug)]
pub struct Permit {
    lease: Lease,
    event: Event,
    granted: SetOnce<Granted>,
}

/// When a lead may be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Granted {
    /// Since when.
    pub(crate) since: Instant,
    /// When the push is given up if the response is not complete.
    pub(crate) until: Instant,
}

impl Permit {
    /// The permission for a lead of this request, not granted yet. The lead may be sent only before the request's lease ends:
    /// afterwards other requests treat its sender as dead.
    #[must_use]
    pub fn new(budget: Budget) -> Arc<Self> {
        Arc::new(Self { lease: budget.lease(), event: budget.event(), granted: SetOnce::new() })
    }

    /// Allows the lead to be sent from `since` on, and its push to take until `until`. Only the first call counts.
    pub fn grant(&self, since: Instant, until: Instant) {
        let _ = self.granted.set(Granted { since, until });
    }

    /// Waits until it is granted.
    pub(crate) async fn granted(&self) -> Granted {
        *self.granted.wait().await
    }

    /// Whether the lead may be sent now.
    pub(super) fn allows_sending(&self, clock: Clock) -> bool {
        self.granted.initialized() && self.lease.runs(clock)
    }

    /// Now, by the clocks and by the request's event.
    pub(super) fn moment(&self, clock: Clock) -> Moment {
        clock.moment(self.event)
    }
}
