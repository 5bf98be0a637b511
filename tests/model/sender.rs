//! A sender: what it does after each reply. It repeats what `claim/ledger.rs` and `relay.rs` do around the protocol's
//! decisions.

use lendswift_relay::claim::{
    conditions::RecordedOutcome,
    protocol::{self, ClaimPhase, Claiming, CloseStep, End, Next, NotClaimed, Reply, claim_phase},
};

use super::{
    mutant::{self, Mutant},
    scenario::{OncePerPhone, Scenario},
    state::{Attempt, CloseLeft, Found, Id, Left, NotSentReason, Post, Request, Response, State},
};

/// The end of every lease; the last second in which it runs, and the first in which it has ended.
const LEASE_UNTIL: u64 = 100;
const NOW: [u64; 2] = [100, 101];

/// The two tasks of a post, which run concurrently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Its own claim.
    Own,
    /// A claim that an earlier post of its process left.
    Left,
}

/// The attempt that this task of a post waits for.
pub fn awaited(state: &State, post: Id, task: Task) -> Option<(Id, Request, Attempt)> {
    match (task, &state.posts[usize::from(post)]) {
        (Task::Own, Post::Claiming { request, attempt, .. } | Post::Closing { request, attempt, .. }) => {
            Some((post, *request, *attempt))
        }
        (Task::Own, _) => None,
        (Task::Left, _) => state.closing_left[usize::from(post)].map(|work| (work.claim, work.request, work.attempt)),
    }
}

/// Sets how far the awaited attempt has come.
pub fn set_attempt(state: &mut State, post: Id, task: Task, new: Attempt) {
    match (task, &mut state.posts[usize::from(post)]) {
        (Task::Own, Post::Claiming { attempt, .. } | Post::Closing { attempt, .. }) => *attempt = new,
        (Task::Own, _) => {}
        (Task::Left, _) => {
            if let Some(work) = &mut state.closing_left[usize::from(post)] {
                work.attempt = new;
            }
        }
    }
}

/// Makes a request instead of the one that was made.
fn set_request(state: &mut State, post: Id, task: Task, new: Request) {
    match (task, &mut state.posts[usize::from(post)]) {
        (Task::Own, Post::Claiming { request, .. } | Post::Closing { request, .. }) => *request = new,
        (Task::Own, _) => {}
        (Task::Left, _) => {
            if let Some(work) = &mut state.closing_left[usize::from(post)] {
                work.request = new;
            }
        }
    }
    set_attempt(state, post, task, Attempt::InTransit);
}

fn claiming(machine: Claiming<Found>, request: Request) -> Post {
    Post::Claiming { machine, request, attempt: Attempt::InTransit }
}

impl Scenario {
    pub fn start(&self, state: &mut State, post: Id) {
        let second_window = state.window_ended;
        state.claim(post).second_window = second_window;
        let first = match self.mutant {
            Some(Mutant::PhoneClaimedBefore) => Request::ClaimPhone,
            _ => Request::from_operation(Claiming::<Found>::FIRST),
        };
        *state.post(post) = claiming(Claiming::default(), first);
    }

    /// The sender handles a reply.
    pub fn reply(&self, state: &mut State, post: Id, task: Task, reply: Reply<Found>, in_time: bool) {
        if let Some(other) = self.otherwise(state, post, task, &reply) {
            return set_request(state, post, task, other);
        }
        match (task, state.post(post).clone()) {
            (Task::Left, _) => self.reply_to_left(state, post, &reply),
            (Task::Own, Post::Claiming { request: Request::ClaimPhone, .. }) => {
                self.reply_to_phone(state, post, &reply, in_time);
            }
            (Task::Own, Post::Claiming { machine, request, .. }) => {
                let (machine, next) = mutant::next(self.mutant, machine, request, reply, in_time);
                match next {
                    Next::Write(operation) | Next::Retry(operation) => {
                        *state.post(post) = claiming(machine, Request::from_operation(operation));
                    }
                    Next::End(End::Ours) if self.mutant == Some(Mutant::PhoneClaimedAfter) => {
                        *state.post(post) = claiming(machine, Request::ClaimPhone);
                    }
                    Next::End(end) => self.claimed(state, post, end),
                }
            }
            (Task::Own, Post::Closing { request, response, .. }) => match mutant::close(self.mutant, &reply, in_time) {
                CloseStep::Retry => set_request(state, post, task, request.first()),
                CloseStep::Closed | CloseStep::Superseded => *state.post(post) = Post::Done(response),
                CloseStep::Left => {
                    self.keep(state, post, Left::Open(request.first()));
                    *state.post(post) = Post::Done(response);
                }
            },
            (Task::Own, _) => {}
        }
    }

    /// The request that is made instead after this reply (`Table::close` in the ledger): without the phone number's item, which
    /// another lead may have. Not for a claim in doubt, of which a late copy may be written between the two.
    fn otherwise(&self, state: &State, post: Id, task: Task, reply: &Reply<Found>) -> Option<Request> {
        let has_other = self.once_per_phone != OncePerPhone::Off && self.mutant != Some(Mutant::ReleaseNeedsPhone);
        let is_release = || matches!(awaited(state, post, task), Some((_, Request::Release, _)));
        let is_clear = || match task {
            _ if self.mutant == Some(Mutant::DoubtfulReleaseLeavesPhone) => true,
            Task::Own => matches!(state.posts[usize::from(post)], Post::Closing { .. }),
            Task::Left => state.closing_left[usize::from(post)].is_some_and(|work| work.is_voided),
        };
        let is_refused = matches!(reply, Reply::ConditionFailed(_));
        (has_other && is_refused && is_release() && is_clear()).then_some(Request::ReleaseLead)
    }

    /// The reply to the phone number's own transaction, which only mutants make.
    fn reply_to_phone(&self, state: &mut State, post: Id, reply: &Reply<Found>, in_time: bool) {
        let is_before = self.mutant == Some(Mutant::PhoneClaimedBefore);
        let reason = match reply {
            Reply::Done if is_before => return *state.post(post) = claiming(Claiming::default(), Request::Claim),
            Reply::Done => return self.claimed(state, post, End::Ours),
            Reply::Transient(_) | Reply::InDoubt if in_time => {
                return set_attempt(state, post, Task::Own, Attempt::InTransit);
            }
            Reply::ConditionFailed(found) => NotClaimed::ConditionFailed(*found),
            _ => NotClaimed::LedgerFailed,
        };
        if is_before {
            self.claimed(state, post, End::NotOurs(reason));
        } else {
            let response = response(state, &reason);
            Self::sent(state, post, response);
        }
    }

    /// The claim of a post has ended: it is the post's own, or not.
    fn claimed(&self, state: &mut State, post: Id, end: End<Found>) {
        let then = match end {
            End::Ours => Post::Connecting,
            End::NotOurs(answer) => Post::Refused(response(state, &answer)),
            End::Left(answer) => {
                self.keep(state, post, Left::InDoubt);
                Post::Refused(response(state, &answer))
            }
        };
        *state.post(post) = then;
        self.close_next_left(state, post, 0);
    }

    fn keep(&self, state: &mut State, claim: Id, left: Left) {
        if self.mutant != Some(Mutant::LeftClaimDropped) {
            state.claim(claim).left = Some(left);
        }
    }

    /// Starts to close the next claim that the process left, from `first` on.
    fn close_next_left(&self, state: &mut State, post: Id, first: Id) {
        let mut left = (first..=post).filter(|claim| self.process(*claim) == self.process(post));
        let work = left.find_map(|claim| {
            let request = match state.claim(claim).left? {
                Left::InDoubt => Request::Void,
                Left::Open(request) => request,
            };
            Some(CloseLeft { claim, request, attempt: Attempt::InTransit, is_voided: true })
        });
        state.closing_left[usize::from(post)] = work;
        proceed(state, post);
    }

    /// `LeftClaim::close` in the ledger: one attempt of each write, one claim after the other.
    fn reply_to_left(&self, state: &mut State, post: Id, reply: &Reply<Found>) {
        let Some(work) = state.closing_left[usize::from(post)] else { return };
        if work.request == Request::Void {
            let is_voided = *reply == Reply::Done;
            let release = CloseLeft { request: Request::Release, attempt: Attempt::InTransit, is_voided, ..work };
            state.closing_left[usize::from(post)] = Some(release);
            return;
        }
        if mutant::is_closed(self.mutant, work.is_voided, reply) {
            state.claim(work.claim).left = None;
        }
        self.close_next_left(state, post, work.claim + 1);
    }

    /// The push has ended with this response.
    pub fn sent(state: &mut State, post: Id, response: Response) {
        *state.post(post) = Post::Sent(response);
        proceed(state, post);
    }
}

/// Closes the post's own claim, or responds once no left claim is being closed.
fn proceed(state: &mut State, post: Id) {
    let is_closing_left = state.closing_left[usize::from(post)].is_some();
    let then = match *state.post(post) {
        Post::Refused(_) if is_closing_left => return,
        Post::Refused(response) => Post::Done(response),
        Post::Sent(response) => {
            let request = match response {
                Response::Accepted => Request::SettleAccepted,
                Response::Unknown => Request::SettleUnknown,
                _ => Request::Release,
            };
            Post::Closing { request, response, attempt: Attempt::InTransit }
        }
        _ => return,
    };
    *state.post(post) = then;
}

/// The response of a post whose claim is not its own.
fn response(state: &State, answer: &NotClaimed<Found>) -> Response {
    let (claim, outcome) = match *answer {
        NotClaimed::LedgerFailed => return Response::NotSent(NotSentReason::DynamoDb),
        NotClaimed::InProgress => return Response::Pending(None),
        NotClaimed::ConditionFailed(Found::Phone(call)) => return Response::RecentlyCalled(call),
        NotClaimed::ConditionFailed(Found::Lead { claim, outcome }) => (claim, outcome),
    };
    let now = NOW[usize::from(state.claims[usize::from(claim)].lease_ended)];
    let recorded = match outcome {
        RecordedOutcome::Absent => protocol::State::Sending { lease_until: LEASE_UNTIL },
        outcome => protocol::State::Settled(outcome),
    };
    match claim_phase(recorded, now) {
        ClaimPhase::InProgress => Response::Pending(Some(claim)),
        ClaimPhase::Interrupted => Response::Interrupted(claim),
        ClaimPhase::Settled(outcome) => Response::Replayed(claim, outcome),
    }
}
