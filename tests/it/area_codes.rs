//! Every area code against libphonenumber's metadata.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::LazyLock,
};

use lendswift_relay::lead::{FaultKind, Phone};
use rlibphonenumber::{PhoneNumber, PhoneNumberType, Region};
use support::in_repository;

/// What libphonenumber knows of an area code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    /// Ordinary numbers in the US or one of its territories.
    Home,
    /// Ordinary or other numbers of another country.
    Abroad,
    /// Toll-free, premium, personal or other numbers that no consumer has.
    Service,
    /// Not assigned.
    Nothing,
}

/// The US and its territories in the numbering plan.
const HOME: [Region; 6] = [Region::US, Region::PR, Region::VI, Region::GU, Region::AS, Region::MP];

/// What libphonenumber knows of each code from 200 to 999, from eight hundred numbers each: every exchange there can be,
/// 200 to 999, with one line. No pattern of the metadata for country code 1 looks beyond the exchange but the one for
/// personal numbers, so this is all there is to know.
static KNOWN: LazyLock<BTreeMap<u32, Known>> = LazyLock::new(|| (200..=999).map(|code| (code, known(code))).collect());

fn known(code: u32) -> Known {
    let of_numbers: BTreeSet<Known> = (200..=999).map(|exchange| of_number(code, exchange)).collect();
    // The first of them in this order: if one number is abroad or a service, none is called.
    [Known::Abroad, Known::Service, Known::Home]
        .into_iter()
        .find(|known| of_numbers.contains(known))
        .unwrap_or(Known::Nothing)
}

fn of_number(code: u32, exchange: u32) -> Known {
    let national_number = u64::from(code * 1000 + exchange) * 10_000 + 2345;
    let number = PhoneNumber { country_code: 1, national_number, ..PhoneNumber::default() };
    let Some(region) = number.get_region_code() else { return Known::Nothing };
    match number.get_type() {
        PhoneNumberType::Unknown => Known::Nothing,
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

/// Where the relay differs from libphonenumber, and why. A code that libphonenumber does not know passes, since new ones are
/// assigned every year; these do not.
fn differences() -> BTreeMap<u32, (Known, &'static str)> {
    let refused = |codes: &[u32], why| codes.iter().map(move |code| (*code, (Known::Service, why))).collect::<Vec<_>>();
    let n11 = refused(&[211, 311, 411, 511, 611, 711, 811, 911], "service codes, not area codes");
    let toll_free = refused(&[822, 880, 881, 882, 883, 884, 885, 886, 887, 889], "set aside for toll-free numbers");
    let carriers = refused(&[700], "carriers' services; their numbers are unknown to libphonenumber");
    let government = refused(&[710], "the US government's");
    let canada = [644, 655, 677, 688].map(|code| (code, (Known::Abroad, "Canada's, set aside like 600, 622 and 633")));
    [n11, toll_free, carriers, government, canada.to_vec()].concat().into_iter().collect()
}

#[test]
fn area_codes_agree_with_libphonenumber_but_for_those_listed() {
    let differences = differences();
    let mut wrong = Vec::new();
    for (code, known) in &*KNOWN {
        let listed = differences.get(code);
        // An unknown code is taken for one that will be assigned, unless it is listed.
        let expected = match (listed, known) {
            (Some((listed, _)), Known::Nothing) => *listed,
            (None, Known::Nothing) => Known::Home,
            (_, known) => *known,
        };
        let ours = ours(*code);
        if ours != expected || listed.is_some_and(|_| *known != Known::Nothing) {
            let why = listed.map_or("not listed", |(_, why)| *why);
            wrong.push(format!("{code}: {ours:?} here, {known:?} to libphonenumber ({why})"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_check_has_codes_of_every_kind_to_check() {
    let mut counts = BTreeMap::new();
    KNOWN.values().for_each(|known| *counts.entry(known).or_insert(0) += 1);
    assert!(counts[&Known::Home] > 350 && counts[&Known::Abroad] > 70, "{counts:?}");
    assert!(counts[&Known::Service] > 20 && counts[&Known::Nothing] > 250, "{counts:?}");
}

#[test]
fn the_list_names_the_metadata_that_it_is_checked_against() {
    let read = |path: &str| fs::read_to_string(in_repository(path)).unwrap();
    let (lock, list) = (read("Cargo.lock"), read("src/lead/area_code.rs"));
    let entry = lock.split("[[package]]").find(|entry| entry.contains("name = \"rlibphonenumber\"")).unwrap();
    let version = entry.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
    assert!(list.contains(&format!("rlibphonenumber {version})")), "its README says which metadata {version} has");
}
