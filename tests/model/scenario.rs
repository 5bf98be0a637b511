//! A scenario: which faults may happen, as stateright's `Model`.

use stateright::{Model, Property};

use super::{
    mutant::Mutant,
    properties,
    sender::Task,
    state::{Id, Lead, Push, Request, State},
};

/// The posts, and the faults that may happen to them.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each allows one fault, with or without the others")]
pub struct Scenario {
    /// The process of each post. A process handles its posts one after the other.
    pub processes: &'static [u8],
    /// The lead of each post. All have the same phone number. If empty, all posts are of one lead.
    pub leads: &'static [Lead],
    pub once_per_phone: OncePerPhone,
    pub aws: Aws,
    /// Whether a transaction takes time, during which it locks the items that it writes.
    pub transactions_run: bool,
    /// How many copies of one request may be in transit after their sender gave up waiting.
    pub late_copies: u8,
    /// Whether processes may crash.
    pub crashes: bool,
    pub operator_moves: u8,
    /// Whether a sender may be suspended between its last lease check and the first byte.
    pub suspensions: bool,
    pub window: Window,
    /// Whether DynamoDB forgets tokens while their senders run.
    pub tokens_expire: bool,
    pub mutant: Option<Mutant>,
    /// If set, the only property that is checked.
    pub only: Option<&'static str>,
}

/// The behavior of tokens that AWS does not document.
#[derive(Debug, Clone, Copy, Default)]
pub struct Aws {
    /// A cancelled transaction leaves its token in use, with its parameters.
    pub remembers_cancelled: bool,
    /// Other parameters under a running transaction's token are a mismatch instead of "in progress".
    pub mismatch_while_running: bool,
}

/// Whether a phone number belongs to one lead at a time (`once_per_phone_hours`), and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OncePerPhone {
    #[default]
    Off,
    /// Until the lead's item expires: the period is at least the duplicate window, and prolongs it.
    AsLongAsLead,
    /// For a shorter period than the duplicate window. [`Scenario::window`] is then the end of this period, and the
    /// duplicate window does not end.
    Shorter,
}

/// When the duplicate window, or the period of [`OncePerPhone::Shorter`], may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    #[default]
    Never,
    /// After all leases that existed before have ended.
    AfterLeases,
    /// Even while a sender is active.
    AnyTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Starts(Id),
    /// The awaited attempt reaches DynamoDB.
    Arrives {
        post: Id,
        task: Task,
        in_time: bool,
    },
    /// It is cancelled for a reason other than the items that it writes.
    IsCancelled {
        post: Id,
        task: Task,
        in_time: bool,
    },
    IsThrottled {
        post: Id,
        task: Task,
        in_time: bool,
    },
    Fails(Id, Task),
    /// The awaited attempt gets no reply. `late`: it may still arrive.
    GetsNoReply {
        post: Id,
        task: Task,
        late: bool,
        in_time: bool,
    },
    LateCopyArrives(Id, Request),
    LateCopyIsCancelled(Id, Request),
    RunEnds {
        claim: Id,
        request: Request,
        written: bool,
        in_time: bool,
    },
    TokenExpires(Id),
    LeaseEnds(Id),
    CannotConnect(Id),
    Connects(Id),
    /// It takes the connection that another lead left.
    Reuses(Id),
    ChecksLeaseAgain(Id),
    /// The lead's bytes are sent.
    Sends(Id, Push),
    RudderDecides(Id, Push),
    GetsResponse(Id),
    /// On a reused connection, the response to another lead arrives once more.
    GetsEarlierResponse(Id),
    SendsAgainWithNewToken(Id),
    /// A reused connection broke, and it opens a new one.
    TriesAgain(Id),
    GivesUp {
        post: Id,
        lost: bool,
    },
    OperatorAsks(Lead),
    OperatorActs,
    WindowEnds,
    Crashes(Id),
}

impl Model for Scenario {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.operator_moves)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.dynamodb_actions(state, actions);
        for post in self.posts() {
            if self.may_start(state, post) {
                actions.push(Action::Starts(post));
            }
            self.sending_actions(state, post, actions);
            let is_active = state.posts[usize::from(post)].is_active();
            if self.crashes && (is_active || state.claims[usize::from(post)].left.is_some()) {
                actions.push(Action::Crashes(post));
            }
        }
        self.time_actions(state, actions);
        self.operator_actions(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.apply(&mut state, action);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let all = properties::always().into_iter().chain(properties::sometimes());
        all.filter(|property| self.only.is_none_or(|only| only == property.name)).collect()
    }
}
