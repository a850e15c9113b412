"""What a column's name says: its words, and whether they speak of a key, a code or a person."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")

KEYS = frozenset(("id", "ids", "nbr", "nr", "no", "key", "mrn", "uuid", "guid", "pid", "ssn", "identifier", "index"))
PEOPLE = frozenset(
    ("patient", "person", "subject", "member", "participant", "client", "beneficiary", "mrn", "pid", "individual")
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
    return says_key(name) and bool(PEOPLE & set(words(name)))


def says_code(name: str) -> bool:
    """Whether numbers under this name are likely codes rather than quantities."""
    return bool(_CODES & set(words(name)[-1:]))


def stem(name: str, dropped: frozenset[str]) -> tuple[str, ...]:
    """Words of the name without numbers and without `dropped`, to see which columns belong together."""
    return tuple(word for word in words(name) if not word.isdigit() and word not in dropped)
