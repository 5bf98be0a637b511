//! AWS's errors as failures that name the fix.

use std::{error::Error, iter::successors};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::failure::Failure;

/// A call of AWS: the IAM action that it needs, and what it is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) action: &'static str,
    pub(crate) subject: &'a str,
}

/// Whether AWS denied a right.
pub(crate) trait Denied {
    /// Whether the caller lacks a right, and not the credentials as such.
    fn is_denied(&self) -> bool;
}

impl<E: ProvideErrorMetadata> Denied for SdkError<E, HttpResponse> {
    fn is_denied(&self) -> bool {
        let code = self.as_service_error().and_then(ProvideErrorMetadata::code);
        matches!(code, Some("AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation"))
    }
}

const SIGN_IN: &str = "Sign in with `aws sso login` or `aws login`, choose a profile with --profile, or set \
                       AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.";

pub(super) fn no_credentials() -> Failure {
    Failure::aws("no AWS credentials", SIGN_IN)
}

/// The credentials' provider failed, that of a profile if the operator named one.
pub(super) fn unusable_credentials(cause: &CredentialsError, profile: Option<&str>) -> Failure {
    if let Some(profile) = profile {
        return Failure::aws(
            format!("the profile {profile} has no usable credentials: {}", causes(cause)),
            format!("Sign in with `aws sso login --profile {profile}`, or choose another profile with --profile."),
        );
    }
    if matches!(cause, CredentialsError::CredentialsNotLoaded(_)) {
        return no_credentials();
    }
    Failure::aws(format!("the AWS credentials cannot be loaded: {}", causes(cause)), SIGN_IN)
}

/// The failure of a call. Callers handle the errors with a meaning of their own first.
pub(crate) fn call_failed<E>(call: Call<'_>, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Call { action, subject } = call;
    if error.is_denied() {
        let message = error.message().map(|message| format!(": {message}")).unwrap_or_default();
        return Failure::aws(
            format!("AWS denies {action} on {subject}{message}"),
            format!("Ask for the right {action} on {subject}. docs/reference/lendswift.md lists the rights."),
        );
    }
    match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("no error code");
            let message = service.err().message().unwrap_or("no message");
            Failure::aws(format!("{action} on {subject} failed: {code}: {message}"), fix(code))
        }
        SdkError::TimeoutError(_) => {
            Failure::aws(format!("{action} on {subject} failed: no answer in time"), UNREACHABLE)
        }
        _ => match credentials_error(error) {
            Some(cause) => unusable_credentials(cause, None),
            None => Failure::aws(format!("{action} on {subject} failed: {}", causes(error)), UNREACHABLE),
        },
    }
}

const UNREACHABLE: &str =
    "Check the network, the region and the AWS_ENDPOINT_URL variables, and run the command again.";

/// What helps against an error of this code.
fn fix(code: &str) -> &'static str {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "InvalidClientTokenId" | "UnrecognizedClientException" => SIGN_IN,
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestExpired" => {
            "Check the AWS credentials and this machine's clock."
        }
        _ => "Run the command again. If it fails again, look at AWS's health page.",
    }
}

fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    chain(error).find_map(|cause| cause.downcast_ref())
}

/// An error with its causes, without repetitions.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = chain(error).map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
