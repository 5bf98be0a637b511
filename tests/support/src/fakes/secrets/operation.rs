//! The operations and their parameters.

use serde::{Deserialize, de::DeserializeOwned};

use super::fault::Fault;

/// An operation and its parameters. Parameters that are not listed have no effect here.
pub(super) enum Operation {
    Create(Create),
    Put(Put),
    Get(Get),
    Describe(Id),
    Delete(Delete),
    Restore(Id),
    MoveLabel(MoveLabel),
    List(List),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    pub(super) name: String,
    pub(super) client_request_token: Option<String>,
    pub(super) secret_string: Option<String>,
    pub(super) secret_binary: Option<String>,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    pub(super) secret_id: String,
    pub(super) client_request_token: Option<String>,
    pub(super) secret_string: Option<String>,
    pub(super) secret_binary: Option<String>,
    pub(super) version_stages: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    pub(super) secret_id: String,
    pub(super) version_id: Option<String>,
    pub(super) version_stage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Id {
    pub(super) secret_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    pub(super) secret_id: String,
    pub(super) recovery_window_in_days: Option<i64>,
    #[serde(default)]
    pub(super) force_delete_without_recovery: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MoveLabel {
    pub(super) secret_id: String,
    pub(super) version_stage: String,
    pub(super) move_to_version_id: Option<String>,
    pub(super) remove_from_version_id: Option<String>,
}

/// The only filter is that by the beginning of the name.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    #[serde(default)]
    pub(super) filters: Vec<Filter>,
    #[serde(default)]
    pub(super) include_planned_deletion: bool,
    /// How many secrets come before this page.
    #[serde(default)]
    pub(super) next_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

impl Operation {
    /// Parses a request by the operation's name.
    pub(super) fn parse(name: &str, body: &[u8]) -> Result<Self, Fault> {
        Ok(match name {
            "CreateSecret" => Self::Create(parameters(name, body)?),
            "PutSecretValue" => Self::Put(parameters(name, body)?),
            "GetSecretValue" => Self::Get(parameters(name, body)?),
            "DescribeSecret" => Self::Describe(parameters(name, body)?),
            "DeleteSecret" => Self::Delete(parameters(name, body)?),
            "RestoreSecret" => Self::Restore(parameters(name, body)?),
            "UpdateSecretVersionStage" => Self::MoveLabel(parameters(name, body)?),
            "ListSecrets" => Self::List(parameters(name, body)?),
            _ => return Err(Fault::unknown_operation()),
        })
    }
}

fn parameters<T: DeserializeOwned>(operation: &str, body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body)
        .map_err(|_| Fault::bad_request("SerializationException", format!("The body is no {operation} request.")))
}
