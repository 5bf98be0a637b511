//! The actions that are possible in a state.

use lendswift_relay::claim::conditions::{LeadItem, RecordedOutcome};

use super::{
    mutant::Mutant,
    scenario::{Action, Scenario, Window},
    sender::{Task, awaited},
    state::{Attempt, Id, Lead, Post, Push, Request, State, Token},
};

impl Scenario {
    pub fn process(&self, post: Id) -> u8 {
        self.processes[usize::from(post)]
    }

    pub fn lead(&self, post: Id) -> Lead {
        self.leads.get(usize::from(post)).copied().unwrap_or_default()
    }

    pub fn posts(&self) -> impl Iterator<Item = Id> + use<> {
        (0..).take(self.processes.len())
    }

    /// A process starts a post after it has responded to the one before. Processes are interchangeable, so they start
    /// in order.
    pub fn may_start(&self, state: &State, post: Id) -> bool {
        let is_free = |other: Id| matches!(state.posts[usize::from(other)], Post::Done(_));
        let has_started = |other: Id| state.posts[usize::from(other)] != Post::NotStarted;
        let mut before = self.posts().take(post.into());
        state.posts[usize::from(post)] == Post::NotStarted
            && before.all(|other| has_started(other) && (self.process(other) != self.process(post) || is_free(other)))
    }

    pub fn dynamodb_actions(&self, state: &State, actions: &mut Vec<Action>) {
        for post in self.posts() {
            for task in [Task::Own, Task::Left] {
                self.attempt_actions(state, post, task, actions);
            }
            let claim = state.claims[usize::from(post)];
            if claim.late != Request::NONE_LATE {
                self.late_actions(state, post, actions);
            }
            let running = [Request::Claim, Request::Void].map(|request| (post, request));
            let running = running.into_iter().filter(|(_, request)| claim.token == Token::Running(*request));
            let locks = state.locks.into_iter().flatten();
            let without_token = locks.into_iter().find(|(by, request)| *by == post && !request.has_token());
            for (claim, request) in running.chain(without_token) {
                for in_time in [true, false].into_iter().skip(usize::from(Self::is_too_late(state, claim))) {
                    actions.extend([true, false].map(|written| Action::RunEnds { claim, request, written, in_time }));
                }
            }
            if self.tokens_expire && Self::may_expire_token(state, post) {
                actions.push(Action::TokenExpires(post));
            }
        }
    }

    fn attempt_actions(&self, state: &State, post: Id, task: Task, actions: &mut Vec<Action>) {
        let Some((claim, request, attempt)) = awaited(state, post, task) else { return };
        let may_be_late = state.claims[usize::from(claim)].late[request as usize] < self.late_copies;
        let is_last = task == Task::Left || Self::is_too_late(state, post);
        for in_time in [true, false].into_iter().skip(usize::from(is_last)) {
            actions.push(Action::GetsNoReply { post, task, late: false, in_time });
            if attempt == Attempt::Running {
                continue;
            }
            if may_be_late {
                actions.push(Action::GetsNoReply { post, task, late: true, in_time });
            }
            actions.push(Action::Arrives { post, task, in_time });
            actions.push(Action::IsThrottled { post, task, in_time });
            if self.cancellation_matters(state, claim, request) {
                actions.push(Action::IsCancelled { post, task, in_time });
            }
        }
        if attempt == Attempt::InTransit {
            actions.push(Action::Fails(post, task));
        }
    }

    fn late_actions(&self, state: &State, post: Id, actions: &mut Vec<Action>) {
        let late = state.claims[usize::from(post)].late;
        for request in Request::ALL.into_iter().filter(|request| late[*request as usize] > 0) {
            actions.push(Action::LateCopyArrives(post, request));
            if self.cancellation_matters(state, post, request) {
                actions.push(Action::LateCopyIsCancelled(post, request));
            }
        }
    }

    /// Whether a claim is not retried because its lease has ended.
    fn is_too_late(state: &State, post: Id) -> bool {
        let is_claiming = matches!(state.posts[usize::from(post)], Post::Claiming { .. });
        is_claiming && state.claims[usize::from(post)].lease_ended
    }

    /// Whether cancelling a transaction changes the state.
    fn cancellation_matters(&self, state: &State, claim: Id, request: Request) -> bool {
        request.has_token()
            && match state.claims[usize::from(claim)].token {
                Token::Unused => true,
                Token::Cancelled(other) => other != request && !self.aws.remembers_cancelled,
                Token::Running(_) | Token::Done(_) => false,
            }
    }

    /// Whether the token's ten minutes may have passed: no copy of the claim is in transit, and its sender has stopped
    /// claiming.
    fn may_expire_token(state: &State, id: Id) -> bool {
        let claim = state.claims[usize::from(id)];
        let is_claiming = matches!(awaited(state, id, Task::Own), Some((_, Request::Claim, _)));
        claim.lease_ended
            && claim.late[Request::Claim as usize] + claim.late[Request::Void as usize] == 0
            && matches!(claim.token, Token::Done(_) | Token::Cancelled(_))
            && !is_claiming
    }

    pub fn sending_actions(&self, state: &State, post: Id, actions: &mut Vec<Action>) {
        let claim = state.claims[usize::from(post)];
        let checks = !matches!(self.mutant, Some(Mutant::NoLeaseCheck | Mutant::SingleLeaseCheck));
        match state.posts[usize::from(post)] {
            Post::Connecting => {
                actions.extend([Action::CannotConnect(post), Action::Connects(post), Action::Reuses(post)]);
            }
            Post::Connected if self.suspensions || (checks && claim.lease_ended) => {
                actions.push(Action::ChecksLeaseAgain(post));
            }
            Post::Connected | Post::AboutToSend if claim.lease_ended => {
                actions.extend([Push::None, Push::Accepted, Push::Refused].map(|push| Action::Sends(post, push)));
            }
            Post::Connected | Post::AboutToSend => actions.push(Action::Sends(post, Push::InTransit)),
            Post::Pushed => {
                actions.extend([true, false].map(|lost| Action::GivesUp { post, lost }));
                if matches!(claim.push, Push::Accepted | Push::Refused) {
                    actions.push(Action::GetsResponse(post));
                }
                if claim.push == Push::Refused {
                    actions.push(Action::SendsAgainWithNewToken(post));
                }
                actions.push(Action::GetsEarlierResponse(post));
                if self.mutant == Some(Mutant::SecondTryAfterReuse) && !claim.is_sent_twice {
                    actions.push(Action::TriesAgain(post));
                }
            }
            _ => {}
        }
        if matches!(state.posts[usize::from(post)], Post::Connected | Post::AboutToSend) {
            actions.push(Action::GivesUp { post, lost: true });
        }
        if claim.push == Push::InTransit {
            actions.extend([Push::Accepted, Push::Refused].map(|push| Action::RudderDecides(post, push)));
        }
    }

    /// Whether the end of a claim's lease changes anything.
    fn lease_matters(&self, state: &State, id: Id) -> bool {
        let claim = state.claims[usize::from(id)];
        let is_claiming = |post: Id| matches!(state.posts[usize::from(post)], Post::Claiming { .. });
        state.posts[usize::from(id)].is_active()
            || state.item(self.lead(id)).is_some_and(|item| item.claim == Some(id))
            || claim.left.is_some()
            || claim.push == Push::InTransit
            || claim.late != Request::NONE_LATE
            || self.posts().any(|post| self.lead(post) == self.lead(id) && is_claiming(post))
    }

    pub fn time_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let has_started = |id: Id| state.posts[usize::from(id)] != Post::NotStarted;
        let runs =
            |id: Id| has_started(id) && !state.claims[usize::from(id)].lease_ended && self.lease_matters(state, id);
        actions.extend(self.posts().filter(|id| runs(*id)).map(Action::LeaseEnds));
        let may_end = match self.window {
            Window::Never => false,
            Window::AfterLeases => {
                !self.posts().any(runs) && state.claims.iter().all(|claim| claim.late == Request::NONE_LATE)
            }
            Window::AnyTime => true,
        };
        if may_end && !state.window_ended {
            actions.push(Action::WindowEnds);
        }
    }

    pub fn operator_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if let Some((claim, _)) = state.operator.asked {
            // The operator repeats a command that conflicts with a transaction.
            if state.item(self.lead(claim)).is_none() || state.locks.iter().all(Option::is_none) {
                actions.push(Action::OperatorActs);
            }
        } else if state.operator.moves > 0 {
            let is_over = |claim: Id| state.claims[usize::from(claim)].lease_ended;
            let may_ask =
                |item: &LeadItem<Id>| item.claim.is_some_and(is_over) && item.outcome != RecordedOutcome::Accepted;
            let leads = (0..).zip(&state.items).filter(|(_, item)| item.as_ref().is_some_and(may_ask));
            actions.extend(leads.map(|(lead, _)| Action::OperatorAsks(lead)));
        }
    }
}
