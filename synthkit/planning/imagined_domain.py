"""A schema as the slots a model of counts will see, with laws nobody looked up: what can be imagined of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthkit.encoding.coded_columns import declared_bounds
from synthkit.encoding.coding import Coding
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.plain_numbers import plain_decimals, plain_step
from synthkit.encoding.private_binning import values
from synthkit.privacy.access.encoder_budget import EncoderBudget, EncoderQuery
from synthkit.schema import Datetime, Numeric
from synthkit.schema.columns import Column
from synthkit.schema.public_domain import Declared

MISSING_SHARE = 0.05  # share of missing cells where there may be any
CATALOGUE = 200  # levels of a catalogue that nobody listed

Law = NDArray[np.float64]


@dataclass(frozen=True)
class ImaginedSlot:
    """A column as it is counted.

    Args:
        name: of the column.
        law: an imagined share of each level. **Shape**: (K,), adding up to 1.
        outcome: whether it is to be predicted.
    """

    name: str
    law: Law
    outcome: bool = False

    @property
    def size(self) -> int:
        """Levels."""
        return len(self.law)


def slots(public: Declared, coding: Coding, encoder_budget: EncoderBudget, units: float) -> tuple[ImaginedSlot, ...]:
    """The slots of a schema, each column by itself: rules only ever make tables smaller.

    Numbers fall into groups of about the same weight. Levels are imagined in shares of 1, 1/2, 1/3 and so on; of levels
    that must be found, those are left that enough units have.

    Args:
        public: what is known.
        coding: how finely the model wants its numbers cut.
        encoder_budget: what is bought, and for how much.
        units: how many units are counted.
    """
    asked = {question.column: question for question in encoder_budget.queries if question.kind == "levels"}
    wanted = public.schema.outcomes
    return tuple(
        replace(_slot(name, public, coding, encoder_budget, asked.get(name), units), outcome=name in wanted)
        for name in public.schema.learned
    )


def outcomes(slots: Sequence[ImaginedSlot]) -> list[int]:
    """Which slots are to be predicted."""
    return [j for j, slot in enumerate(slots) if slot.outcome]


def _slot(
    name: str, public: Declared, coding: Coding, encoder_budget: EncoderBudget, asked: EncoderQuery | None, units: float
) -> ImaginedSlot:
    column = public.schema.columns[name]
    if isinstance(column, Numeric | Datetime):
        law = np.full(_groups(name, column, public, coding), 1.0)
    else:
        law = 1 / np.arange(1.0, 1 + len(getattr(column, "levels", None) or range(CATALOGUE)))
        if asked is not None:
            law = law[: max(1, int((units * law / law.sum() >= encoder_budget.threshold(asked).threshold).sum()))]
    law = law / law.sum()
    return ImaginedSlot(name, np.append((1 - MISSING_SHARE) * law, MISSING_SHARE) if column.nullable else law)


def _groups(name: str, column: Column, public: Declared, coding: Coding) -> int:
    """Groups of a number: its values where they are few, else as many as are wanted and one for each known spike."""
    if not isinstance(column, Numeric):
        return coding.coarse
    low, high = declared_bounds(Recoding.of(public.schema.model_copy(update={"rules": ()})), name)
    many = values(low, high, plain_decimals(column), plain_step(column)) if np.isfinite([low, high]).all() else np.inf
    return int(many) if many <= coding.exact else coding.coarse + len(column.atoms)


def imagined(slots: Sequence[ImaginedSlot], rows: int, tie: float, rng: np.random.Generator) -> NDArray[np.int32]:
    """Rows of a table in which each slot has its law; with a probability a cell follows a hidden class of its row.

    A row has one of four classes; a cell that follows it lies in the quarter of its law that belongs to the class.
    So all slots lean on each other a little, in pairs by `tie` squared, and every law stays as it is.

    **Shape**: -> (rows, slots).

    Args:
        slots: their laws.
        rows: how many.
        tie: probability to follow, 0 for independent columns.
        rng: of the table, which is nobody's.

    Example:
        >>> slot = ImaginedSlot("sex", np.array([0.5, 0.5]))
        >>> np.unique(imagined([slot, slot], 500, 1.0, np.random.default_rng(1)), axis=0).tolist()
        [[0, 0], [1, 1]]
    """
    hidden = rng.integers(4, size=rows)
    out = np.empty((rows, len(slots)), dtype=np.int32)
    for j, slot in enumerate(slots):
        at = rng.random(rows)
        at = np.where(rng.random(rows) < tie, (hidden + at) / 4, at)
        out[:, j] = np.minimum(np.searchsorted(slot.law.cumsum(), at, side="right"), slot.size - 1)
    return out
