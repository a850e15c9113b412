"""The curator of real rows under a budget: every answer has noise, and is paid for before it is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.codecs.codec import Codec
from synthkit.encoding.codecs.codec_registry import private_fit
from synthkit.encoding.coded_columns import coded_columns
from synthkit.encoding.coding import Coding
from synthkit.encoding.column_groups import coded, groupings
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.histogram_query import QueryKind
from synthkit.encoding.noisy_answers import NoisyColumnCounts
from synthkit.encoding.raking_margins import RakingMargins, tables_of, tabulate
from synthkit.encoding.slot_counts import Counting
from synthkit.errors import EncodingError
from synthkit.privacy.access.counts import NoisyCounting
from synthkit.privacy.access.encoder_budget import EncoderBudget, EncoderQuery
from synthkit.privacy.access.private_loader import PrivateLoader
from synthkit.privacy.access.published_schema import published_schema
from synthkit.privacy.access.unit_counts import stratified_counting
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import DiscreteGaussian
from synthkit.privacy.dpsgd.noisy_descent import CalibratedDPSGD
from synthkit.privacy.mechanisms.bounds import LogBounds
from synthkit.privacy.mechanisms.noise import add_noise
from synthkit.privacy.mechanisms.sparse_histogram import tell_levels
from synthkit.privacy.mechanisms.unit_sampling import kept
from synthkit.schema import Schema
from synthkit.schema.domain_mapping import into_domain
from synthkit.schema.public_domain import Declared
from synthkit.schema.unit_keys import unit_codes

CLEAR_OF_NOISE = 3.0  # standard deviations of its noise that a cell must exceed to be a target by itself
Pay = Callable[[Charge], None]  # puts a charge down before anything is drawn; raises if it cannot be paid


class PrivateCurator:
    """Keeper of a training table under a budget; nothing exact ever leaves it.

    Cells outside the public domain are mapped into it, each by itself. Rows without a unit are dropped. What is counted
    is one row of each unit, chosen once and in secret, so that a unit changes one cell of each table by 1.

    Args:
        frame: rows in the public domain.
        owner: number of the unit of each. **Shape**: (n,).
        public: what of the schema is known.
    """

    def __init__(self, frame: pd.DataFrame, owner: NDArray[np.int64], public: Declared) -> None:
        self._frame, self._owner = frame, owner
        self._one = one_row_a_unit(self._frame, self._owner)
        self._recoding = Recoding.of(public.schema)
        self._coded = self._recoding.forward(self._one)
        self.public = public

    @classmethod
    def of(cls, table: pd.DataFrame, public: Declared) -> PrivateCurator:
        """The curator of a training table.

        Args:
            table: training rows.
            public: what of the schema is known.

        Raises:
            SchemaError: columns are missing or unknown.
        """
        return cls(*distinct_units(table, public.schema), public)

    def rows(self, budget: EncoderBudget, pay: Pay) -> float:
        """How many units there are, with noise, at least 1."""
        counts = np.array([len(self._one)], dtype=np.int64)
        query = EncoderQuery(kind="rows")
        pay(budget.charge(query))
        return float(max(int(add_noise(counts, budget.noise(query)).values[0]), 1))

    def encoder(
        self, budget: EncoderBudget, coding: Coding, pay: Pay, chosen: Mapping[str, str] | None = None
    ) -> TableEncoder:
        """An encoder of which every number is public or paid for; its schema holds what was bought.

        Args:
            budget: all queries and their prices.
            coding: how finely the model wants its numbers cut.
            pay: called with each price before the answer is drawn.
            chosen: names of codecs, by coded column; those the queries were made for.
        """
        codecs: dict[str, Codec] = {}
        for name, column in coded_columns(self._recoding, self.public.unknown).items():
            queries: dict[QueryKind, EncoderQuery] = {q.kind: q for q in budget.queries if q.column == name}
            answers = _ColumnAnswers(self._coded[list(column.members)], queries, budget, pay)
            codecs[name] = private_fit(column, chosen or {}).fit(column, answers, coding)
        return TableEncoder.of(published_schema(self.public, codecs), codecs)

    def counting(self, encoder: TableEncoder, slots: list[int], rho: float, pay: Pay, most: int = 1) -> Counting:
        """Noisy counts of some slots of the encoded rows.

        Args:
            encoder: of this table.
            slots: which slots may be counted.
            rho: what may be spent in all.
            pay: called with each price before the answer is drawn.
            most: rows of one unit that are counted.
        """
        sizes = tuple(encoder.layout.sizes[j] for j in slots)
        if most == 1:
            return NoisyCounting.of(encoder.encode(self._one).cat.numpy()[:, slots], sizes, rho, pay)
        here = kept(self._owner, most)
        cat = encoder.encode(self._frame[here].reset_index(drop=True)).cat.numpy()[:, slots]
        return stratified_counting(cat, self._owner[here], sizes, bound=most, rho=rho, pay=pay)

    def margins(self, encoder: TableEncoder, charge: Charge, pay: Pay) -> RakingMargins:
        """Noisy one- and two-way tables of grouped columns, cells that noise alone might fill pooled.

        Args:
            encoder: of this table.
            charge: how many tables, and the noise on each of their cells.
            pay: called with the price before the answers are drawn.
        """
        pay(charge)
        noise = charge.spent
        assert isinstance(noise, DiscreteGaussian)
        found = groupings(encoder)
        tables = public_tables(len(found))[: charge.times]
        codes = coded(encoder.encode(self._one).cat.numpy(), found)
        noisy = [add_noise(counts, noise).values for counts in tabulate(codes, found, tables)]
        clear = [np.where(counts >= CLEAR_OF_NOISE * noise.sigma, counts, 0) for counts in noisy]
        return RakingMargins.of(found, tables, clear, [noise.sigma] * len(tables))

    def training(
        self, encoder: TableEncoder, noisy: CalibratedDPSGD, *, n: float, most: int, device: torch.device | str = "cpu"
    ) -> PrivateLoader:
        """The loader for models that are trained by noisy gradients, which were charged before.

        Args:
            encoder: of this table.
            noisy: the plan and its noise.
            n: number of units, declared or paid for.
            most: rows of one unit that may be looked at.
            device: where to compute.
        """
        return PrivateLoader(
            encoder.encode(self._frame), self._owner, encoder.layout, noisy, n=n, most=most, device=device
        )


class _ColumnAnswers:
    """Noisy answers about one coded column: see `encoding.noisy_answers`.

    Args:
        rows: one row of each unit, the columns that go together.
        queries: those that were planned, by kind.
        budget: their prices.
        pay: called with each price before the answer is drawn.
    """

    def __init__(
        self, rows: pd.DataFrame, queries: Mapping[QueryKind, EncoderQuery], budget: EncoderBudget, pay: Pay
    ) -> None:
        self._rows, self._queries, self._budget, self._pay = rows, queries, budget, pay

    @property
    def kinds(self) -> frozenset[QueryKind]:
        """The queries that were planned."""
        return frozenset(self._queries)

    def counts(self, kind: QueryKind, cell: Callable[[pd.DataFrame], Ints], size: int) -> NoisyColumnCounts:
        """Rows in each cell, with noise.

        Raises:
            EncodingError: a row is not in one of the cells, or one row counts as several.
        """
        query, at = self._queries[kind], np.asarray(cell(self._rows))
        if at.shape != (len(self._rows),) or at.min(initial=0) < -1 or at.max(initial=-1) >= size:
            msg = (
                f"a codec must give each row one of {size} cells, or -1; however: that of `{query.column}` does not. "
                "Correct the codec"
            )
            raise EncodingError(msg)
        exact = np.bincount(at[at >= 0], minlength=size).astype(np.int64)
        noise = self._budget.noise(query)
        self._pay(self._budget.charge(query))
        return NoisyColumnCounts(counts=add_noise(exact, noise).values, sigma=noise.sigma)

    def bounds(
        self, numbers: Callable[[pd.DataFrame], Floats], exponents: tuple[int, int] | None = None
    ) -> tuple[float, float]:
        """Powers of two between which nearly all numbers lie, with noise.

        Raises:
            EncodingError: one row counts as several.
        """
        query, x = self._queries["bounds"], np.asarray(numbers(self._rows))
        self._one_answer_a_row(query, len(x))
        noise = self._budget.noise(query)
        self._pay(self._budget.charge(query))
        smallest, largest = exponents or (LogBounds.smallest, LogBounds.largest)
        found = LogBounds(noise=noise, smallest=smallest, largest=largest).draw(x)
        return found.low, found.high

    def levels(self, names: Callable[[pd.DataFrame], Sequence[str | None]]) -> dict[str, int]:
        """Names that enough rows share, with noisy counts; none at all is an answer like any other.

        Raises:
            EncodingError: one row counts as several.
        """
        query, found = self._queries["levels"], list(names(self._rows))
        self._one_answer_a_row(query, len(found))
        exact = Counter(name for name in found if name is not None)
        self._pay(self._budget.charge(query))
        ordered = sorted(exact)
        counts = np.array([exact[name] for name in ordered], dtype=np.int64)
        shared = tell_levels(ordered, counts, self._budget.threshold(query))
        return dict(zip(shared.names, shared.counts.tolist(), strict=True))

    def _one_answer_a_row(self, query: EncoderQuery, answers: int) -> None:
        if answers != len(self._rows):
            msg = (
                f"a codec must say of each row one thing; however: that of `{query.column}` says {answers} of "
                f"{len(self._rows)} rows. Correct the codec"
            )
            raise EncodingError(msg)


def distinct_units(table: pd.DataFrame, schema: Schema) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The rows of somebody, in the public domain, and the number of each row's unit.

    Units are told apart by their cells as they came: no domain comes between. Rows without a unit are dropped.

    Args:
        table: any rows in the schema's columns.
        schema: the public one.

    Raises:
        SchemaError: columns are missing or unknown.

    **Shape**: n rows -> m rows, (m,).
    """
    frame = into_domain(table, schema)
    owner, _ = unit_codes(frame, schema)
    return frame[owner >= 0].reset_index(drop=True), owner[owner >= 0]


def one_row_a_unit(frame: pd.DataFrame, owner: NDArray[np.int64]) -> pd.DataFrame:
    """One row of each unit, chosen by chance and in secret. **Shape**: m rows, (m,) -> u rows."""
    return frame[kept(owner, 1)].reset_index(drop=True)


def public_tables(columns: int) -> list[tuple[int, ...]]:
    """The tables that raked draws match, of so many columns: the same for every table of a schema."""
    return tables_of(columns, np.random.default_rng(0))
