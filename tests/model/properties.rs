//! What has to hold in every state, and what has to happen in some.

use lendswift_relay::claim::conditions::Recorded;
use stateright::Property;

use super::{
    rules::{Rules, Window},
    state::{Because, Claim, Id, Left, Post, Push, Request, Response, State, Token, Work},
};

pub const ONE_ACCEPTED_PUSH: &str = "at most one push is accepted";
pub const ONE_SENDER: &str = "one sender at a time";
pub const SENDER_HOLDS_LEAD: &str = "a sender at work holds the lead";
pub const NOT_SENT_IS_TRUE: &str = "only accepted and unknown may have called";
pub const ACCEPTED_IS_TRUE: &str = "accepted is true";
pub const SAME_ANSWER: &str = "a replay equals the first answer";
pub const OPERATOR_STANDS: &str = "what an operator settled stands";
pub const NOT_FROM_NOTHING: &str = "pending and interrupted are another's";
pub const NO_ORPHAN: &str = "at rest, an open item's process died";
pub const NOTHING_OPEN: &str = "at rest, no item is open";

pub fn always() -> Vec<Property<Rules>> {
    [about_pushes(), about_responses(), about_items()].into_iter().flatten().collect()
}

fn about_pushes() -> Vec<Property<Rules>> {
    vec![
        Property::always(ONE_ACCEPTED_PUSH, |rules: &Rules, state: &State| match rules.window {
            Window::AfterLeases => [false, true].iter().all(|window| {
                let accepted = state.claims.iter().filter(|claim| claim.push == Push::Accepted);
                accepted.filter(|claim| claim.second_window == *window).count() <= 1
            }),
            _ => state.accepted() <= 1,
        }),
        Property::always(ONE_SENDER, |_: &Rules, state: &State| at_work(state).count() <= 1),
        Property::always(SENDER_HOLDS_LEAD, |_: &Rules, state: &State| {
            at_work(state).all(|id| open(state) == Some(id))
        }),
    ]
}

fn about_responses() -> Vec<Property<Rules>> {
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
                Response::Replayed(id, Recorded::Accepted) => {
                    has(id) || state.operator.has_settled && state.accepted() > 0
                }
                _ => true,
            })
        }),
        Property::always(SAME_ANSWER, |_, state: &State| {
            let first = |id: Id| state.posts[usize::from(id)].response();
            // What the item says is what the next post is answered.
            let next = state.item.as_ref().and_then(|item| Some(Response::Replayed(item.claim?, item.outcome)));
            responses(state).map(|(_, response)| response).chain(next).all(|response| match response {
                Response::Replayed(id, Recorded::Accepted) => {
                    first(id) == Some(Response::Accepted) || state.operator.has_settled
                }
                Response::Replayed(id, Recorded::Unknown) => first(id) == Some(Response::Unknown),
                _ => true,
            })
        }),
        Property::always(NOT_FROM_NOTHING, |_, state: &State| {
            let has_begun = |id: Id| state.posts[usize::from(id)] != Post::NotBegun;
            let other = |id: Id| (0..).take(state.posts.len()).any(|other| other != id && has_begun(other));
            responses(state).all(|(id, response)| match response {
                Response::Pending(None) => other(id),
                Response::Pending(Some(by)) => by != id && has_begun(by),
                Response::Interrupted(by) => by != id && has_begun(by) && state.claims[usize::from(by)].lease_over,
                _ => true,
            })
        }),
    ]
}

fn about_items() -> Vec<Property<Rules>> {
    vec![
        Property::always(OPERATOR_STANDS, |rules: &Rules, state: &State| {
            let is_accepted = state.item.as_ref().is_some_and(|item| item.outcome == Recorded::Accepted);
            !state.operator.has_settled || is_accepted || rules.window != Window::Never
        }),
        Property::always(NO_ORPHAN, |_, state: &State| {
            !is_at_rest(state) || open(state).is_none_or(|id| matches!(state.posts[usize::from(id)], Post::Dead(_)))
        }),
        Property::always(NOTHING_OPEN, |_, state: &State| !is_at_rest(state) || open(state).is_none()),
    ]
}

/// Every outcome, and every kind of end.
pub fn sometimes() -> Vec<Property<Rules>> {
    vec![
        Property::sometimes("accepted", |_, state: &State| done(state, |response| response == Response::Accepted)),
        Property::sometimes("refused", |_, state: &State| done(state, |response| response == Response::Refused)),
        Property::sometimes("unknown", |_, state: &State| done(state, |response| response == Response::Unknown)),
        Property::sometimes("not sent: DynamoDB", |_, state: &State| not_sent(state, Because::DynamoDb)),
        Property::sometimes("not sent: unreachable", |_, state: &State| not_sent(state, Because::Unreachable)),
        Property::sometimes("not sent: too late", |_, state: &State| not_sent(state, Because::TooLate)),
        Property::sometimes("accepted again", |_, state: &State| replayed(state, Recorded::Accepted)),
        Property::sometimes("unknown again", |_, state: &State| replayed(state, Recorded::Unknown)),
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
        Property::sometimes("a mismatch proves to be a claim that is ours", |rules: &Rules, state: &State| {
            let is_possible = rules.late_copies > 0 || rules.transactions_run;
            let is_ours =
                |(post, claim): (&Post, Claim)| post.is_confirming() && claim.token == Token::Done(Request::Claim);
            !is_possible || state.posts.iter().zip(state.claims).any(is_ours)
        }),
        Property::sometimes("the next event closes a left claim", |rules: &Rules, state: &State| {
            let is_possible = rules.process(0) == rules.process(1);
            let closes =
                |work: Option<Work>| work.is_some_and(|work| work.claim == 0 && work.request == Request::Release);
            !is_possible || closes(state.work[1])
        }),
        Property::sometimes("a settling is left", |_, state: &State| {
            state.claims.iter().any(|claim| claim.left == Some(Left::Open(Request::SettleAccepted)))
        }),
    ]
}

fn responses(state: &State) -> impl Iterator<Item = (Id, Response)> {
    (0..).zip(&state.posts).filter_map(|(id, post)| Some((id, post.response()?)))
}

fn done(state: &State, is_it: impl Fn(Response) -> bool) -> bool {
    state.posts.iter().any(|post| matches!(post, Post::Done(response) if is_it(*response)))
}

fn not_sent(state: &State, because: Because) -> bool {
    done(state, |response| response == Response::NotSent(because))
}

fn replayed(state: &State, outcome: Recorded) -> bool {
    done(state, |response| matches!(response, Response::Replayed(_, of) if of == outcome))
}

/// The senders that may push, while their leases run.
fn at_work(state: &State) -> impl Iterator<Item = Id> {
    let posts = (0..).zip(state.posts.iter().zip(state.claims));
    posts.filter_map(|(id, (post, claim))| (post.is_sending() && !claim.lease_over).then_some(id))
}

/// All senders are done or dead, nothing is on its way, and nothing is kept.
fn is_at_rest(state: &State) -> bool {
    let is_quiet = |claim: &Claim| {
        claim.late == [0; Request::ALL.len()] && claim.left.is_none() && !matches!(claim.token, Token::Running(_))
    };
    !state.posts.iter().any(Post::is_at_work)
        && state.claims.iter().all(is_quiet)
        && state.locked_by.is_none()
        && state.operator.asked.is_none()
}

/// The claim of the lead's item, where it is not settled.
fn open(state: &State) -> Option<Id> {
    state.item.as_ref().filter(|item| item.outcome == Recorded::Nothing).and_then(|item| item.claim)
}
