//! `lendswift account …`.

use clap::Subcommand;
use lendswift_relay::account::AccountId;

use super::{Ask, DryRun, PolicyCommand};

/// The commands for accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Creates an account and its first API key
    ///
    /// Asks for AI Rudder's token, without showing it, or reads it from stdin. The new API key is printed once: share
    /// it with the sender over a secure channel, and keep no copy. The secret stores only its SHA-256 digest.
    #[command(after_help = ADD)]
    Add {
        /// The account's name, which appears in URLs: a-z, 0-9 and hyphens, with at least one letter
        #[arg(value_parser = account)]
        name: AccountId,
        /// Create a sandbox, whose pushes are simulated; it has no token
        #[arg(long)]
        sandbox: bool,
        /// The KMS key that encrypts the secret [default: the stack's, if it has one and the command reads the stack;
        /// with --secret-prefix or SECRET_PREFIX: AWS's own]
        #[arg(long, value_name = "KEY")]
        kms_key_id: Option<String>,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
        /// A token as an argument, which is refused.
        #[arg(hide = true, value_parser = refused)]
        refused: Vec<RefusedArgument>,
    },
    /// Lists the accounts
    #[command(after_help = LIST)]
    List,
    /// Shows an account: its kind, its API keys' digests, its policy, its secret's dates
    #[command(after_help = SHOW)]
    Show {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
    },
    /// Adds another API key, so that the sender can change without a gap
    ///
    /// The new API key is printed once. The old ones stay valid until you remove them with `account revoke-key`.
    #[command(after_help = ROTATE_KEY)]
    RotateKey {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
    /// Removes an API key
    ///
    /// Processes that have the secret cached accept the key for up to SECRET_TTL_SECONDS, 5 minutes by default. The
    /// last API key cannot be removed: close the account instead.
    #[command(after_help = REVOKE_KEY)]
    RevokeKey {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
        /// The first digits of the API key's SHA-256, at least 4: `account show` and the log's `span.key` have 8. Or
        /// `malformed`: all entries that are no digests
        #[arg(value_parser = key, value_name = "DIGEST_PREFIX")]
        key: KeySelector,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        ask: Ask,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
    /// Replaces AI Rudder's token
    ///
    /// Asks for the token, without showing it, or reads it from stdin.
    #[command(after_help = SET_TOKEN)]
    SetToken {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
        /// A token as an argument, which is refused.
        #[arg(hide = true, value_parser = refused)]
        refused: Vec<RefusedArgument>,
    },
    /// Closes an account: marks its secret for deletion
    ///
    /// Until the recovery window ends, `account restore` opens the account again. Ask AI Rudder to revoke the token.
    #[command(after_help = CLOSE)]
    Close {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
        /// The recovery window in days
        #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = recovery_days)]
        recovery_days: i64,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        ask: Ask,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
    /// Opens a closed account again
    #[command(after_help = RESTORE)]
    Restore {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
        #[command(flatten)]
        #[expect(missing_docs, reason = "its own type has them")]
        dry_run: DryRun,
    },
    /// Shows or changes an account's policy: calling hours, and how often one phone number is called
    #[command(arg_required_else_help = true)]
    Policy {
        /// The command.
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Checks that the relay accepts an account's secret
    ///
    /// The exit code is 1 if it does not. For a policy with once_per_phone_hours, the command also checks that the
    /// function has a ledger, if it may read the function's variables.
    #[command(after_help = CHECK)]
    Check {
        /// The account
        #[arg(value_parser = account)]
        name: AccountId,
    },
}

/// Which API key is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySelector {
    /// That whose digest begins with these hex digits, in lower case.
    Digest(String),
    /// All entries that are not 64 hex digits.
    Malformed,
}

/// An argument that could be a token. Its value is not kept.
#[derive(Debug, Clone, Copy)]
pub struct RefusedArgument;

const ADD: &str = "\
Examples:
  lendswift account add acme
  lendswift account add acme < token.txt
  lendswift account add acme-sandbox --sandbox
  lendswift account add acme --json < token.txt | jq -r .api_key";

const LIST: &str = "\
Examples:
  lendswift account list
  lendswift account list --json | jq -r '.accounts[].account'";

const SHOW: &str = "\
Examples:
  lendswift account show acme";

const ROTATE_KEY: &str = "\
Examples:
  lendswift account rotate-key acme
  lendswift account revoke-key acme 1a2b3c4d    Later, when the sender uses the new API key";

const REVOKE_KEY: &str = "\
Examples:
  lendswift account show acme                   Shows the digests
  lendswift account revoke-key acme 1a2b3c4d";

const SET_TOKEN: &str = "\
Examples:
  lendswift account set-token acme
  lendswift account set-token acme < token.txt";

const CLOSE: &str = "\
Examples:
  lendswift account close acme
  lendswift account close acme --recovery-days 7 --yes";

const RESTORE: &str = "\
Examples:
  lendswift account restore acme";

const CHECK: &str = "\
Examples:
  lendswift account check acme";

/// Parses an account's name.
pub(super) fn account(name: &str) -> Result<AccountId, String> {
    name.parse().map_err(|_| {
        "an account's name is 1 to 63 of a-z, 0-9 and hyphens, begins with none, and has at least one letter".to_owned()
    })
}

fn key(text: &str) -> Result<KeySelector, String> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.len() {
        _ if text == "malformed" => Ok(KeySelector::Malformed),
        4..=64 if is_hex => Ok(KeySelector::Digest(text.to_ascii_lowercase())),
        _ => {
            Err("the first 4 to 64 hex digits of the API key's SHA-256 digest, as `account show` lists them".to_owned())
        }
    }
}

/// AWS's bounds. The message repeats no value.
fn recovery_days(text: &str) -> Result<i64, String> {
    let days = text.parse().ok().filter(|days| (7..=30).contains(days));
    days.ok_or_else(|| "a number from 7 to 30".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a value parser")]
fn refused(_: &str) -> Result<RefusedArgument, String> {
    Ok(RefusedArgument)
}
