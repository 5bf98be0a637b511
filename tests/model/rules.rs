//! The rules: what may happen next, and what comes of it.

use lendswift_relay::claim::{
    conditions::Recorded,
    protocol::{Busy, Reply},
};
use stateright::{Model, Property};

use super::{
    dynamodb::{cancel, settle},
    mutant::Mutant,
    properties,
    sender::{Line, awaited, set_attempt},
    state::{Attempt, Because, Id, POSTS, Post, Push, Request, Response, State, Token},
};

/// What a run allows.
#[derive(Debug, Clone)]
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
    Arrives { post: Id, line: Line, in_time: bool },
    /// It is cancelled for a reason other than the lead's item.
    IsCancelled { post: Id, line: Line, in_time: bool },
    IsThrottled { post: Id, line: Line, in_time: bool },
    Fails { post: Id, line: Line },
    /// The awaited attempt has no answer. `late`: it may still arrive.
    HasNoAnswer { post: Id, line: Line, late: bool, in_time: bool },
    LateCopyArrives { claim: Id, request: Request },
    LateCopyIsCancelled { claim: Id, request: Request },
    RunEnds { claim: Id, request: Request, written: bool, in_time: bool },
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
    GivesUp { post: Id, lost: bool },
    OperatorAsks,
    OperatorActs,
    WindowEnds,
    Dies(Id),
}

impl Rules {
    pub fn process(&self, post: Id) -> u8 {
        self.processes[usize::from(post)]
    }

    fn posts(&self) -> impl Iterator<Item = Id> {
        (0..POSTS as Id).take(self.processes.len())
    }

    /// A process takes the next post when it has answered the one before. Processes are alike, so they begin in order.
    fn may_begin(&self, state: &State, post: Id) -> bool {
        let is_free = |other: Id| matches!(state.posts[usize::from(other)], Post::Done(_));
        let has_begun = |other: Id| state.posts[usize::from(other)] != Post::NotBegun;
        let mut before = self.posts().take(post.into());
        state.posts[usize::from(post)] == Post::NotBegun
            && before.all(|other| has_begun(other) && (self.process(other) != self.process(post) || is_free(other)))
    }

    fn of_dynamodb(&self, state: &State, actions: &mut Vec<Action>) {
        for post in self.posts() {
            for line in [Line::Own, Line::Left] {
                self.of_attempt(state, post, line, actions);
            }
            let claim = state.claims[usize::from(post)];
            for request in Request::ALL {
                if claim.late[request as usize] > 0 {
                    actions.push(Action::LateCopyArrives { claim: post, request });
                    if self.may_be_cancelled(state, post, request) {
                        actions.push(Action::LateCopyIsCancelled { claim: post, request });
                    }
                }
            }
            let running = [Request::Claim, Request::Void].map(|request| (post, request));
            let running = running.into_iter().filter(|(_, request)| claim.token == Token::Running(*request));
            let locked_by = state.locked_by.filter(|(by, request)| *by == post && !request.has_token());
            for (claim, request) in running.chain(locked_by) {
                for (written, in_time) in [(true, true), (false, true), (false, false)] {
                    actions.push(Action::RunEnds { claim, request, written, in_time });
                }
            }
            if self.tokens_end && self.may_forget(state, post) {
                actions.push(Action::TokenEnds(post));
            }
        }
    }

    fn of_attempt(&self, state: &State, post: Id, line: Line, actions: &mut Vec<Action>) {
        let Some((claim, request, attempt)) = awaited(state, post, line) else { return };
        let may_be_late = state.claims[usize::from(claim)].late[request as usize] < self.late_copies;
        // A left claim gets one attempt.
        for in_time in [true, false].into_iter().skip(usize::from(line == Line::Left)) {
            actions.push(Action::HasNoAnswer { post, line, late: false, in_time });
            if attempt == Attempt::Running {
                continue;
            }
            if may_be_late {
                actions.push(Action::HasNoAnswer { post, line, late: true, in_time });
            }
            actions.push(Action::Arrives { post, line, in_time });
            actions.push(Action::IsThrottled { post, line, in_time });
            if self.may_be_cancelled(state, claim, request) {
                actions.push(Action::IsCancelled { post, line, in_time });
            }
        }
        if attempt == Attempt::OnItsWay {
            actions.push(Action::Fails { post, line });
        }
    }

    /// Whether a transaction that is cancelled leaves a trace.
    fn may_be_cancelled(&self, state: &State, claim: Id, request: Request) -> bool {
        request.has_token()
            && match state.claims[usize::from(claim)].token {
                Token::Unused => true,
                Token::Cancelled(other) => other != request && !self.aws.remembers_cancelled,
                Token::Running(_) | Token::Done(_) => false,
            }
    }

    /// Ten minutes after: nothing of the claim is under way any more, and its sender claims no longer.
    fn may_forget(&self, state: &State, id: Id) -> bool {
        let claim = state.claims[usize::from(id)];
        let is_claiming = matches!(awaited(state, id, Line::Own), Some((_, Request::Claim, _)));
        claim.lease_over
            && claim.late[Request::Claim as usize] + claim.late[Request::Void as usize] == 0
            && matches!(claim.token, Token::Done(_) | Token::Cancelled(_))
            && !is_claiming
    }

    fn of_sending(&self, state: &State, post: Id, actions: &mut Vec<Action>) {
        let claim = state.claims[usize::from(post)];
        let looks = !matches!(self.mutant, Some(Mutant::NoLookAtTheLease | Mutant::OneLookAtTheLease));
        match state.posts[usize::from(post)] {
            Post::Connecting => actions.extend([Action::FindsNoConnection(post), Action::Connects(post)]),
            Post::Connected if self.stalls || (looks && claim.lease_over) => actions.push(Action::LooksAgain(post)),
            Post::Connected | Post::AtFirstByte if claim.lease_over => {
                actions.extend([Push::None, Push::Accepted, Push::Refused].map(|push| Action::Sends(post, push)));
            }
            Post::Connected | Post::AtFirstByte => actions.push(Action::Sends(post, Push::OnItsWay)),
            Post::Pushed => {
                actions.extend([true, false].map(|lost| Action::GivesUp { post, lost }));
                if matches!(claim.push, Push::Accepted | Push::Refused) {
                    actions.push(Action::IsAnswered(post));
                }
                if claim.push == Push::Refused {
                    actions.push(Action::SendsAgainWithNewToken(post));
                }
            }
            _ => {}
        }
        if matches!(state.posts[usize::from(post)], Post::Connected | Post::AtFirstByte) {
            actions.push(Action::GivesUp { post, lost: true });
        }
        if claim.push == Push::OnItsWay {
            actions.extend([Push::Accepted, Push::Refused].map(|push| Action::RudderDecides(post, push)));
        }
    }

    /// Whether it matters that a claim's lease runs.
    fn matters(state: &State, id: Id) -> bool {
        let claim = state.claims[usize::from(id)];
        state.posts[usize::from(id)].is_at_work()
            || state.item.as_ref().is_some_and(|item| item.claim == Some(id))
            || claim.left.is_some()
            || claim.push == Push::OnItsWay
            || claim.late != [0; Request::ALL.len()]
            || state.posts.iter().any(|post| matches!(post, Post::Claiming { .. }))
    }

    fn of_time(&self, state: &State, actions: &mut Vec<Action>) {
        let has_begun = |id: Id| state.posts[usize::from(id)] != Post::NotBegun;
        let runs = |id: Id| has_begun(id) && !state.claims[usize::from(id)].lease_over && Self::matters(state, id);
        actions.extend(self.posts().filter(|id| runs(*id)).map(Action::LeaseEnds));
        let may_end = match self.window {
            Window::Never => false,
            Window::AfterLeases => !self.posts().any(runs) && state.claims.iter().all(|claim| claim.late == [0; 5]),
            Window::AnyTime => true,
        };
        if may_end && !state.window_over {
            actions.push(Action::WindowEnds);
        }
    }

    fn of_operator(&self, state: &State, actions: &mut Vec<Action>) {
        let Some(item) = &state.item else {
            if state.operator.asked.is_some() {
                actions.push(Action::OperatorActs);
            }
            return;
        };
        let is_over = item.claim.is_some_and(|claim| state.claims[usize::from(claim)].lease_over);
        if state.operator.asked.is_some() {
            if state.locked_by.is_none() {
                actions.push(Action::OperatorActs);
            }
        } else if state.operator.moves > 0 && is_over && item.outcome != Recorded::Accepted {
            actions.push(Action::OperatorAsks);
        }
    }

    /// The awaited attempt gets this reply at once.
    fn replies(&self, state: &mut State, post: Id, line: Line, in_time: bool) {
        let Some((claim, request, _)) = awaited(state, post, line) else { return };
        match self.arrive(state, claim, request) {
            Some(reply) => self.reply(state, post, line, reply, in_time),
            None if self.transactions_run => {
                self.run(state, claim, request);
                set_attempt(state, post, line, Attempt::Running);
            }
            None => {
                self.write(state, claim, request);
                self.reply(state, post, line, Reply::Done, in_time);
            }
        }
    }

    fn late_copy_arrives(&self, state: &mut State, claim: Id, request: Request) {
        state.claim(claim).late[request as usize] -= 1;
        if self.arrive(state, claim, request).is_none() {
            if self.transactions_run {
                self.run(state, claim, request);
            } else {
                self.write(state, claim, request);
            }
        }
    }

    fn run_ends(&self, state: &mut State, claim: Id, request: Request, written: bool, in_time: bool) {
        let reply = if written {
            self.write(state, claim, request);
            Reply::Done
        } else {
            cancel(state, claim, request);
            Reply::Busy(Busy::Throttled)
        };
        let waits = |post: Id, line| awaited(state, post, line) == Some((claim, request, Attempt::Running));
        let waiting = self.posts().flat_map(|post| [(post, Line::Own), (post, Line::Left)]);
        let waiting = waiting.into_iter().find(|(post, line)| waits(*post, *line));
        if let Some((post, line)) = waiting {
            self.reply(state, post, line, reply, in_time);
        }
    }

    fn operator_acts(state: &mut State) {
        let Some((claim, has_it)) = state.operator.asked.take() else { return };
        state.operator.moves -= 1;
        let item = state.item.as_ref().filter(|item| item.claim == Some(claim) && item.outcome != Recorded::Accepted);
        if item.is_none() {
            return;
        }
        if has_it {
            settle(state, Recorded::Accepted);
            state.operator.has_settled = true;
        } else {
            state.item = None;
            state.operator.has_reopened = true;
        }
    }

    fn dies(&self, state: &mut State, post: Id) {
        for other in self.posts().filter(|other| self.process(*other) == self.process(post)) {
            if other == post || state.claim(other).left.take().is_some() {
                *state.post(other) = Post::Dead(state.post(other).response());
            }
        }
        state.claim(post).left = None;
        state.work[usize::from(post)] = None;
    }

    fn dynamodb(&self, state: &mut State, action: Action) {
        match action {
            Action::Arrives { post, line, in_time } => self.replies(state, post, line, in_time),
            Action::IsCancelled { post, line, in_time } => {
                if let Some((claim, request, _)) = awaited(state, post, line) {
                    cancel(state, claim, request);
                }
                self.reply(state, post, line, Reply::Busy(Busy::Throttled), in_time);
            }
            Action::IsThrottled { post, line, in_time } => {
                self.reply(state, post, line, Reply::Busy(Busy::Throttled), in_time);
            }
            Action::Fails { post, line } => self.reply(state, post, line, Reply::Failed, false),
            Action::HasNoAnswer { post, line, late, in_time } => {
                if let Some((claim, request, _)) = awaited(state, post, line) {
                    state.claim(claim).late[request as usize] += u8::from(late);
                }
                self.reply(state, post, line, Reply::InDoubt, in_time);
            }
            Action::LateCopyArrives { claim, request } => self.late_copy_arrives(state, claim, request),
            Action::LateCopyIsCancelled { claim, request } => {
                state.claim(claim).late[request as usize] -= 1;
                cancel(state, claim, request);
            }
            Action::RunEnds { claim, request, written, in_time } => {
                self.run_ends(state, claim, request, written, in_time);
            }
            Action::TokenEnds(id) => state.claim(id).token = Token::Unused,
            _ => {}
        }
    }

    fn elsewhere(&self, state: &mut State, action: Action) {
        match action {
            Action::Begins(post) => self.begin(state, post),
            Action::LeaseEnds(id) => {
                let claim = state.claim(id);
                claim.lease_over = true;
                if claim.push == Push::OnItsWay && self.mutant != Some(Mutant::PushOutlivesLease) {
                    claim.push = Push::None;
                }
            }
            Action::FindsNoConnection(post) => self.sent(state, post, Response::NotSent(Because::Unreachable)),
            Action::Connects(post) => self.looks(state, post, Post::Connected),
            Action::LooksAgain(post) => self.looks(state, post, Post::AtFirstByte),
            Action::Sends(post, push) => {
                state.claim(post).push = push;
                *state.post(post) = Post::Pushed;
            }
            Action::RudderDecides(id, push) => state.claim(id).push = push,
            Action::IsAnswered(post) => {
                let accepted = state.claim(post).push == Push::Accepted;
                self.sent(state, post, if accepted { Response::Accepted } else { Response::Refused });
            }
            Action::SendsAgainWithNewToken(post) => {
                state.claim(post).push = Push::None;
                *state.post(post) = Post::Connecting;
            }
            Action::GivesUp { post, lost } => {
                let claim = state.claim(post);
                if lost && claim.push == Push::OnItsWay {
                    claim.push = Push::None;
                }
                self.sent(state, post, Response::Unknown);
            }
            Action::OperatorAsks => {
                let claim = state.item.as_ref().and_then(|item| item.claim);
                state.operator.asked = claim.map(|claim| (claim, state.accepted() > 0));
            }
            Action::OperatorActs => Self::operator_acts(state),
            Action::WindowEnds => state.window_over = true,
            Action::Dies(post) => self.dies(state, post),
            _ => self.dynamodb(state, action),
        }
    }

    /// A sender looks at its lease.
    fn looks(&self, state: &mut State, post: Id, then: Post) {
        let looks = match self.mutant {
            Some(Mutant::NoLookAtTheLease) => false,
            Some(Mutant::OneLookAtTheLease) => then == Post::Connected,
            _ => true,
        };
        if looks && state.claim(post).lease_over {
            self.sent(state, post, Response::NotSent(Because::TooLate));
        } else {
            *state.post(post) = then;
        }
    }
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
        self.of_operator(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        self.elsewhere(&mut state, action);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let all = properties::always().into_iter().chain(properties::sometimes());
        all.filter(|property| self.only.is_none_or(|only| only == property.name)).collect()
    }
}
