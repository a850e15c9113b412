"""What an encoder must buy before a model can learn under a budget: questions, shares and prices, all fixed first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from synthkit.encoding.codecs.datetime_steps import ends, points
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.gaps import Anchor
from synthkit.encoding.private_binning import SEARCHED, VALUES, values
from synthkit.errors import ConfigError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import DiscreteGaussian, SparseHistogram
from synthkit.privacy.mechanisms.sparse_histogram import sparse_histogram
from synthkit.schema import Datetime, Numeric, Schema
from synthkit.schema.joint_columns import joint_combinations
from synthkit.schema.public_domain import Declared

Kind = Literal["rows", "bounds", "spikes", "cells", "levels", "counts"]
# the fewer units a level needs to be told, the fewer rows lose theirs: levels are worth more than anything else
SHARES: dict[Kind, float] = {"rows": 1.0, "bounds": 0.5, "spikes": 1.0, "cells": 1.0, "levels": 8.0, "counts": 0.5}
WORDS: dict[Kind, str] = {
    "rows": "number of units",
    "bounds": "bounds of {}",
    "spikes": "spikes of {}",
    "cells": "histogram of {}",
    "levels": "levels of {}",
    "counts": "counts of the levels of {}",
}
DOWN = 1 - 1e-9  # rounding must not let the parts cost more than the whole


@dataclass(frozen=True, kw_only=True)
class EncoderQuery:
    """One look at the rows that an encoder needs.

    Args:
        kind: what is asked.
        column: coded column; empty for the number of units.
    """

    kind: Kind
    column: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words, without any value."""
        return WORDS[self.kind].format(self.column)


@dataclass(frozen=True, kw_only=True)
class EncoderBudget:
    """All questions of an encoder, in the order in which they are asked.

    Each gets a share of `rho`; levels nobody declared get equal shares of `delta`, for a level of one unit alone may be
    told. Every number here follows from the schema and the budget.

    Args:
        questions: the questions.
        rho: price of all of them together, in zero-concentrated differential privacy.
        delta: probability that any of them tells a level of one unit alone.

    Raises:
        ConfigError: the price is not above 0 and finite, or levels must be found without a delta.

    Example:
        >>> from synthkit.schema import Schema
        >>> from synthkit.schema.public_domain import declared
        >>> age = {"kind": "numeric", "min": 0, "max": 120, "decimals": 0}
        >>> public = declared(Schema(columns={"age": age}, declared_by="A. Lee: codebook of 2019"))
        >>> bought = Preparation(queries=questions(public), rho=0.005)
        >>> [(charge.what, round(charge.spent.sigma)) for charge in bought.charges()]
        [('histogram of age', 10)]
    """

    queries: tuple[EncoderQuery, ...]
    rho: float
    delta: float = 0.0

    def __post_init__(self) -> None:
        if self.queries and not 0 < self.rho < math.inf:
            msg = f"a preparation must have a positive, finite price; however: rho = {self.rho:g}. Give it a share"
            raise ConfigError(msg)
        found = found_levels(self.queries)
        if found and not self.delta > 0:
            msg = (
                f"levels nobody declared need a part of delta; however: it is {self.delta:g} for {found} columns. "
                "Declare their `levels`, or set aside a delta"
            )
            raise ConfigError(msg)

    def noise(self, question: EncoderQuery) -> DiscreteGaussian:
        """The noise on the counts that answer a question."""
        return DiscreteGaussian(sigma=math.sqrt(1 / (2 * self._price(question))))

    def threshold(self, question: EncoderQuery) -> SparseHistogram:
        """The noise on levels nobody declared, and from which count on they are told."""
        each = self.delta * DOWN / found_levels(self.queries)
        return sparse_histogram(sigma=self.noise(question).sigma, delta=each)

    def _price(self, question: EncoderQuery) -> float:
        total = math.fsum(SHARES[q.kind] for q in self.queries)
        return self.rho * DOWN * SHARES[question.kind] / total

    def charge(self, question: EncoderQuery) -> Charge:
        """Price of one question."""
        spent = self.threshold(question) if question.kind == "levels" else self.noise(question)
        return Charge(what=question.words, spent=spent)

    def charges(self) -> list[Charge]:
        """Prices of all questions, in order."""
        return [self.charge(question) for question in self.queries]


def found_levels(asked: Sequence[EncoderQuery]) -> int:
    """How many of the questions look for levels nobody declared."""
    return sum(question.kind == "levels" for question in asked)


def encoder_queries(public: Declared, *, counted: bool = False) -> tuple[EncoderQuery, ...]:
    """What must be asked to code the columns of a schema.

    Args:
        public: what is known.
        counted: whether the number of units, and how often each declared level occurs, are asked too: for models that
            do not count them by themselves.
    """
    schema = public.schema
    out = [EncoderQuery(kind="rows")] if counted else []
    gaps = {gap.column for gap in Recoding.of(schema).gaps}
    for name, members in Recoding.of(schema).columns.items():
        column = schema.columns[members[0]]
        if len(members) > 1:
            listed = any(r.of == members and r.combinations is not None for r in joint_combinations(schema))
            kinds: list[Kind] = (["counts"] if counted else []) if listed else ["levels"]
        elif isinstance(column, Numeric | Datetime):
            low, high = bounds(schema, name)
            kinds = _of_number(column, math.isinf(low) or math.isinf(high), name in gaps)
        elif name in public.unknown:
            kinds = ["levels"]
        else:
            kinds = ["counts"] if counted else []
        out += [EncoderQuery(kind=kind, column=name) for kind in kinds]
    return tuple(out)


def _of_number(column: Numeric | Datetime, unbounded: bool, gap: bool) -> list[Kind]:
    """Questions of a number: its bounds if nobody declared them, spikes where a lattice is long, its histogram."""
    kinds: list[Kind] = ["bounds"] if unbounded else []
    if isinstance(column, Numeric) and not gap and not unbounded and column.min is not None and column.max is not None:
        many = values(column.min, column.max, column.decimals)
        if VALUES < many <= SEARCHED:
            kinds.append("spikes")
    return [*kinds, "cells"]


def bounds(schema: Schema, name: str) -> tuple[float, float]:
    """Declared bounds of a coded number, infinite where open; a gap runs from 0 to the distance of the outer bounds.

    Example:
        >>> bounds(Schema(columns={"age": {"kind": "numeric", "min": 0}}), "age")
        (0.0, inf)
    """
    low, high = _own(schema, name)
    gap = next((g for g in Recoding.of(schema).gaps if g.column == name), None)
    if gap is None:
        return low, high
    reached = [_reach(schema, anchor) for anchor in gap.anchors]
    far = high - min(a for a, _ in reached) if gap.up else max(b for _, b in reached) - low
    return 0, max(far, high - gap.origin if gap.up else gap.origin - low)


def _reach(schema: Schema, anchor: Anchor) -> tuple[float, float]:
    """Where a gap from an anchor may start, in steps of the measured column; without bounds at the end of numbers."""
    column = schema.columns[anchor.column]
    low, high = _own(schema, anchor.column)
    if not isinstance(column, Datetime):
        return low, high
    atoms = [atom for atom in points(column).tolist() if atom not in anchor.atoms]
    low, high = min([low, *atoms]), max([high, *atoms])
    return (
        low if math.isinf(low) else low * anchor.times // anchor.per,
        high if math.isinf(high) else -(-high * anchor.times // anchor.per),
    )


def _own(schema: Schema, name: str) -> tuple[float, float]:
    column = schema.columns[name]
    low, high = getattr(column, "min", None), getattr(column, "max", None)
    if isinstance(column, Datetime):
        first, last = ends(column)
        return (-math.inf if low is None else first), (math.inf if high is None else last)
    return (-math.inf if low is None else low), (math.inf if high is None else high)
