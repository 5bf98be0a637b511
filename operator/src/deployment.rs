//! Where the relay's table and secrets are: the stack's outputs, or the operator's options.

use aws_sdk_cloudformation::{error::ProvideErrorMetadata, types::Stack};

use crate::{
    aws::{Aws, Call, call_failed},
    cli::Global,
    failure::Failure,
};

/// The outputs and the parameter of `template.yaml` that are read.
const TABLE: &str = "ClaimsTableName";
const SECRET_PREFIX: &str = "SecretPrefix";
const FUNCTION: &str = "FunctionName";
const KMS_KEY: &str = "KmsKeyArn";

/// A deployed relay. The stack is read only if an option leaves it to the stack.
pub(crate) struct Deployment {
    stack_name: String,
    stack: Option<Stack>,
    table: Option<String>,
    secret_prefix: Option<String>,
}

/// What of a deployment a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Table,
    Secrets,
    Both,
}

impl Deployment {
    /// Finds the parts that are needed.
    pub(crate) async fn find(aws: &Aws, global: &Global, need: Need) -> Result<Self, Failure> {
        let (table, secret_prefix) = (global.table().map(str::to_owned), global.secret_prefix().map(str::to_owned));
        if need != Need::Secrets && table.as_deref() == Some("off") {
            return Err(Failure::usage(
                "the table is `off`: this relay has no ledger",
                "Name the table with --table, or unset CLAIMS_TABLE.",
            ));
        }
        let is_complete = match need {
            Need::Table => table.is_some(),
            Need::Secrets => secret_prefix.is_some(),
            Need::Both => table.is_some() && secret_prefix.is_some(),
        };
        let stack = if is_complete { None } else { Some(stack(aws, &global.stack).await?) };
        Ok(Self { stack_name: global.stack.clone(), stack, table, secret_prefix })
    }

    /// The ledger's table.
    pub(crate) fn table(&self) -> Result<&str, Failure> {
        let table = self.table.as_deref().or_else(|| self.output(TABLE));
        table.ok_or_else(|| self.lacks(TABLE, "--table"))
    }

    /// Whether the operator names `off` in place of a table.
    pub(crate) fn is_ledger_off(&self) -> bool {
        self.table.as_deref() == Some("off")
    }

    /// The prefix of the secrets' names.
    pub(crate) fn secret_prefix(&self) -> Result<&str, Failure> {
        // A stack of an earlier version has the parameter and not the output.
        let prefix = || self.output(SECRET_PREFIX).or_else(|| self.parameter(SECRET_PREFIX));
        let prefix = self.secret_prefix.as_deref().or_else(prefix);
        prefix.ok_or_else(|| self.lacks(SECRET_PREFIX, "--secret-prefix"))
    }

    /// The KMS key that encrypts the secrets, if the stack was read and has one.
    pub(crate) fn kms_key(&self) -> Option<&str> {
        // The name of the parameter before 0.2.0.
        self.parameter(KMS_KEY).or_else(|| self.parameter("SecretsKeyArn"))
    }

    /// Whether the stack was read.
    pub(crate) fn is_stack(&self) -> bool {
        self.stack.is_some()
    }

    /// The function's name, if the stack is known.
    pub(crate) fn function(&self) -> Option<&str> {
        self.output(FUNCTION)
    }

    fn output(&self, name: &str) -> Option<&str> {
        let outputs = self.stack.as_ref()?.outputs();
        let output = outputs.iter().find(|output| output.output_key() == Some(name))?;
        output.output_value().filter(|value| !value.is_empty())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let parameters = self.stack.as_ref()?.parameters();
        let parameter = parameters.iter().find(|parameter| parameter.parameter_key() == Some(name))?;
        parameter.parameter_value().filter(|value| !value.is_empty())
    }

    fn lacks(&self, output: &str, option: &str) -> Failure {
        Failure::refused(
            format!("the stack {} has no output {output}", self.stack_name),
            format!("Name the relay's stack with --stack, or the value itself with {option}."),
        )
    }
}

async fn stack(aws: &Aws, name: &str) -> Result<Stack, Failure> {
    let subject = format!("the stack {name}");
    let described = aws.cloudformation().describe_stacks().stack_name(name).send().await;
    let missing = || {
        Failure::refused(
            format!("there is no stack {name} in the region {}", aws.region()),
            "Name the stack with --stack and its region with --region, or its parts with --table and --secret-prefix.",
        )
    };
    let described = described.map_err(|error| {
        // CloudFormation reports a stack that does not exist as a ValidationError.
        if error.code() == Some("ValidationError") {
            return missing();
        }
        let failure = call_failed(Call { action: "cloudformation:DescribeStacks", subject: &subject }, &error);
        failure.or_else("Or name the stack's parts with --table and --secret-prefix.")
    })?;
    described.stacks().first().cloned().ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::types::{Output, Parameter};

    use super::*;

    /// The lines of a section of `template.yaml`.
    fn section(name: &str) -> Vec<&'static str> {
        let lines = include_str!("../../template.yaml").lines();
        let section = lines.skip_while(|line| line.strip_suffix(':') != Some(name)).skip(1);
        section.take_while(|line| !line.starts_with(char::is_alphabetic)).collect()
    }

    #[test]
    fn the_template_has_what_is_read() {
        let (outputs, parameters) = (section("Outputs"), section("Parameters"));
        for output in [TABLE, SECRET_PREFIX, FUNCTION] {
            assert!(outputs.contains(&format!("  {output}:").as_str()), "{output}");
        }
        assert!(parameters.contains(&format!("  {KMS_KEY}:").as_str()));
    }

    fn deployment(parameters: &[(&str, &str)]) -> Deployment {
        let parameter =
            |(key, value): &(&str, &str)| Parameter::builder().parameter_key(*key).parameter_value(*value).build();
        let output = Output::builder().output_key(SECRET_PREFIX).output_value("loans").build();
        let stack = Stack::builder().outputs(output).set_parameters(Some(parameters.iter().map(parameter).collect()));
        Deployment { stack_name: "a".to_owned(), stack: Some(stack.build()), table: None, secret_prefix: None }
    }

    #[test]
    fn the_kms_key_is_the_stacks_parameter() {
        assert_eq!(deployment(&[(KMS_KEY, "a key")]).kms_key(), Some("a key"));
        assert_eq!(deployment(&[("SecretsKeyArn", "an old key")]).kms_key(), Some("an old key"));
        assert_eq!(deployment(&[(KMS_KEY, "")]).kms_key(), None);
        let without = Deployment { stack: None, ..deployment(&[(KMS_KEY, "a key")]) };
        assert_eq!(without.kms_key(), None);
    }

    #[test]
    fn an_option_wins_over_the_stack() {
        let stack = deployment(&[]);
        assert_eq!(stack.secret_prefix().ok(), Some("loans"));
        let named = Deployment { secret_prefix: Some("named".to_owned()), ..stack };
        assert_eq!(named.secret_prefix().ok(), Some("named"));
        assert!(named.table().is_err());
    }
}
