//! The interface to API Gateway: receives an HTTP API event (payload format 2.0) and returns its response.
//!
//! The event is not converted into the `http::Request` of `lambda_http`: that conversion panics if a body that is marked as
//! base64 is invalid, and such a request must get a response like any other. It is not parsed as the type of
//! `aws_lambda_events` either: parsing a whole event takes longer than parsing the lead.

use std::{borrow::Cow, convert::Infallible, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use http::{HeaderMap, StatusCode};
use lambda_http::{Body, LambdaEvent, aws_lambda_events::apigw::ApiGatewayV2httpResponse};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::{Instrument, Span, error_span, field::Empty};

use crate::{
    answer::{Answer, Problem, Response},
    budget::Budget,
    relay::{Relay, RequestContext},
    request::Request,
    telemetry::{
        log::{LogText, elapsed_ms},
        metrics::{self, Recorder},
    },
    unix_time,
};

/// Serves one event, whatever it contains and whatever happens: one response, one log line, and its metrics.
pub async fn serve(
    relay: &Relay,
    recorder: Recorder,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<ApiGatewayV2httpResponse, Infallible> {
    let clock = relay.clock();
    let begun = clock.now();
    let LambdaEvent { payload, context } = event;
    let request = serde_json::from_str::<Request>(payload.get()).ok();
    if request.is_none() && is_ping(&payload) {
        tracing::info!(cold_start = relay.take_cold_start(), "pinged");
        return Ok(respond(Response { status: StatusCode::OK, headers: HeaderMap::new(), body: String::new() }));
    }
    let gateway_id = request.as_ref().and_then(|request| request.context.request_id.clone());
    let request_id = gateway_id.unwrap_or(context.request_id);
    let received = request.as_ref().and_then(|request| request.context.time_epoch.as_u64());
    let context = RequestContext::new(request_id, Budget::new(received, context.deadline, clock));
    let span = span(context.request_id(), relay.function_version(), relay.take_cold_start());
    let answer = answer(relay, request, &context).instrument(span.clone()).await.about(context.subject());
    span.in_scope(|| log(&answer, elapsed_ms(begun, clock.now())));
    metrics::count_response(&answer);
    recorder.flush();
    Ok(respond(answer.into_response(context.request_id(), unix_time::seconds(clock.wall()))))
}

async fn answer(relay: &Relay, request: Option<Request>, context: &RequestContext) -> Answer {
    let Some(request) = request else {
        return Problem::FailedBeforeClaim("not an HTTP API event of payload format 2.0").into();
    };
    catch_panic(relay.handle(request, context), context).await
}

/// Returns the handler's answer or, after a panic, one that says whether the lead may have been sent.
async fn catch_panic(handler: impl Future<Output = Answer>, context: &RequestContext) -> Answer {
    const CAUSE: &str = "a panic, logged before this";
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or_else(|_| {
        let is_claimed = context.may_have_claimed();
        let problem = if is_claimed { Problem::FailedAfterClaim(CAUSE) } else { Problem::FailedBeforeClaim(CAUSE) };
        Answer::from(problem).with_lead_id(context.claim())
    })
}

/// The sources of events that only keep a process warm: EventBridge's rules, EventBridge Scheduler, and a plugin of the
/// Serverless Framework.
const PING_SOURCES: [&str; 3] = ["aws.events", "aws.scheduler", "serverless-plugin-warmup"];

/// Whether an event that is no request keeps the process warm. Any other would mean that leads arrive in a form that the
/// relay cannot read.
fn is_ping(event: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        source: Cow<'a, str>,
    }
    serde_json::from_str(event.get()).is_ok_and(|Event { source }| PING_SOURCES.contains(&source.as_ref()))
}

/// The span whose fields are in each log line of the request. ERROR level, so that no log level filters it out.
fn span(request_id: &str, version: Option<&str>, cold_start: bool) -> Span {
    error_span!(
        "lead",
        request_id,
        version,
        cold_start = cold_start.then_some(true),
        account = Empty,
        key = Empty,
        route = Empty,
        sandbox = Empty,
        secret = Empty,
        claim = Empty,
        ignored_fields = Empty,
        upstream_status = Empty,
        upstream_code = Empty,
        upstream_trace_id = Empty,
        upstream_ms = Empty,
    )
}

/// Logs the one line about a request, at ERROR if an operator must act or be informed.
fn log(answer: &Answer, ms: u64) {
    let (status, outcome) = (answer.status.as_u16(), answer.outcome.as_str());
    let (error, cause) = (answer.error, answer.cause.as_ref().map(LogText::as_str));
    let replayed = answer.replayed.then_some(true);
    if answer.needs_operator {
        tracing::error!(outcome, status, error, cause, replayed, ms, "responded");
    } else {
        tracing::info!(outcome, status, error, cause, replayed, ms, "responded");
    }
}

fn respond(response: Response) -> ApiGatewayV2httpResponse {
    let mut event_response = ApiGatewayV2httpResponse::default();
    event_response.status_code = response.status.as_u16().into();
    event_response.headers = response.headers;
    event_response.multi_value_headers = HeaderMap::new();
    event_response.body = Some(Body::Text(response.body));
    event_response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    async fn response_to_a_panic(context: &RequestContext) -> (u16, &'static str, Option<&'static str>) {
        let answer = catch_panic(async { panic!("a bug in the relay") }, context).await;
        (answer.status.as_u16(), answer.outcome.as_str(), answer.error)
    }

    #[tokio::test]
    async fn a_panic_is_unknown_once_the_claim_may_be_written() {
        let context = RequestContext::new(String::new(), Budget::with_deadline(0, Clock::SYSTEM));
        assert_eq!(response_to_a_panic(&context).await, (500, "not_sent", Some("internal_error")));
        context.mark_claiming(Some("the claim"));
        assert_eq!(response_to_a_panic(&context).await, (500, "unknown", Some("internal_error")));
        let answer = catch_panic(async { panic!("a bug in the relay") }, &context).await;
        assert_eq!(answer.into_response("id", 0).headers["lead-id"], "the claim");
    }
}
