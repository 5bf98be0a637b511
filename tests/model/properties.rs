//! The properties that must hold in every state, and those that must hold in some.

use lendswift_relay::claim::conditions::RecordedOutcome;
use stateright::Property;

use super::{
    scenario::{Scenario, Window},
    state::{Claim, CloseLeft, Id, Left, NotSentReason, Post, Push, Request, Response, State, Token},
};

pub const ONE_ACCEPTED_PUSH: &str = "AI Rudder accepts at most one push";
pub const ONE_SENDER: &str = "at most one sender is active";
pub const SENDER_HOLDS_LEAD: &str = "an active sender holds the lead's claim";
pub const NOT_SENT_IS_TRUE: &str = "other responses than accepted and unknown called nobody";
pub const ACCEPTED_IS_TRUE: &str = "an accepted response means an accepted push";
pub const SAME_RESPONSE: &str = "a replay equals the first response";
pub const OPERATOR_DECISION_STANDS: &str = "a lead that an operator settled stays accepted";
pub const NAMES_ANOTHER_POST: &str = "pending and interrupted name another post";
pub const NO_ORPHANED_CLAIM: &str = "at rest, an open claim is that of a crashed process";
pub const NO_OPEN_CLAIM: &str = "at rest, no claim is open";

pub fn always() -> Vec<Property<Scenario>> {
    [about_pushes(), about_responses(), about_items()].into_iter().flatten().collect()
}

fn about_pushes() -> Vec<Property<Scenario>> {
    vec![
        Property::always(ONE_ACCEPTED_PUSH, |scenario: &Scenario, state: &State| match scenario.window {
            Window::AfterLeases => [false, true].iter().all(|window| {
                let claims = state.claims.iter().filter(|claim| claim.second_window == *window);
                claims.map(Claim::accepted).sum::<usize>() <= 1
            }),
            _ => state.accepted() <= 1,
        }),
        Property::always(ONE_SENDER, |_: &Scenario, state: &State| active_senders(state).count() <= 1),
        Property::always(SENDER_HOLDS_LEAD, |_: &Scenario, state: &State| {
            active_senders(state).all(|id| open(state) == Some(id))
        }),
    ]
}

fn about_responses() -> Vec<Property<Scenario>> {
    vec![
        Property::always(NOT_SENT_IS_TRUE, |_, state: &State| {
            responses(state).all(|(id, response)| {
                matches!(response, Response::Accepted | Response::Unknown)
                    || matches!(state.claims[usize::from(id)].push, Push::None | Push::Refused)
            })
        }),
        Property::always(ACCEPTED_IS_TRUE, |_, state: &State| {
            let has = |id: Id| state.claims[usize::from(id)].push == Push::Accepted;
            responses(state).all(|(id, response)| match response {
                Response::Accepted => has(id),
                Response::Replayed(id, RecordedOutcome::Accepted) => {
                    has(id) || state.operator.has_settled && state.accepted() > 0
                }
                _ => true,
            })
        }),
        Property::always(SAME_RESPONSE, |_, state: &State| {
            let first = |id: Id| state.posts[usize::from(id)].response();
            // The item determines the next post's response.
            let next = state.item.as_ref().and_then(|item| Some(Response::Replayed(item.claim?, item.outcome)));
            responses(state).map(|(_, response)| response).chain(next).all(|response| match response {
                Response::Replayed(id, RecordedOutcome::Accepted) => {
                    first(id) == Some(Response::Accepted) || state.operator.has_settled
                }
                Response::Replayed(id, RecordedOutcome::Unknown) => first(id) == Some(Response::Unknown),
                _ => true,
            })
        }),
        Property::always(NAMES_ANOTHER_POST, |_, state: &State| {
            let has_started = |id: Id| state.posts[usize::from(id)] != Post::NotStarted;
            let other = |id: Id| (0..).take(state.posts.len()).any(|other| other != id && has_started(other));
            responses(state).all(|(id, response)| match response {
                Response::Pending(None) => other(id),
                Response::Pending(Some(by)) => by != id && has_started(by),
                Response::Interrupted(by) => by != id && has_started(by) && state.claims[usize::from(by)].lease_ended,
                _ => true,
            })
        }),
    ]
}

fn about_items() -> Vec<Property<Scenario>> {
    vec![
        Property::always(OPERATOR_DECISION_STANDS, |scenario: &Scenario, state: &State| {
            let is_accepted = state.item.as_ref().is_some_and(|item| item.outcome == RecordedOutcome::Accepted);
            !state.operator.has_settled || is_accepted || scenario.window != Window::Never
        }),
        Property::always(NO_ORPHANED_CLAIM, |_, state: &State| {
            !is_quiescent(state)
                || open(state).is_none_or(|id| matches!(state.posts[usize::from(id)], Post::Crashed(_)))
        }),
        Property::always(NO_OPEN_CLAIM, |_, state: &State| !is_quiescent(state) || open(state).is_none()),
    ]
}

/// Every outcome, and every way in which a claim can end.
pub fn sometimes() -> Vec<Property<Scenario>> {
    vec![
        Property::sometimes("accepted", |_, state: &State| done(state, |response| response == Response::Accepted)),
        Property::sometimes("refused", |_, state: &State| done(state, |response| response == Response::Refused)),
        Property::sometimes("unknown", |_, state: &State| done(state, |response| response == Response::Unknown)),
        Property::sometimes("not sent: DynamoDB", |_, state: &State| not_sent(state, NotSentReason::DynamoDb)),
        Property::sometimes("not sent: unreachable", |_, state: &State| not_sent(state, NotSentReason::Unreachable)),
        Property::sometimes("not sent: too late", |_, state: &State| not_sent(state, NotSentReason::TooLate)),
        Property::sometimes("accepted, replayed", |_, state: &State| replayed(state, RecordedOutcome::Accepted)),
        Property::sometimes("unknown, replayed", |_, state: &State| replayed(state, RecordedOutcome::Unknown)),
        Property::sometimes("pending", |_, state: &State| {
            done(state, |response| matches!(response, Response::Pending(Some(_))))
        }),
        Property::sometimes("interrupted", |_, state: &State| {
            done(state, |response| matches!(response, Response::Interrupted(_)))
        }),
        Property::sometimes("pushed again after a refusal", |_, state: &State| {
            done(state, |response| response == Response::Refused)
                && done(state, |response| response == Response::Accepted)
        }),
        Property::sometimes("a claim is voided", |_, state: &State| {
            state.claims.iter().any(|claim| claim.token == Token::Done(Request::Void))
        }),
        Property::sometimes("a claim is left in doubt", |_, state: &State| {
            state.claims.iter().any(|claim| claim.left == Some(Left::InDoubt))
        }),
        Property::sometimes("after a mismatch the claim proves to be written", |scenario: &Scenario, state: &State| {
            let is_possible = scenario.late_copies > 0 || scenario.transactions_run;
            let is_ours =
                |(post, claim): (&Post, Claim)| post.is_confirming() && claim.token == Token::Done(Request::Claim);
            !is_possible || state.posts.iter().zip(state.claims).any(is_ours)
        }),
        Property::sometimes("the next event closes a left claim", |scenario: &Scenario, state: &State| {
            let is_possible = scenario.process(0) == scenario.process(1);
            let closes =
                |work: Option<CloseLeft>| work.is_some_and(|work| work.claim == 0 && work.request == Request::Release);
            !is_possible || closes(state.closing_left[1])
        }),
        Property::sometimes("a claim is left unsettled", |_, state: &State| {
            state.claims.iter().any(|claim| claim.left == Some(Left::Open(Request::SettleAccepted)))
        }),
    ]
}

fn responses(state: &State) -> impl Iterator<Item = (Id, Response)> {
    (0..).zip(&state.posts).filter_map(|(id, post)| Some((id, post.response()?)))
}

fn done(state: &State, matches: impl Fn(Response) -> bool) -> bool {
    state.posts.iter().any(|post| matches!(post, Post::Done(response) if matches(*response)))
}

fn not_sent(state: &State, reason: NotSentReason) -> bool {
    done(state, |response| response == Response::NotSent(reason))
}

fn replayed(state: &State, outcome: RecordedOutcome) -> bool {
    done(state, |response| matches!(response, Response::Replayed(_, of) if of == outcome))
}

/// The senders that may push and whose leases run.
fn active_senders(state: &State) -> impl Iterator<Item = Id> {
    let posts = (0..).zip(state.posts.iter().zip(state.claims));
    posts.filter_map(|(id, (post, claim))| (post.is_sending() && !claim.lease_ended).then_some(id))
}

/// All posts are done or crashed, nothing is in transit, and no claim is kept.
fn is_quiescent(state: &State) -> bool {
    let is_quiescent_claim = |claim: &Claim| {
        claim.late == [0; Request::ALL.len()] && claim.left.is_none() && !matches!(claim.token, Token::Running(_))
    };
    !state.posts.iter().any(Post::is_active)
        && state.claims.iter().all(is_quiescent_claim)
        && state.locked_by.is_none()
        && state.operator.asked.is_none()
}

/// The claim of the lead's item, if it is not settled.
fn open(state: &State) -> Option<Id> {
    state.item.as_ref().filter(|item| item.outcome == RecordedOutcome::Absent).and_then(|item| item.claim)
}
