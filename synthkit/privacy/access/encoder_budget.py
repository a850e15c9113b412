"""What an encoder must buy before a model can learn under a budget: queries, shares and prices, all fixed first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthkit.encoding.codecs.codec_registry import private_fit, refuse_unknown
from synthkit.encoding.coded_columns import coded_columns
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.histogram_query import QueryKind
from synthkit.errors import ConfigError
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import DiscreteGaussian, SparseHistogram
from synthkit.privacy.mechanisms.sparse_histogram import sparse_histogram
from synthkit.schema.public_domain import Declared

# the fewer units a level needs to be published, the fewer rows lose theirs: levels are worth more than anything else
PRICE_SHARES: dict[QueryKind, float] = {
    "rows": 1.0,
    "bounds": 0.5,
    "spikes": 1.0,
    "cells": 1.0,
    "levels": 8.0,
    "counts": 0.5,
}
QUERY_WORDS: dict[QueryKind, str] = {
    "rows": "number of units",
    "bounds": "bounds of {}",
    "spikes": "spikes of {}",
    "cells": "histogram of {}",
    "levels": "levels of {}",
    "counts": "counts of the levels of {}",
}
ROUNDED_DOWN = 1 - 1e-9  # rounding must not let the parts cost more than the whole


@dataclass(frozen=True, kw_only=True)
class EncoderQuery:
    """One look at the rows that an encoder needs.

    Args:
        kind: what is asked.
        column: coded column; empty for the number of units.
    """

    kind: QueryKind
    column: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words, without any value."""
        return QUERY_WORDS[self.kind].format(self.column)


@dataclass(frozen=True, kw_only=True)
class EncoderBudget:
    """All queries of an encoder, in the order in which they are asked.

    Each gets a share of `rho`; levels nobody declared get equal shares of `delta`, for a level of one unit alone may be
    published. Every number here follows from the schema and the budget.

    Args:
        queries: the queries.
        rho: price of all of them together, in zero-concentrated differential privacy.
        delta: probability that any of them tells a level of one unit alone.

    Raises:
        ConfigError: the price is not above 0 and finite, or levels must be found without a delta.

    Example:
        >>> from synthkit.schema import Schema
        >>> from synthkit.schema.public_domain import declared_domain
        >>> age = {"kind": "numeric", "min": 0, "max": 120, "decimals": 0}
        >>> public = declared_domain(Schema(columns={"age": age}, declared_by="A. Lee: codebook of 2019"))
        >>> bought = EncoderBudget(queries=encoder_queries(public), rho=0.005)
        >>> [(charge.what, round(charge.spent.sigma)) for charge in bought.charges()]
        [('histogram of age', 10)]
    """

    queries: tuple[EncoderQuery, ...]
    rho: float
    delta: float = 0.0

    def __post_init__(self) -> None:
        if self.queries and not 0 < self.rho < math.inf:
            msg = (
                f"an encoder's budget must have a positive, finite price; however: rho = {self.rho:g}. Give it a share"
            )
            raise ConfigError(msg)
        found = count_level_queries(self.queries)
        if found and not self.delta > 0:
            msg = (
                f"levels nobody declared need a part of delta; however: it is {self.delta:g} for {found} columns. "
                "Declare their `levels`, or set aside a delta"
            )
            raise ConfigError(msg)

    def noise(self, query: EncoderQuery) -> DiscreteGaussian:
        """The noise on the counts that answer a query."""
        return DiscreteGaussian(sigma=math.sqrt(1 / (2 * self._price(query))))

    def threshold(self, query: EncoderQuery) -> SparseHistogram:
        """The noise on levels nobody declared, and from which count on they are told."""
        each = self.delta * ROUNDED_DOWN / count_level_queries(self.queries)
        return sparse_histogram(sigma=self.noise(query).sigma, delta=each)

    def _price(self, query: EncoderQuery) -> float:
        total = math.fsum(PRICE_SHARES[q.kind] for q in self.queries)
        return self.rho * ROUNDED_DOWN * PRICE_SHARES[query.kind] / total

    def charge(self, query: EncoderQuery) -> Charge:
        """Price of one query."""
        spent = self.threshold(query) if query.kind == "levels" else self.noise(query)
        return Charge(what=query.words, spent=spent)

    def charges(self) -> list[Charge]:
        """Prices of all queries, in order."""
        return [self.charge(query) for query in self.queries]


def count_level_queries(queries: Sequence[EncoderQuery]) -> int:
    """How many of the queries look for levels nobody declared."""
    return sum(query.kind == "levels" for query in queries)


def encoder_queries(
    public: Declared, *, counted: bool = False, chosen: Mapping[str, str] | None = None
) -> tuple[EncoderQuery, ...]:
    """What must be asked to code the columns of a schema.

    Args:
        public: what is known.
        counted: whether the number of units, and how often each declared level occurs, are asked too: for models that
            do not count them by themselves.
        chosen: names of codecs, by coded column; where none is named, ours for its kind.

    Raises:
        ConfigError: there is no such codec, or it cannot code its column.
        UnsupportedError: a codec cannot be fitted under a budget.
    """
    out = [EncoderQuery(kind="rows")] if counted else []
    columns = coded_columns(Recoding.of(public.schema), public.unknown)
    refuse_unknown(chosen or {}, columns)
    for name, column in columns.items():
        kinds = private_fit(column, chosen or {}).queries(column, counted)
        out += [EncoderQuery(kind=kind, column=name) for kind in kinds]
    return tuple(out)
