//! What comes of each step.

use lendswift_relay::claim::{
    conditions::Recorded,
    protocol::{Busy, Reply},
};

use super::{
    dynamodb::{cancel, run, settle, write},
    mutant::Mutant,
    rules::{Action, Rules},
    sender::{Line, awaited, set_attempt},
    state::{Attempt, Because, Id, Post, Push, Request, Response, State, Token},
};

impl Rules {
    /// The awaited attempt gets this reply at once.
    fn replies(&self, state: &mut State, post: Id, line: Line, in_time: bool) {
        let Some((claim, request, _)) = awaited(state, post, line) else { return };
        match self.arrive(state, claim, request) {
            Some(reply) => self.reply(state, post, line, reply, in_time),
            None if self.transactions_run => {
                run(state, claim, request);
                set_attempt(state, post, line, Attempt::Running);
            }
            None => {
                write(state, claim, request);
                self.reply(state, post, line, Reply::Done, in_time);
            }
        }
    }

    fn late_copy_arrives(&self, state: &mut State, claim: Id, request: Request) {
        state.claim(claim).late[request as usize] -= 1;
        if self.arrive(state, claim, request).is_none() {
            if self.transactions_run {
                run(state, claim, request);
            } else {
                write(state, claim, request);
            }
        }
    }

    fn run_ends(&self, state: &mut State, claim: Id, request: Request, written: bool, in_time: bool) {
        let reply = if written {
            write(state, claim, request);
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

    pub fn apply(&self, state: &mut State, action: Action) {
        match action {
            Action::Begins(post) => Self::begin(state, post),
            Action::LeaseEnds(id) => {
                let claim = state.claim(id);
                claim.lease_over = true;
                if claim.push == Push::OnItsWay && self.mutant != Some(Mutant::PushOutlivesLease) {
                    claim.push = Push::None;
                }
            }
            Action::FindsNoConnection(post) => Self::sent(state, post, Response::NotSent(Because::Unreachable)),
            Action::Connects(post) => self.looks(state, post, Post::Connected),
            Action::LooksAgain(post) => self.looks(state, post, Post::AtFirstByte),
            Action::Sends(post, push) => {
                state.claim(post).push = push;
                *state.post(post) = Post::Pushed;
            }
            Action::RudderDecides(id, push) => state.claim(id).push = push,
            Action::IsAnswered(post) => {
                let accepted = state.claim(post).push == Push::Accepted;
                Self::sent(state, post, if accepted { Response::Accepted } else { Response::Refused });
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
                Self::sent(state, post, Response::Unknown);
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
            Self::sent(state, post, Response::NotSent(Because::TooLate));
        } else {
            *state.post(post) = then;
        }
    }
}
