//! How a run is made, and what it has to come to.

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use super::{
    properties,
    rules::{Aws, Rules, Window},
};

/// Each of AWS's behaviours with each other.
pub const AWS: [Aws; 4] = [
    Aws { remembers_cancelled: false, mismatch_while_running: false },
    Aws { remembers_cancelled: false, mismatch_while_running: true },
    Aws { remembers_cancelled: true, mismatch_while_running: false },
    Aws { remembers_cancelled: true, mismatch_while_running: true },
];

impl Rules {
    /// These posts, and nothing goes wrong but what DynamoDB and AI Rudder answer.
    pub fn new(processes: &'static [u8], aws: Aws) -> Self {
        Self {
            processes,
            aws,
            transactions_run: false,
            late_copies: 0,
            deaths: false,
            operator_moves: 0,
            stalls: false,
            window: Window::Never,
            tokens_end: false,
            mutant: None,
            only: None,
        }
    }

    /// Explores every state, and says which properties that always have to hold don't.
    fn violated(&self) -> Vec<&'static str> {
        let begun = Instant::now();
        let checker = self.clone().checker().spawn_bfs().join();
        let found = checker.discoveries();
        let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
        println!("{:.1} s, {states} states, {steps} steps, depth {depth}: {self:?}", begun.elapsed().as_secs_f32());
        let missing: Vec<_> =
            properties::sometimes().iter().map(|it| it.name).filter(|name| !found.contains_key(name)).collect();
        assert!(missing.is_empty(), "these never happen: {missing:?}");
        properties::always().iter().map(|it| it.name).filter(|name| found.contains_key(name)).collect()
    }

    /// Explores every state: exactly these properties are violated.
    pub fn finds(&self, expected: &[&'static str]) {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let mut violated = self.violated();
        violated.sort_unstable();
        let surprises: Vec<_> = violated.iter().filter(|name| !expected.contains(name)).collect();
        let paths: Vec<_> = surprises.iter().map(|name| self.shortest(name)).collect();
        assert_eq!(violated, expected, "{self:?}\n{paths:#?}");
    }

    /// The property is violated; prints the shortest way there.
    pub fn breaks(&self, property: &'static str) {
        let path = self.shortest(property);
        println!("{path:#?}");
        assert!(path.is_some(), "{self:?} keeps to: {property}");
    }

    /// The shortest way to where a property does not hold.
    fn shortest(&self, property: &'static str) -> Option<Vec<String>> {
        let begun = Instant::now();
        let alone = Self { only: Some(property), ..self.clone() };
        let checker = alone.checker().finish_when(HasDiscoveries::Any).spawn_bfs().join();
        let states = checker.unique_state_count();
        let path = checker.discovery(property)?;
        let last = format!("{:?}", path.last_state());
        let steps: Vec<_> = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
        println!(
            "{:.1} s, {states} states, {} steps to: {property} ({:?})",
            begun.elapsed().as_secs_f32(),
            steps.len(),
            self.mutant
        );
        Some(steps.into_iter().chain([last]).collect())
    }
}
