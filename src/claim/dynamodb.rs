//! DynamoDB's API, as far as the ledger uses it: signed requests in JSON.
//!
//! The AWS SDK's client for DynamoDB takes nearly twice the processor time per call, and a tenth of the program:
//! `docs/design.md`.

use std::{collections::HashMap, fmt, time::SystemTime};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::header;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tower::BoxError;

use crate::{
    aws::{self, Aws},
    telemetry::log::LogText,
};

/// An item.
pub type Item = HashMap<String, AttributeValue>;

/// The value of an attribute.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number.
    N(String),
    /// A value that the ledger does not write.
    #[serde(untagged)]
    Other(serde_json::Value),
}

/// The client.
#[derive(Debug, Clone)]
pub(super) struct DynamoDb {
    http: SharedHttpConnector,
    credentials: Option<SharedCredentialsProvider>,
    endpoint: String,
    region: String,
}

/// Why a call failed.
pub(super) enum CallError {
    /// Nothing was sent.
    NotSent(LogText),
    /// The request was sent or may have been sent, and no response came.
    NoResponse(LogText),
    /// DynamoDB refused the request, or failed.
    Refused(Refusal),
}

/// An error response.
pub(super) struct Refusal {
    /// The HTTP status.
    pub(super) status: u16,
    /// DynamoDB's name of the error.
    pub(super) code: Option<String>,
    /// Of a cancelled transaction: the reason for each of its writes.
    pub(super) reasons: Vec<CancellationReason>,
}

/// What the write of one item contributed to the cancellation of its transaction.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancellationReason {
    /// `None` is the text that says so.
    pub(super) code: Option<String>,
    /// The item that made the condition fail, if it was asked for.
    pub(super) item: Option<Item>,
}

impl DynamoDb {
    /// The DynamoDB that `aws` reaches.
    pub(super) fn new(aws: &Aws) -> Self {
        Self {
            http: aws.connector.clone(),
            credentials: aws.sdk.credentials_provider(),
            endpoint: aws.dynamodb_url().to_string(),
            region: aws.region().to_owned(),
        }
    }

    /// Makes a call, signed at `now`, and returns the body of its response. There is no retry.
    pub(super) async fn call(&self, operation: &str, body: Bytes, now: SystemTime) -> Result<Bytes, CallError> {
        let request = self.signed(operation, body, now).await;
        let request = request.map_err(|error| CallError::NotSent(LogText::from_error(&*error)))?;
        let response = self.http.call(request).await?;
        let status = response.status().as_u16();
        let name = response.headers().get("x-amzn-errortype");
        let body = response.body().bytes().unwrap_or_default();
        match status {
            // Something between the relay and DynamoDB may answer in its place. Only DynamoDB knows what it did.
            200 if is_object(body) => Ok(Bytes::copy_from_slice(body)),
            400..=599 => Err(CallError::Refused(Refusal::parse(status, name, body))),
            _ => Err(CallError::NoResponse(LogText::from(format!("a response that is not DynamoDB's, HTTP {status}")))),
        }
    }

    async fn signed(&self, operation: &str, body: Bytes, now: SystemTime) -> Result<HttpRequest, BoxError> {
        const TYPE: &str = "application/x-amz-json-1.0";
        let target = format!("DynamoDB_20120810.{operation}");
        let credentials = self.credentials.as_ref().ok_or("no credentials provider")?;
        let identity = credentials.provide_credentials().await?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("dynamodb")
            .time(now)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = [(header::CONTENT_TYPE.as_str(), TYPE), ("x-amz-target", &target)];
        let signable = SignableRequest::new("POST", &*self.endpoint, headers.into_iter(), SignableBody::Bytes(&body))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = http::Request::post(&*self.endpoint)
            .header(header::CONTENT_TYPE, TYPE)
            .header("x-amz-target", target)
            .body(SdkBody::from(body))?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(HttpRequest::try_from(request)?)
    }
}

impl Refusal {
    /// Parses an error response. One that is not DynamoDB's has no code.
    fn parse(status: u16, name: Option<&str>, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        struct ErrorBody {
            #[serde(rename = "__type")]
            type_name: Option<String>,
            #[serde(default, rename = "CancellationReasons")]
            reasons: Vec<CancellationReason>,
        }
        let ErrorBody { type_name, reasons } = serde_json::from_slice(body).unwrap_or_default();
        let name = name.or(type_name.as_deref());
        // `com.amazonaws.dynamodb.v20120810#ThrottlingException`, possibly with `:` and a URL.
        let code = name.and_then(|name| name.split(':').next()?.rsplit('#').next()).map(str::to_owned);
        Self { status, code, reasons }
    }
}

fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

impl From<ConnectorError> for CallError {
    fn from(error: ConnectorError) -> Self {
        let cause = LogText::from_error(&error);
        if aws::is_unconnected(&error) { Self::NotSent(cause) } else { Self::NoResponse(cause) }
    }
}

impl fmt::Debug for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttributeValue")
    }
}

#[cfg(test)]
mod tests;
