//! A sender: what it does after each reply, as `ledger.rs` and `relay.rs` do.

use lendswift_relay::claim::{
    conditions::Recorded,
    protocol::{self, Answer, Claiming, Closing, End, Next, Reply, Standing, standing},
};

use super::{
    mutant::{self, Mutant},
    rules::Rules,
    state::{Attempt, Because, Found, Id, Left, Post, Request, Response, State, Work},
};

/// The end of every lease, and a second in which it runs and one in which it is over.
const LEASE_UNTIL: u64 = 100;
const NOW: [u64; 2] = [100, 101];

/// Which of a post's two lines of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Its own claim.
    Own,
    /// A claim that was left.
    Left,
}

/// The attempt that a post waits for in this line of work.
pub fn awaited(state: &State, post: Id, line: Line) -> Option<(Id, Request, Attempt)> {
    match (line, &state.posts[usize::from(post)]) {
        (Line::Own, Post::Claiming { operation, attempt, .. }) => Some((post, Request::of(*operation), *attempt)),
        (Line::Own, Post::Closing { request, attempt, .. }) => Some((post, *request, *attempt)),
        (Line::Own, _) => None,
        (Line::Left, _) => state.work[usize::from(post)].map(|work| (work.claim, work.request, work.attempt)),
    }
}

/// The attempt that a post waits for begins to run, or is made.
pub fn set_attempt(state: &mut State, post: Id, line: Line, new: Attempt) {
    match (line, &mut state.posts[usize::from(post)]) {
        (Line::Own, Post::Claiming { attempt, .. } | Post::Closing { attempt, .. }) => *attempt = new,
        (Line::Own, _) => {}
        (Line::Left, _) => {
            if let Some(work) = &mut state.work[usize::from(post)] {
                work.attempt = new;
            }
        }
    }
}

impl Rules {
    pub fn begin(state: &mut State, post: Id) {
        let second_window = state.window_over;
        state.claim(post).second_window = second_window;
        *state.post(post) = Post::Claiming {
            machine: Claiming::default(),
            operation: Claiming::<Found>::FIRST,
            attempt: Attempt::OnItsWay,
        };
    }

    /// A sender gets a reply.
    pub fn reply(&self, state: &mut State, post: Id, line: Line, reply: Reply<Found>, in_time: bool) {
        match (line, state.post(post).clone()) {
            (Line::Left, _) => self.reply_to_left(state, post, &reply),
            (Line::Own, Post::Claiming { machine, operation, .. }) => {
                let (machine, next) = mutant::next(self.mutant, machine, operation, reply, in_time);
                match next {
                    Next::Write(operation) | Next::Again(operation) => {
                        *state.post(post) = Post::Claiming { machine, operation, attempt: Attempt::OnItsWay };
                    }
                    Next::End(end) => self.claimed(state, post, end),
                }
            }
            (Line::Own, Post::Closing { request, response, .. }) => match mutant::close(self.mutant, &reply, in_time) {
                Closing::Again => set_attempt(state, post, line, Attempt::OnItsWay),
                Closing::Closed | Closing::Superseded => *state.post(post) = Post::Done(response),
                Closing::Left => {
                    self.keep(state, post, Left::Open(request));
                    *state.post(post) = Post::Done(response);
                }
            },
            (Line::Own, _) => {}
        }
    }

    /// It is decided what became of a post's own claim.
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
        self.next_left(state, post, 0);
    }

    fn keep(&self, state: &mut State, claim: Id, left: Left) {
        if self.mutant != Some(Mutant::LeftDropped) {
            state.claim(claim).left = Some(left);
        }
    }

    /// The post turns to the next claim that its process left, from `first` on.
    fn next_left(&self, state: &mut State, post: Id, first: Id) {
        let mut left = (first..=post).filter(|claim| self.process(*claim) == self.process(post));
        let work = left.find_map(|claim| {
            let request = match state.claim(claim).left? {
                Left::InDoubt => Request::Void,
                Left::Open(request) => request,
            };
            Some(Work { claim, request, attempt: Attempt::OnItsWay, is_voided: true })
        });
        state.work[usize::from(post)] = work;
        go_on(state, post);
    }

    /// `LeftClaim::close` of the ledger: one attempt of each write, of one claim after the other.
    fn reply_to_left(&self, state: &mut State, post: Id, reply: &Reply<Found>) {
        let Some(work) = state.work[usize::from(post)] else { return };
        if work.request == Request::Void {
            let is_voided = *reply == Reply::Done;
            let release = Work { request: Request::Release, attempt: Attempt::OnItsWay, is_voided, ..work };
            state.work[usize::from(post)] = Some(release);
            return;
        }
        if mutant::is_closed(self.mutant, work.is_voided, reply) {
            state.claim(work.claim).left = None;
        }
        self.next_left(state, post, work.claim + 1);
    }

    /// The push came to this.
    pub fn sent(state: &mut State, post: Id, response: Response) {
        *state.post(post) = Post::Sent(response);
        go_on(state, post);
    }
}

/// Closes the own claim, also while left claims are being closed, or responds.
fn go_on(state: &mut State, post: Id) {
    let is_closing_left = state.work[usize::from(post)].is_some();
    let then = match *state.post(post) {
        Post::Refused(_) if is_closing_left => return,
        Post::Refused(response) => Post::Done(response),
        Post::Sent(response) => {
            let request = match response {
                Response::Accepted => Request::SettleAccepted,
                Response::Unknown => Request::SettleUnknown,
                _ => Request::Release,
            };
            Post::Closing { request, response, attempt: Attempt::OnItsWay }
        }
        _ => return,
    };
    *state.post(post) = then;
}

/// What a post whose claim is not its own is answered.
fn response(state: &State, answer: &Answer<Found>) -> Response {
    let found = match answer {
        Answer::Unavailable => return Response::NotSent(Because::DynamoDb),
        Answer::InProgress => return Response::Pending(None),
        Answer::Found(found) => *found,
    };
    let now = NOW[usize::from(state.claims[usize::from(found.claim)].lease_over)];
    let recorded = match found.outcome {
        Recorded::Nothing => protocol::State::Sending { lease_until: LEASE_UNTIL },
        outcome => protocol::State::Settled(outcome),
    };
    match standing(recorded, now) {
        Standing::InProgress => Response::Pending(Some(found.claim)),
        Standing::Interrupted => Response::Interrupted(found.claim),
        Standing::Settled(outcome) => Response::Replayed(found.claim, outcome),
    }
}
