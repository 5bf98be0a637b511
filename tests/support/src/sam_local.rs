//! The variables with which `sam local` runs the function against the fakes.

use serde_json::{Value, json};

use crate::TABLE;

/// The name by which a container reaches its host: `samconfig.toml` adds it to the container.
const HOST: &str = "host.docker.internal";

/// The content of the file that `samconfig.toml` names as `env_vars`, for fakes at these URLs.
pub fn sam_local_variables(rudder_url: &str, secrets_url: &str, dynamodb_url: &str) -> Value {
    json!({
        "Parameters": {
            "CLAIMS_TABLE": TABLE,
            "UPSTREAM_BASE_URL": from_a_container(rudder_url),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": from_a_container(secrets_url),
            "AWS_ENDPOINT_URL_DYNAMODB": from_a_container(dynamodb_url),
        }
    })
}

/// The URL with the host's name in place of its address.
fn from_a_container(url: &str) -> String {
    let (scheme, rest) = url.split_once("//").expect("a URL");
    let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let (_, port) = authority.rsplit_once(':').expect("a fake's port");
    format!("{scheme}//{HOST}:{port}{path}")
}
