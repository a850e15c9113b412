"""Sixty made-up patients with visits that do not overlap and labs, small enough for every command to be tried."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

DAY = np.timedelta64(1, "D")
BEGIN = np.datetime64("2015-01-01", "s")
KEY = {"kind": "identifier"}
MOMENT = {"kind": "datetime", "precision": "day"}
PATIENT = {"columns": ["patient"], "to": "patients", "kind": "owner"}
SMALL: dict[str, Any] = {
    "format": "synthkit-linked/1",
    "name": "small hospital",
    "unit": "patients",
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
            "links": [{**PATIENT, "max_rows_per_owner": 6}],
            "order": {"from": "admitted", "until": "left"},
            "columns": {
                "visit": KEY,
                "patient": KEY,
                "admitted": MOMENT,
                "left": MOMENT,
                "cost": {"kind": "numeric", "min": 0, "decimals": 1, "nullable": True},
            },
        },
        "labs": {
            "links": [PATIENT],
            "order": {"from": "taken"},
            "series": "test",
            "columns": {
                "patient": KEY,
                "taken": MOMENT,
                "test": {"kind": "categorical", "levels": ["crea", "hb"]},
                "value": {"kind": "numeric", "min": 0, "decimals": 1},
            },
        },
    },
}


def small_hospital(units: int = 60, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Frames of the three tables; every unit has at least one lab."""
    rng = np.random.default_rng(seed)
    born = rng.integers(1930, 2000, units).astype(float)
    names = np.array([f"P{k:03d}" for k in range(units)], dtype=object)
    visits = [(k, *when) for k in range(units) for when in _stays(int(rng.integers(0, 4)), rng)]
    labs = [(k, int(day)) for k in range(units) for day in np.sort(rng.integers(0, 900, int(rng.integers(1, 6))))]
    owner, first, last = (np.array([v[j] for v in visits]) for j in range(3))
    at = np.array([day for _, day in labs])
    return {
        "patients": pd.DataFrame(
            {
                "patient": names,
                "sex": rng.choice(["F", "M"], units),
                "born": np.where(np.arange(units) == 0, np.nan, born),
            }
        ),
        "visits": pd.DataFrame(
            {
                "visit": [f"V{k:04d}" for k in range(len(visits))],
                "patient": names[owner],
                "admitted": BEGIN + first * DAY,
                "left": BEGIN + last * DAY,
                "cost": np.where(np.arange(len(visits)) == 1, np.nan, rng.gamma(2, 50, len(visits)).round(1)),
            }
        ),
        "labs": pd.DataFrame(
            {
                "patient": names[[k for k, _ in labs]],
                "taken": BEGIN + at * DAY,
                "test": rng.choice(["crea", "hb"], len(labs)),
                "value": rng.gamma(4, 2, len(labs)).round(1),
            }
        ),
    }


def _stays(many: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    days = np.sort(rng.choice(900, 2 * many, replace=False))
    return [(int(a), int(b)) for a, b in days.reshape(-1, 2)]


def broken(draw: dict[str, pd.DataFrame], *, units: int) -> list[str]:
    """What linked tables of this kind break, told without the package."""
    patients, visits, labs = draw["patients"], draw["visits"], draw["labs"]
    ordered = visits.sort_values(["patient", "admitted", "left"])
    again = ordered["patient"].eq(ordered["patient"].shift())
    wrong = {
        "units": len(patients) != units,
        "keys twice": not (patients["patient"].is_unique and visits["visit"].is_unique),
        "orphans": not (
            visits["patient"].isin(patients["patient"]).all() and labs["patient"].isin(patients["patient"]).all()
        ),
        "too many": bool((visits["patient"].value_counts() > 6).any()),
        "ends before it begins": bool((visits["left"] < visits["admitted"]).any()),
        "overlap": bool((again & (ordered["admitted"] < ordered["left"].shift())).any()),
        "levels": not (set(patients["sex"]) <= {"F", "M"} and set(labs["test"]) <= {"crea", "hb"}),
        "below nought": bool((visits["cost"] < 0).any() or (labs["value"] < 0).any()),
    }
    return [name for name, found in wrong.items() if found]
