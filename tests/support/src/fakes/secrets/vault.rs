//! The secrets, and the operations on them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    fault::Fault,
    operation::{Create, Delete, Get, Id, List, MoveLabel, Operation, Put},
    secret::{Content, Secret, current, random_arn},
};

const DAY: f64 = 86_400.0;
/// The secrets on a page of a list, as in AWS.
const PAGE: usize = 100;

/// All secrets.
#[derive(Default)]
pub(super) struct Vault {
    secrets: Vec<Secret>,
}

impl Vault {
    /// Carries out an operation, and returns the response's body.
    pub(super) fn call(&mut self, operation: &Operation) -> Result<Value, Fault> {
        match operation {
            Operation::Create(request) => self.create(request),
            Operation::Put(request) => self.put(request),
            Operation::Get(Get { secret_id, version_id, version_stage }) => {
                self.usable(secret_id)?.read(version_id.as_deref(), version_stage.as_deref())
            }
            Operation::Describe(Id { secret_id }) => self.find(secret_id).map(|secret| secret.describe()),
            Operation::Delete(request) => self.delete(request),
            Operation::Restore(Id { secret_id }) => {
                let secret = self.find(secret_id)?;
                secret.deletion = None;
                Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
            }
            Operation::MoveLabel(request) => self.move_label(request),
            Operation::List(request) => Ok(self.list(request)),
        }
    }

    /// Stores a secret, whatever the state of the one with its name.
    pub(super) fn store(&mut self, name: String, text: String) {
        let content = Content::Text(text);
        let now = now();
        if !self.secrets.iter().any(|secret| secret.name == name) {
            self.secrets.push(Secret::new(&name, now));
        }
        for secret in self.secrets.iter_mut().filter(|secret| secret.name == name) {
            secret.deletion = None;
            // A fresh token is in no version, so this cannot fail.
            let _ = secret.add_version(&Uuid::new_v4().to_string(), content.clone(), &current(), now);
        }
    }

    fn create(&mut self, request: &Create) -> Result<Value, Fault> {
        let token = token(request.client_request_token.as_deref())?;
        let content = content(request.secret_string.as_ref(), request.secret_binary.as_ref())?;
        check_name(&request.name)?;
        let existing = self.secrets.iter_mut().find(|secret| secret.name == request.name);
        if let Some(secret) = existing {
            if secret.deletion.is_some() {
                let message =
                    "You can't create this secret because a secret with this name is already scheduled for deletion.";
                return Err(Fault::bad_request("InvalidRequestException", message));
            }
            return match content.filter(|_| secret.has_version(token)) {
                Some(content) => {
                    secret.add_version(token, content, &current(), now())?;
                    Ok(secret.created(token))
                }
                None => Err(Fault::bad_request(
                    "ResourceExistsException",
                    format!("The operation failed because the secret {} already exists.", request.name),
                )),
            };
        }
        let mut secret = Secret::new(&request.name, now());
        secret.description.clone_from(&request.description);
        secret.kms_key_id.clone_from(&request.kms_key_id);
        if let Some(content) = content {
            secret.add_version(token, content, &current(), now())?;
        }
        let response = secret.created(token);
        self.secrets.push(secret);
        Ok(response)
    }

    fn put(&mut self, request: &Put) -> Result<Value, Fault> {
        let token = token(request.client_request_token.as_deref())?;
        let content = content(request.secret_string.as_ref(), request.secret_binary.as_ref())?.ok_or_else(|| {
            Fault::bad_request("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
        })?;
        let labels = request.version_stages.clone().unwrap_or_else(current);
        let secret = self.usable(&request.secret_id)?;
        secret.add_version(token, content, &labels, now())?;
        Ok(secret.put(token))
    }

    fn delete(&mut self, request: &Delete) -> Result<Value, Fault> {
        let Delete { secret_id, recovery_window_in_days: days, force_delete_without_recovery: force } = request;
        match days {
            Some(_) if *force => {
                let message = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.";
                return Err(Fault::bad_request("InvalidParameterException", message));
            }
            Some(days) if !(7..=30).contains(days) => {
                let message = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
                return Err(Fault::bad_request("InvalidParameterException", message));
            }
            _ => {}
        }
        if *force {
            // AWS reports success for a secret that does not exist, too.
            let found = self.find(secret_id).ok().map(|secret| (secret.arn.clone(), secret.name.clone()));
            let (arn, name) = found.unwrap_or_else(|| (random_arn(secret_id), secret_id.clone()));
            self.secrets.retain(|secret| secret.arn != arn);
            return Ok(json!({ "ARN": arn, "Name": name, "DeletionDate": now() }));
        }
        let days = u32::try_from(days.unwrap_or(30)).unwrap_or_default();
        let deletion = now() + f64::from(days) * DAY;
        let secret = self.usable(secret_id)?;
        secret.deletion = Some(deletion);
        Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": deletion }))
    }

    fn move_label(&mut self, request: &MoveLabel) -> Result<Value, Fault> {
        let MoveLabel { secret_id, version_stage: label, move_to_version_id: to, remove_from_version_id: from } =
            request;
        let secret = self.usable(secret_id)?;
        secret.move_label(label, to.as_deref(), from.as_deref())?;
        Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
    }

    fn list(&self, request: &List) -> Value {
        let is_listed = |secret: &&Secret| {
            let is_named = |name: &String| secret.name.starts_with(name);
            (request.include_planned_deletion || secret.deletion.is_none())
                && request.filters.iter().all(|filter| filter.key != "name" || filter.values.iter().any(is_named))
        };
        let skipped = request.next_token.parse().unwrap_or(0);
        let mut rest = self.secrets.iter().filter(is_listed).skip(skipped);
        let page: Vec<_> = rest.by_ref().take(PAGE).map(Secret::describe).collect();
        let next = rest.next().map(|_| (skipped + PAGE).to_string());
        json!({ "SecretList": page, "NextToken": next })
    }

    fn find(&mut self, id: &str) -> Result<&mut Secret, Fault> {
        self.secrets.iter_mut().find(|secret| secret.is(id)).ok_or_else(|| {
            Fault::bad_request("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        })
    }

    /// A secret that is not marked for deletion.
    fn usable(&mut self, id: &str) -> Result<&mut Secret, Fault> {
        let secret = self.find(id)?;
        if secret.deletion.is_some() { Err(Fault::marked_for_deletion()) } else { Ok(secret) }
    }
}

/// The SDKs and the AWS CLI generate it if the caller gives none.
fn token(token: Option<&str>) -> Result<&str, Fault> {
    let token = token.ok_or_else(|| {
        let message = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
        Fault::bad_request("InvalidRequestException", message)
    })?;
    if (32..=64).contains(&token.len()) {
        return Ok(token);
    }
    Err(Fault::bad_request("InvalidParameterException", "ClientRequestToken must be 32-64 characters long."))
}

fn content(text: Option<&String>, binary: Option<&String>) -> Result<Option<Content>, Fault> {
    match (text, binary) {
        (Some(_), Some(_)) => Err(Fault::bad_request(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )),
        (Some(text), None) => Ok(Some(Content::Text(text.clone()))),
        (None, binary) => Ok(binary.cloned().map(Content::Binary)),
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "-/_+=.@!".contains(character);
    if (1..=512).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    let message =
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    Err(Fault::bad_request("ValidationException", message))
}

/// Unix seconds with milliseconds, as AWS's JSON protocol has them.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (now.as_secs_f64() * 1000.0).round() / 1000.0
}
