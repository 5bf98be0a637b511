//! The checks of the function's variables.

use std::{collections::HashMap, ffi::OsString};

use aws_sdk_lambda::{
    config::http::HttpResponse,
    error::SdkError,
    operation::get_function_configuration::{GetFunctionConfigurationError, GetFunctionConfigurationOutput},
    types::EnvironmentResponse,
};
use lendswift_relay::config::{Claims, Config};

use super::{Checks, Verdict};
use crate::{
    aws::{Aws, Call, call_failed},
    deployment::Deployment,
};

/// The alias that the API calls.
const ALIAS: &str = "live";

/// Checks that the function's variables are valid, and name the same table and secrets. An operator needs no right to
/// read them: then this check is skipped.
pub(super) async fn check(aws: &Aws, deployment: &Deployment, checks: &mut Checks) {
    const NAME: &str = "function's variables";
    let Some(function) = deployment.function() else {
        checks.add(NAME, Verdict::Skipped, "no stack was read, so the function is not known");
        return;
    };
    let variables = match configuration(aws, function).await {
        Ok(read) => match variables(read.environment) {
            Ok(variables) => variables,
            Err(fault) => return checks.add(NAME, Verdict::Failed, fault),
        },
        Err(error) => {
            let subject = format!("{function}:{ALIAS}");
            let failure = call_failed(Call { action: "lambda:GetFunctionConfiguration", subject: &subject }, &error);
            checks.add(NAME, Verdict::Skipped, failure.to_string());
            return;
        }
    };
    let expected = (deployment.table().ok(), deployment.secret_prefix().ok());
    checks.result(NAME, compare(&variables, aws.region(), expected));
}

/// Whether the function has a ledger; `None` if the command cannot see that.
pub(crate) async fn has_ledger(aws: &Aws, deployment: &Deployment) -> Option<bool> {
    if deployment.is_ledger_off() {
        return Some(false);
    }
    let read = configuration(aws, deployment.function()?).await.ok()?;
    let config = parse(&variables(read.environment).ok()?, aws.region()).ok()?;
    Some(config.claims != Claims::Off)
}

async fn configuration(
    aws: &Aws,
    function: &str,
) -> Result<GetFunctionConfigurationOutput, SdkError<GetFunctionConfigurationError, HttpResponse>> {
    aws.lambda().get_function_configuration().function_name(function).qualifier(ALIAS).send().await
}

/// The variables. `Err` if Lambda cannot decrypt them, for which it gives the reason in their place.
fn variables(environment: Option<EnvironmentResponse>) -> Result<HashMap<String, String>, String> {
    let Some(environment) = environment else { return Ok(HashMap::new()) };
    if let Some(error) = environment.error {
        let code = error.error_code.as_deref().unwrap_or("no error code");
        return Err(format!("Lambda cannot read them: {code}. Check the KMS key that encrypts them"));
    }
    Ok(environment.variables.unwrap_or_default())
}

/// Parses the variables as the function does at its start.
fn compare(
    variables: &HashMap<String, String>,
    region: &str,
    (table, prefix): (Option<&str>, Option<&str>),
) -> Result<String, String> {
    let config = parse(variables, region)?;
    match (&config.claims, table) {
        (Claims::Off, _) => return Err("CLAIMS_TABLE is off: a repeated post calls the consumer again".to_owned()),
        (Claims::Table(theirs), Some(table)) if theirs != table => {
            return Err(format!("CLAIMS_TABLE is {theirs}, and this command uses {table}"));
        }
        _ => {}
    }
    if let Some(prefix) = prefix.filter(|prefix| *prefix != config.secret_prefix) {
        return Err(format!("SECRET_PREFIX is {}, and this command uses {prefix}", config.secret_prefix));
    }
    Ok("valid, with the same table and secrets".to_owned())
}

fn parse(variables: &HashMap<String, String>, region: &str) -> Result<Config, String> {
    let lookup = |name: &str| match name {
        // Lambda itself sets it.
        "AWS_REGION" => Some(OsString::from(region)),
        // A file of the function, which is not here.
        "UPSTREAM_CA_FILE" => None,
        name => variables.get(name).map(OsString::from),
    };
    Config::from_variables(lookup).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::types::EnvironmentError;

    use super::*;

    fn compared(variables: &[(&str, &str)]) -> Result<String, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        compare(&variables, "us-east-1", (Some("claims"), Some("lendswift")))
    }

    #[test]
    fn the_variables_are_parsed_as_by_the_function() {
        assert_eq!(compared(&[("CLAIMS_TABLE", "claims")]), Ok("valid, with the same table and secrets".to_owned()));
        let with_file = [("CLAIMS_TABLE", "claims"), ("UPSTREAM_CA_FILE", "/opt/ca.pem")];
        assert_eq!(compared(&with_file), compared(&[("CLAIMS_TABLE", "claims")]));
        assert!(compared(&[("CLAIMS_TABLE", "claims"), ("SECRET_TTL_SECONDS", "0")]).is_err());
        assert!(compared(&[]).is_err());
    }

    #[test]
    fn an_error_of_lambda_is_not_a_fault_of_a_variable() {
        let error = EnvironmentError::builder().error_code("KMSAccessDeniedException").build();
        let read = variables(Some(EnvironmentResponse::builder().error(error).build()));
        assert!(read.is_err_and(|fault| fault.contains("KMSAccessDeniedException")));
        assert_eq!(variables(None), Ok(HashMap::new()));
    }

    #[test]
    fn the_alias_is_that_of_the_template() {
        let template = include_str!("../../../template.yaml");
        assert!(template.contains(&format!("AutoPublishAlias: {ALIAS}\n")));
    }

    #[test]
    fn another_table_or_prefix_and_no_ledger_are_failures() {
        for variables in [
            &[("CLAIMS_TABLE", "off")][..],
            &[("CLAIMS_TABLE", "other")],
            &[("CLAIMS_TABLE", "claims"), ("SECRET_PREFIX", "other")],
        ] {
            assert!(compared(variables).is_err(), "{variables:?}");
        }
    }
}
