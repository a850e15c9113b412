"""What can be expected of a fit of linked tables under a budget, as a value: bounds, purchases, noise, warnings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from synthkit.planning.imagined_domain import CATALOGUE
from synthkit.planning.outlook import NOTHING, aligned, told_share
from synthkit.privacy.access.unit_counts import CLIPPED_AT

CLIPPED_PERCENT = f"{100 * CLIPPED_AT:.0f} %"  # of units that are not clipped, in words
FORMAT = "synthkit-linked-plan/1"
EVENT_WORDS = "what happens next"  # the counts of events, in words
UNIT_CUT = (
    "Rows beyond a bound are left out by synthkit: those are kept that follow each other, from a place drawn in secret."
)


@dataclass(frozen=True, kw_only=True)
class RowsBound:
    """How many rows of a table one unit may have, and is taken to have.

    Args:
        table: its name.
        owner: table that its rows belong to.
        by_owner: rows that one owner has at most, None if the unit alone is bounded.
        by_unit: c_t, rows that one unit has at most.
        rows: rows that a unit has in the mean, as units were imagined.
        usual: as many rows, or fewer, have 85 % of the imagined units that have any.
        stated: whether somebody stated the mean.
    """

    table: str
    owner: str
    by_owner: int | None
    by_unit: int
    rows: float
    usual: float
    stated: bool


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """What a part of the budget buys.

    Args:
        what: in words.
        rho: price in zero-concentrated differential privacy.
        share: of the whole reserve.
    """

    what: str
    rho: float
    share: float

    @property
    def mu(self) -> float:
        """The same as mu of Gaussian differential privacy, were it one Gaussian answer: sqrt(2 rho)."""
        return math.sqrt(2 * self.rho)


@dataclass(frozen=True, kw_only=True)
class TablesOutlook:
    """What is expected of the tables of counts of one kind.

    Args:
        part: table whose rows are counted, or what happens next.
        kind: what the tables are of.
        tables: how many are told.
        cells: mean number of cells.
        sigma: standard deviation of the noise of a cell, in rows, at the budget.
        units: the same in units: over the rows that a unit has in the mean.
        clip: length to which what a unit brings is clipped, in rows; None where it brings one row.
        errors: mean total variation at each epsilon, from 0 to above 1 where noise rules.
        largest: at the budget, the error of the table that is worst off.
        column: which column that is of; empty where it is not told.
    """

    part: str
    kind: str
    tables: int
    cells: float
    sigma: float
    units: float
    clip: float | None
    errors: tuple[float, ...]
    largest: float
    column: str = ""


@dataclass(frozen=True, kw_only=True)
class LinkedOutlook:
    """What can be expected of linked tables before anything is spent.

    Args:
        unit: table whose rows are the units.
        units: how many there are, as stated.
        epsilon, delta: the budget.
        rho: of the whole reserve, in zero-concentrated differential privacy.
        bounds: by table below the units.
        purchases: what the reserve is spent on, in order.
        bought: what nobody declared and must be bought first, in words.
        epsilons: at which errors are told; the budget's is the second.
        tables: noise and errors.
        imagined: units that were imagined.
        catalogues: tables of which the rows are public, and were imagined all the same.
        model: the one to take.
        why: the reason.
        warnings: what makes the result meaningless, or nearly so; the remedy in each.
    """

    unit: str
    units: int
    epsilon: float
    delta: float
    rho: float
    bounds: tuple[RowsBound, ...]
    purchases: tuple[Purchase, ...]
    bought: tuple[str, ...]
    epsilons: tuple[float, ...]
    tables: tuple[TablesOutlook, ...]
    imagined: int
    catalogues: tuple[str, ...]
    model: str
    why: str
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        purchases = [{**asdict(each), "mu": each.mu} for each in self.purchases]
        return {"format": FORMAT, **asdict(self), "purchases": purchases}

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.units:,} units, rows of {self.unit}, at epsilon {self.epsilon:g}, delta {self.delta:.2g}",
                NOTHING,
                *([f"Bought first, as nobody declared it: {', '.join(self.bought)}."] if self.bought else []),
                "",
                f"Protected is one row of {self.unit} with all rows that belong to it. {UNIT_CUT}",
                *_bounds(self),
                *_assumed(self),
                "",
                f"What the budget buys, rho {self.rho:.4g} in all (mu is sqrt(2 rho)):",
                *_purchases(self.purchases),
                "",
                "Error of tables, as mean total variation (0 none, 1 all wrong), at some epsilons:",
                *_tables(self),
                "Noise is the standard deviation on a cell at the budget, in rows, and over the rows that a unit has.",
                "",
                f"Model: {self.model}. {self.why}",
            ]
        )


def _bounds(outlook: LinkedOutlook) -> list[str]:
    if not outlook.bounds:
        return []
    head = ["", "rows of", "an owner at most", "a unit at most", "a unit, taken", f"{CLIPPED_PERCENT} of units"]
    return aligned(
        head,
        [
            [
                each.table,
                each.owner,
                "" if each.by_owner is None else f"{each.by_owner:,}",
                f"{each.by_unit:,}",
                f"{each.rows:.1f}",
                f"{each.usual:,.0f}",
            ]
            for each in outlook.bounds
        ],
    )


def _assumed(outlook: LinkedOutlook) -> list[str]:
    """What was assumed of the numbers of rows, and so of the clip."""
    if not outlook.bounds:
        return []
    stated = [each.table for each in outlook.bounds if each.stated]
    owned = [each.table for each in outlook.bounds if not each.stated and each.by_owner is not None]
    whole = [each.table for each in outlook.bounds if not each.stated and each.by_owner is None]
    said = [f"as you state it of {', '.join(stated)}"] if stated else []
    if owned:
        said.append(f"of {', '.join(owned)} any number up to an owner's bound, each as likely")
    if whole:
        said.append(f"of {', '.join(whole)} geometric about half the bound of a unit")
    if owned or whole:
        said[-1] += " (--rows-per-unit states a mean)"
    out = [
        f"Rows a unit has are taken {'; '.join(said)}. One unit is clipped to the length C that {CLIPPED_PERCENT} of "
        f"{outlook.imagined:,} units made up so do not exceed."
    ]
    if outlook.catalogues:
        out.append(
            f"Rows of {', '.join(outlook.catalogues)}, which are public, were made up as well: as many as columns that "
            f"point there have `levels`, else {CATALOGUE}."
        )
    return out


def _purchases(found: Sequence[Purchase]) -> list[str]:
    lines = [[each.what, f"{each.rho:.3g}", f"{each.share:.1%}", f"{each.mu:.3g}"] for each in found]
    return aligned(["", "rho", "share", "mu"], lines)


def _tables(outlook: LinkedOutlook) -> list[str]:
    head = ["", "told", "cells", "noise", "in units", "clip C", *(f"{each:g}" for each in outlook.epsilons)]
    return aligned(
        head,
        [
            [
                f"{each.part}: {each.kind}",
                f"{each.tables:,}",
                f"{each.cells:.0f}",
                f"{each.sigma:,.0f}",
                f"{each.units:,.0f}",
                "" if each.clip is None else f"{each.clip:.0f}",
                *(told_share(error) for error in each.errors),
            ]
            for each in outlook.tables
        ],
    )
