//! The checks of the ledger's table.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    types::{KeyType, ScalarAttributeType, TableDescription, TimeToLiveStatus},
};

use super::{Checks, Verdict};
use crate::aws::{Aws, Call, call_failed};

/// Checks the key, the time to live and the protection of the table.
pub(super) async fn check(aws: &Aws, name: &str, checks: &mut Checks) {
    const KEY: &str = "table's key";
    match aws.dynamodb().describe_table().table_name(name).send().await {
        Ok(described) => {
            let table = described.table.unwrap_or_else(|| TableDescription::builder().build());
            checks.result(KEY, key(&table));
            checks.result("table's protection", protection(name, &table));
        }
        Err(error) if error.code() == Some("ResourceNotFoundException") => {
            let detail = format!("there is no table {name}; check --table and --region");
            return checks.add(KEY, Verdict::Failed, detail);
        }
        Err(error) => {
            let failure = call_failed(Call { action: "dynamodb:DescribeTable", subject: name }, &error);
            checks.add(KEY, Verdict::Failed, failure.to_string());
        }
    }
    checks.result("table's time to live", time_to_live(aws, name).await);
}

/// Without the claims, consumers can be called twice.
fn protection(name: &str, table: &TableDescription) -> Result<String, String> {
    if table.deletion_protection_enabled == Some(true) {
        return Ok("deletion protection is on".to_owned());
    }
    Err(format!(
        "deletion protection is off, and without the claims consumers can be called twice: \
         aws dynamodb update-table --table-name {name} --deletion-protection-enabled"
    ))
}

/// The relay's items have the string `pk` as their only key.
fn key(table: &TableDescription) -> Result<String, String> {
    let schema = table.key_schema();
    let is_pk = matches!(schema, [key] if key.attribute_name == "pk" && key.key_type == KeyType::Hash);
    let attributes = table.attribute_definitions();
    let is_string = attributes
        .iter()
        .any(|attribute| attribute.attribute_name == "pk" && attribute.attribute_type == ScalarAttributeType::S);
    if is_pk && is_string {
        return Ok("pk, a string".to_owned());
    }
    Err("the table's key is not the string pk alone. docs/deploying.md creates a table that is right".to_owned())
}

async fn time_to_live(aws: &Aws, name: &str) -> Result<String, String> {
    let described = aws.dynamodb().describe_time_to_live().table_name(name).send().await;
    let described = described.map_err(|error| {
        call_failed(Call { action: "dynamodb:DescribeTimeToLive", subject: name }, &error).to_string()
    })?;
    let description = described.time_to_live_description;
    let attribute = description.as_ref().and_then(|description| description.attribute_name());
    let status = description.as_ref().and_then(|description| description.time_to_live_status());
    match (attribute, status) {
        (Some("expires"), Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) => {
            Ok("the attribute expires".to_owned())
        }
        _ => Err(format!(
            "it is not enabled for the attribute expires, so the table only grows: \
             aws dynamodb update-time-to-live --table-name {name} \
             --time-to-live-specification Enabled=true,AttributeName=expires"
        )),
    }
}
