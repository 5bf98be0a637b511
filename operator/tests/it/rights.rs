//! The rights: those that the code uses, those of the reference, and those that the policies in `docs/iam` grant.

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use support::{in_repository, sources};

use crate::reference::RIGHTS;

const SERVICES: [&str; 4] = ["cloudformation", "dynamodb", "lambda", "secretsmanager"];

/// The IAM actions in a text.
fn actions(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != ':');
    let is_action = |word: &&str| {
        word.split_once(':')
            .is_some_and(|(service, action)| SERVICES.contains(&service) && action.starts_with(char::is_uppercase))
    };
    words.filter(is_action).map(str::to_owned).collect()
}

/// The actions of those services that a policy grants.
fn granted(policy: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(in_repository(policy)).unwrap();
    let policy: Value = serde_json::from_str(&text).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let granted = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    granted.filter_map(Value::as_str).flat_map(actions).collect()
}

/// The actions that the reference names for the rows of these commands.
fn needed(is_row: impl Fn(&str) -> bool) -> BTreeSet<String> {
    RIGHTS.iter().filter(|(commands, ..)| is_row(commands)).flat_map(|(_, rights, _)| actions(rights)).collect()
}

#[test]
fn the_reference_names_the_actions_that_the_code_calls() {
    let code: BTreeSet<_> = sources("operator/src").iter().flat_map(|(_, text)| actions(text)).collect();
    assert_eq!(needed(|_| true), code);
}

#[test]
fn the_policies_grant_what_the_reference_names() {
    for (policy, is_row) in [
        ("docs/iam/on-call.json", (|row| row.contains("lead") || row.contains("--table")) as fn(&str) -> bool),
        ("docs/iam/accounts.json", |row| row.contains("account") || row.contains("check") || row.contains("--table")),
    ] {
        let (needed, granted) = (needed(is_row), granted(policy));
        assert_eq!(needed.difference(&granted).collect::<Vec<_>>(), Vec::<&String>::new(), "{policy}");
    }
}

#[test]
fn no_policy_grants_more_on_the_table_or_the_secrets() {
    let all = needed(|_| true);
    for policy in ["docs/iam/on-call.json", "docs/iam/accounts.json"] {
        let surplus =
            granted(policy).into_iter().filter(|action| !action.starts_with("lambda:") && !all.contains(action));
        assert_eq!(surplus.collect::<Vec<_>>(), Vec::<String>::new(), "{policy}");
    }
}
