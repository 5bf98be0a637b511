use super::*;

#[test]
fn a_refusal_applies_until_its_end() {
    let until = Clock::SYSTEM.now();
    let refusal = Refusal { until, fault: None };
    assert!(refusal.applies_at(until - std::time::Duration::from_nanos(1)));
    assert!(!refusal.applies_at(until));
}

#[test]
fn at_most_a_thousand_refusals_are_cached() {
    let refusals = refusals();
    let refusal = Refusal { until: Clock::SYSTEM.now(), fault: Some(StoreError::NotFound) };
    for n in 0..2000 {
        refusals.insert(format!("guess-{n}").parse::<AccountId>().unwrap(), refusal.clone());
    }
    assert!((500..=1000).contains(&refusals.len()), "{}", refusals.len());
}
