//! The time zones of area codes.
//!
//! An area code is the best sign of a consumer's place that a lead has, and a weak one: numbers move with their owners.
//!
//! Source: libphonenumber's `resources/timezones`, in PyPI's `phonenumbers` 9.0.43: all zones of an area code's
//! exchanges. `.ci/policy` compares every area code, and lists the differences with reasons.

use jiff::tz::{TimeZone, get};

use crate::lead::AreaCode;

/// A time zone of the US or its territories: one for all places whose clocks agree since 2007.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Puerto Rico and the US Virgin Islands.
    Atlantic,
    Eastern,
    Central,
    Mountain,
    /// Arizona without the Navajo Nation: no daylight saving.
    Arizona,
    Pacific,
    Alaska,
    /// The Aleutian Islands west of 169°30′ W.
    Aleutian,
    Hawaii,
    /// American Samoa.
    Samoa,
    /// Guam and the Northern Mariana Islands.
    Chamorro,
}

use Zone::{Alaska, Aleutian, Arizona, Atlantic, Central, Chamorro, Eastern, Hawaii, Mountain, Pacific, Samoa};

/// The time zones of the contiguous states, which an unknown area code may be in: most new ones are overlays there.
const CONTIGUOUS: &[Zone] = &[Eastern, Central, Mountain, Arizona, Pacific];

impl Zone {
    pub(super) fn time_zone(self) -> &'static TimeZone {
        macro_rules! zone {
            ($name:literal) => {{
                static ZONE: TimeZone = get!($name);
                &ZONE
            }};
        }
        match self {
            Atlantic => zone!("America/Puerto_Rico"),
            Eastern => zone!("America/New_York"),
            Central => zone!("America/Chicago"),
            Mountain => zone!("America/Denver"),
            Arizona => zone!("America/Phoenix"),
            Pacific => zone!("America/Los_Angeles"),
            Alaska => zone!("America/Anchorage"),
            Aleutian => zone!("America/Adak"),
            Hawaii => zone!("Pacific/Honolulu"),
            Samoa => zone!("Pacific/Pago_Pago"),
            Chamorro => zone!("Pacific/Guam"),
        }
    }
}

/// Every time zone that a number with this area code may be in. An overlay has those of the code that it was added to.
pub(super) fn zones(area_code: AreaCode) -> &'static [Zone] {
    match area_code.as_integer() {
        340 | 787 | 939 => &[Atlantic],
        201 | 202 | 203 | 207 | 212 | 215 | 216 | 220 | 223 | 227 | 229 | 231 | 234 | 239 | 240 | 248 | 252 | 260
        | 267 | 269 | 272 | 276 | 283 | 301 | 302 | 304 | 305 | 313 | 315 | 317 | 321 | 324 | 326 | 329 | 330 | 332
        | 336 | 339 | 347 | 351 | 352 | 363 | 380 | 386 | 401 | 404 | 407 | 410 | 412 | 413 | 419 | 434 | 436 | 440
        | 443 | 445 | 463 | 470 | 472 | 475 | 478 | 484 | 502 | 508 | 513 | 516 | 517 | 518 | 540 | 551 | 561 | 567
        | 570 | 571 | 582 | 585 | 586 | 603 | 607 | 609 | 610 | 614 | 616 | 617 | 624 | 631 | 640 | 645 | 646 | 656
        | 667 | 678 | 679 | 680 | 681 | 686 | 689 | 703 | 704 | 706 | 716 | 717 | 718 | 724 | 727 | 728 | 732 | 734
        | 740 | 743 | 754 | 757 | 762 | 765 | 770 | 771 | 772 | 774 | 781 | 786 | 802 | 803 | 804 | 810 | 813 | 814
        | 821 | 826 | 828 | 835 | 838 | 839 | 843 | 845 | 848 | 854 | 856 | 857 | 859 | 860 | 862 | 863 | 864 | 865
        | 878 | 904 | 908 | 910 | 912 | 914 | 917 | 919 | 929 | 934 | 937 | 941 | 943 | 947 | 948 | 954 | 959 | 973
        | 978 | 980 | 984 | 989 => &[Eastern],
        205 | 210 | 214 | 217 | 218 | 224 | 225 | 228 | 235 | 251 | 254 | 256 | 262 | 274 | 281 | 309 | 312 | 314
        | 316 | 318 | 319 | 320 | 325 | 327 | 331 | 334 | 337 | 346 | 353 | 361 | 405 | 409 | 414 | 417 | 430 | 432
        | 447 | 457 | 464 | 469 | 471 | 479 | 483 | 501 | 504 | 507 | 512 | 515 | 534 | 539 | 557 | 563 | 572 | 573
        | 580 | 601 | 608 | 612 | 615 | 618 | 621 | 629 | 630 | 636 | 641 | 651 | 659 | 660 | 662 | 682 | 708 | 712
        | 713 | 715 | 726 | 730 | 731 | 737 | 763 | 769 | 773 | 779 | 806 | 815 | 816 | 817 | 830 | 832 | 847 | 861
        | 870 | 872 | 901 | 903 | 913 | 918 | 920 | 931 | 936 | 938 | 940 | 945 | 952 | 956 | 972 | 975 | 979 | 985 => {
            &[Central]
        }
        303 | 307 | 385 | 406 | 435 | 505 | 575 | 719 | 720 | 748 | 801 | 915 | 970 | 983 => &[Mountain],
        480 | 520 | 602 | 623 => &[Arizona],
        206 | 209 | 213 | 253 | 279 | 310 | 323 | 341 | 350 | 357 | 360 | 369 | 408 | 415 | 424 | 425 | 442 | 503
        | 509 | 510 | 530 | 559 | 562 | 564 | 619 | 626 | 628 | 650 | 657 | 661 | 669 | 702 | 707 | 714 | 725 | 738
        | 747 | 760 | 805 | 818 | 820 | 831 | 840 | 858 | 909 | 916 | 925 | 949 | 951 | 971 => &[Pacific],
        808 => &[Hawaii],
        684 => &[Samoa],
        670 | 671 => &[Chamorro],
        219 | 270 | 364 | 423 | 448 | 574 | 606 | 729 | 812 | 850 | 906 | 930 => &[Eastern, Central],
        308 | 402 | 531 | 605 | 620 | 701 | 785 => &[Central, Mountain],
        928 => &[Mountain, Arizona],
        208 | 458 | 541 | 775 | 986 => &[Mountain, Pacific],
        907 => &[Alaska, Aleutian],
        _ => CONTIGUOUS,
    }
}
