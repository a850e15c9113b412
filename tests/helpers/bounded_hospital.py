"""Made-up patients in four tables, three levels deep, with a public bound on the rows of every owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

KEY = {"kind": "identifier"}
MOMENT = {"kind": "datetime", "precision": "day", "min": "2010-01-01", "max": "2029-12-31"}
BOUNDS = {"patients": 1, "visits": 3, "labs": 12, "notes": 5}
BOUNDED: dict[str, Any] = {
    "format": "synthkit-linked/1",
    "unit": "patients",
    "declared_by": "the test: made-up people",
    "tables": {
        "patients": {
            "key": ["patient"],
            "columns": {
                "patient": KEY,
                "sex": {"kind": "categorical", "levels": ["F", "M"]},
                "born": {"kind": "numeric", "min": 1900, "max": 2020, "decimals": 0, "nullable": True},
            },
        },
        "visits": {
            "key": ["visit"],
            "links": [{"columns": ["patient"], "to": "patients", "kind": "owner", "max_rows_per_owner": 3}],
            "order": {"from": "admitted", "until": "left"},
            "columns": {
                "visit": KEY,
                "patient": KEY,
                "admitted": MOMENT,
                "left": MOMENT,
                "ward": {"kind": "code", "observed": ["levels"]},
            },
        },
        "labs": {
            "links": [
                {"columns": ["visit"], "to": "visits", "kind": "owner", "max_rows_per_owner": 6},
                {"columns": ["patient"], "to": "patients", "kind": "implied"},
                {"columns": ["test"], "to": "tests", "kind": "reference"},
            ],
            "order": {"from": "taken"},
            "series": "test",
            "max_rows_per_unit": 12,
            "columns": {
                "visit": KEY,
                "patient": KEY,
                "test": {"kind": "categorical", "levels": ["crea", "hb"]},
                "taken": MOMENT,
                "value": {"kind": "numeric", "min": 0, "max": 500, "decimals": 1, "nullable": True},
            },
        },
        "notes": {
            "links": [
                {"columns": ["patient"], "to": "patients", "kind": "owner", "max_rows_per_owner": 5},
                {"columns": ["visit"], "to": "visits", "kind": "earlier", "open": True},
            ],
            "order": {"from": "written"},
            "columns": {
                "patient": KEY,
                "visit": {**KEY, "nullable": True},
                "written": MOMENT,
                "told": {"kind": "categorical", "levels": ["well", "ill", "worse"]},
            },
        },
        "tests": {"role": "reference", "key": ["test"]},
    },
    "rules": [{"rule": "within", "table": "labs", "of": "visits"}],
}
CATALOGUE = pd.DataFrame({"test": ["crea", "hb"], "unit": ["mg/dl", "g/dl"]})
DAY = np.timedelta64(1, "D")
BEGIN = np.datetime64("2015-01-01", "s")


def patient(name: str, rng: np.random.Generator, rows: Sequence[int] = (0, 0, 0)) -> dict[str, pd.DataFrame]:
    """A patient with so many visits, labs and notes.

    Args:
        name: key of the patient; keys of visits begin with it.
        rng: of everything else.
        rows: of visits, labs and notes; without visits there are no labs.
    """
    visits, labs, notes = rows
    days = np.sort(rng.choice(1500, 2 * visits, replace=False)).reshape(-1, 2)
    keys = np.array([f"{name}-{k}" for k in range(visits)], dtype=object)
    labs = labs if visits else 0
    at = np.sort(rng.integers(0, max(visits, 1), labs))
    taken = days[at, 0] + (rng.random(labs) * (days[at, 1] - days[at, 0])).astype(int) if labs else np.zeros(0, int)
    written = np.sort(rng.integers(0, 1500, notes))
    inside = [np.flatnonzero((days[:, 0] <= day) & (day <= days[:, 1])) for day in written]
    return {
        "patients": pd.DataFrame(
            {"patient": [name], "sex": [rng.choice(["F", "M"])], "born": [rng.integers(1930, 2000)]}
        ),
        "visits": pd.DataFrame(
            {
                "visit": keys,
                "patient": [name] * visits,
                "admitted": BEGIN + days[:, 0] * DAY,
                "left": BEGIN + days[:, 1] * DAY,
                "ward": rng.choice(["north", "south"], visits),
            }
        ),
        "labs": pd.DataFrame(
            {
                "visit": keys[at],
                "patient": [name] * labs,
                "test": rng.choice(["crea", "hb"], labs),
                "taken": BEGIN + taken * DAY,
                "value": rng.gamma(4, 2, labs).round(1),
            }
        ),
        "notes": pd.DataFrame(
            {
                "patient": [name] * notes,
                "visit": [keys[k[0]] if len(k) else None for k in inside],
                "written": BEGIN + written * DAY,
                "told": rng.choice(["well", "ill", "worse"], notes),
            }
        ),
    }


def hospital(rows: Sequence[Sequence[int]], seed: int = 0) -> dict[str, pd.DataFrame]:
    """The tables of patients with so many rows each, and the catalogue."""
    rng = np.random.default_rng(seed)
    each = [patient(f"p{k}", rng, many) for k, many in enumerate(rows)]
    return {**stacked(each), "tests": CATALOGUE}


def stacked(each: Sequence[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Tables of several patients one below the other, cells as they are."""
    names = [name for name in each[0] if name != "tests"]
    return {n: _below([tables[n] for tables in each]) for n in names}


def _below(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    out = pd.DataFrame(index=range(sum(len(part) for part in parts)), columns=list(parts[0]), dtype=object)
    for name in out:
        cells = np.empty(len(out), dtype=object)
        for k, cell in enumerate(cell for part in parts for cell in part[name].tolist()):
            cells[k] = cell
        out[name] = pd.Series(cells, dtype=object)
    return out
