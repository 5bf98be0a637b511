//! Everything that the model remembers between two steps.

use lendswift_relay::claim::{
    conditions::{LeadItem, Recorded},
    protocol::{Claiming, Operation, Reply},
};

/// How many posts a run has at most. A post makes one claim, so this also numbers the claims.
pub const POSTS: usize = 3;

/// A post of the lead, and the claim that it makes.
pub type Id = u8;

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The lead's item in the table.
    pub item: Option<LeadItem<Id>>,
    /// The transaction that runs at the lead's item and keeps all others away from it.
    pub locked_by: Option<(Id, Request)>,
    pub claims: [Claim; POSTS],
    pub posts: [Post; POSTS],
    /// The closing of left claims that a post does in addition to its own work.
    pub work: [Option<Work>; POSTS],
    pub operator: Operator,
    /// Whether the duplicate window of what was claimed first is over.
    pub window_over: bool,
}

/// What exists of a claim outside its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    /// What DynamoDB remembers of the claim's token.
    pub token: Token,
    /// How many copies of each request its sender gave up on and may still arrive.
    pub late: [u8; Request::ALL.len()],
    pub lease_over: bool,
    /// What its process keeps, to close it after a later event's own claim.
    pub left: Option<Left>,
    /// What became of its push at AI Rudder.
    pub push: Push,
    /// Whether it was claimed after the first window's end.
    pub second_window: bool,
}

/// What DynamoDB remembers of a token. The parameters are the claim's or the void's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Token {
    Unused,
    Running(Request),
    Done(Request),
    Cancelled(Request),
}

/// A transaction that a sender sends for its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    Claim,
    Void,
    Release,
    SettleAccepted,
    SettleUnknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Push {
    /// It was not begun, or is lost.
    None,
    /// Its bytes are on their way.
    OnItsWay,
    /// AI Rudder will call the consumer.
    Accepted,
    /// AI Rudder will not.
    Refused,
}

/// A claim that its process could not close (`LeftClaim` of the ledger).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Left {
    InDoubt,
    Open(Request),
}

/// Where a post is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Post {
    NotBegun,
    Claiming {
        machine: Claiming<Found>,
        operation: Operation,
        attempt: Attempt,
    },
    /// It may send, and has no connection to AI Rudder.
    Connecting,
    /// It has a connection, and has looked at the lease.
    Connected,
    /// It has looked at the lease again, and the first byte is next.
    AtFirstByte,
    /// The push is out.
    Pushed,
    /// The response is known, the claim is open, and left claims are still being closed.
    Sent(Response),
    Closing {
        request: Request,
        response: Response,
        attempt: Attempt,
    },
    /// The claim is not its own, and left claims are still being closed.
    Refused(Response),
    Done(Response),
    /// Its process died; `Some` where it knew what to respond.
    Dead(Option<Response>),
}

/// Where the attempt is that a sender waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// Not at DynamoDB yet.
    OnItsWay,
    /// DynamoDB runs it.
    Running,
}

/// What was found in a claim's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Found {
    pub claim: Id,
    pub outcome: Recorded,
}

/// A post's work at a claim that an earlier post left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Work {
    pub claim: Id,
    pub request: Request,
    pub attempt: Attempt,
    /// No late copy of the claim can be written any more.
    pub is_voided: bool,
}

/// What the caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Response {
    Accepted,
    Unknown,
    Refused,
    NotSent(Because),
    /// 409: another request is at it, which one is not always known.
    Pending(Option<Id>),
    /// 504: this claim's lease is over, and nobody knows.
    Interrupted(Id),
    /// The response of this claim's post again.
    Replayed(Id, Recorded),
}

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Because {
    DynamoDb,
    Unreachable,
    TooLate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Operator {
    /// How often the operator may still act.
    pub moves: u8,
    /// The claim that the operator asked AI Rudder about, and whether AI Rudder has the lead.
    pub asked: Option<(Id, bool)>,
    pub has_reopened: bool,
    pub has_settled: bool,
}

impl Request {
    pub const ALL: [Self; 5] = [Self::Claim, Self::Void, Self::Release, Self::SettleAccepted, Self::SettleUnknown];

    pub fn of(operation: Operation) -> Self {
        match operation {
            Operation::Claim => Self::Claim,
            Operation::Void => Self::Void,
            Operation::Release => Self::Release,
        }
    }

    /// Whether it is sent under the claim's token.
    pub fn has_token(self) -> bool {
        matches!(self, Self::Claim | Self::Void)
    }
}

impl State {
    pub fn new(operator_moves: u8) -> Self {
        let claim = Claim {
            token: Token::Unused,
            late: [0; Request::ALL.len()],
            lease_over: false,
            left: None,
            push: Push::None,
            second_window: false,
        };
        Self {
            item: None,
            locked_by: None,
            claims: [claim; POSTS],
            posts: [const { Post::NotBegun }; POSTS],
            work: [None; POSTS],
            operator: Operator { moves: operator_moves, ..Operator::default() },
            window_over: false,
        }
    }

    pub fn claim(&mut self, id: Id) -> &mut Claim {
        &mut self.claims[usize::from(id)]
    }

    pub fn post(&mut self, id: Id) -> &mut Post {
        &mut self.posts[usize::from(id)]
    }

    /// How many pushes AI Rudder accepted.
    pub fn accepted(&self) -> usize {
        self.claims.iter().filter(|claim| claim.push == Push::Accepted).count()
    }
}

impl Post {
    /// What the post's caller is told, once that is certain.
    pub fn response(&self) -> Option<Response> {
        match *self {
            Self::Sent(response) | Self::Closing { response, .. } | Self::Refused(response) | Self::Done(response) => {
                Some(response)
            }
            Self::Dead(response) => response,
            _ => None,
        }
    }

    /// Whether the claim is its own, and its push is not over.
    pub fn is_sending(&self) -> bool {
        matches!(self, Self::Connecting | Self::Connected | Self::AtFirstByte | Self::Pushed)
    }

    /// Whether its claim is asked for once more, after a void's mismatch.
    pub fn is_confirming(&self) -> bool {
        let first = Claiming::default();
        let (in_doubt, _) = Claiming::default().next(Reply::InDoubt, true);
        matches!(self, Self::Claiming { machine, operation: Operation::Claim, .. } if *machine != first && *machine != in_doubt)
    }

    pub fn is_at_work(&self) -> bool {
        !matches!(self, Self::NotBegun | Self::Done(_) | Self::Dead(_))
    }
}
