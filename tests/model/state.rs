//! The state of the model between two actions.

use lendswift_relay::claim::{
    conditions::{KeyItem, LeadItem, RecordedOutcome},
    protocol::{Claiming, Operation, Reply},
};

/// The most posts in a scenario. A post makes one claim, so this is also the number of claims.
pub const POSTS: usize = 3;

/// The most leads in a scenario. They have the same phone number.
pub const LEADS: usize = 2;

/// The index of the phone number's item in [`State::locks`], after the leads' items.
pub const PHONE: usize = LEADS;

/// The number of a post, and of the claim that it makes.
pub type Id = u8;

/// The number of a lead.
pub type Lead = u8;

/// One state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Each lead's item in the table.
    pub items: [Option<LeadItem<Id>>; LEADS],
    /// The phone number's item.
    pub phone: Option<KeyItem<Lead>>,
    /// The transaction that runs on each lead's item and on the phone number's. Until it ends, all other writes of the
    /// item conflict.
    pub locks: [Option<(Id, Request)>; LEADS + 1],
    pub claims: [Claim; POSTS],
    pub posts: [Post; POSTS],
    /// The left claim that each post is closing, in addition to its own claim.
    pub closing_left: [Option<CloseLeft>; POSTS],
    pub operator: Operator,
    /// Whether the period that [`Scenario::window`](super::scenario::Scenario::window) limits has ended for the first
    /// claims.
    pub window_ended: bool,
}

/// The parts of a claim that exist outside its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Claim {
    /// DynamoDB's record of the claim's token.
    pub token: Token,
    /// For each kind of request, how many copies may still arrive after their sender gave up waiting.
    pub late: [u8; Request::ALL.len()],
    pub lease_ended: bool,
    /// How its process must close it after a later event's own claim, if it could not be closed before.
    pub left: Option<Left>,
    /// Its push, as AI Rudder sees it.
    pub push: Push,
    /// Whether it was sent again although AI Rudder may have it.
    pub is_sent_twice: bool,
    /// Whether it was claimed after that period ended.
    pub second_window: bool,
}

/// DynamoDB's record of a token: the state of its last transaction, with that transaction's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Token {
    #[default]
    Unused,
    Running(Request),
    Done(Request),
    Cancelled(Request),
}

/// A request to DynamoDB for a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    Claim,
    Void,
    /// Deletes the items of the lead and the phone number.
    Release,
    SettleAccepted,
    SettleUnknown,
    /// Deletes the lead's item alone, after a condition of `Release` failed (`WriteRequest::otherwise`).
    ReleaseLead,
    /// Writes the phone number's item alone. Only mutants do.
    ClaimPhone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Push {
    /// Not started, or lost.
    #[default]
    None,
    /// Its bytes were sent and have not arrived.
    InTransit,
    /// AI Rudder calls the consumer.
    Accepted,
    /// AI Rudder does not call the consumer.
    Refused,
}

/// A claim that its process could not close (`LeftClaim` in the ledger).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Left {
    InDoubt,
    Open(Request),
}

/// How far a post has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Post {
    NotStarted,
    Claiming {
        machine: Claiming<Found>,
        request: Request,
        attempt: Attempt,
    },
    /// The claim is its own, and it opens a connection to AI Rudder.
    Connecting,
    /// It has a connection. If the connection is new, its first lease check passed.
    Connected,
    /// Its second lease check passed; the first byte is next.
    AboutToSend,
    /// The push was sent.
    Pushed,
    /// The response is known; the claim is open until left claims are closed.
    Sent(Response),
    Closing {
        request: Request,
        response: Response,
        attempt: Attempt,
    },
    /// The claim is not its own; the response waits until left claims are closed.
    Refused(Response),
    Done(Response),
    /// Its process crashed; `Some` if the response was known.
    Crashed(Option<Response>),
}

/// How far the attempt has come that a sender waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// It has not reached DynamoDB.
    InTransit,
    /// DynamoDB executes it.
    Running,
}

/// The existing item that made a condition fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    Lead { claim: Id, outcome: RecordedOutcome },
    Phone(RecentCall),
}

/// A phone number that belongs to another lead than the one that was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecentCall {
    /// The lead that it belongs to.
    pub by: Lead,
    /// Whether the posted lead may have been called itself at that moment. Then "not sent" is wrong.
    pub is_own_lead_called: bool,
}

/// The closing of a claim that an earlier post left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseLeft {
    pub claim: Id,
    pub request: Request,
    pub attempt: Attempt,
    /// Whether no late copy of the claim can be written any more.
    pub is_voided: bool,
}

/// The response to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Response {
    Accepted,
    Unknown,
    Refused,
    NotSent(NotSentReason),
    /// 409: another request is sending the lead; which one is not always known.
    Pending(Option<Id>),
    /// 504: this claim's lease ended before the claim was settled.
    Interrupted(Id),
    /// The stored response of this claim's post.
    Replayed(Id, RecordedOutcome),
    /// 409: the phone number belongs to another lead.
    RecentlyCalled(RecentCall),
}

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotSentReason {
    DynamoDb,
    Unreachable,
    TooLate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Operator {
    /// How many more times the operator may act.
    pub moves: u8,
    /// The claim that the operator asked AI Rudder about, and whether AI Rudder had accepted the lead.
    pub asked: Option<(Id, bool)>,
    /// Whether the operator settled each lead.
    pub has_settled: [bool; LEADS],
}

impl Request {
    pub const ALL: [Self; 7] = [
        Self::Claim,
        Self::Void,
        Self::Release,
        Self::SettleAccepted,
        Self::SettleUnknown,
        Self::ReleaseLead,
        Self::ClaimPhone,
    ];

    /// No late copies.
    pub const NONE_LATE: [u8; Self::ALL.len()] = [0; Self::ALL.len()];

    pub fn from_operation(operation: Operation) -> Self {
        match operation {
            Operation::Claim => Self::Claim,
            Operation::Void => Self::Void,
            Operation::Release => Self::Release,
        }
    }

    /// The request with which a retry begins.
    pub fn first(self) -> Self {
        if self == Self::ReleaseLead { Self::Release } else { self }
    }

    /// Whether it is sent under the claim's token.
    pub fn has_token(self) -> bool {
        matches!(self, Self::Claim | Self::Void)
    }
}

impl State {
    pub fn new(operator_moves: u8) -> Self {
        Self {
            items: [const { None }; LEADS],
            phone: None,
            locks: [None; LEADS + 1],
            claims: [Claim::default(); POSTS],
            posts: [const { Post::NotStarted }; POSTS],
            closing_left: [None; POSTS],
            operator: Operator { moves: operator_moves, ..Operator::default() },
            window_ended: false,
        }
    }

    pub fn claim(&mut self, id: Id) -> &mut Claim {
        &mut self.claims[usize::from(id)]
    }

    pub fn post(&mut self, id: Id) -> &mut Post {
        &mut self.posts[usize::from(id)]
    }

    pub fn item(&self, lead: Lead) -> Option<&LeadItem<Id>> {
        self.items[usize::from(lead)].as_ref()
    }
}

impl Claim {
    /// How many of its pushes AI Rudder accepted.
    pub fn accepted(&self) -> usize {
        if self.push == Push::Accepted { 1 + usize::from(self.is_sent_twice) } else { 0 }
    }
}

impl Post {
    /// The post's response, once it is decided.
    pub fn response(&self) -> Option<Response> {
        match *self {
            Self::Sent(response) | Self::Closing { response, .. } | Self::Refused(response) | Self::Done(response) => {
                Some(response)
            }
            Self::Crashed(response) => response,
            _ => None,
        }
    }

    /// Whether the claim is its own, and its push has not ended.
    pub fn is_sending(&self) -> bool {
        matches!(self, Self::Connecting | Self::Connected | Self::AboutToSend | Self::Pushed)
    }

    /// Whether it repeats the claim's own request, after the void's token did not match.
    pub fn is_confirming(&self) -> bool {
        let first = Claiming::default();
        let (in_doubt, _) = Claiming::default().next(Reply::InDoubt, true);
        matches!(self, Self::Claiming { machine, request: Request::Claim, .. } if *machine != first && *machine != in_doubt)
    }

    pub fn is_active(&self) -> bool {
        !matches!(self, Self::NotStarted | Self::Done(_) | Self::Crashed(_))
    }
}
