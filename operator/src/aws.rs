//! The AWS SDK, with its whole default chain of credentials, and AWS's clock.

mod clock;
mod error;

use std::{env, ffi::OsStr};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::SharedHttpClient, runtime_components::RuntimeComponents};
use lendswift_relay::config::Config;
use tokio::time::Duration;

pub(crate) use self::{
    clock::AwsClock,
    error::{Call, Denied, call_failed},
};
use crate::{cli::Global, failure::Failure};

/// The variables of the AWS SDK that name an endpoint begin with this.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// How long one attempt may take.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// With the SDK's backoff, up to 15 seconds of throttling.
const MAX_ATTEMPTS: u32 = 5;

/// AWS, as the operator is signed in.
pub(crate) struct Aws {
    pub(crate) sdk: SdkConfig,
    /// The time by DynamoDB's answers.
    pub(crate) clock: AwsClock,
}

impl Aws {
    /// Loads region and credentials. `Err` if there are none.
    pub(crate) async fn load(global: &Global) -> Result<Self, Failure> {
        let http = http_client()?;
        let endpoints = env::vars_os().filter_map(|(name, url)| Some((name.into_string().ok()?, url)));
        for (name, url) in endpoints.filter(|(name, _)| name.starts_with(ENDPOINT)) {
            check_endpoint(&name, &url)?;
        }
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_LIMIT)
                    .operation_attempt_timeout(ATTEMPT_LIMIT)
                    .build(),
            );
        if let Some(region) = &global.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &global.profile {
            loader = loader.profile_name(profile);
        }
        let mut sdk = loader.load().await;
        if sdk.region().is_none() {
            return Err(Failure::aws(
                "no AWS region",
                "Add --region, set AWS_REGION, or choose a profile that has a region with --profile.",
            ));
        }
        if let Some(url) = sdk.endpoint_url() {
            check_endpoint("endpoint_url", OsStr::new(url))?;
        }
        if let Some(profile) = &global.profile {
            sdk = with_profile(&sdk, http, profile);
        }
        let provider = sdk.credentials_provider().ok_or_else(error::no_credentials)?;
        provider
            .provide_credentials()
            .await
            .map_err(|cause| error::unusable_credentials(&cause, global.profile.as_deref()))?;
        Ok(Self { sdk, clock: AwsClock::default() })
    }

    /// The region's name.
    pub(crate) fn region(&self) -> &str {
        self.sdk.region().map_or("", AsRef::as_ref)
    }

    pub(crate) fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.sdk)
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk).interceptor(self.clock.clone()).build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    pub(crate) fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.sdk)
    }

    pub(crate) fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.sdk)
    }
}

/// Tokens are sent to an endpoint, so the relay's own rule applies: https, or http to a loopback address.
fn check_endpoint(name: &str, url: &OsStr) -> Result<(), Failure> {
    let variables = |variable: &str| match variable {
        "CLAIMS_TABLE" => Some("off".into()),
        "AWS_REGION" => Some("us-east-1".into()),
        ENDPOINT => Some(url.to_owned()),
        _ => None,
    };
    Config::from_variables(variables).map(drop).map_err(|_| {
        Failure::usage(
            format!("{name} must be an https URL, or http to a loopback address"),
            "Tokens would be sent there unencrypted. Correct it, or unset it.",
        )
    })
}

/// With the credentials of the profile alone, as the AWS CLI has it: in the SDK's default chain, those in environment
/// variables would win over the profile that the operator named.
fn with_profile(sdk: &SdkConfig, http: SharedHttpClient, profile: &str) -> SdkConfig {
    let config = ProviderConfig::without_region().with_region(sdk.region().cloned()).with_http_client(http);
    let provider = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build();
    sdk.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
}

/// An HTTP client that trusts the system's certificates and those of `AWS_CA_BUNDLE`, and uses the proxy of the
/// environment.
fn http_client() -> Result<SharedHttpClient, Failure> {
    let mut roots = TrustStore::default();
    if let Some(file) = env::var_os("AWS_CA_BUNDLE").filter(|file| !file.is_empty()) {
        let pem = std::fs::read(&file).map_err(|cause| {
            Failure::usage(format!("AWS_CA_BUNDLE: {}: {cause}", file.display()), "Set it to a PEM file, or unset it.")
        })?;
        roots = roots.with_pem_certificate(pem);
    }
    let tls = TlsContext::builder().with_trust_store(roots).build();
    let tls = tls.map_err(|cause| Failure::aws(format!("TLS cannot be set up: {cause}"), "Check AWS_CA_BUNDLE."))?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    }))
}
