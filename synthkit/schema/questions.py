"""What a draft asks of whoever knows the table, with the evidence and with what holds until somebody answers.

A question says column names, counts and shares, and never what a cell holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from synthkit.schema.entities import Key, owner

About = Literal["unit", "key", "names", "free text", "order", "survival", "target", "one-hot", "rare codes"]


@dataclass(frozen=True)
class Question:
    """One thing that only people know.

    Args:
        about: what kind of thing.
        column: the column it is about.
        asks: the question.
        evidence: what was seen, in words and numbers.
        meanwhile: what the draft says until somebody answers.
        otherwise: what to write if the answer is another one.
    """

    about: About
    column: str
    asks: str
    evidence: str
    meanwhile: str
    otherwise: str

    def __str__(self) -> str:
        return f"{self.asks} ({self.evidence}) Until then {self.meanwhile}. Otherwise {self.otherwise}"


_WRITE = "write `kind: numeric` with min and max for a quantity, `kind: code` for codes to be learned"


def of_keys(found: Sequence[Key], abouts: Mapping[str, str], unit: str | None) -> tuple[Question, ...]:
    """Questions on the columns that are not learned, and on whose rows they are.

    Args:
        found: what the identifiers of the draft name.
        abouts: by column, what was seen in it: "key", "names" or "free text".
        unit: the column that somebody says names the person, if there is one.
    """
    asked = [*_of_unit(found, unit)]
    for key in found:
        about = abouts.get(key.column, "")
        if key.column == unit or not about:
            continue
        asked.append(_of_key(key) if about == "key" else _of_text(key, about))
    return tuple(asked)


def _of_unit(found: Sequence[Key], unit: str | None) -> list[Question]:
    person = owner(found)
    if unit is not None or person is None:
        return []
    return [
        Question(
            "unit",
            person.column,
            f"Does `{person.column}` name the person whose privacy is protected?",
            person.evidence,
            "each row would be a person of its own, and nobody's rows would stay together",
            "leave `unit` away, or name another column",
        )
    ]


def _of_key(key: Key) -> Question:
    what = {"person": "a person", "event": "an encounter or another event", "place": "a place"}.get(key.role, "a row")
    return Question(
        "key",
        key.column,
        f"Is `{key.column}` a key that names {what}?",
        key.evidence,
        "it is made fresh and never learned",
        _WRITE,
    )


def _of_text(key: Key, about: str) -> Question:
    prose = about == "free text"
    return Question(
        "free text" if prose else "names",
        key.column,
        f"Does `{key.column}` hold {'free text' if prose else 'names of people'}?",
        key.evidence,
        "nothing of it is learned, and its cells are made-up numbers",
        "write `kind: categorical` with `levels`, or `kind: code`, and what stands in it is learned word by word",
    )
