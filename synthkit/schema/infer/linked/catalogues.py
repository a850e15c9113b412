"""Which tables are public catalogues: told by their name, or small lists of codes and labels that rows point to."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from synthkit.schema.infer import column_names
from synthkit.schema.infer.direct_identifiers import find_direct_identifiers
from synthkit.schema.linked.row_keys import key_texts

MAX_LISTED = 1_000  # rows of a small list
_MAX_KEY_LETTERS = 20  # of a short code; those of a drawn identifier are longer
_MAX_PERSON_SHARE = 0.5  # share of texts like two capitalised words, from which they may be people's names
_PERSON_NAME = r"(?:\w+\.? )*[A-Z][\w'’-]+(?:, ?| (?:[A-Z]\.? )?)[A-Z][\w'’-]+"
_CATALOGUE_WORDS = frozenset(
    (
        *("d", "dim", "dict", "dictionary", "lookup", "lkp", "ref", "reference", "catalogue", "catalog", "concept"),
        *("vocabulary", "code", "codes", "icd", "terminology", "codebook", "map", "mapping"),
    )
)
_STAFF_WORDS = frozenset(
    (
        *("doctor", "physician", "provider", "nurse", "staff", "employee", "caregiver", "practitioner", "clinician"),
        *("surgeon", "therapist", "user", "operator", "author", "people", "contact", "relative", "household", "family"),
        *("arzt", "aerzte", "mitarbeiter", "pflegekraft", "medecin", "medico", "birth", "age", "sex", "gender"),
    )
)
_OF_ANY_LIST = frozenset(("code", "prose"))  # suspicions that a list of codes with long labels raises too


def says_catalogue(name: str) -> bool:
    """Whether a table is called like a public catalogue.

    Example:
        >>> says_catalogue("d_icd"), says_catalogue("wards")
        (True, False)
    """
    return bool(_CATALOGUE_WORDS & set(column_names.name_words(name)))


def is_list(name: str, frame: pd.DataFrame, key: str) -> bool:
    """Whether a table is a small list of short codes, each with a label, of which nothing looks like people or dates.

    Args:
        name: of the table.
        frame: its rows.
        key: the column that names them.

    Example:
        >>> wards = pd.DataFrame({"code": ["ICU", "MED"], "name": ["Intensive care", "Internal medicine"]})
        >>> is_list("wards", wards, "code"), is_list("doctors", wards, "code")
        (True, False)
    """
    if not 2 <= len(frame) <= MAX_LISTED or _of_people(name) or any(map(_of_people, map(str, frame.columns))):
        return False
    longest = max(len(text or "") for text in key_texts(frame[key]))
    if longest > _MAX_KEY_LETTERS or not any(_labels(frame, key)):
        return False
    named = [c for c in frame.columns if column_names.name_words(str(c)) == ("name",)]
    suspected = find_direct_identifiers(frame.drop(columns=named))
    return not {each.category for each in suspected} - _OF_ANY_LIST and not _names_people(frame)


def _of_people(name: str) -> bool:
    words = {*column_names.name_words(name), *(word.removesuffix("s") for word in column_names.name_words(name))}
    return bool(words & (column_names.PERSON_WORDS | _STAFF_WORDS))


def _labels(frame: pd.DataFrame, key: str) -> Iterator[bool]:
    """Of each other column, whether it is text that is another in each row."""
    for column in frame.columns:
        cells = frame[column]
        if column != key and not pd.api.types.is_numeric_dtype(cells.dtype):
            yield cells.nunique() == len(cells)


def _names_people(frame: pd.DataFrame) -> bool:
    texts = (frame[c].dropna().astype("string") for c in frame.columns)
    return any(len(x) and x.str.fullmatch(_PERSON_NAME).mean() >= _MAX_PERSON_SHARE for x in texts)
