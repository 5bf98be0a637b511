//! The runs.
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use super::{properties, rules::{Aws, Rules, Window}};

pub const AWS: [Aws; 4] = [
    Aws { remembers_cancelled: false, mismatch_while_running: false },
    Aws { remembers_cancelled: false, mismatch_while_running: true },
    Aws { remembers_cancelled: true, mismatch_while_running: false },
    Aws { remembers_cancelled: true, mismatch_while_running: true },
];

pub fn rules(processes: &'static [u8], aws: Aws) -> Rules {
    Rules {
        processes,
        aws,
        transactions_run: false,
        late_copies: 1,
        deaths: false,
        operator_moves: 0,
        stalls: false,
        window: Window::Never,
        tokens_end: false,
        mutant: None,
        only: None,
    }
}

pub fn check(name: &str, rules: Rules) -> Vec<&'static str> {
    let begun = Instant::now();
    let names: Vec<_> = properties::always().iter().map(|p| p.name).collect();
    let checker = rules.clone().checker().threads(2).target_state_count(std::env::var("MODEL_MAX").map_or(100_000_000, |max| max.parse().unwrap())).spawn_bfs().join();
    let found = checker.discoveries();
    println!("\n{name}: {} states, {} steps, depth {}, {:.1} s", checker.unique_state_count(), checker.state_count(), checker.max_depth(), begun.elapsed().as_secs_f32());
    for p in properties::sometimes() { if !found.contains_key(p.name) { println!("   never: {}", p.name); } }
    let violated: Vec<_> = names.into_iter().filter(|name| found.contains_key(name)).collect();
    for v in &violated { println!("   FOUND {v}"); if std::env::var("MODEL_PATHS").is_ok() { shortest(Rules { only: Some(v), ..rules.clone() }); } }
    violated
}

pub fn shortest(rules: Rules) {
    let name = rules.only.unwrap();
    let checker = rules.checker().finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let Some(path) = checker.discovery(name) else { println!("     no path"); return };
    let last = path.last_state().clone();
    for action in path.into_actions() { println!("      {action:?}"); }
    println!("      {:?} item {:?} op {:?}", &last.posts, last.item, last.operator);
}

#[test]
fn explore() {
    let env = |name: &str| std::env::var(name).unwrap_or_default();
    let processes: &'static [u8] = match env("P").as_str() { "00" => &[0, 0], "01" => &[0, 1], "001" => &[0, 0, 1], "010" => &[0, 1, 0], "012" => &[0, 1, 2], _ => &[0] };
    for (i, aws) in AWS.into_iter().enumerate() {
        if !env("AWS").is_empty() && !env("AWS").contains(&i.to_string()) { continue; }
        let f = env("F");
        let rules = Rules {
            transactions_run: f.contains('r'), late_copies: if f.contains('0') { 0 } else if f.contains('2') { 2 } else { 1 },
            deaths: f.contains('d'), operator_moves: u8::from(f.contains('o')), stalls: f.contains('s'),
            window: if f.contains('w') { Window::AfterLeases } else if f.contains('W') { Window::AnyTime } else { Window::Never },
            tokens_end: f.contains('t'),
            ..rules(processes, aws)
        };
        check(&format!("{} {f} {aws:?}", env("P")), rules);
    }
}
