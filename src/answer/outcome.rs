//! The outcome of a lead.

use strum::VariantArray;

/// The outcome of a lead: the value of the header `lead-outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum Outcome {
    /// AI Rudder took the lead, and should call the consumer.
    Accepted,
    /// AI Rudder refused the lead: nobody is called.
    Refused,
    /// This request sent nothing to AI Rudder, or AI Rudder did not take it: it caused no call.
    NotSent,
    /// Another request is sending the lead.
    Pending,
    /// AI Rudder may have taken the lead: the consumer may have been called, or may still be called.
    Unknown,
}

impl Outcome {
    /// The value of the header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
        }
    }

    /// What the outcome means for the consumer, for the documentation.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Accepted => "AI Rudder took the lead, and should call the consumer.",
            Self::Refused => "AI Rudder refused the lead. Nobody is called.",
            Self::NotSent => "This request caused no call.",
            Self::Pending => "Another request is sending this lead right now.",
            Self::Unknown => "The consumer may have been called, or may still be called.",
        }
    }

    /// What the caller does next, for the documentation.
    #[must_use]
    pub fn next_step(self) -> &'static str {
        match self {
            Self::Accepted => "Done.",
            Self::Refused => "Fix the lead and send it again.",
            Self::NotSent => {
                "After a post to `…/leads`: for 409, 429 and 503, wait, at least for `retry-after` if it is present, and send the lead \
                 again unchanged. For 500, ask the relay's operator, with the `request-id`; sending the lead again is safe. \
                 Otherwise fix what `error` names and send the lead again, except for `idempotency_key_reused`, whose message \
                 says when that is safe. A validate or status request can be repeated as it is, except for `no_ledger`."
            }
            Self::Pending => "Send the lead again after the `retry-after` delay to learn the result.",
            Self::Unknown => {
                "Ask the relay's operator, with the `request-id`: only the operator can free the lead for another push. Until \
                 then, with the ledger on and within the duplicate window, sending the lead again cannot cause a second call; \
                 it returns the current outcome."
            }
        }
    }
}
