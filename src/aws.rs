//! The AWS SDK over the relay's own HTTP stack, set up from the environment alone.
//!
//! Lambda gives a function its region and its credentials in variables. The SDK's own set-up would look further, into
//! files that Lambda does not have. The SDK's HTTP client brings its own TLS set-up: it reads and parses the system's
//! certificates when it starts. Here it gets a client like AI Rudder's, with the same roots.

use std::error::Error;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_secretsmanager::config::{SharedCredentialsProvider, retry::ReconnectMode};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::{ConnectorError, DispatchFailure},
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use reqwest::{Client, Request, Url};
use rustls::pki_types::CertificateDer;

use crate::{
    config::Aws,
    tls::{self, ClientError},
};

/// AWS as configured, with the credentials that the environment holds.
pub fn sdk_config(aws: &Aws) -> Result<SdkConfig, ClientError> {
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .http_client(http_client(&aws.extra_roots)?)
        .build())
}

/// The same for one service, which is somewhere else than at AWS where there is an endpoint. Each call is one attempt: what is
/// tried again, and for how long, is for its caller to decide, and not for the SDK's quota of retries.
pub(crate) fn service(aws: &SdkConfig, endpoint: Option<&Url>) -> SdkConfig {
    let retries = RetryConfig::disabled()
        // The SDK can't close a connection of the relay's own client, and would log an error for trying.
        .with_reconnect_mode(ReconnectMode::ReuseAllConnections);
    let aws = aws.to_builder().timeout_config(TimeoutConfig::disabled()).retry_config(retries);
    match endpoint {
        Some(url) => aws.endpoint_url(url.as_str()).build(),
        None => aws.build(),
    }
}

/// The codes with which AWS refuses a signature or credentials for their age. A process that was suspended signs with an old
/// clock, and its credentials may have been replaced in the meantime; the next request is signed anew.
const EXPIRED: &[&str] = &[
    // What the AWS SDKs for Java and JavaScript take for a skewed clock.
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    // Credentials: "The security token included in the request is expired", or "is invalid".
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "IncompleteSignature",
    "IncompleteSignatureException",
];

/// Whether an error response of AWS, by its HTTP status and error code, says nothing about the next attempt: throttling, a
/// failure of AWS's own, or a signature that has expired.
pub(crate) fn is_transient(status: u16, code: Option<&str>) -> bool {
    let by_code = |code| [THROTTLING_ERRORS, TRANSIENT_ERRORS].iter().any(|codes| codes.contains(&code));
    matches!(status, 429 | 500..=599) || code.is_some_and(by_code) || has_expired(code)
}

/// Whether an error code means that the signature or the credentials have expired.
pub(crate) fn has_expired(code: Option<&str>) -> bool {
    code.is_some_and(|code| EXPIRED.contains(&code))
}

/// The HTTP client for the AWS SDK. Trusts the public roots, and these.
fn http_client(extra_roots: &[CertificateDer<'static>]) -> Result<SharedHttpClient, ClientError> {
    let connector = OverReqwest(tls::http_client(extra_roots)?.build()?);
    Ok(http_client_fn(move |_: &_, _: &RuntimeComponents| connector.clone().into_shared()))
}

tokio::task_local! {
    static CONNECTING: ();
}

/// Takes a call as far as its connection, and leaves that for the calls to come. In place of the call `GET /` goes out,
/// without credentials, so that no service does or records anything.
pub(crate) async fn connect(call: impl Future) {
    CONNECTING.scope((), call).await;
}

/// The SDK's requests, sent by reqwest. Its callers bound each attempt, and repeat what may be repeated.
#[derive(Debug, Clone)]
struct OverReqwest(Client);

impl HttpConnector for OverReqwest {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(http) = self.clone();
        let connecting = CONNECTING.try_with(|()| ()).is_ok();
        HttpConnectorFuture::new(async move {
            let request = outgoing(request)?;
            if connecting {
                let answer = http.get(root(request.url())).send().await.map_err(connector_error)?;
                // Read to its end: only then is the connection free for the next.
                answer.bytes().await.map_err(connector_error)?;
                return Err(ConnectorError::user("only the connection was wanted".into()));
            }
            let answer = http.execute(request).await.map_err(connector_error)?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.bytes().await.map_err(connector_error)?;
            let mut answer = http::Response::new(SdkBody::from(body));
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// A request of the SDK as one of reqwest. What the relay asks of AWS is small and in memory.
fn outgoing(request: HttpRequest) -> Result<Request, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
    Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))
}

fn root(url: &Url) -> Url {
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    root
}

fn connector_error(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}

/// Whether a call failed before there was a connection, so that nothing was sent.
pub(crate) fn is_unconnected(failure: &DispatchFailure) -> bool {
    let source = failure.as_connector_error().and_then(Error::source);
    source.and_then(|source| source.downcast_ref::<reqwest::Error>()).is_some_and(reqwest::Error::is_connect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttling_failures_and_expired_signatures_are_transient() {
        for code in ["ThrottlingException", "TooManyRequestsException", "LimitExceededException", "SlowDown"] {
            assert!(is_transient(400, Some(code)), "{code}");
        }
        for code in ["RequestTimeout", "InvalidSignatureException", "ExpiredTokenException", "RequestTimeTooSkewed"] {
            assert!(is_transient(400, Some(code)) && is_transient(403, Some(code)), "{code}");
        }
        for status in [429, 500, 502, 503, 504, 599] {
            assert!(is_transient(status, None) && is_transient(status, Some("UnheardOfException")), "{status}");
        }
    }

    #[test]
    fn what_the_next_attempt_would_meet_again_is_not_transient() {
        for code in [None, Some("AccessDeniedException"), Some("ResourceNotFoundException"), Some("UnheardOf")] {
            for status in [200, 400, 403, 404, 428, 499, 600] {
                assert!(!is_transient(status, code), "{status} {code:?}");
            }
        }
    }
}
