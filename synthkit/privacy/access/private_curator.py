"""The keeper of real rows under a budget: every answer has noise, and is paid for before it is drawn."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthkit.encoding import constraints, private_binning
from synthkit.encoding.codecs import datetime_steps
from synthkit.encoding.codecs.categorical import CombinationCodec, LevelsCodec
from synthkit.encoding.codecs.numeric import Coding, NumericCodec
from synthkit.encoding.column_groups import coded, groupings
from synthkit.encoding.constraints import Codec, Recoding
from synthkit.encoding.encoder import TableEncoder
from synthkit.encoding.raking_margins import RakingMargins, tables_of, tabulate
from synthkit.privacy.access.counts import NoisyCounting
from synthkit.privacy.access.encoder_budget import EncoderBudget, EncoderQuery, Kind, bounds
from synthkit.privacy.access.noisy_codecs import combination_codec, levels_codec, published
from synthkit.privacy.access.private_loader import PrivateLoader
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import DiscreteGaussian
from synthkit.privacy.dpsgd.noisy_descent import CalibratedDPSGD
from synthkit.privacy.mechanisms.bounds import LogBounds
from synthkit.privacy.mechanisms.noise import add_noise
from synthkit.privacy.mechanisms.sampling import kept
from synthkit.privacy.mechanisms.sparse_histogram import tell_levels
from synthkit.schema import Datetime, Numeric, Ordinal, Schema
from synthkit.schema.columns import Column, Level
from synthkit.schema.domain_mapping import into_domain
from synthkit.schema.joint_columns import joint_combinations
from synthkit.schema.named_levels import numbers_named
from synthkit.schema.public_domain import Declared
from synthkit.schema.unit_keys import unit_codes

STEPS = 60  # power of two beyond which no moment lies, in steps since 1970 of any precision
CLEAR = 3.0  # standard deviations of its noise that a cell must exceed to be a target by itself
Pay = Callable[[Charge], None]  # puts a charge down before anything is drawn; raises if it cannot be paid
Asked = dict[Kind, EncoderQuery]  # questions about one column


class PrivateCurator:
    """Keeper of a training table under a budget; nothing exact ever leaves it.

    Cells outside the public domain are mapped into it, each by itself. Rows without a unit are dropped. What is counted
    is one row of each unit, chosen once and in secret, so that a unit changes one cell of each table by 1.

    Args:
        table: training rows.
        public: what of the schema is known.

    Raises:
        SchemaError: columns are missing or unknown.
    """

    def __init__(self, table: pd.DataFrame, public: Declared) -> None:
        self._frame, self._owner = told_apart(table, public.schema)
        self._one = one_each(self._frame, self._owner)
        self._recoding = Recoding.of(public.schema)
        self._coded = self._recoding.forward(self._one)
        self.public = public

    def rows(self, preparation: EncoderBudget, pay: Pay) -> float:
        """How many units there are, with noise, at least 1."""
        counts = np.array([len(self._one)], dtype=np.int64)
        noisy = self._noisy(EncoderQuery(kind="rows"), counts, preparation, pay)
        return float(max(int(noisy[0]), 1))

    def encoder(self, preparation: EncoderBudget, coding: Coding, pay: Pay) -> TableEncoder:
        """An encoder of which every number is public or paid for; its schema holds what was bought.

        Args:
            preparation: all questions and their prices.
            coding: how finely the model wants its numbers cut.
            pay: called with each price before the answer is drawn.
        """
        codecs: dict[str, Codec] = {}
        for name, members in self._recoding.columns.items():
            asked: Asked = {q.kind: q for q in preparation.queries if q.column == name}
            if len(members) > 1:
                codecs[name] = self._combination(name, members, asked, preparation, pay)
            elif isinstance(self.public.schema.columns[name], Datetime):
                codecs[name] = self._steps(name, asked, coding, preparation, pay)
            elif isinstance(self.public.schema.columns[name], Numeric):
                codecs[name] = self._number(name, asked, coding, preparation, pay)
            else:
                codecs[name] = self._levels(name, asked, preparation, pay)
        return TableEncoder.of(published(self.public, codecs), codecs)

    def counting(self, encoder: TableEncoder, slots: list[int], rho: float, pay: Pay) -> NoisyCounting:
        """Noisy counts of some slots of the encoded rows, one row a unit.

        Args:
            encoder: of this table.
            slots: which slots may be counted.
            rho: what may be spent in all.
            pay: called with each price before the answer is drawn.
        """
        cat = encoder.encode(self._one).cat.numpy()[:, slots]
        return NoisyCounting.of(cat, tuple(encoder.layout.sizes[j] for j in slots), rho, pay)

    def targets(self, encoder: TableEncoder, charge: Charge, pay: Pay) -> RakingMargins:
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
        clear = [np.where(counts >= CLEAR * noise.sigma, counts, 0) for counts in noisy]
        return RakingMargins.of(found, tables, clear, [noise.sigma] * len(tables))

    def training(
        self, encoder: TableEncoder, noisy: CalibratedDPSGD, *, n: float, most: int, device: torch.device | str = "cpu"
    ) -> PrivateLoader:
        """The door for models that are trained by noisy gradients, which were charged before.

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

    def _noisy(
        self, question: EncoderQuery, counts: NDArray[np.int64], preparation: EncoderBudget, pay: Pay
    ) -> NDArray[np.int64]:
        pay(preparation.charge(question))
        return add_noise(counts, preparation.noise(question)).values

    def _told(
        self, question: EncoderQuery, found: dict[str, int], preparation: EncoderBudget, pay: Pay
    ) -> dict[str, int]:
        """Noisy counts of the levels that enough units share; none at all is an answer like any other."""
        pay(preparation.charge(question))
        names = sorted(found)
        counts = np.array([found[name] for name in names], dtype=np.int64)
        told = tell_levels(names, counts, preparation.threshold(question))
        return dict(zip(told.names, told.counts.tolist(), strict=True))

    def _number(self, name: str, asked: Asked, coding: Coding, preparation: EncoderBudget, pay: Pay) -> NumericCodec:
        column, schema = self.public.schema.columns[name], self.public.schema
        x = self._coded[name].to_numpy(dtype=np.float64, na_value=np.nan)
        gap = next((g for g in self._recoding.gaps if g.column == name), None)
        assert isinstance(column, Numeric)
        plain = gap is None
        decimals = column.decimals if gap is None else gap.decimals
        low, high = bounds(schema, name)
        if "bounds" in asked:
            low, high = self._bought(asked["bounds"], x, decimals, preparation, pay)
        atoms = tuple(column.atoms) if plain else ()
        atoms = tuple(a for a in atoms if low <= a <= high)
        if "spikes" in asked:
            atoms += self._spikes(asked["spikes"], x, low, high, decimals or 0, preparation, pay)
        cuts = constraints.cuts(schema, name) if plain else ()
        cells = private_binning.grid(
            low,
            high,
            decimals=decimals,
            atoms=atoms,
            cuts=cuts,
            missing=column.nullable,
            bounds=(low, high) if plain else (None, None),
        )
        inside = cells.cells(np.clip(np.nan_to_num(x, nan=low), low, high))
        at = np.where(np.isnan(x) & column.nullable, len(cells.low), inside)
        counts = np.bincount(at, minlength=len(cells.low) + (cells.missing is not None)).astype(np.int64)
        noisy = self._noisy(asked["cells"], counts, preparation, pay)
        sigma = preparation.noise(asked["cells"]).sigma
        return private_binning.binned_codec(cells, noisy, sigma, cuts=cuts, coding=coding)

    def _steps(self, name: str, asked: Asked, coding: Coding, preparation: EncoderBudget, pay: Pay) -> NumericCodec:
        """Moments, or gaps between them, in whole steps; declared atoms are counted by themselves."""
        column = self.public.schema.columns[name]
        assert isinstance(column, Datetime)
        x = datetime_steps.whole(self._coded[name])
        gapped = any(gap.column == name for gap in self._recoding.gaps)
        atoms = (
            tuple(datetime_steps.ATOM - k for k in range(len(column.atoms)))
            if gapped
            else datetime_steps.points(column).tolist()
        )
        special, absent = np.isin(x, np.array(atoms, dtype=np.int64)), x == datetime_steps.NONE
        low, high = bounds(self.public.schema, name)
        if "bounds" in asked:
            pay(preparation.charge(asked["bounds"]))
            grid = LogBounds(noise=preparation.noise(asked["bounds"]), smallest=0, largest=STEPS)
            found = grid.draw(datetime_steps.outward(x[~special & ~absent]))
            first, last = datetime_steps.calendar(column)
            calendar = (0, last - first) if gapped else (first, last)
            low, high = private_binning.bounded_steps((found.low, found.high), (low, high), calendar)
        low, high = int(low), int(high)
        cells = private_binning.grid_of_steps(low, high, atoms=tuple(atoms), missing=column.nullable)
        inside = cells.cells(np.where(special, x, np.clip(np.where(absent, low, x), low, high)))
        at = np.where(absent & column.nullable, len(cells.low), inside)
        counts = np.bincount(at, minlength=len(cells.low) + (cells.missing is not None)).astype(np.int64)
        noisy = self._noisy(asked["cells"], counts, preparation, pay)
        return private_binning.binned_codec(cells, noisy, preparation.noise(asked["cells"]).sigma, coding=coding)

    def _bought(
        self, question: EncoderQuery, x: NDArray[np.float64], decimals: int | None, preparation: EncoderBudget, pay: Pay
    ) -> tuple[float, float]:
        """Bounds found with noise where none is declared, so wide that numbers the schema names lie between them."""
        pay(preparation.charge(question))
        schema, name = self.public.schema, question.column
        known = bounds(schema, name)
        found = LogBounds(noise=preparation.noise(question)).draw(x)
        plain = all(gap.column != name for gap in self._recoding.gaps)
        named = [v for v in numbers_named(schema, name) if known[0] <= v <= known[1]] if plain else []
        return private_binning.bounded((min([found.low, *named]), max([found.high, *named])), known, decimals)

    def _spikes(
        self,
        question: EncoderQuery,
        x: NDArray[np.float64],
        low: float,
        high: float,
        decimals: int,
        preparation: EncoderBudget,
        pay: Pay,
    ) -> tuple[float, ...]:
        """Values of a long lattice that stand out of the noise."""
        points = private_binning.lattice(low, high, decimals)
        at = np.rint((np.clip(x[~np.isnan(x)], low, high) - points[0]) * 10**decimals).astype(np.int64)
        counts = np.bincount(np.clip(at, 0, len(points) - 1), minlength=len(points)).astype(np.int64)
        noisy = self._noisy(question, counts, preparation, pay)
        sigma = preparation.noise(question).sigma
        return tuple(points[noisy > sigma * (math.sqrt(2 * math.log(len(points))) + 0.7)].tolist())

    def _levels(self, name: str, asked: Asked, preparation: EncoderBudget, pay: Pay) -> LevelsCodec:
        column = self.public.schema.columns[name]
        values = self._coded[name]
        ordinal = isinstance(column, Ordinal)
        if "levels" in asked:
            found, counts = np.unique(values[values.notna()].astype(str).to_numpy(dtype=object), return_counts=True)
            seen = dict(zip(found.tolist(), counts.tolist(), strict=True))
            return levels_codec(self.public.schema, name, self._told(asked["levels"], seen, preparation, pay))
        levels = tuple(getattr(column, "levels", None) or ())
        bare = LevelsCodec(
            levels=levels,
            counts=np.ones(len(levels), dtype=np.int64),
            missing=1 if column.nullable else None,
            ordinal=ordinal,
            elsewhere=len(levels) if column.nullable else 0,
        )
        if "counts" not in asked:
            return bare
        codes = bare.encode(values)[:, 0]
        exact = np.bincount(codes, minlength=bare.size).astype(np.int64)
        noisy = np.maximum(self._noisy(asked["counts"], exact, preparation, pay), 0)
        return LevelsCodec(
            levels=levels,
            counts=noisy[: len(levels)],
            missing=int(noisy[-1]) if column.nullable else None,
            ordinal=ordinal,
            elsewhere=bare.elsewhere,
        )

    def _combination(
        self, name: str, members: tuple[str, ...], asked: Asked, preparation: EncoderBudget, pay: Pay
    ) -> CombinationCodec:
        del name
        schema = self.public.schema
        if "levels" in asked:
            return self._found_combination(members, asked["levels"], preparation, pay)
        listed = next(
            r.combinations for r in joint_combinations(schema) if r.of == members and r.combinations is not None
        )
        bare = CombinationCodec(
            columns=members, combinations=listed, counts=np.ones(len(listed), dtype=np.int64), elsewhere=0
        )
        if "counts" not in asked:
            return bare
        exact = np.bincount(bare.encode(self._coded)[:, 0], minlength=bare.size).astype(np.int64)
        noisy = np.maximum(self._noisy(asked["counts"], exact, preparation, pay), 0)
        return CombinationCodec(columns=members, combinations=listed, counts=noisy, elsewhere=0)

    def _found_combination(
        self, members: tuple[str, ...], question: EncoderQuery, preparation: EncoderBudget, pay: Pay
    ) -> CombinationCodec:
        """Combinations nobody listed: those that enough units share."""
        kinds = [self.public.schema.columns[name] for name in members]
        rows = self._coded[list(members)].astype(object)
        found = rows.where(rows.notna(), None).groupby(list(members), dropna=False, sort=False).size()
        cells = found.index.to_frame(index=False)
        tuples = [
            tuple(None if pd.isna(v) else _plain(v, kind) for v, kind in zip(row, kinds, strict=True))
            for row in cells.itertuples(index=False, name=None)
        ]
        keys = [json.dumps(row) for row in tuples]
        told = self._told(question, dict(zip(keys, found.tolist(), strict=True)), preparation, pay)
        by_key = dict(zip(keys, tuples, strict=True))
        return combination_codec(self.public.schema, members, {by_key[key]: count for key, count in told.items()})


def told_apart(table: pd.DataFrame, schema: Schema) -> tuple[pd.DataFrame, NDArray[np.int64]]:
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


def one_each(frame: pd.DataFrame, owner: NDArray[np.int64]) -> pd.DataFrame:
    """One row of each unit, chosen by chance and in secret. **Shape**: m rows, (m,) -> u rows."""
    return frame[kept(owner, 1)].reset_index(drop=True)


def public_tables(columns: int) -> list[tuple[int, ...]]:
    """The tables that calibrated draws match, of so many columns: the same for every table of a schema."""
    return tables_of(columns, np.random.default_rng(0))


def _plain(value: Any, kind: Column) -> Level:
    """A cell as plain data; a number's type follows from its declared digits, never from other cells."""
    plain: Level = value.item() if hasattr(value, "item") else value
    if isinstance(kind, Numeric):
        return int(plain) if kind.decimals == 0 else float(plain)
    return plain
