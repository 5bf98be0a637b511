//! The commands in the documents.

use std::fs;

use clap::CommandFactory;
use lendswift::cli::Cli;
use support::in_repository;

use crate::reference::examples;

/// The documents with commands for the operator.
const DOCUMENTS: [&str; 3] = ["docs/operating.md", "docs/deploying.md", "docs/running-locally.md"];

#[test]
fn every_documented_command_is_accepted() {
    for document in DOCUMENTS {
        let text = fs::read_to_string(in_repository(document)).unwrap();
        let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let commands: Vec<_> = blocks.flat_map(examples).collect();
        assert!(!commands.is_empty(), "{document}");
        for command in commands {
            // The shell's variables and quotes stand for words of their own.
            let words = command.split_whitespace().map(|word| match word {
                "\"$digest\"" => "1a2b3c4d",
                word => word,
            });
            let parsed = Cli::command().try_get_matches_from(["lendswift"].into_iter().chain(words));
            assert!(parsed.is_ok(), "{document}: {command}: {}", parsed.unwrap_err());
        }
    }
}
