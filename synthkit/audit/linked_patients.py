"""Whether a patient with any number of rows moves what a fit of linked tables is told by what is charged at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from synthkit.audit.audit_result import AuditResult, bounded
from synthkit.audit.linked_fits import AuditedFit, OpenAccess, all_kinds, audited_fit
from synthkit.audit.overheard_answers import HeardAnswer
from synthkit.audit.tiny_hospital import (
    MORE_ROWS,
    TINY_BOUNDS,
    TINY_HOSPITAL,
    Tables,
    below,
    tiny_hospital,
    tiny_orphans,
    tiny_patient,
)
from synthkit.privacy.access.bounded_units import most_rows
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.events import ReportNoisyMax, StackedGaussian
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

LARGE_BUDGET = Budget(epsilon=20.0, delta=1e-5, unit="patients")
ROUNDED_DIGITS = 9  # sums of floats say no more
FEW_PATIENTS, STRAY_ROWS = 12, 40
STRANGERS: Mapping[str, Callable[[], Tables]] = {  # the worst cases first
    "as many rows as the bounds allow": lambda: tiny_patient("x", TINY_BOUNDS["visits"], TINY_BOUNDS["labs"], level=2),
    "far more rows than the bounds allow": lambda: tiny_patient("x", MORE_ROWS["visits"], MORE_ROWS["labs"], level=2),
    "rows that others have too": lambda: tiny_patient("x", TINY_BOUNDS["visits"], TINY_BOUNDS["labs"]),
    "visits alone": lambda: tiny_patient("x", MORE_ROWS["visits"], 0, level=1),
    "one row in each table": lambda: tiny_patient("x", 1, 1, level=2),
    "no row below": lambda: tiny_patient("x", 0, 0, level=1),
}

BoundRows = Callable[[Tables, LinkedSchema], LinkedTables]


@dataclass(frozen=True)
class Moved:
    """What more rows move of the answers of a fit.

    Args:
        counts: the most by which counts move, in shares of what is charged.
        scores: the same of scores of choices.
        public: numbers beside the answers that are others: shapes, noise, clips.
    """

    counts: float
    scores: float
    public: int

    @classmethod
    def of(cls, without: AuditedFit, joined: AuditedFit) -> Moved:
        """Two fits compared, of which the second was given the answers of the first."""
        pairs = list(zip(without.answers, joined.answers, strict=False))
        shares = {kind: [0.0] for kind in (True, False)}
        for old, new in pairs:
            shares[isinstance(old.spent, ReportNoisyMax)].append(share_moved(old, new))
        others = sum(old.public != new.public for old, new in pairs)
        more = abs(len(without.answers) - len(joined.answers))
        return cls(counts=max(shares[False]), scores=max(shares[True]), public=others + more)


def share_moved(old: HeardAnswer, new: HeardAnswer) -> float:
    """By how much of what is charged the numbers under one answer differ; nought if their cells are others.

    Example:
        >>> from synthkit.privacy.accounting.events import DiscreteGaussian
        >>> at = {"stage": "", "spent": DiscreteGaussian(sigma=5.0), "norm": 1.0, "told": np.zeros(2)}
        >>> share_moved(*(HeardAnswer(exact=np.array(counts), **at) for counts in ([3, 4], [3, 6])))
        2.0
    """
    if old.exact.shape != new.exact.shape:
        return 0.0  # which `Moved.public` counts
    by = np.abs(np.asarray(new.exact, dtype=np.float64) - old.exact)
    match old.spent:
        case ReportNoisyMax(sensitivity=sensitivity):
            share = by.max(initial=0.0) / sensitivity
        case StackedGaussian():
            share = np.sqrt(np.square(by).sum()) / old.norm
        case noise:
            share = by.sum() / (noise.change * getattr(noise, "cells", 1))
    return round(float(share), ROUNDED_DIGITS)


def patients(open_access: OpenAccess, trials: int) -> tuple[AuditResult, ...]:
    """Fits of a few patients, and of the same with one more, who comes first or last; exact, without any draw.

    Args:
        open_access: from tables and their ledger to the access.
        trials: strangers that are tried, of `STRANGERS`.
    """
    alone = below([tiny_patient("z", 0, 0), tiny_hospital(FEW_PATIENTS, heavy=0.25)])
    table = below([alone, tiny_orphans(STRAY_ROWS)])
    without = audited_fit(open_access, table, LARGE_BUDGET, all_kinds())

    def moved(tables: Tables) -> Moved:
        return Moved.of(without, audited_fit(open_access, tables, LARGE_BUDGET, all_kinds(), before=without.ear))

    strangers = [made() for made in STRANGERS.values()][:trials]
    found = [moved(below([more, table] if k % 2 == 0 else [table, more])) for k, more in enumerate(strangers)]
    nobody = moved(alone)
    return (
        bounded("counts a patient moves", "shares of the charge", 1.0, max(m.counts for m in found)),
        bounded("scores of choices a patient moves", "shares of the charge", 1.0, max(m.scores for m in found)),
        bounded("clips, noise and sizes a patient moves", "numbers", 0.0, max(m.public for m in found)),
        bounded("what rows of nobody move", "shares of the charge", 0.0, max(nobody.counts, nobody.scores)),
        bounded("noise drawn, of that charged", "rho", 1.0, round(without.drawn / without.charged(), ROUNDED_DIGITS)),
    )


def rows_in_bounds(bound: BoundRows, trials: int) -> tuple[AuditResult, ...]:
    """Rows that are looked at, of a patient far beyond the bounds among others and rows of nobody.

    Args:
        bound: from tables and their public schema to the rows that may be looked at.
        trials: how often; which rows are kept is chance.
    """
    table = tiny_hospital(FEW_PATIENTS, orphans=STRAY_ROWS)
    more = below([tiny_patient("x", MORE_ROWS["visits"], MORE_ROWS["labs"]), table])
    most, twice = most_rows(TINY_HOSPITAL), [bound(more, TINY_HOSPITAL) for _ in range(trials)]
    few = bound(table, TINY_HOSPITAL)
    over = {name: max(_most(tables, name) for tables in twice) for name in most}
    found = [bounded(f"most rows of {name} of a patient", "rows", bound, over[name]) for name, bound in most.items()]
    # of everybody but the stranger there is one row in each table
    strays = max(len(few.frames[name]) - FEW_PATIENTS for name in most)
    changed = max(abs(_of_others(tables, name) - FEW_PATIENTS) for tables in twice for name in most)
    return (
        *found,
        bounded("rows of nobody given to somebody", "rows", 0.0, strays),
        bounded("rows of others a patient moves", "rows", 0.0, changed),
    )


def _most(tables: LinkedTables, name: str) -> int:
    return int(np.bincount(tables.units[name], minlength=1).max())


def _of_others(tables: LinkedTables, name: str) -> int:
    """Rows of all patients but the first."""
    return int((np.asarray(tables.units[name]) != 0).sum())
