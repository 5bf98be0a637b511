//! API Gateway's side: an HTTP API event comes in (payload format 2.0), and its response goes out.
//!
//! The event is taken as it is, not as the `http::Request` that `lambda_http` would make of it: that conversion panics on
//! a body marked as base64 that isn't, and such a request deserves an answer like any other. Nor as `lambda_events`' own
//! type: reading all of an event takes longer than reading the lead.

mod request;

use std::{convert::Infallible, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use http::HeaderMap;
use lambda_http::{Body, LambdaEvent, aws_lambda_events::apigw::ApiGatewayV2httpResponse};
use serde_json::value::RawValue;
use tracing::{Instrument, Span, error_span, field::Empty};

pub use self::request::Request;
use crate::{
    answer::{Answer, Problem, Response},
    budget::Budget,
    log::milliseconds,
    metrics,
    relay::{Course, Relay},
    unix_time,
};

/// Answers one event, whatever it is and whatever happens, and logs one line about it.
pub async fn serve(relay: &Relay, event: LambdaEvent<Box<RawValue>>) -> Result<ApiGatewayV2httpResponse, Infallible> {
    let clock = relay.clock();
    let begun = clock.now();
    let LambdaEvent { payload, context } = event;
    let request = serde_json::from_str::<Request>(payload.get()).ok();
    let gateways_id = request.as_ref().and_then(|request| request.context.request_id.clone());
    let request_id = gateways_id.unwrap_or(context.request_id);
    let received = request.as_ref().and_then(|request| request.context.time_epoch.as_u64());
    let course = Course::new(request_id, Budget::between(received, context.deadline, clock));
    let span = span(course.request_id(), relay.is_cold());
    let answer = answer(relay, request, &course).instrument(span.clone()).await;
    span.in_scope(|| log(&answer, milliseconds(begun, clock.now())));
    metrics::answered(&answer);
    Ok(respond(answer.into_response(course.request_id(), unix_time::seconds(clock.wall()))))
}

/// The relay's answer to what is a request.
async fn answer(relay: &Relay, request: Option<Request>, course: &Course) -> Answer {
    let Some(request) = request else {
        return Problem::Internal { may_have_sent: false, cause: "not an HTTP API event of payload format 2.0" }.into();
    };
    unless_it_panics(relay.handle(request, course), course).await
}

/// A handler's answer, or the one for its panic.
async fn unless_it_panics(handled: impl Future<Output = Answer>, course: &Course) -> Answer {
    AssertUnwindSafe(handled).catch_unwind().await.unwrap_or_else(|_| {
        Problem::Internal { may_have_sent: course.may_have_claimed(), cause: "a panic, logged before this" }.into()
    })
}

/// What is known of a request, filled in as it goes. At the highest level, so that no line loses it.
fn span(request_id: &str, cold_start: bool) -> Span {
    error_span!(
        "lead",
        request_id,
        cold_start,
        account = Empty,
        key = Empty,
        secret = Empty,
        claim = Empty,
        ignored_fields = Empty,
        upstream_status = Empty,
        upstream_code = Empty,
        upstream_trace_id = Empty,
        upstream_ms = Empty,
    )
}

/// The one line about a request: an error where an operator has to act or to know.
fn log(answer: &Answer, ms: u64) {
    let (status, outcome) = (answer.status.as_u16(), answer.outcome.as_str());
    let (error, cause) = (answer.error, answer.cause.as_deref());
    let replayed = answer.replayed.then_some(true);
    if answer.alarming {
        tracing::error!(outcome, status, error, cause, replayed, ms, "answered");
    } else {
        tracing::info!(outcome, status, error, cause, replayed, ms, "answered");
    }
}

fn respond(response: Response) -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = response.status.as_u16().into();
    answer.headers = response.headers;
    answer.multi_value_headers = HeaderMap::new();
    answer.body = Some(Body::Text(response.body));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    /// What a sender is told of a handler that panics after it came so far.
    async fn told(course: &Course) -> (u16, &'static str, Option<&'static str>) {
        let answer = unless_it_panics(async { panic!("a fault of the relay's own") }, course).await;
        (answer.status.as_u16(), answer.outcome.as_str(), answer.error)
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_that_says_whether_the_lead_may_have_gone() {
        let course = Course::new(String::new(), Budget::until(0, Clock::SYSTEM));
        assert_eq!(told(&course).await, (500, "not_sent", Some("internal_error")));
        course.claiming();
        assert_eq!(told(&course).await, (500, "unknown", Some("internal_error")));
    }
}
