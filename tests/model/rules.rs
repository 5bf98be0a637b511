//! The rules: what may happen next, and what comes of it.

use stateright::{Model, Property};

use super::{
    mutant::Mutant,
    properties,
    sender::Line,
    state::{Id, Push, Request, State},
};

/// What a run allows.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each allows one thing, with or without the others")]
pub struct Rules {
    /// The process of each post. A process handles its posts one after the other.
    pub processes: &'static [u8],
    pub aws: Aws,
    /// Whether a transaction takes time, in which it keeps others away.
    pub transactions_run: bool,
    /// How many copies of one request may be under way that their sender gave up on.
    pub late_copies: u8,
    pub deaths: bool,
    pub operator_moves: u8,
    /// Whether a sender may stand still between its last look at the clock and the first byte.
    pub stalls: bool,
    pub window: Window,
    /// Whether DynamoDB forgets tokens while their senders are at work.
    pub tokens_end: bool,
    pub mutant: Option<Mutant>,
    /// The only property that is looked at, where there is one.
    pub only: Option<&'static str>,
}

/// What AWS does not say about a token.
#[derive(Debug, Clone, Copy)]
pub struct Aws {
    /// A transaction that was cancelled leaves its token behind, with its parameters.
    pub remembers_cancelled: bool,
    /// Other parameters under a running transaction's token are a mismatch, and not "in progress".
    pub mismatch_while_running: bool,
}

/// When the duplicate window may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Never,
    /// When all leases are over that were there before.
    AfterLeases,
    /// Also while a sender is at work.
    AnyTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Begins(Id),
    /// The awaited attempt reaches DynamoDB.
    Arrives {
        post: Id,
        line: Line,
        in_time: bool,
    },
    /// It is cancelled for a reason other than the lead's item.
    IsCancelled {
        post: Id,
        line: Line,
        in_time: bool,
    },
    IsThrottled {
        post: Id,
        line: Line,
        in_time: bool,
    },
    Fails {
        post: Id,
        line: Line,
    },
    /// The awaited attempt has no answer. `late`: it may still arrive.
    HasNoAnswer {
        post: Id,
        line: Line,
        late: bool,
        in_time: bool,
    },
    LateCopyArrives {
        claim: Id,
        request: Request,
    },
    LateCopyIsCancelled {
        claim: Id,
        request: Request,
    },
    RunEnds {
        claim: Id,
        request: Request,
        written: bool,
        in_time: bool,
    },
    TokenEnds(Id),
    LeaseEnds(Id),
    FindsNoConnection(Id),
    Connects(Id),
    LooksAgain(Id),
    /// The lead's bytes leave.
    Sends(Id, Push),
    RudderDecides(Id, Push),
    IsAnswered(Id),
    SendsAgainWithNewToken(Id),
    GivesUp {
        post: Id,
        lost: bool,
    },
    OperatorAsks,
    OperatorActs,
    WindowEnds,
    Dies(Id),
}

impl Model for Rules {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.operator_moves)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.of_dynamodb(state, actions);
        for post in self.posts() {
            if self.may_begin(state, post) {
                actions.push(Action::Begins(post));
            }
            self.of_sending(state, post, actions);
            let at_work = state.posts[usize::from(post)].is_at_work();
            if self.deaths && (at_work || state.claims[usize::from(post)].left.is_some()) {
                actions.push(Action::Dies(post));
            }
        }
        self.of_time(state, actions);
        Self::of_operator(state, actions);
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
