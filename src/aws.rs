//! The AWS SDK over the relay's own HTTP stack.
//!
//! The SDK's HTTP client brings its own TLS set-up: it reads and parses the system's certificates when it starts, a
//! second time beside AI Rudder's. Here it gets a client like AI Rudder's, with the same roots.

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use reqwest::{Client, Request};
use rustls::pki_types::CertificateDer;

use crate::tls::{self, ClientError};

/// The HTTP client for the AWS SDK. Trusts the public roots, and these.
pub fn http_client(extra_roots: &[CertificateDer<'static>]) -> Result<SharedHttpClient, ClientError> {
    let connector = OverReqwest(tls::http_client(extra_roots)?.build()?);
    Ok(http_client_fn(move |_: &_, _: &RuntimeComponents| connector.clone().into_shared()))
}

/// The SDK's requests, sent by reqwest. The SDK bounds each attempt and repeats what may be repeated.
#[derive(Debug, Clone)]
struct OverReqwest(Client);

impl HttpConnector for OverReqwest {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(http) = self.clone();
        HttpConnectorFuture::new(async move {
            let answer = http.execute(outgoing(request)?).await.map_err(connector_error)?;
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

/// The SDK repeats an attempt after a time-out or a broken connection.
fn connector_error(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}
