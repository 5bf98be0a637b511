//! The ledger: it records each lead before the lead is sent, so that no request sends the lead again.
//!
//! AI Rudder cannot be asked whether it received a lead. So the relay records a lead before it sends it, in a DynamoDB table
//! that all processes share. No write, no push.
//!
//! # The items
//!
//! | `pk` | content |
//! | --- | --- |
//! | `{account}#lead#{SHA-256 of the lead as it is sent}` | the **claim** of a lead: `claim` (its id), `request_id`, `claimed_at`, `lease_until`, `expires`, with an idempotency key `pointer`, and with a phone number's item `phone_pk`; after it is settled, also `outcome`, `http_status`, `body`, `settled_at`, and for `unknown` `lead_error` |
//! | `{account}#void#{the claim's id}` | never written; the transaction that voids a claim deletes it |
//! | `{account}#key#{SHA-256 of the Idempotency-Key}` | the **item of an idempotency key**: `lead_pk` (the `pk` of its lead), `expires` |
//! | `{account}#phone#{HMAC-SHA-256 of the phone number}` | the **item of a phone number**, if the account's policy has `once_per_phone_hours`: `lead_pk`, `lead_claim` and `lead_lease_until` (the lead that was claimed last, its claim, and the end of that claim's lease), `expires` |
//!
//! The items of a sandbox account begin with `{account}#sandbox` in place of `{account}`.
//!
//! Times are Unix seconds. A lead is identified by its content, whatever its idempotency key. An idempotency key belongs to
//! one lead: the lead that was claimed under it, or whose response was replayed under it within the calling hours. A phone
//! number belongs to the lead that was claimed last, until its item expires.
//!
//! # The states of a lead
//!
//! ```text
//!                 claim                       AI Rudder took it, or may have
//!   (no item) ------------> sending -------------------------------------------------> settled
//!       ^                   |    |                                                        |
//!       |  nobody is called |    | lease over: returned as "interrupted",                 |
//!       +-------------------+    | but not stored as such                                 |
//!       |                        v                                                        |
//!       +-- an operator, by id, once the lease is over; or `expires` has passed ----------+
//! ```
//!
//! # The protocol
//!
//! 1. A claim's id is random and chosen before the first attempt. It is the `ClientRequestToken` of the claim's transaction.
//!    The writes are built once, so that each attempt is the same request.
//! 2. The items of the lead, of the idempotency key and of the phone number are written in one transaction, and deleted in
//!    one; [`conditions`] has each write's condition. If the phone number belongs to another lead by now, its item is not
//!    deleted.
//! 3. Transient errors are retried: a claim for at most 8 s and never in the time that a push needs, settling and
//!    releasing until the response is due.
//! 4. A claim that failed but may have been written is voided by another transaction under the same token, which deletes an
//!    item that is never written. Once this succeeds, DynamoDB rejects a late copy of the claim for ten minutes. If the token
//!    was already used, the claim's own request is repeated; if it succeeds, the claim is ours. Otherwise nothing is sent,
//!    and the process keeps the claim until it is voided and deleted ([`protocol`]).
//! 5. The lease ends five seconds after Lambda's deadline. It is checked when the connection to AI Rudder is open, and
//!    again when the first byte of the lead is requested (`rudder::attempt`). A process that was suspended after its claim
//!    and resumes too late sends nothing, except between the last check and the first byte.
//! 6. Settling and releasing depend on the id and not on the lease: a slow request may still do either. The outcome
//!    `accepted`, which an operator may have recorded, is never replaced by `unknown`.
//! 7. The process keeps at most 16 claims that could not be settled or released, and retries them after the claim of each
//!    later event, and outside the calling hours after its read.
//! 8. The conditions compare `expires`, because DynamoDB may delete expired items days late (Time to Live).
//!
//! A process that crashes while it sends leaves an orphaned claim. After its lease, every request for that lead gets
//! "interrupted": the consumer may have been called. No process sends that lead again; `docs/operating.md` says how an
//! operator frees it.

mod backoff;
mod claimed;
mod closing;
pub mod conditions;
mod dynamodb;
mod idempotency_key;
mod item_keys;
mod ledger;
mod left;
pub mod protocol;
mod record;
mod status;
mod table;
mod writes;

/// The table's items as the relay parses them, for the operator's command (`operator`).
pub mod items {
    pub use super::{
        dynamodb::{AttributeValue, Item},
        record::{KeyRecord, PhoneRecord, Record},
    };
}

pub use self::{
    claimed::{Claim, Claimed, Known, Settled},
    idempotency_key::{IdempotencyKey, InvalidIdempotencyKey},
    item_keys::{ItemKeys, Lookup, Namespace, PhoneItem},
    ledger::{Ledger, LedgerError},
    status::StatusError,
};
