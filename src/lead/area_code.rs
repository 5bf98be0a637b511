//! Area codes of the North American Numbering Plan that the robot must not call.
//!
//! Twenty countries share country code 1, and some of its area codes are not geographic: a call to one of these is charged
//! to the caller, reaches a company, or reaches a person under another country's law.
//!
//! Sources: libphonenumber's metadata 9.0.42 (in rlibphonenumber 2.2.15), with which `tests/it/area_codes.rs` compares
//! every code from 200 to 999. For the few codes that it does not contain, which the test lists with reasons: NANPA, "NPA
//! (Area) Codes" (nationalnanpa.com/area_codes, undated), for service codes and for codes that are reserved for toll-free
//! numbers or Canada. An unassigned code is accepted: new codes are assigned every year, and a call to an unassigned one
//! reaches nobody.

use super::fault::FaultKind;

/// Canada, with its non-geographic codes such as 600, in ascending order.
const CANADA: [u16; 63] = [
    204, 226, 236, 249, 250, 257, 263, 273, 289, 306, 343, 354, 365, 367, 368, 382, 403, 416, 418, 428, 431, 437, 438,
    450, 468, 474, 506, 514, 519, 548, 579, 581, 584, 587, 600, 604, 613, 622, 633, 639, 644, 647, 655, 672, 677, 683,
    688, 705, 709, 742, 753, 778, 780, 782, 807, 819, 825, 867, 873, 879, 902, 905, 942,
];

/// The Caribbean and Bermuda, without Puerto Rico and the US Virgin Islands, in ascending order.
const CARIBBEAN: [u16; 21] =
    [242, 246, 264, 268, 284, 345, 441, 473, 649, 658, 664, 721, 758, 767, 784, 809, 829, 849, 868, 869, 876];

/// The area code of a number that a consumer can have: three digits, of the US or its territories, or not assigned. It has no
/// `Debug`, because it is part of the consumer's number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AreaCode(u16);

impl AreaCode {
    /// Parses three digits, as a number. Refuses an area code that is invalid, abroad, or a service's.
    pub(super) fn parse(code: u64) -> Result<Self, FaultKind> {
        let code = u16::try_from(code).map_err(|_| FaultKind::NotAPhoneNumber)?;
        match code {
            0..=199 | 1000.. => Err(FaultKind::NotAPhoneNumber),
            _ if CANADA.binary_search(&code).is_ok() || CARIBBEAN.binary_search(&code).is_ok() => {
                Err(FaultKind::AreaCodeAbroad)
            }
            _ if is_service(code) => Err(FaultKind::AreaCodeOfAService),
            _ => Ok(Self(code)),
        }
    }

    /// The three digits, as a number from 200 to 999.
    pub(crate) fn as_integer(self) -> u16 {
        self.0
    }
}

/// Whether a code belongs to a service and not to a place.
fn is_service(code: u16) -> bool {
    // 211 to 911: emergency and information services.
    let n11 = code % 100 == 11;
    // In use (800, 833 to 888) or reserved.
    let toll_free = matches!(code, 800 | 822 | 833 | 844 | 855 | 866 | 877 | 880..=889);
    // The holder may forward the call anywhere, at the caller's cost.
    let personal = matches!(code, 500 | 521..=529 | 532 | 533 | 544 | 566 | 577 | 588);
    let carriers = code == 700;
    let government = code == 710;
    let premium = code == 900;
    n11 || toll_free || personal || carriers || government || premium
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: u64) -> Result<(), FaultKind> {
        AreaCode::parse(code).map(|parsed| assert_eq!(u64::from(parsed.as_integer()), code))
    }

    fn refused_as(kind: &FaultKind) -> Vec<u64> {
        (0..=999).filter(|code| check(*code).as_ref() == Err(kind)).collect()
    }

    #[test]
    fn the_lists_are_sorted_for_the_binary_search() {
        assert!(CANADA.is_sorted() && CARIBBEAN.is_sorted());
    }

    #[test]
    fn codes_that_begin_with_0_or_1_are_refused() {
        assert_eq!(refused_as(&FaultKind::NotAPhoneNumber), (0..=199).collect::<Vec<_>>());
    }

    #[test]
    fn canada_and_the_caribbean_are_abroad() {
        for code in [204, 416, 514, 600, 604, 867, 942, 242, 345, 441, 649, 809, 829, 849, 868, 869, 876] {
            assert_eq!(check(code), Err(FaultKind::AreaCodeAbroad), "{code}");
        }
        assert_eq!(refused_as(&FaultKind::AreaCodeAbroad).len(), CANADA.len() + CARIBBEAN.len());
    }

    #[test]
    fn codes_that_no_consumer_has_are_refused() {
        assert_eq!(
            refused_as(&FaultKind::AreaCodeOfAService),
            [
                211, 311, 411, 500, 511, 521, 522, 523, 524, 525, 526, 527, 528, 529, 532, 533, 544, 566, 577, 588,
                611, 700, 710, 711, 800, 811, 822, 833, 844, 855, 866, 877, 880, 881, 882, 883, 884, 885, 886, 887,
                888, 889, 900, 911
            ]
        );
    }

    #[test]
    fn states_territories_and_unassigned_codes_are_accepted() {
        for code in [201, 212, 415, 650, 907, 808, 989] {
            assert_eq!(check(code), Ok(()), "a state's {code}");
        }
        for code in [340, 670, 671, 684, 787, 939] {
            assert_eq!(check(code), Ok(()), "a territory's {code}");
        }
        for code in [200, 290, 370, 969, 999] {
            assert_eq!(check(code), Ok(()), "{code}, not assigned");
        }
    }
}
