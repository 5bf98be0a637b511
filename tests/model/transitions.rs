//! The next state after each action.

use lendswift_relay::claim::{
    conditions::{LeadItem, RecordedOutcome},
    protocol::{Reply, TransientError},
};

use super::{
    dynamodb::{cancel, cancel_running, settle},
    mutant::Mutant,
    scenario::{Action, Scenario},
    sender::{Task, awaited, set_attempt},
    state::{Attempt, Id, Lead, NotSentReason, Post, Push, Request, Response, State, Token},
};

impl Scenario {
    /// The awaited attempt arrives. It gets its reply at once, or starts to run.
    fn replies(&self, state: &mut State, post: Id, task: Task, in_time: bool) {
        let Some((claim, request, _)) = awaited(state, post, task) else { return };
        match self.arrive(state, claim, request) {
            Some(reply) => self.reply(state, post, task, reply, in_time),
            None if self.transactions_run => {
                self.run(state, claim, request);
                set_attempt(state, post, task, Attempt::Running);
            }
            None => {
                self.write(state, claim, request);
                self.reply(state, post, task, Reply::Done, in_time);
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
            cancel_running(state, claim, request);
            Reply::Transient(TransientError::Unavailable)
        };
        let waits = |post: Id, task| awaited(state, post, task) == Some((claim, request, Attempt::Running));
        let waiting = self.posts().flat_map(|post| [(post, Task::Own), (post, Task::Left)]);
        let waiting = waiting.into_iter().find(|(post, task)| waits(*post, *task));
        if let Some((post, task)) = waiting {
            self.reply(state, post, task, reply, in_time);
        }
    }

    fn operator_acts(&self, state: &mut State) {
        let Some((claim, has_lead)) = state.operator.asked.take() else { return };
        state.operator.moves -= 1;
        let lead = self.lead(claim);
        let is_settled_otherwise =
            |item: &LeadItem<Id>| item.claim != Some(claim) || item.outcome == RecordedOutcome::Accepted;
        if state.item(lead).is_none_or(is_settled_otherwise) {
            return;
        }
        if has_lead {
            settle(state, lead, RecordedOutcome::Accepted);
            state.operator.has_settled[usize::from(lead)] = true;
        } else {
            // In fact two requests if the number is another lead's at first. It cannot become this lead's between them, because
            // the lead is not claimed again while its item exists.
            state.items[usize::from(lead)] = None;
            if self.mutant != Some(Mutant::ReopeningKeepsPhone) {
                state.phone.take_if(|phone| phone.lead == Some(lead));
            }
        }
    }

    fn crash(&self, state: &mut State, post: Id) {
        for other in self.posts().filter(|other| self.process(*other) == self.process(post)) {
            if other == post || state.claim(other).left.take().is_some() {
                *state.post(other) = Post::Crashed(state.post(other).response());
            }
        }
        state.claim(post).left = None;
        state.closing_left[usize::from(post)] = None;
    }

    fn dynamodb(&self, state: &mut State, action: Action) {
        match action {
            Action::Arrives { post, task, in_time } => self.replies(state, post, task, in_time),
            Action::IsCancelled { post, task, in_time } => {
                if let Some((claim, request, _)) = awaited(state, post, task) {
                    cancel(state, claim, request);
                }
                self.reply(state, post, task, Reply::Transient(TransientError::Unavailable), in_time);
            }
            Action::IsThrottled { post, task, in_time } => {
                self.reply(state, post, task, Reply::Transient(TransientError::Unavailable), in_time);
            }
            Action::Fails(post, task) => self.reply(state, post, task, Reply::Failed, false),
            Action::GetsNoReply { post, task, late, in_time } => {
                if let Some((claim, request, _)) = awaited(state, post, task) {
                    state.claim(claim).late[request as usize] += u8::from(late);
                }
                self.reply(state, post, task, Reply::InDoubt, in_time);
            }
            Action::LateCopyArrives(claim, request) => self.late_copy_arrives(state, claim, request),
            Action::LateCopyIsCancelled(claim, request) => {
                state.claim(claim).late[request as usize] -= 1;
                cancel(state, claim, request);
            }
            Action::RunEnds { claim, request, written, in_time } => {
                self.run_ends(state, claim, request, written, in_time);
            }
            Action::TokenExpires(id) => state.claim(id).token = Token::Unused,
            _ => {}
        }
    }

    pub fn apply(&self, state: &mut State, action: Action) {
        match action {
            Action::Starts(post) => self.start(state, post),
            Action::LeaseEnds(id) => {
                let claim = state.claim(id);
                claim.lease_ended = true;
                if claim.push == Push::InTransit && self.mutant != Some(Mutant::PushOutlivesLease) {
                    claim.push = Push::None;
                }
            }
            Action::CannotConnect(post) => Self::sent(state, post, Response::NotSent(NotSentReason::Unreachable)),
            Action::Connects(post) => self.checks(state, post, Post::Connected),
            // Its lease is checked before the first byte alone.
            Action::Reuses(post) => *state.post(post) = Post::Connected,
            Action::ChecksLeaseAgain(post) => self.checks(state, post, Post::AboutToSend),
            Action::Sends(post, push) => {
                let claim = state.claim(post);
                claim.is_sent_twice |= matches!(claim.push, Push::InTransit | Push::Accepted);
                claim.push = push;
                *state.post(post) = Post::Pushed;
            }
            Action::RudderDecides(id, push) => state.claim(id).push = push,
            Action::GetsResponse(post) => {
                let accepted = state.claim(post).push == Push::Accepted;
                Self::sent(state, post, if accepted { Response::Accepted } else { Response::Refused });
            }
            Action::GetsEarlierResponse(post) => {
                let is_mistaken = self.mutant == Some(Mutant::EarlierResponseCounts);
                Self::sent(state, post, if is_mistaken { Response::Accepted } else { Response::Unknown });
            }
            Action::TriesAgain(post) => *state.post(post) = Post::Connecting,
            Action::SendsAgainWithNewToken(post) => {
                state.claim(post).push = Push::None;
                *state.post(post) = Post::Connecting;
            }
            Action::GivesUp { post, lost } => {
                let claim = state.claim(post);
                if lost && claim.push == Push::InTransit {
                    claim.push = Push::None;
                }
                Self::sent(state, post, Response::Unknown);
            }
            Action::OperatorAsks(lead) => {
                let claim = state.item(lead).and_then(|item| item.claim);
                state.operator.asked = claim.map(|claim| (claim, self.accepted(state, lead) > 0));
            }
            Action::OperatorActs => self.operator_acts(state),
            Action::WindowEnds => state.window_ended = true,
            Action::Crashes(post) => self.crash(state, post),
            _ => self.dynamodb(state, action),
        }
    }

    /// How many pushes of a lead AI Rudder accepted.
    pub fn accepted(&self, state: &State, lead: Lead) -> usize {
        let claims = self.posts().filter(|id| self.lead(*id) == lead);
        claims.map(|id| state.claims[usize::from(id)].accepted()).sum()
    }

    /// A sender checks its lease.
    fn checks(&self, state: &mut State, post: Id, then: Post) {
        let checks = match self.mutant {
            Some(Mutant::NoLeaseCheck) => false,
            Some(Mutant::SingleLeaseCheck) => then == Post::Connected,
            _ => true,
        };
        if checks && state.claim(post).lease_ended {
            Self::sent(state, post, Response::NotSent(NotSentReason::TooLate));
        } else {
            *state.post(post) = then;
        }
    }
}
