"""Reads what a sender posts into a lead, or into all of its faults: lenient in form, strict in meaning.

Plain functions, since pydantic adds half as much again to boto3's import at each cold start, and knows nothing of what
is looked at here: a field given twice, or by two names, and the digits of a number as they were written.
"""

import json
import re
from typing import Any, NoReturn

TEXTS = (
    *("loan_reason", "job_title", "company_name", "years_of_working", "pay_type", "next_pay_date", "pay_time_of_day"),
    *("number_of_back_account", "years_of_deposit_bank_account", "numbers_of_loan", "successful_payday_loan"),
    *("year_of_residence", "status"),
)
REQUIRED = ("caller_id", "loan_amount", "customer_name")
ORDER = (*REQUIRED, "details", *TEXTS, "had_late_payment")

# Canada and the Caribbean.
ABROAD = frozenset(
    """204 226 236 249 250 257 263 273 289 306 343 354 365 367 368 382 403 416 418 428 431 437 438 450 468 474 506 514
    519 548 579 581 584 587 600 604 613 622 633 639 644 647 655 672 677 683 688 705 709 742 753 778 780 782 807 819 825
    867 873 879 902 905 942
    242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876""".split()
)
SERVICE = re.compile(r".11|800|822|833|844|855|866|877|88.|500|52[1-9]|532|533|544|566|577|588|700|710|900")
PHONE = re.compile(r"(1?)(([2-9][0-9]{2})[0-9]{7})")
PUNCTUATION = str.maketrans("", "", " ()-.")
AMOUNT = re.compile(r"([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]{1,2}))?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")
WORD = re.compile(r"[A-Za-z0-9_.-]{1,40}")
FLAGS = dict.fromkeys(("1", "true", "t", "yes", "y"), True) | dict.fromkeys(("0", "false", "f", "no", "n"), False)

MESSAGES = {
    "missing": "is required",
    "wrong_type": "must be {}",
    "empty": "must not be empty",
    "too_long": "must have at most {} characters",
    "control_character": "must not hold control characters",
    "broken_text": "holds an escape that stands for no Unicode character",
    "no_letter": "must hold at least one letter",
    "not_a_phone_number": "must be a US phone number: 10 digits, or 11 beginning with 1, without an extension",
    "area_code_abroad": "has an area code that is not in the US or its territories",
    "area_code_of_a_service": "has an area code that no consumer can have",
    "not_an_amount": 'must be whole US dollars, like 4000 or "$4,000.00"',
    "not_whole_dollars": "must be whole US dollars, without cents",
    "out_of_range": "must be from 1 to 10,000,000 US dollars",
    "exponent": "must be a number without an exponent, or a string",
    "not_a_boolean": "must be true or false (or 1, 0, yes, no, t, f, y, n)",
    "conflict": "is given more than once with different values, first at {}",
}


class Number(str):
    """A JSON number as it was written."""


class Members(list[tuple[str, Any]]):
    """A JSON object's members, a repeated name as often as it stands there."""


class Malformed(Exception):
    """A body that is no JSON object."""


class Fault(Exception):
    """What is wrong with a value, without the value."""

    def __init__(self, code: str, *details: object) -> None:
        self.code, self.message = code, MESSAGES[code].format(*details)


def phone(value: Any) -> int:
    """`1` and the ten digits of a US number that a consumer can have."""
    if not isinstance(value, str):
        raise Fault("wrong_type", "an integer or a string")
    digits, international = value, False
    if not isinstance(value, Number):
        text = trimmed(value)
        if text[:4].lower() == "tel:":
            text = text[4:].lstrip()
        international = text.startswith("+")
        digits = text.removeprefix("+").translate(PUNCTUATION)
    match = PHONE.fullmatch(digits)
    if not match or (international and not match[1]):
        raise Fault("not_a_phone_number")
    if match[3] in ABROAD:
        raise Fault("area_code_abroad")
    if SERVICE.fullmatch(match[3]):
        raise Fault("area_code_of_a_service")
    return int("1" + match[2])


def amount(value: Any) -> int:
    """Whole US dollars."""
    if not isinstance(value, str):
        raise Fault("wrong_type", "an integer or a string")
    if isinstance(value, Number):
        if "e" in value or "E" in value:
            raise Fault("not_an_amount")
        if value.startswith("-"):
            raise Fault("out_of_range")
        dollars, _, cents = value.partition(".")
    else:
        text = trimmed(value)
        if text[:3].upper() == "USD":
            text = text[3:].lstrip()
        elif text[-3:].upper() == "USD":
            text = text[:-3].rstrip()
        match = AMOUNT.fullmatch(text.removeprefix("$").lstrip())
        if not match:
            raise Fault("not_an_amount")
        dollars, cents = match[1].replace(",", ""), match[2] or ""
    if cents.strip("0"):
        raise Fault("not_whole_dollars")
    whole = int(dollars.lstrip("0")[:9] or 0)  # Nine digits are too many already: no need to read thousands.
    if not 1 <= whole <= 10_000_000:
        raise Fault("out_of_range")
    return whole


def name(value: Any) -> str:
    """A name that can be spoken, white space single and inside only."""
    if not isinstance(value, str) or isinstance(value, Number):
        raise Fault("wrong_type", "a string")
    text = checked(" ".join(trimmed(value).split()), 100)
    if not any(map(str.isalpha, text)):
        raise Fault("no_letter")
    return text


def text(value: Any) -> str | None:
    """Free text, trimmed, or the digits of a number; `None` where it is empty."""
    if not isinstance(value, str):
        raise Fault("wrong_type", "a string or a number")
    if isinstance(value, Number) and ("e" in value or "E" in value):
        raise Fault("exponent")
    return checked(value.strip(), 200) or None


def flag(value: Any) -> bool | None:
    """Yes or no in the forms that forms have; `None` where it is empty."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else None
    if word == "":
        return None
    if word not in FLAGS:
        raise Fault("not_a_boolean")
    return FLAGS[word]


def trimmed(value: str) -> str:
    text = value.strip()
    if not text:
        raise Fault("empty")
    return text


def checked(text: str, longest: int) -> str:
    if CONTROL.search(text):
        raise Fault("control_character")
    if len(text) > longest:
        raise Fault("too_long", longest)
    return text


# Every accepted name of a field: AI Rudder's name of it, and what reads it.
DETAILS = {field: (field, text) for field in TEXTS} | {
    "number_of_bank_account": ("number_of_back_account", text),
    "number_of_bank_accounts": ("number_of_back_account", text),
    "number_of_loan": ("numbers_of_loan", text),
    "number_of_loans": ("numbers_of_loan", text),
    "successful_payday_loans": ("successful_payday_loan", text),
    "years_of_residence": ("year_of_residence", text),
    "had_late_payment": ("had_late_payment", flag),
}
TOP_LEVEL = DETAILS | {
    "caller_id": ("caller_id", phone),
    "loan_amount": ("loan_amount", amount),
    "customer_name": ("customer_name", name),
    "first_name": ("customer_name", name),
}


class Reading:
    """A body, read: its faults, the lead where there are none, and the names of the fields that nobody knows."""

    def __init__(self, body: str) -> None:
        self._values: dict[str, tuple[Any, str]] = {}
        self._faults: dict[str, list[dict[str, str]]] = {}
        self._ignored: list[str] = []
        self._nameless = 0
        self._has_details = False
        for given, value in members(body):
            if given != "details":
                self._read(given, value)
            elif isinstance(value, Members):
                self._has_details = True
                for inner, detail in value:
                    self._read(inner, detail, in_details=True)
            elif value is not None:
                self._note("details", "/details", Fault("wrong_type", "an object"))
        missing = [field for field in REQUIRED if field not in self._values]
        for field in missing if self._has_details else [*missing, "details"]:
            if field not in self._faults:
                self._note(field, f"/{field}", Fault("missing"))
        self.faults = [fault for field in ORDER for fault in self._faults.get(field, ())]

    def lead(self) -> dict[str, Any]:
        """The lead as AI Rudder gets it."""
        lead = {field: self._values[field][0] for field in REQUIRED}
        return lead | {"details": {field: self._values[field][0] for field in ORDER[4:] if field in self._values}}

    def ignored(self) -> str:
        """The names of the fields that nobody knows, like `email, details.shoe_size, +2`."""
        return ", ".join([*self._ignored, f"+{self._nameless}"] if self._nameless else self._ignored)

    def ignored_fields(self) -> int:
        """How many there are."""
        return len(self._ignored) + self._nameless

    def _read(self, given: str, value: Any, in_details: bool = False) -> None:
        known = (DETAILS if in_details else TOP_LEVEL).get(given)
        if not known:
            return self._ignore(f"details.{given}" if in_details else given, given)
        field, read = known
        self._has_details = self._has_details or given in DETAILS
        place = f"/details/{given}" if in_details else f"/{given}"
        try:
            if isinstance(value, str) and not value.isascii() and SURROGATE.search(value):
                raise Fault("broken_text")
            value = None if value is None else read(value)
            if value is not None:
                first, where = self._values.setdefault(field, (value, place))
                if first != value:
                    raise Fault("conflict", where)
        except Fault as fault:
            self._note(field, place, fault)

    def _note(self, field: str, place: str, fault: Fault) -> None:
        entry = {"field": place, "code": fault.code, "message": fault.message}
        faults = self._faults.setdefault(field, [])
        if entry not in faults:
            faults.append(entry)

    def _ignore(self, full: str, given: str) -> None:
        if full in self._ignored:
            return
        if len(self._ignored) < 20 and WORD.fullmatch(given):
            self._ignored.append(full)
        else:
            self._nameless += 1


def no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_int=Number, parse_float=Number, parse_constant=no_constant)


def members(body: str) -> Members:
    """The members of a body: JSON, with or without a byte order mark."""
    try:
        value = DECODER.decode(body.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON") from None
    if not isinstance(value, Members):
        raise Malformed("the body is not a JSON object")
    return value
