"""Numbers and moments coded under a budget: bounds nobody declared, spikes, and the histogram of a grid, with noise."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synthkit.encoding import private_binning
from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.codecs.datetime_steps import coded_atoms
from synthkit.encoding.codecs.numeric import NumericCodec
from synthkit.encoding.coded_columns import CodedColumn
from synthkit.encoding.coding import Coding
from synthkit.encoding.datetime_numbers import MISSING_STEP, as_steps, calendar_steps, outward_floats
from synthkit.encoding.histogram_query import QueryKind
from synthkit.encoding.noisy_answers import NoisyAnswers
from synthkit.encoding.plain_numbers import plain_atoms, plain_numbers
from synthkit.schema import Datetime, Numeric
from synthkit.schema.named_levels import numbers_named

LARGEST_STEP_EXPONENT = 60  # power of two beyond which no moment lies, in steps since 1970 of any precision


def number_queries(column: CodedColumn, counted: bool) -> tuple[QueryKind, ...]:
    """Bounds where one is open, spikes where a lattice is long, the histogram."""
    unbounded, kind = step_queries(column, counted), column.column
    if isinstance(kind, Numeric) and not column.gapped and len(unbounded) == 1 and None not in (kind.min, kind.max):
        many = private_binning.values(*column.bounds, column.decimals, column.step)
        if private_binning.MOST_COUNTED_VALUES < many <= private_binning.MOST_SEARCHED_VALUES:
            return ("spikes", "cells")
    return unbounded


def step_queries(column: CodedColumn, counted: bool) -> tuple[QueryKind, ...]:
    """Bounds where one is open, the histogram."""
    del counted
    return ("bounds", "cells") if any(map(math.isinf, column.bounds)) else ("cells",)


def fit_number(column: CodedColumn, answers: NoisyAnswers, coding: Coding) -> NumericCodec:
    """The codec of a column of numbers, or of gaps between them."""
    kind = column.column
    assert isinstance(kind, Numeric)
    low, high = _bought_bounds(column, answers) if "bounds" in answers.kinds else column.bounds
    atoms = () if column.gapped else tuple(a for a in plain_atoms(kind) if low <= a <= high)
    if "spikes" in answers.kinds:
        atoms += _spikes(answers, low, high, column)
    cells = private_binning.grid(
        low,
        high,
        decimals=column.decimals,
        step=column.step,
        atoms=atoms,
        cuts=column.cuts,
        missing=kind.nullable,
        bounds=(None, None) if column.gapped else (low, high),
    )

    def cell(rows: pd.DataFrame) -> Ints:
        x = _numbers(rows)
        inside = cells.cells(np.clip(np.nan_to_num(x, nan=low), low, high))
        return np.where(np.isnan(x) & kind.nullable, len(cells.low), inside)

    found = answers.counts("cells", cell, len(cells.low) + (cells.missing is not None))
    return private_binning.binned_codec(cells, found.counts, found.sigma, cuts=column.cuts, coding=coding)


def fit_steps(column: CodedColumn, answers: NoisyAnswers, coding: Coding) -> NumericCodec:
    """The codec of a column of moments, or of gaps between them; declared atoms are counted by themselves."""
    kind, atoms = column.column, coded_atoms(column)
    assert isinstance(kind, Datetime)
    special = np.array(atoms, dtype=np.int64)
    low, high = column.bounds
    if "bounds" in answers.kinds:

        def numbers(rows: pd.DataFrame) -> Floats:
            x = as_steps(rows.iloc[:, 0])
            return np.where(np.isin(x, special) | (x == MISSING_STEP), np.nan, outward_floats(x))

        first, last = calendar_steps(kind)
        calendar = (0, last - first) if column.gapped else (first, last)
        found = answers.bounds(numbers, (0, LARGEST_STEP_EXPONENT))
        low, high = private_binning.bounded_steps(found, (low, high), calendar)
    first, last = int(low), int(high)
    cells = private_binning.grid_of_steps(first, last, atoms=atoms, missing=kind.nullable)

    def cell(rows: pd.DataFrame) -> Ints:
        x = as_steps(rows.iloc[:, 0])
        absent = x == MISSING_STEP
        inside = np.clip(np.where(absent, first, x), first, last)
        return np.where(absent & kind.nullable, len(cells.low), cells.cells(np.where(np.isin(x, special), x, inside)))

    counted = answers.counts("cells", cell, len(cells.low) + (cells.missing is not None))
    return private_binning.binned_codec(cells, counted.counts, counted.sigma, coding=coding)


def _bought_bounds(column: CodedColumn, answers: NoisyAnswers) -> tuple[float, float]:
    """Bounds found with noise where none is declared, so wide that numbers the schema names lie between them."""
    low, high = answers.bounds(_numbers)
    known = column.bounds
    named = [] if column.gapped else numbers_named(column.schema, column.name)
    if isinstance(column.column, Numeric):
        named = plain_numbers(np.array(named, dtype=np.float64), column.column).tolist()
    named = [v for v in named if known[0] <= v <= known[1]]
    return private_binning.bounded((min([low, *named]), max([high, *named])), known, column.decimals, column.step)


def _spikes(answers: NoisyAnswers, low: float, high: float, column: CodedColumn) -> tuple[float, ...]:
    """Values of a long lattice that stand out of the noise."""
    points = private_binning.lattice(low, high, column.decimals, column.step)
    per_unit = 10 ** (column.decimals or 0) if column.step is None else 1 / column.step

    def cell(rows: pd.DataFrame) -> Ints:
        x = _numbers(rows)
        at = np.rint((np.clip(np.nan_to_num(x, nan=low), low, high) - points[0]) * per_unit).astype(np.int64)
        return np.where(np.isnan(x), -1, np.clip(at, 0, len(points) - 1))

    found = answers.counts("spikes", cell, len(points))
    return tuple(points[found.counts > found.sigma * (math.sqrt(2 * math.log(len(points))) + 0.7)].tolist())


def _numbers(rows: pd.DataFrame) -> Floats:
    return rows.iloc[:, 0].to_numpy(dtype=np.float64, na_value=np.nan)
