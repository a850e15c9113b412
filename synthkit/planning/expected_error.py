"""How far noise alone carries tables of counts from the truth: closed forms, of public numbers only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthkit.models.marginal.budget_schedule import Rounds


@dataclass(frozen=True, kw_only=True)
class ExpectedError:
    """What noise does to the tables of one width.

    Args:
        tables: how many are told.
        cells: mean number of cells.
        sigma: mean standard deviation of the noise of a cell, in rows.
        error: mean total variation between a table as it is told and as it is, from 0 to above 1 where noise rules.
        largest: the same of the table that is worst off.
    """

    tables: int
    cells: float
    sigma: float
    error: float
    largest: float


def off(cells: float, sigma: float, rows: float) -> float:
    r"""Expected total variation between a table with normal noise and without.

    $\frac{1}{2 N} \sum_c E|z_c| = \frac{c \sigma}{2 N} \sqrt{2 / \pi}$.

    Args:
        cells: of the table.
        sigma: standard deviation of the noise of each, in rows.
        rows: N, rows in the table.

    Example:
        >>> round(off(100, 10.0, 10_000), 4)
        0.0399
    """
    return cells * sigma * math.sqrt(2 / math.pi) / (2 * rows)


def expected(sizes: Sequence[int], rows: float, rounds: Rounds) -> tuple[ExpectedError, ExpectedError]:
    """Tables of one slot and of two, as a plan pays for them; no pair is preferred to another, nor a wider table to it.

    Args:
        sizes: levels of every slot.
        rows: rows that are counted.
        rounds: prices.
    """
    sigma = _sigma(rounds.single)
    ones = [off(size, sigma, rows) for size in sizes]
    one = ExpectedError(
        tables=len(sizes), cells=float(np.mean(sizes)), sigma=sigma, error=float(np.mean(ones)), largest=max(ones)
    )
    if not rounds.rounds:
        return one, ExpectedError(tables=0, cells=0.0, sigma=0.0, error=0.0, largest=0.0)
    many = sum(r.many for r in rounds.rounds)
    mean = sum(r.many * _sigma(r.told) for r in rounds.rounds) / many
    cells = float((sum(sizes) ** 2 - sum(k * k for k in sizes)) / (len(sizes) * (len(sizes) - 1)))
    top = sorted(sizes)[-2:]
    two = ExpectedError(
        tables=many,
        cells=cells,
        sigma=mean,
        error=off(cells, mean, rows),
        largest=off(top[0] * top[1], mean, rows),
    )
    return one, two


def _sigma(rho: float) -> float:
    return math.sqrt(1 / (2 * rho))
