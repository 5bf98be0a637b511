//! The properties that must hold in every state, and those that must hold in some.

use lendswift_relay::claim::conditions::RecordedOutcome;
use stateright::Property;

use super::{
    scenario::{OncePerPhone, Scenario, Window},
    state::{Claim, CloseLeft, Id, Lead, Left, NotSentReason, POSTS, Post, Push, Request, Response, State, Token},
};

pub const ONE_ACCEPTED_PUSH: &str = "AI Rudder accepts at most one push";
pub const ONE_SENDER: &str = "at most one sender is active";
pub const SENDER_HOLDS_LEAD: &str = "an active sender holds the lead's claim";
pub const SENDER_HOLDS_PHONE: &str = "an active sender's lead has the phone number";
pub const NOT_SENT_IS_TRUE: &str = "other responses than accepted and unknown called nobody";
pub const ACCEPTED_IS_TRUE: &str = "an accepted response means an accepted push";
pub const SAME_RESPONSE: &str = "a replay equals the first response";
pub const OPERATOR_DECISION_STANDS: &str = "a lead that an operator settled stays accepted";
pub const NAMES_ANOTHER_POST: &str = "pending and interrupted name another post";
pub const NAMES_ANOTHER_LEAD: &str = "recently called names another lead that was posted";
pub const NO_ORPHANED_CLAIM: &str = "at rest, an open claim is that of a crashed process";
pub const NO_OPEN_CLAIM: &str = "at rest, no claim is open";
pub const NO_ORPHANED_PHONE: &str = "at rest, a phone number belongs to a lead that has an item";

pub fn always() -> Vec<Property<Scenario>> {
    [about_pushes(), about_responses(), about_items()].into_iter().flatten().collect()
}

fn about_pushes() -> Vec<Property<Scenario>> {
    vec![
        Property::always(ONE_ACCEPTED_PUSH, |scenario: &Scenario, state: &State| {
            let pushes: usize = state.claims.iter().map(Claim::accepted).sum();
            pushes <= 1
                || scenario.posts().all(|id| state.claims[usize::from(id)].accepted() <= 1) && {
                    let accepted = |id: &Id| state.claims[usize::from(*id)].accepted() > 0;
                    let is_alone = |id: Id| !(0..id).filter(accepted).any(|other| excludes(scenario, state, id, other));
                    scenario.posts().filter(accepted).all(is_alone)
                }
        }),
        Property::always(ONE_SENDER, |scenario: &Scenario, state: &State| {
            let is_once = scenario.once_per_phone != OncePerPhone::Off;
            let is_same = |one: Id, other: Id| is_once || scenario.lead(one) == scenario.lead(other);
            active_senders(state).count() <= 1
                || active_senders(state)
                    .all(|id| !(0..id).any(|other| is_same(id, other) && is_active_sender(state, other)))
        }),
        Property::always(SENDER_HOLDS_LEAD, |_: &Scenario, state: &State| {
            active_senders(state).all(|id| open(state).any(|claim| claim == id))
        }),
        Property::always(SENDER_HOLDS_PHONE, |scenario: &Scenario, state: &State| {
            let lead = state.phone.as_ref().and_then(|phone| phone.lead);
            scenario.once_per_phone == OncePerPhone::Off
                || active_senders(state).all(|id| lead == Some(scenario.lead(id)))
        }),
    ]
}

/// Whether AI Rudder may accept only one of two posts' pushes.
fn excludes(scenario: &Scenario, state: &State, one: Id, other: Id) -> bool {
    let window = |id: Id| state.claims[usize::from(id)].second_window;
    let in_same_period = scenario.window != Window::AfterLeases || window(one) == window(other);
    let is_same_lead = scenario.lead(one) == scenario.lead(other);
    match scenario.once_per_phone {
        OncePerPhone::Off => is_same_lead && in_same_period,
        OncePerPhone::AsLongAsLead => in_same_period,
        OncePerPhone::Shorter => is_same_lead || in_same_period,
    }
}

fn about_responses() -> Vec<Property<Scenario>> {
    vec![
        Property::always(NOT_SENT_IS_TRUE, |_, state: &State| {
            responses(state).all(|(id, response)| {
                let is_called = matches!(response, Response::RecentlyCalled(call) if call.is_own_lead_called);
                matches!(response, Response::Accepted | Response::Unknown)
                    || matches!(state.claims[usize::from(id)].push, Push::None | Push::Refused) && !is_called
            })
        }),
        Property::always(ACCEPTED_IS_TRUE, |scenario: &Scenario, state: &State| {
            let has = |id: Id| state.claims[usize::from(id)].push == Push::Accepted;
            responses(state).all(|(id, response)| match response {
                Response::Accepted => has(id),
                Response::Replayed(id, RecordedOutcome::Accepted) => {
                    has(id) || has_settled(scenario, state, id) && scenario.accepted(state, scenario.lead(id)) > 0
                }
                _ => true,
            })
        }),
        Property::always(SAME_RESPONSE, |scenario: &Scenario, state: &State| {
            let first = |id: Id| state.posts[usize::from(id)].response();
            // A lead's item determines the next post's response.
            let next = state.items.iter().flatten();
            let next = next.filter_map(|item| Some(Response::Replayed(item.claim?, item.outcome)));
            responses(state).map(|(_, response)| response).chain(next).all(|response| match response {
                Response::Replayed(id, RecordedOutcome::Accepted) => {
                    first(id) == Some(Response::Accepted) || has_settled(scenario, state, id)
                }
                Response::Replayed(id, RecordedOutcome::Unknown) => first(id) == Some(Response::Unknown),
                _ => true,
            })
        }),
        Property::always(NAMES_ANOTHER_POST, |scenario: &Scenario, state: &State| {
            let is_other =
                |id: Id, by: Id| by != id && scenario.lead(by) == scenario.lead(id) && has_started(state, by);
            responses(state).all(|(id, response)| match response {
                Response::Pending(None) => scenario.posts().any(|by| is_other(id, by)),
                Response::Pending(Some(by)) => is_other(id, by),
                Response::Interrupted(by) => is_other(id, by) && state.claims[usize::from(by)].lease_ended,
                _ => true,
            })
        }),
        Property::always(NAMES_ANOTHER_LEAD, |scenario: &Scenario, state: &State| {
            responses(state).all(|(id, response)| match response {
                Response::RecentlyCalled(call) => {
                    call.by != scenario.lead(id)
                        && scenario.posts().any(|by| has_started(state, by) && scenario.lead(by) == call.by)
                }
                _ => true,
            })
        }),
    ]
}

fn about_items() -> Vec<Property<Scenario>> {
    vec![
        Property::always(OPERATOR_DECISION_STANDS, |scenario: &Scenario, state: &State| {
            let is_accepted =
                |lead: Lead| state.item(lead).is_some_and(|item| item.outcome == RecordedOutcome::Accepted);
            let mut settled = (0..).zip(state.operator.has_settled).filter(|(_, settled)| *settled);
            settled.all(|(lead, _)| is_accepted(lead)) || scenario.window != Window::Never
        }),
        Property::always(NO_ORPHANED_CLAIM, |_, state: &State| {
            open(state).all(|id| matches!(state.posts[usize::from(id)], Post::Crashed(_))) || !is_quiescent(state)
        }),
        Property::always(NO_OPEN_CLAIM, |_, state: &State| open(state).next().is_none() || !is_quiescent(state)),
        Property::always(NO_ORPHANED_PHONE, |_, state: &State| {
            let has_item = |lead: Lead| state.item(lead).is_some();
            state.phone.as_ref().is_none_or(|phone| phone.lead.is_some_and(has_item)) || !is_quiescent(state)
        }),
    ]
}

/// Every outcome, and every way in which a claim can end.
pub fn sometimes() -> Vec<Property<Scenario>> {
    [outcomes(), outcomes_of_two_leads(), ends_of_claims()].into_iter().flatten().collect()
}

fn outcomes() -> Vec<Property<Scenario>> {
    vec![
        Property::sometimes("accepted", |_, state: &State| done(state, |response| response == Response::Accepted)),
        Property::sometimes("refused", |_, state: &State| done(state, |response| response == Response::Refused)),
        Property::sometimes("unknown", |_, state: &State| done(state, |response| response == Response::Unknown)),
        Property::sometimes("not sent: DynamoDB", |_, state: &State| not_sent(state, NotSentReason::DynamoDb)),
        Property::sometimes("not sent: unreachable", |_, state: &State| not_sent(state, NotSentReason::Unreachable)),
        Property::sometimes("not sent: too late", |_, state: &State| not_sent(state, NotSentReason::TooLate)),
        Property::sometimes("accepted, replayed", |scenario: &Scenario, state: &State| {
            !repeats_a_lead(scenario) || replayed(state, RecordedOutcome::Accepted)
        }),
        Property::sometimes("unknown, replayed", |scenario: &Scenario, state: &State| {
            !repeats_a_lead(scenario) || replayed(state, RecordedOutcome::Unknown)
        }),
        Property::sometimes("pending", |scenario: &Scenario, state: &State| {
            !repeats_a_lead(scenario) || done(state, |response| matches!(response, Response::Pending(Some(_))))
        }),
        Property::sometimes("interrupted", |scenario: &Scenario, state: &State| {
            !repeats_a_lead(scenario) || done(state, |response| matches!(response, Response::Interrupted(_)))
        }),
        Property::sometimes("pushed again after a refusal", |_, state: &State| {
            done(state, |response| response == Response::Refused)
                && done(state, |response| response == Response::Accepted)
        }),
    ]
}

fn outcomes_of_two_leads() -> Vec<Property<Scenario>> {
    vec![
        Property::sometimes("recently called", |scenario: &Scenario, state: &State| {
            scenario.once_per_phone == OncePerPhone::Off
                || done(state, |response| matches!(response, Response::RecentlyCalled(_)))
        }),
        Property::sometimes("accepted after another lead was refused", |scenario: &Scenario, state: &State| {
            let with =
                |response| scenario.posts().filter(move |id| state.posts[usize::from(*id)] == Post::Done(response));
            let is_other = |id: Id| with(Response::Refused).any(|other| scenario.lead(other) != scenario.lead(id));
            scenario.once_per_phone == OncePerPhone::Off || with(Response::Accepted).any(is_other)
        }),
    ]
}

fn ends_of_claims() -> Vec<Property<Scenario>> {
    vec![
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
    (0..).take(POSTS).filter(|id| is_active_sender(state, *id))
}

fn is_active_sender(state: &State, id: Id) -> bool {
    state.posts[usize::from(id)].is_sending() && !state.claims[usize::from(id)].lease_ended
}

/// All posts are done or crashed, nothing is in transit, and no claim is kept.
fn is_quiescent(state: &State) -> bool {
    let is_quiescent_claim = |claim: &Claim| {
        claim.late == Request::NONE_LATE && claim.left.is_none() && !matches!(claim.token, Token::Running(_))
    };
    !state.posts.iter().any(Post::is_active)
        && state.claims.iter().all(is_quiescent_claim)
        && state.locks.iter().all(Option::is_none)
        && state.operator.asked.is_none()
}

/// The claims of the leads' items that are not settled.
fn open(state: &State) -> impl Iterator<Item = Id> {
    let items = state.items.iter().flatten();
    items.filter(|item| item.outcome == RecordedOutcome::Absent).filter_map(|item| item.claim)
}

fn has_started(state: &State, id: Id) -> bool {
    state.posts[usize::from(id)] != Post::NotStarted
}

/// Whether the operator settled the lead of this claim.
fn has_settled(scenario: &Scenario, state: &State, id: Id) -> bool {
    state.operator.has_settled[usize::from(scenario.lead(id))]
}

/// Whether a lead is posted more than once.
fn repeats_a_lead(scenario: &Scenario) -> bool {
    scenario.posts().any(|id| (0..id).any(|other| scenario.lead(other) == scenario.lead(id)))
}
