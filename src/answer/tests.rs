//! What the ledger stores of a response.

use super::*;

#[test]
fn a_settled_response_is_replayed_byte_for_byte() {
    let (answer, settled) = Answer::from(Problem::UpstreamTimeout).finalize("first", 1_790_000_000);
    let settled = settled.unwrap();
    let body = answer.into_response("first", 1_790_000_007).body;
    assert_eq!(settled, Settled::Unknown { status: StatusCode::GATEWAY_TIMEOUT, body: body.clone() });
    assert_eq!(Answer::from(settled).into_response("second", 1_790_000_099).body, body);
}

#[test]
fn not_sent_and_refused_are_not_stored() {
    for problem in [Problem::RefusedUpstream, Problem::RateLimited(None), Problem::InProgress] {
        assert_eq!(Answer::from(problem).finalize("id", 0).1, None);
    }
}
