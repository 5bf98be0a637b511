//! The AWS SDK over the relay's own HTTP stack, configured from the environment alone.
//!
//! Lambda passes a function its region and credentials in environment variables. The SDK's default configuration also
//! searches for files, which Lambda does not have, and its default HTTP client loads the system's certificates at start-up.
//! Here the SDK uses the HTTP stack of [`tls`].

use std::{borrow::Cow, error::Error};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_secretsmanager::config::{
    SharedCredentialsProvider,
    endpoint::{self as secrets_manager},
    retry::ReconnectMode,
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use reqwest::{Client, Request, Url};
use tokio::join;

use crate::{
    config::{AwsConfig, Claims, Config},
    tls::{self, ClientError},
};

/// The AWS SDK's configuration, and the HTTP client that all its services share.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The SDK's configuration.
    pub sdk: SdkConfig,
    /// What sends the SDK's requests, and those of the ledger.
    pub connector: SharedHttpConnector,
    http: Client,
    config: AwsConfig,
    has_ledger: bool,
}

impl Aws {
    /// AWS as configured, with the environment's credentials. `Err` if TLS or HTTP cannot be set up.
    pub fn new(config: &Config) -> Result<Self, ClientError> {
        let http = tls::http_client(tls::client_config(&config.aws.extra_roots)?).build()?;
        let connector = SharedHttpConnector::new(ReqwestConnector(http.clone()));
        let shared = connector.clone();
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config.aws.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
            .http_client(http_client_fn(move |_: &_, _: &RuntimeComponents| shared.clone()))
            .build();
        Ok(Self { sdk, connector, http, config: config.aws.clone(), has_ledger: config.claims != Claims::Off })
    }

    /// Opens the connections that the first lead would otherwise wait for. Errors are ignored: that lead tries again.
    pub(crate) async fn connect(&self) {
        let dynamodb = if self.has_ledger { self.dynamodb_url().parse().ok() } else { None };
        join!(self.open_connection(self.secrets_manager_url().await), self.open_connection(dynamodb));
    }

    async fn secrets_manager_url(&self) -> Option<Url> {
        use secrets_manager::{DefaultResolver, Params, ResolveEndpoint};
        if let Some(url) = &self.config.secrets_manager {
            return Some(url.clone());
        }
        let params = Params::builder().region(&self.config.region).build().ok()?;
        DefaultResolver::new().resolve_endpoint(&params).await.ok()?.url().parse().ok()
    }

    /// The region.
    pub(crate) fn region(&self) -> &str {
        &self.config.region
    }

    /// DynamoDB's endpoint: the configured one, or that of the region (AWS's general reference, "Amazon DynamoDB endpoints and
    /// quotas"; the domains are those of the AWS SDK's partitions).
    pub(crate) fn dynamodb_url(&self) -> Cow<'_, str> {
        if let Some(url) = &self.config.dynamodb {
            return url.as_str().into();
        }
        let region = &self.config.region;
        let domain = PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix));
        let domain = domain.map_or("amazonaws.com", |(_, domain)| domain);
        format!("https://dynamodb.{region}.{domain}/").into()
    }

    /// Opens a connection with an unauthenticated `GET /`, which has no effect on the service.
    async fn open_connection(&self, endpoint: Option<Url>) {
        let Some(url) = endpoint.and_then(|url| url.join("/").ok()) else { return };
        if let Ok(response) = self.http.get(url).send().await {
            // A connection is reused only if its response was read to the end.
            let _ = response.bytes().await;
        }
    }
}

/// The SDK's configuration for one service, with `endpoint` in place of AWS's own if it is given. Each call is one attempt: the
/// relay decides what is retried and for how long, and does not depend on the SDK's retry quota.
pub(crate) fn service_config(aws: &SdkConfig, endpoint: Option<&Url>) -> SdkConfig {
    let retries = RetryConfig::disabled()
        // The SDK cannot close a connection of this client, and would log an error if it tried.
        .with_reconnect_mode(ReconnectMode::ReuseAllConnections);
    let aws = aws.to_builder().timeout_config(TimeoutConfig::disabled()).retry_config(retries);
    match endpoint {
        Some(url) => aws.endpoint_url(url.as_str()).build(),
        None => aws.build(),
    }
}

/// AWS's error codes for an expired signature or expired credentials. A suspended process signs with an old time, and its
/// credentials may have been replaced; a retry has a new signature.
const EXPIRED: &[&str] = &[
    // The AWS SDKs for Java and JavaScript treat these as clock skew.
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

/// Whether a retry may succeed after an AWS error response with this HTTP status and code: throttling, an internal error, or an
/// expired signature.
pub(crate) fn is_transient(status: u16, code: Option<&str>) -> bool {
    let by_code = |code| [THROTTLING_ERRORS, TRANSIENT_ERRORS].iter().any(|codes| codes.contains(&code));
    matches!(status, 429 | 500..=599) || code.is_some_and(by_code) || means_expired(code)
}

/// Whether an error code means that the signature or the credentials have expired.
pub(crate) fn means_expired(code: Option<&str>) -> bool {
    code.is_some_and(|code| EXPIRED.contains(&code))
}

/// The partitions that have a domain of their own, by the prefix of their regions.
const PARTITIONS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
];

/// Sends requests to AWS with reqwest.
#[derive(Debug, Clone)]
struct ReqwestConnector(Client);

impl HttpConnector for ReqwestConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(http) = self.clone();
        HttpConnectorFuture::new(async move {
            let response = http.execute(reqwest_request(request)?).await.map_err(connector_error)?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.bytes().await.map_err(connector_error)?;
            let mut response = http::Response::new(SdkBody::from(body));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Converts a request. The relay's requests to AWS have small bodies in memory.
fn reqwest_request(request: HttpRequest) -> Result<Request, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
    Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))
}

fn connector_error(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}

/// Whether a call failed before a connection was open, which means that nothing was sent.
pub(crate) fn is_unconnected(error: &ConnectorError) -> bool {
    error.source().and_then(|source| source.downcast_ref::<reqwest::Error>()).is_some_and(reqwest::Error::is_connect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dynamodb_has_the_endpoint_of_its_region() {
        use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
        for region in [
            "us-east-1",
            "eu-central-2",
            "mx-central-1",
            "us-gov-west-1",
            "cn-northwest-1",
            "eusc-de-east-1",
            "us-iso-east-1",
            "us-isob-east-1",
            "us-isof-south-1",
            "eu-isoe-west-1",
        ] {
            let variables = |name: &str| match name {
                "CLAIMS_TABLE" => Some("claims".into()),
                "AWS_REGION" => Some(region.into()),
                _ => None,
            };
            let aws = Aws::new(&Config::from_variables(variables).unwrap()).unwrap();
            let params = Params::builder().region(region).build().unwrap();
            let expected = DefaultResolver::new().resolve_endpoint(&params).await.unwrap();
            assert_eq!(aws.dynamodb_url().trim_end_matches('/'), expected.url(), "{region}");
        }
    }

    #[test]
    fn throttling_failures_and_expired_signatures_are_transient() {
        for code in ["ThrottlingException", "TooManyRequestsException", "LimitExceededException", "SlowDown"] {
            assert!(is_transient(400, Some(code)), "{code}");
        }
        for code in ["RequestTimeout", "InvalidSignatureException", "ExpiredTokenException", "RequestTimeTooSkewed"] {
            assert!(is_transient(400, Some(code)) && is_transient(403, Some(code)), "{code}");
        }
        for status in [429, 500, 502, 503, 504, 599] {
            assert!(is_transient(status, None) && is_transient(status, Some("UnlistedException")), "{status}");
        }
    }

    #[test]
    fn permanent_errors_are_not_transient() {
        for code in [None, Some("AccessDeniedException"), Some("ResourceNotFoundException"), Some("UnlistedException")]
        {
            for status in [200, 400, 403, 404, 428, 499, 600] {
                assert!(!is_transient(status, code), "{status} {code:?}");
            }
        }
    }
}
