"""What a column's name says: its words, and whether they speak of a key, a code or a person."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")

# Words that are a person's key by themselves.
_PERSON_KEYS = frozenset(
    ("mrn", "pid", "seqn", "ptid", "patid", "subjid", "usubjid", "patientid", "personid", "caseid", "memberid", "empi")
)
KEYS = _PERSON_KEYS | {"id", "ids", "nbr", "nr", "no", "key", "uuid", "guid", "ssn", "identifier", "index"}
PEOPLE = frozenset(
    ("patient", "person", "subject", "member", "participant", "client", "beneficiary", "mrn", "pid", "individual")
)
_SHORT = (
    frozenset(("pat", "per", "pers", "subj", "case", "respondent", "resident", "insured", "customer", "player"))
    | _PERSON_KEYS
)
_EVENTS = frozenset(("encounter", "visit", "stay", "admission", "hadm", "icustay", "episode", "claim", "specimen"))
_PLACES = frozenset(
    (
        *("zip", "zipcode", "postcode", "postal", "plz", "county", "city", "town", "tract", "fips", "state", "region"),
        *("country", "district", "site", "ward", "hospital", "clinic", "center", "centre", "address"),
    )
)
_CODES = frozenset(("id", "code", "cd", "type", "category", "class", "group", "zip", "postcode"))


def words(name: str) -> tuple[str, ...]:
    """Words of a column name in lower case, whatever joins them.

    Example:
        >>> words("patientNbr"), words("DATE_OF_BIRTH"), words("d.time"), words("diag_1")
        (('patient', 'nbr'), ('date', 'of', 'birth'), ('d', 'time'), ('diag', '1'))
    """
    return tuple(word.lower() for word in _WORD.findall(name))


def says_key(name: str) -> bool:
    """Whether the name ends like a key: `id`, `patient_nbr`, `account_number`."""
    parts = words(name)
    return bool(parts) and (
        parts[-1] in KEYS or (len(parts) > 1 and parts[-1] == "number") or parts[0] in ("mrn", "ssn")
    )


def says_person(name: str) -> bool:
    """Whether the name is that of a person's key."""
    return says_key(name) and bool((PEOPLE | _SHORT) & set(words(name)))


def calls_person(name: str) -> bool:
    """Whether the name is a person's key and nothing else: `case.id` and `patient_no`, but not `patient_type_id`."""
    parts = words(name)
    if not says_key(name) or len(parts) > 2:
        return False
    return parts[-1] in _PERSON_KEYS or (len(parts) == 2 and parts[0] in PEOPLE | _SHORT)


def is_owner(name: str) -> bool:
    """Whether the name is one word for whom or what a row belongs to: `patient`, `case`, `encounter`."""
    parts = words(name)
    return len(parts) == 1 and parts[0] in PEOPLE | _SHORT | _EVENTS


def says_event(name: str) -> bool:
    """Whether the name speaks of something that happens to a person: an encounter, a stay, a claim."""
    return bool(_EVENTS & set(words(name)))


def says_place(name: str) -> bool:
    """Whether the name speaks of a place: a postcode, a county, a hospital."""
    return bool(_PLACES & set(words(name)))


def says_code(name: str) -> bool:
    """Whether numbers under this name are likely codes rather than quantities."""
    return bool(_CODES & set(words(name)[-1:]))


def stem(name: str, dropped: frozenset[str]) -> tuple[str, ...]:
    """Words of the name without numbers and without `dropped`, to see which columns belong together."""
    return tuple(word for word in words(name) if not word.isdigit() and word not in dropped)
