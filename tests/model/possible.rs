//! What may happen next.

use lendswift_relay::claim::conditions::Recorded;

use super::{
    mutant::Mutant,
    rules::{Action, Rules, Window},
    sender::{Line, awaited},
    state::{Attempt, Id, Post, Push, Request, State, Token},
};

impl Rules {
    pub fn process(&self, post: Id) -> u8 {
        self.processes[usize::from(post)]
    }

    pub fn posts(&self) -> impl Iterator<Item = Id> {
        (0..).take(self.processes.len())
    }

    /// A process takes the next post when it has answered the one before. Processes are alike, so they begin in order.
    pub fn may_begin(&self, state: &State, post: Id) -> bool {
        let is_free = |other: Id| matches!(state.posts[usize::from(other)], Post::Done(_));
        let has_begun = |other: Id| state.posts[usize::from(other)] != Post::NotBegun;
        let mut before = self.posts().take(post.into());
        state.posts[usize::from(post)] == Post::NotBegun
            && before.all(|other| has_begun(other) && (self.process(other) != self.process(post) || is_free(other)))
    }

    pub fn of_dynamodb(&self, state: &State, actions: &mut Vec<Action>) {
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
                for in_time in [true, false].into_iter().skip(usize::from(Self::is_too_late(state, claim))) {
                    actions.extend([true, false].map(|written| Action::RunEnds { claim, request, written, in_time }));
                }
            }
            if self.tokens_end && Self::may_forget(state, post) {
                actions.push(Action::TokenEnds(post));
            }
        }
    }

    fn of_attempt(&self, state: &State, post: Id, line: Line, actions: &mut Vec<Action>) {
        let Some((claim, request, attempt)) = awaited(state, post, line) else { return };
        let may_be_late = state.claims[usize::from(claim)].late[request as usize] < self.late_copies;
        let is_last = line == Line::Left || Self::is_too_late(state, post);
        for in_time in [true, false].into_iter().skip(usize::from(is_last)) {
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

    /// Whether a claim is not tried again: its lease is over.
    fn is_too_late(state: &State, post: Id) -> bool {
        let is_claiming = matches!(state.posts[usize::from(post)], Post::Claiming { .. });
        is_claiming && state.claims[usize::from(post)].lease_over
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
    fn may_forget(state: &State, id: Id) -> bool {
        let claim = state.claims[usize::from(id)];
        let is_claiming = matches!(awaited(state, id, Line::Own), Some((_, Request::Claim, _)));
        claim.lease_over
            && claim.late[Request::Claim as usize] + claim.late[Request::Void as usize] == 0
            && matches!(claim.token, Token::Done(_) | Token::Cancelled(_))
            && !is_claiming
    }

    pub fn of_sending(&self, state: &State, post: Id, actions: &mut Vec<Action>) {
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

    pub fn of_time(&self, state: &State, actions: &mut Vec<Action>) {
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

    pub fn of_operator(state: &State, actions: &mut Vec<Action>) {
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
}
