"""Whether one unit moves one cell of each table by one, of whatever kind and dtype the column is that names it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.audit.audit_result import AuditResult, bounded, of_finding
from synthkit.audit.lower_bounds import LossBound, mu_seen
from synthkit.audit.noise_audits import mu_of
from synthkit.privacy.access.private_curator import distinct_units, one_row_a_unit
from synthkit.privacy.accounting.events import DiscreteGaussian
from synthkit.privacy.mechanisms.noise import add_noise
from synthkit.schema import Schema

NOISE = DiscreteGaussian(sigma=1.0)  # of a table in which a unit moves one cell by one
TABLES_PER_KIND, MAX_ROWS_OF_A_PERSON = 6, 4  # random tables of each kind; rows of a person at most
KEY_LEVELS = ("a", "b", "c", "d")

Counted = Callable[[pd.DataFrame, Schema], pd.DataFrame]
Spellings = tuple[Callable[[int], Any], ...]
# by kind of the column: its declaration, and how a person of a number is spelled, in a domain too small for them
KEY_KINDS: dict[str, tuple[dict[str, Any], Spellings]] = {
    "numeric with bounds": (
        {"kind": "numeric", "min": 0, "max": 2, "decimals": 0},
        (int, float, lambda k: f" {k:02d}", lambda k: Decimal(k).scaleb(0)),
    ),
    "numeric, digits behind the point": (
        {"kind": "numeric", "decimals": 1},
        (lambda k: k / 64, lambda k: f"{k / 64:.6f}", lambda k: Decimal(k) / 64, lambda k: f"+0{k / 64}"),
    ),
    "number beyond what floats tell apart": (
        {"kind": "numeric", "decimals": 0},
        (lambda k: 2**53 + k, lambda k: f"{2**53 + k}", lambda k: f"{2**53 + k}.0", lambda k: np.int64(2**53 + k)),
    ),
    "code": ({"kind": "code", "pattern": "P[0-9]"}, (lambda k: f"P{k}", lambda k: f"p{k} ", lambda k: f"P{k}\u200b")),
    "categorical": (
        {"kind": "categorical", "levels": ["p0", "p1"], "nullable": True},
        (lambda k: f"p{k}", lambda k: f" P{k}", lambda k: f"p{k}".encode()),
    ),
    "ordinal": ({"kind": "ordinal", "levels": [1, 2]}, (int, str, float)),
    "datetime": (
        {"kind": "datetime", "min": "2020-01-01", "max": "2020-01-02"},
        (
            lambda k: pd.Timestamp("2020-01-01") + pd.Timedelta(days=k),
            lambda k: (pd.Timestamp("2020-01-01") + pd.Timedelta(days=k)).date(),
            lambda k: f"{pd.Timestamp('2020-01-01') + pd.Timedelta(days=k)}+00:00",
        ),
    ),
    "boolean": ({"kind": "boolean"}, (int, lambda k: ("false", "true")[k] if k < 2 else k, lambda k: f"{k}.0")),
    "identifier": ({"kind": "identifier"}, (lambda k: f"Ada {k}", lambda k: f" ada  {k}", lambda k: f"ADA\u00a0{k}")),
}


def shipped(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """One row of each unit, as the curator of real rows counts them."""
    return one_row_a_unit(*distinct_units(table, schema))


def one_unit(counted: Counted, trials: int) -> tuple[AuditResult, ...]:
    """Random tables, and each of them without each of its units in turn: how far exact counts and noisy ones move.

    All rows of a unit say the same, spelled in the ways of its kind, so that which of them is chosen does not matter;
    some rows name nobody. Removing a unit must move one cell of the counts by one, and removing nobody's rows none.

    Args:
        counted: from a table to one row of each unit.
        trials: how often noise is drawn for the worst pair of tables of all kinds.
    """
    out, worst = [], np.zeros(len(KEY_LEVELS), dtype=np.int64)
    for k, (name, (declaration, spellings)) in enumerate(KEY_KINDS.items()):
        schema = Schema.model_validate({"unit": "who", "columns": {"who": declaration, "x": _X}})
        moved = _moved(counted, schema, spellings, np.random.default_rng(k))
        far = {whose: max(int(np.abs(m).sum()) for m in moves) for whose, moves in moved.items()}
        out.append(bounded(f"{name}: cells a unit moves", "cells", 1.0, float(far["somebody"])))
        out.append(bounded(f"{name}: cells that rows of nobody move", "cells", 0.0, float(far["nobody"])))
        worst = max([worst, *moved["somebody"]], key=lambda m: int(np.abs(m).sum()))
    seen = LossBound(what="counts", measure="mu", claim=mu_of(NOISE), measured=_mu(worst, trials))
    return (*out, of_finding(seen, "noisy counts of the worst of these pairs"))


def _moved(
    counted: Counted, schema: Schema, spellings: Spellings, rng: np.random.Generator
) -> dict[str, list[NDArray[np.int64]]]:
    """What each unit of random tables moves, and what the rows of nobody do. **Shape**: (levels,) each."""
    out: dict[str, list[NDArray[np.int64]]] = {"somebody": [], "nobody": []}
    for _ in range(TABLES_PER_KIND):
        table, owner = _table(spellings, rng)
        whole = _counts(counted(table, schema))
        for unit in np.unique(owner):
            left = table[owner != unit].reset_index(drop=True)
            out["nobody" if unit < 0 else "somebody"].append(whole - _counts(counted(left, schema)))
    return out


_X = {"kind": "categorical", "levels": list(KEY_LEVELS)}


def _table(spellings: Spellings, rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[Any]]:
    """Up to six people of one to four rows each, in a random order, and three rows of nobody; and whose each row is."""
    people = int(rng.integers(2, 7))
    owner = np.repeat(np.arange(people), rng.integers(1, MAX_ROWS_OF_A_PERSON + 1, people))
    x = rng.choice(KEY_LEVELS, people)
    cells = [spellings[int(rng.integers(len(spellings)))](int(k)) for k in owner]
    owner = np.concatenate([owner, [-1, -1, -1]])
    table = pd.DataFrame(
        {"who": pd.Series([*cells, None, float("nan"), " "], dtype=object), "x": [*x[owner[:-3]], *"abc"]}
    )
    order = rng.permutation(len(owner))
    return table.iloc[order].reset_index(drop=True), owner[order]


def _counts(one: pd.DataFrame) -> NDArray[np.int64]:
    return np.array([int((one["x"] == level).sum()) for level in KEY_LEVELS], dtype=np.int64)


def _mu(moved: NDArray[np.int64], trials: int) -> float:
    """What the noisy sum of the cells that moved tells of the two tables. **Shape**: (levels,)."""
    by = moved[moved != 0]
    tables = (np.zeros((trials, len(by)), dtype=np.int64), np.tile(by, (trials, 1)))
    without, joined = ((add_noise(table, NOISE).values * np.sign(by)).sum(axis=1) for table in tables)
    return mu_seen(without, joined)
