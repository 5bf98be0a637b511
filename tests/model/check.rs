//! Checks a scenario: explores every state, and compares the violated properties with the expected ones.

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use super::{
    properties,
    scenario::{Aws, Scenario},
};

/// Every combination of AWS's undocumented behavior.
pub const AWS: [Aws; 4] = [
    Aws { remembers_cancelled: false, mismatch_while_running: false },
    Aws { remembers_cancelled: false, mismatch_while_running: true },
    Aws { remembers_cancelled: true, mismatch_while_running: false },
    Aws { remembers_cancelled: true, mismatch_while_running: true },
];

/// The combinations that differ if no transaction takes time.
pub const AWS_WITHOUT_RUNNING: [Aws; 2] = [AWS[0], AWS[2]];

impl Scenario {
    /// These posts, with no faults except DynamoDB's and AI Rudder's error responses.
    pub fn new(processes: &'static [u8], aws: Aws) -> Self {
        Self { processes, aws, ..Self::default() }
    }

    /// Explores every state. Returns the violated `always` properties, and panics if a `sometimes` property never held.
    fn violated(&self) -> Vec<&'static str> {
        let started = Instant::now();
        let checker = self.checker().spawn_bfs().join();
        let found = checker.discoveries();
        let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
        println!(
            "{:.1} s, {states} states, {steps} transitions, depth {depth}: {self:?}",
            started.elapsed().as_secs_f32()
        );
        let missing: Vec<_> =
            properties::sometimes().iter().map(|it| it.name).filter(|name| !found.contains_key(name)).collect();
        assert!(missing.is_empty(), "no state satisfies: {missing:?}");
        properties::always().iter().map(|it| it.name).filter(|name| found.contains_key(name)).collect()
    }

    /// Asserts that exactly these properties are violated in some state.
    pub fn violates_only(&self, expected: &[&'static str]) {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let mut violated = self.violated();
        violated.sort_unstable();
        let surprises: Vec<_> = violated.iter().filter(|name| !expected.contains(name)).collect();
        let paths: Vec<_> = surprises.iter().map(|name| self.shortest_path(name)).collect();
        assert_eq!(violated, expected, "{self:?}\n{paths:#?}");
    }

    /// Asserts that the property is violated, and prints the shortest path to a violation.
    pub fn violates(&self, property: &'static str) {
        let path = self.shortest_path(property);
        println!("{path:#?}");
        assert!(path.is_some(), "no violation of \"{property}\" in {self:?}");
    }

    /// The shortest path to a state that violates a property.
    fn shortest_path(&self, property: &'static str) -> Option<Vec<String>> {
        let started = Instant::now();
        let alone = Self { only: Some(property), ..*self };
        let checker = alone.checker().finish_when(HasDiscoveries::Any).spawn_bfs().join();
        let states = checker.unique_state_count();
        let path = checker.discovery(property)?;
        let last = format!("{:?}", path.last_state());
        let steps: Vec<_> = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
        println!(
            "{:.1} s, {states} states, {} actions to a violation of \"{property}\" ({:?})",
            started.elapsed().as_secs_f32(),
            steps.len(),
            self.mutant
        );
        Some(steps.into_iter().chain([last]).collect())
    }
}
