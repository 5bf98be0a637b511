//! `docs/reference/lendswift.md`, generated from the command line's own definitions.

use std::{collections::BTreeSet, env, fmt::Write, fs};

use clap::{Command, CommandFactory};
use lendswift::{ExitStatus, cli::Cli};
use support::in_repository;

/// The width of a code block in the reference.
const WIDTH: usize = 100;

/// The IAM actions of each group of commands, and the policy in `docs/iam` that grants them.
pub const RIGHTS: [(&str, &str, &str); 9] = [
    ("all, without `--table` or `--secret-prefix`", "`cloudformation:DescribeStacks` on the stack", "both"),
    ("`lead show`, `unknown list`", "`dynamodb:GetItem`, `dynamodb:Scan` on the table", "on-call.json"),
    (
        "`lead settle`, `unknown settle`",
        "`dynamodb:GetItem`, `dynamodb:Scan`, `dynamodb:UpdateItem` on the table",
        "on-call.json",
    ),
    (
        "`lead reopen`, `unknown reopen`",
        "`dynamodb:GetItem`, `dynamodb:Scan`, `dynamodb:DeleteItem` on the table",
        "on-call.json",
    ),
    (
        "`account list`, `account show`, `account check`, `account policy show`",
        "`secretsmanager:ListSecrets`; `secretsmanager:DescribeSecret`, `secretsmanager:GetSecretValue` on the secrets",
        "accounts.json",
    ),
    (
        "the other `account` commands",
        "`secretsmanager:DescribeSecret`, `secretsmanager:GetSecretValue`, `secretsmanager:CreateSecret`, \
         `secretsmanager:PutSecretValue`, `secretsmanager:UpdateSecretVersionStage`, `secretsmanager:DeleteSecret`, \
         `secretsmanager:RestoreSecret` on the secrets",
        "accounts.json",
    ),
    (
        "`account check`, `account policy set`, with `once_per_phone_hours`",
        "those above; `lambda:GetFunctionConfiguration` on the function (without it, the command does not check that \
         the function has a ledger)",
        "accounts.json",
    ),
    (
        "`check`",
        "those of `account list` and `account check`; `dynamodb:DescribeTable`, `dynamodb:DescribeTimeToLive` on the \
         table; `lambda:GetFunctionConfiguration` on the function (without it, that check is skipped)",
        "accounts.json",
    ),
    (
        "all, with a KMS key of your own (`KmsKeyArn`)",
        "`kms:Decrypt` and, for commands that write secrets, `kms:GenerateDataKey` on the key: it encrypts the table \
         and the secrets",
        "none: see [A KMS key of your own](../deploying.md#a-kms-key-of-your-own)",
    ),
];

/// The commands that do something, with their names.
fn commands(command: &Command, name: &str) -> Vec<(String, Command)> {
    let subcommands: Vec<_> = command.get_subcommands().filter(|command| command.get_name() != "help").collect();
    if subcommands.is_empty() {
        return vec![(name.to_owned(), command.clone())];
    }
    let nested = subcommands.into_iter().map(|command| commands(command, &format!("{name} {}", command.get_name())));
    nested.flatten().collect()
}

/// A command's help without the options that every command has, which stand at the top of the page.
fn help(name: &str, command: Command, with_global: bool) -> String {
    let command = command.bin_name(name).term_width(WIDTH).color(clap::ColorChoice::Never);
    let mut command = if with_global { command } else { hide_global(command) };
    let text = command.render_help().to_string();
    let lines: Vec<_> = text.trim().lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// A paragraph in lines of at most 120 columns.
fn wrapped(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let line = lines.last_mut().unwrap();
        match line.len() {
            0 => line.push_str(word),
            length if length + 1 + word.len() <= 120 => line.extend([" ", word]),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// A policy with the link to it.
fn linked(policy: &str) -> String {
    if policy.contains(".json") { format!("[iam/{policy}](../iam/{policy})") } else { policy.to_owned() }
}

fn hide_global(command: Command) -> Command {
    let globals: Vec<_> = command.get_arguments().filter(|argument| argument.is_global_set()).collect();
    let ids: Vec<_> = globals.into_iter().map(|argument| argument.get_id().clone()).collect();
    ids.into_iter().fold(command, |command, id| command.mut_arg(id, |argument| argument.hide(true)))
}

#[test]
fn the_reference_is_that_of_the_command_line() {
    let mut cli = Cli::command();
    cli.build();
    let codes = ExitStatus::ALL.map(|status| format!("| {} | {} |\n", status as u8, status.meaning())).concat();
    let rights =
        RIGHTS.map(|(commands, rights, policy)| format!("| {commands} | {rights} | {} |\n", linked(policy))).concat();
    let mut page = format!(
        "# lendswift\n\n<!-- Generated from the code by operator/tests/it/reference.rs: \
         SNAPSHOTS=overwrite cargo test -p lendswift reference -->\n\n\
         The operator's command. [operating.md](../operating.md) and [deploying.md](../deploying.md) say when to use \
         it.\n`cargo install --locked --path operator` installs it; `lendswift help COMMAND` shows what is below.\n\n\
         ```text\n{}\n```\n\n\
         ## Exit codes\n\n| code | meaning |\n| --- | --- |\n{codes}\n\
         ## Rights\n\nThe operator needs these rights of IAM:\n\n\
         | commands | rights | policy |\n| --- | --- | --- |\n{rights}",
        help("lendswift", cli.clone(), true)
    );
    for (name, command) in commands(&cli, "lendswift") {
        let about =
            command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
        let (first, rest) = about.split_once("\n\n").unwrap_or((&about, ""));
        let rest = if rest.is_empty() { String::new() } else { format!("\n{}\n", wrapped(rest)) };
        let command = command.clone().about(None::<&str>).long_about(None::<&str>);
        let first = first.trim_end_matches('.');
        write!(page, "\n## {name}\n\n{first}.\n{rest}\n```text\n{}\n```\n", help(&name, command, false)).unwrap();
    }
    let file = in_repository("docs/reference/lendswift.md");
    if env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        fs::write(&file, &page).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(written, page, "out of date: SNAPSHOTS=overwrite cargo test -p lendswift reference");
}

/// The arguments of each of the command's calls in a text: of each part of a pipeline, up to the shell's own syntax, or
/// to the comment after two spaces.
pub fn examples(text: &str) -> Vec<&str> {
    let parts = text.lines().flat_map(|line| line.split(['|', '(']));
    let calls = parts.filter_map(|part| part.trim().strip_prefix("lendswift "));
    calls.map(|call| call.split(['<', '>', ')', '#']).next().unwrap().split("  ").next().unwrap()).collect()
}

#[test]
fn every_command_has_examples_that_it_accepts() {
    let mut cli = Cli::command();
    cli.build();
    let mut without = BTreeSet::new();
    for (name, command) in commands(&cli, "lendswift") {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = examples(&help);
        if examples.is_empty() {
            without.insert(name);
        }
        for example in examples {
            let parsed =
                Cli::command().try_get_matches_from(["lendswift"].into_iter().chain(example.split_whitespace()));
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }
    assert_eq!(without, BTreeSet::new());
}

#[test]
fn the_definitions_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn no_option_takes_a_secret() {
    let mut cli = Cli::command();
    cli.build();
    for (name, command) in commands(&cli, "lendswift") {
        let longs = command.get_arguments().filter_map(|argument| argument.get_long());
        let secrets = longs.filter(|long| long.contains("token") || ["api-key", "hash-key"].contains(long));
        assert_eq!(secrets.collect::<Vec<_>>(), Vec::<&str>::new(), "{name}");
    }
}
