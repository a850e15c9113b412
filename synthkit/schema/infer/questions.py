"""What a draft asks of whoever knows the table, with the evidence and with what holds until somebody answers.

A question says column names, counts and shares, and never what a cell holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synthkit.schema.columns import Column, Datetime, Identifier, Ordinal
from synthkit.schema.infer.keys_of_entities import EntityKey, owner_key
from synthkit.schema.infer.misfits import Misfits
from synthkit.schema.infer.prediction_targets import Proposal
from synthkit.schema.infer.survival_pairs import SurvivalPair
from synthkit.schema.rare_codes import MIN_ROWS_OF_COMMON_CODE, mostly_rare_codes
from synthkit.schema.rules import ExactlyOne, Rule

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema.table import Schema

About = Literal[
    "unit",
    "key",
    "names",
    "free text",
    "order",
    "date order",
    "survival",
    "target",
    "sum",
    "one-hot",
    "rare codes",
    "misfits",
]


@dataclass(frozen=True)
class DraftQuestion:
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
        seen = f" ({self.evidence})" * bool(self.evidence)
        return f"{self.asks}{seen} Until then {self.meanwhile}. Otherwise {self.otherwise}"


_ORDER_QUESTION = "write `kind: numeric` with min and max for a quantity, `kind: code` for codes to be learned"


def of_keys(found: Sequence[EntityKey], abouts: Mapping[str, str], unit: str | None) -> tuple[DraftQuestion, ...]:
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


def _of_unit(found: Sequence[EntityKey], unit: str | None) -> list[DraftQuestion]:
    person = owner_key(found)
    if unit is not None or person is None:
        return []
    return [
        DraftQuestion(
            "unit",
            person.column,
            f"Does `{person.column}` name the person whose privacy is protected?",
            person.evidence,
            "each row would be a person of its own, and nobody's rows would stay together",
            "leave `unit` away, or name another column",
        )
    ]


def _of_key(key: EntityKey) -> DraftQuestion:
    what = {"person": "a person", "event": "an encounter or another event", "place": "a place"}.get(key.role, "a row")
    return DraftQuestion(
        "key",
        key.column,
        f"Is `{key.column}` a key that names {what}?",
        key.evidence,
        "it is made fresh and never learned",
        _ORDER_QUESTION,
    )


def _of_text(key: EntityKey, about: str) -> DraftQuestion:
    prose = about == "free text"
    return DraftQuestion(
        "free text" if prose else "names",
        key.column,
        f"Does `{key.column}` hold {'free text' if prose else 'names of people'}?",
        key.evidence,
        "nothing of it is learned, and its cells are made-up numbers",
        "write `kind: categorical` with `levels`, or `kind: code`, and what stands in it is learned word by word",
    )


def of_orders(columns: Mapping[str, Column], abouts: Mapping[str, str]) -> tuple[DraftQuestion, ...]:
    """Questions on whole numbers that were taken for an order.

    Args:
        columns: the drafted kinds.
        abouts: by column, what was seen in it: "order".
    """
    return tuple(
        DraftQuestion(
            "order",
            name,
            f"Are the numbers of `{name}` an order, lowest first?",
            f"{len(column.levels)} whole numbers without a gap, and the name says so",
            "they are levels in that order",
            "write `kind: numeric` with min and max for a quantity, `kind: categorical` for codes",
        )
        for name, column in columns.items()
        if abouts.get(name) == "order" and isinstance(column, Ordinal)
    )


def of_dates(columns: Mapping[str, Column], abouts: Mapping[str, str]) -> tuple[DraftQuestion, ...]:
    """Questions on dates of which every cell can be read with day and month in either order.

    Args:
        columns: the drafted kinds.
        abouts: by column, what was seen in it: "date order".
    """
    return tuple(
        DraftQuestion(
            "date order",
            name,
            f"Does the day or the month come first in `{name}`?",
            "every cell can be read both ways, none says which",
            f"it is read as {column.format}",
            f'write `format: "{_swapped(column.format)}"`',
        )
        for name, column in columns.items()
        if abouts.get(name) == "date order" and isinstance(column, Datetime) and column.format is not None
    )


def _swapped(pattern: str) -> str:
    """A format with day and month exchanged."""
    return re.sub("%(-?)([dm])", lambda found: f"%{found[1]}{'m' if found[2] == 'd' else 'd'}", pattern)


def of_misfits(found: Mapping[str, Misfits], columns: Mapping[str, Column]) -> tuple[DraftQuestion, ...]:
    """Questions on the cells that keep others from being learned as the dates or numbers that they are.

    Args:
        found: by column, how many there are.
        columns: the drafted kinds.
    """
    return tuple(
        DraftQuestion(
            "misfits",
            name,
            f"Are the cells of `{name}` that are no {misfits.are} meant to be there?",
            misfits.seen,
            f"the column is drafted as {columns[name].kind}, and {_fate(columns[name], misfits)}",
            misfits.remedy,
        )
        for name, misfits in found.items()
    )


def _fate(column: Column, misfits: Misfits) -> str:
    return "nothing of it is learned" if isinstance(column, Identifier) else misfits.lost


def of_outcomes(proposals: Sequence[Proposal], pairs: Sequence[SurvivalPair]) -> tuple[DraftQuestion, ...]:
    """Questions on what is predicted, and on what the levels of an event mean.

    Args:
        proposals: the targets that a draft suggests.
        pairs: times and events.
    """
    asked = [
        DraftQuestion(
            "survival",
            pair.time,
            f"Is `{pair.time}` the time until `{pair.event}`, or until nobody looked any more?",
            pair.evidence,
            f"`{pair.event}` is drafted as a boolean, not seen first",
            "write the kinds that they have",
        )
        for pair in pairs
    ]
    asked += [
        DraftQuestion(
            "target",
            proposal.column,
            f"Is `{proposal.column}` what somebody wants to predict?",
            proposal.evidence,
            "the draft names no target and suggests this one in a comment",
            "write others under `targets`",
        )
        for proposal in proposals
        if proposal.target["task"] != "survival"
    ]
    return tuple(asked)


def of_sums(schema: Schema, rows: int) -> tuple[DraftQuestion, ...]:
    """Questions on columns that are the sum of others.

    Args:
        schema: the draft.
        rows: of the table.
    """
    return tuple(
        DraftQuestion(
            "sum",
            name,
            f"Is `{name}` by definition {expression}?",
            f"so it is in all {rows:,} rows",
            "it is never learned but computed, so that it holds in every synthetic row",
            "delete its line under `derived` and `derived` among its `observed`",
        )
        for name, expression in schema.derived.items()
    )


def of_groups(rules: Sequence[Rule], rows: int) -> tuple[DraftQuestion, ...]:
    """Questions on groups of 0/1 columns.

    Args:
        rules: those of the draft.
        rows: of the table.
    """
    return tuple(
        DraftQuestion(
            "one-hot",
            rule.of[0],
            f"Do {', '.join(f'`{c}`' for c in rule.of)} say one thing, of which exactly one holds in each row?",
            f"so it is in all {rows:,} rows",
            "a rule of the draft says so, and every synthetic row keeps it",
            "delete the rule `exactly_one`",
        )
        for rule in rules
        if isinstance(rule, ExactlyOne) and rule.observed
    )


def of_codes(frame: pd.DataFrame, columns: Mapping[str, Column]) -> tuple[DraftQuestion, ...]:
    """Questions on catalogues of which most codes are too rare to be learned.

    Args:
        frame: the rows.
        columns: the drafted kinds.
    """
    found = {name: mostly_rare_codes(frame[name], column) for name, column in columns.items()}
    return tuple(
        DraftQuestion(
            "rare codes",
            name,
            f"Are most codes of `{name}` needed one by one?",
            f"{said[0]:,} of {said[1]:,} are held by {MIN_ROWS_OF_COMMON_CODE} rows or more",
            f"{said[0]:,} are learned and each other one counts as its nearest relative",
            "shorten the codes, for example to their first three characters, before they are learned",
        )
        for name, said in found.items()
        if said is not None
    )
