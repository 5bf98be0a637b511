//! The command line.

mod account;
mod invalid;
mod lead;
mod options;
mod policy;
mod unknown;

use std::{env, ffi::OsString};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, parser::ValueSource};
use clap_complete::Shell;

pub(crate) use self::lead::claim;
pub use self::{
    account::{AccountCommand, KeySelector, RefusedArgument},
    lead::{LeadCommand, LeadSelector},
    options::{Ask, DryRun, Global},
    policy::{PolicyChange, PolicyCommand, Rule},
    unknown::{Filter, LeadList, Since, UnknownCommand},
};

/// Operates a deployed lendswift-relay: its accounts, and the leads whose outcome is unknown.
///
/// The command finds the ledger's table and the prefix of the secrets' names in the outputs of the CloudFormation stack
/// (--stack). It uses the same credentials as the AWS CLI: environment variables, profiles, SSO, `aws login`.
///
/// An option wins over a variable. A --stack on the command line also wins over CLAIMS_TABLE and SECRET_PREFIX.
#[derive(Debug, Parser)]
#[command(name = "lendswift", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    /// The options that every command has.
    #[command(flatten)]
    pub global: Global,

    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Creates and changes accounts: one secret each, with API keys and AI Rudder's token
    #[command(arg_required_else_help = true)]
    Account {
        /// The command.
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Shows, settles or reopens one lead
    #[command(arg_required_else_help = true)]
    Lead {
        /// The command.
        #[command(subcommand)]
        command: LeadCommand,
    },
    /// Lists the leads whose outcome is unknown, and settles or reopens many of them
    #[command(arg_required_else_help = true)]
    Unknown {
        /// The command.
        #[command(subcommand)]
        command: UnknownCommand,
    },
    /// Checks credentials, the table, every account's secret, and the function's variables
    ///
    /// Nothing is written. The exit code is 1 if a check failed.
    #[command(after_help = CHECK_EXAMPLES)]
    Check,
    /// Prints a shell's completions
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

impl Cli {
    /// Parses the process's command line. An invalid one ends the process.
    #[must_use]
    pub fn from_command_line() -> Self {
        let arguments: Vec<OsString> = env::args_os().collect();
        let parsed = Self::command().try_get_matches_from(&arguments).and_then(|matches| Self::from_matches(&matches));
        parsed.unwrap_or_else(|error| invalid::exit(&error, &arguments))
    }

    /// A stack on the command line wins over variables: a command for this stack must not change the table or the
    /// secrets of another one that a variable still names.
    fn from_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Self::from_arg_matches(matches)?;
        let is_from = |name, source| matches.value_source(name) == Some(source);
        if is_from("stack", ValueSource::CommandLine) {
            cli.global.table = cli.global.table.filter(|_| !is_from("table", ValueSource::EnvVariable));
            cli.global.secret_prefix =
                cli.global.secret_prefix.filter(|_| !is_from("secret_prefix", ValueSource::EnvVariable));
        }
        Ok(cli)
    }
}

const EXAMPLES: &str = "\
Examples:
  lendswift check                              Is everything in place?
  lendswift account add acme                   A new account; asks for AI Rudder's token
  lendswift unknown list                       Which leads wait for the operator?
  lendswift lead show --claim CLAIM            One of them
  lendswift lead settle --claim CLAIM          AI Rudder has it
  lendswift lead reopen --claim CLAIM          AI Rudder does not have it

Exit codes:
  0  done, or done before        1  something was refused or failed a check
  2  invalid command or input    3  AWS failed, or no credentials
  4  stdout cannot be written";

const CHECK_EXAMPLES: &str = "\
Examples:
  lendswift check
  lendswift --stack lendswift-staging --profile staging check
  lendswift check --table lendswift-claims --secret-prefix lendswift    Without a stack";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  lendswift completions bash > ~/.local/share/bash-completion/completions/lendswift
  lendswift completions zsh > ~/.zfunc/_lendswift";
