//! What the ledger stores of a response.

use super::*;

#[test]
fn a_settled_response_is_replayed_byte_for_byte() {
    let (answer, settled) = Answer::from(Problem::UpstreamTimeout).finalize("first", 1_790_000_000);
    let settled = settled.unwrap();
    let body = answer.into_response("first", 1_790_000_007).body;
    let error = Some("upstream_timeout".to_owned());
    assert_eq!(settled, Settled::Unknown { status: StatusCode::GATEWAY_TIMEOUT, error, body: body.clone() });
    let replayed = Answer::from(settled).into_response("second", 1_790_000_099);
    assert_eq!((replayed.body, replayed.headers[LEAD_ERROR].as_bytes()), (body, &b"upstream_timeout"[..]));
}

#[test]
fn not_sent_and_refused_are_not_stored() {
    for problem in [Problem::RefusedUpstream, Problem::RateLimited(None), Problem::InProgress] {
        assert_eq!(Answer::from(problem).finalize("id", 0).1, None);
    }
}
