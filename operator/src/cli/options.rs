//! Options that several commands have.

use clap::Args;

/// The options that every command has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The relay's CloudFormation stack, whose outputs name the table and the secrets
    #[arg(
        long,
        global = true,
        env = "LENDSWIFT_STACK",
        hide_env_values = true,
        default_value = "lendswift-relay",
        value_name = "NAME"
    )]
    pub stack: String,

    /// The ledger's table, in place of the stack's
    #[arg(long, global = true, env = "CLAIMS_TABLE", hide_env_values = true, value_name = "NAME")]
    pub table: Option<String>,

    /// The prefix of the secrets' names, in place of the stack's
    #[arg(long, global = true, env = "SECRET_PREFIX", hide_env_values = true, value_name = "PREFIX")]
    pub secret_prefix: Option<String>,

    /// The AWS region, in place of the environment's or the profile's
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,

    /// The profile of the AWS configuration files
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Write one JSON document to stdout
    #[arg(long, global = true)]
    pub json: bool,
}

/// The option of every command that writes.
#[derive(Debug, Clone, Copy, Args)]
pub struct DryRun {
    /// Show what would be done, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The option of every command that asks first.
#[derive(Debug, Clone, Copy, Args)]
pub struct Ask {
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

impl Global {
    /// The options, in which an empty variable counts as not set.
    pub(crate) fn table(&self) -> Option<&str> {
        self.table.as_deref().filter(|table| !table.is_empty())
    }

    pub(crate) fn secret_prefix(&self) -> Option<&str> {
        self.secret_prefix.as_deref().filter(|prefix| !prefix.is_empty())
    }
}
