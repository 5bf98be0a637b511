//! Area codes, each of them, against libphonenumber's metadata.

use std::collections::{BTreeMap, BTreeSet};

use lendswift_relay::lead::{FaultKind, Phone};
use rlibphonenumber::{PhoneNumber, PhoneNumberType, Region};

/// What libphonenumber knows of an area code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    /// Ordinary numbers in the US or one of its territories.
    Home,
    /// Ordinary or other numbers of another country.
    Abroad,
    /// Toll-free, premium, personal or another kind of number that no consumer has.
    Service,
    /// Nothing: not assigned.
    Nothing,
}

/// The US and its territories in the numbering plan.
const HOME: [Region; 6] = [Region::US, Region::PR, Region::VI, Region::GU, Region::AS, Region::MP];

/// Seven-digit numbers that are valid in one country or another: a country may have only some of an area code's.
/// The last four are Anguilla's, Antigua's, Montserrat's and Sint Maarten's, which have few exchanges.
const SUBSCRIBERS: [u32; 13] = [
    2_342_345, 5_552_345, 2_001_234, 3_214_567, 4_567_890, 7_654_321, 9_871_234, 4_972_345, 4_602_345, 4_912_345,
    5_422_345, 4_412_345, 2_662_345,
];

fn known(code: u32) -> Known {
    let of_numbers: BTreeSet<Known> = SUBSCRIBERS.iter().map(|subscriber| of_number(code, *subscriber)).collect();
    // The first of them in this order: what is abroad or a service for one number is not called at all.
    [Known::Abroad, Known::Service, Known::Home]
        .into_iter()
        .find(|known| of_numbers.contains(known))
        .unwrap_or(Known::Nothing)
}

fn of_number(code: u32, subscriber: u32) -> Known {
    let number: PhoneNumber = format!("+1{code}{subscriber}").parse().unwrap();
    let Some(region) = number.get_region_code().filter(|_| number.is_valid()) else { return Known::Nothing };
    match number.get_type() {
        _ if !HOME.contains(&region) => Known::Abroad,
        PhoneNumberType::FixedLine | PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile => Known::Home,
        _ => Known::Service,
    }
}

fn ours(code: u32) -> Known {
    match format!("{code}5550123").parse::<Phone>() {
        Ok(_) => Known::Home,
        Err(FaultKind::AreaCodeAbroad) => Known::Abroad,
        Err(FaultKind::AreaCodeOfAService) => Known::Service,
        Err(_) => Known::Nothing,
    }
}

/// Where the relay says something else than libphonenumber, and why. A code that libphonenumber knows nothing of passes,
/// since new ones are assigned every year; these do not.
fn differences() -> BTreeMap<u32, (Known, &'static str)> {
    let refused = |codes: &[u32], why| codes.iter().map(move |code| (*code, (Known::Service, why))).collect::<Vec<_>>();
    let n11 = refused(&[211, 311, 411, 511, 611, 711, 811, 911], "service codes, not area codes");
    let toll_free = refused(&[822, 880, 881, 882, 883, 884, 885, 886, 887, 889], "set aside for toll-free numbers");
    let carriers = refused(&[700], "carriers' services; their numbers are unknown to libphonenumber");
    let government = refused(&[710], "the US government's");
    let canada =
        [644, 655, 677, 688].map(|code| (code, (Known::Abroad, "Canada's, set aside beside 600, 622 and 633")));
    [n11, toll_free, carriers, government, canada.to_vec()].concat().into_iter().collect()
}

#[test]
fn every_area_code_is_read_as_libphonenumber_reads_it_but_for_those_listed_with_a_reason() {
    let mut found = BTreeMap::new();
    for code in 200..=999 {
        let expected = match known(code) {
            Known::Nothing => Known::Home,
            known => known,
        };
        if ours(code) != expected {
            found.insert(code, (ours(code), known(code)));
        }
    }
    let listed: BTreeMap<u32, (Known, Known)> =
        differences().into_iter().map(|(code, (ours, _))| (code, (ours, Known::Nothing))).collect();
    assert_eq!(found, listed);
}

#[test]
fn the_check_has_codes_of_every_kind_to_check() {
    let mut counts = BTreeMap::new();
    (200..=999).for_each(|code| *counts.entry(known(code)).or_insert(0) += 1);
    assert!(counts[&Known::Home] > 350 && counts[&Known::Abroad] > 70, "{counts:?}");
    assert!(counts[&Known::Service] > 20 && counts[&Known::Nothing] > 250, "{counts:?}");
}
