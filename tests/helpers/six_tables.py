"""Six kinds of small tables, each with the public meaning of its columns: what a private fit is tried on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from synthkit.schema import Schema

BY = "A. Lee: the codebook of these made-up people"
N = 60


def _numbers(rng: np.random.Generator) -> tuple[pd.DataFrame, Schema]:
    columns = {
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 120},
        "weight": {"kind": "numeric", "decimals": 1, "nullable": True},
        "cost": {"kind": "numeric", "min": 0, "atoms": [0]},
        "stay": {"kind": "numeric", "decimals": 0, "min": 0, "max": 3000},
    }
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 90, N),
            "weight": rng.normal(70, 9, N).round(1),
            "cost": np.where(rng.random(N) < 0.3, 0.0, rng.gamma(2, 100, N)),
            "stay": rng.integers(0, 40, N),
        }
    )
    return frame, Schema(name="numbers", columns=columns, declared_by=BY)


def _categories(rng: np.random.Generator) -> tuple[pd.DataFrame, Schema]:
    columns = {
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "town": {"kind": "categorical", "levels": ["north", "south", "east"], "observed": ["levels"]},
        "unit": {"kind": "categorical", "levels": [1, 2, 10], "observed": ["levels"], "nullable": True},
        "stage": {"kind": "ordinal", "levels": ["I", "II", "III"], "observed": ["levels"]},
        "icd": {"kind": "code", "nullable": True},
        "ill": {"kind": "boolean"},
    }
    frame = pd.DataFrame(
        {
            "sex": rng.choice(["f", "m"], N),
            "town": rng.choice(["south", "north"], N),
            "unit": rng.choice([10, 2, 1], N),
            "stage": rng.choice(["II", "I"], N),
            "icd": rng.choice(["250.1", "401"], N),
            "ill": rng.random(N) < 0.5,
        }
    )
    return frame, Schema(name="categories", columns=columns, declared_by=BY)


def _dates(rng: np.random.Generator) -> tuple[pd.DataFrame, Schema]:
    columns = {
        "born": {"kind": "datetime", "precision": "day"},
        "seen": {"kind": "datetime", "min": "2020-01-01", "max": "2020-12-31", "precision": "minute", "nullable": True},
        "left": {"kind": "datetime", "precision": "microsecond"},
    }
    day = pd.Timestamp("2020-03-01")
    frame = pd.DataFrame(
        {
            "born": pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 18_000, N), unit="D"),
            "seen": day + pd.to_timedelta(rng.integers(0, 100_000, N), unit="min"),
            "left": day + pd.to_timedelta(rng.integers(0, 10**9, N), unit="ms"),
        }
    )
    return frame, Schema(name="dates", columns=columns, declared_by=BY)


def _ruled(rng: np.random.Generator) -> tuple[pd.DataFrame, Schema]:
    columns = {
        "group": {"kind": "categorical", "levels": ["a", "b", "c"], "observed": ["levels"]},
        "code": {"kind": "numeric", "decimals": 0, "nullable": True},
        "came": {"kind": "datetime", "min": "2020-01-01", "max": "2020-12-31", "precision": "day"},
        "left": {"kind": "datetime", "min": "2020-01-01", "max": "2020-12-31", "precision": "day", "nullable": True},
        "dead": {"kind": "boolean", "levels": ["no", "yes"]},
        "days": {"kind": "numeric", "decimals": 0, "min": 0},
    }
    rules = [
        {"rule": "fixed_combination", "columns": ["group", "code"]},
        {"rule": "comparison", "left": "came", "op": "<=", "right": "left"},
        {"rule": "implication", "if": {"dead": {"in": ["yes"]}}, "then": {"days": {"max": 30}}},
    ]
    came = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 200, N), unit="D")
    group, dead = rng.integers(0, 2, N), rng.random(N) < 0.3
    frame = pd.DataFrame(
        {
            "group": np.array(["b", "a"])[group],
            "code": np.array([7, 3])[group],
            "came": came,
            "left": came + pd.to_timedelta(rng.integers(0, 100, N), unit="D"),
            "dead": np.where(dead, "yes", "no"),
            "days": np.where(dead, rng.integers(0, 30, N), rng.integers(0, 300, N)),
        }
    )
    return frame, Schema(name="ruled", columns=columns, rules=rules, declared_by=BY)


def _visits(rng: np.random.Generator) -> tuple[pd.DataFrame, Schema]:
    """Several rows a person; the column that names them is a number whose declared bounds do not hold all of them."""
    columns = {
        "who": {"kind": "numeric", "decimals": 0, "min": 1_000_000, "max": 1_000_040},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 120, "nullable": True},
        "ward": {"kind": "categorical", "levels": ["A", "B"], "observed": ["levels"]},
    }
    who = rng.integers(0, N, 2 * N)
    frame = pd.DataFrame(
        {
            "who": 1_000_000 + who,
            "age": rng.integers(20, 90, N)[who],
            "ward": rng.choice(["B", "A"], 2 * N),
        }
    )
    return frame, Schema(name="visits", unit="who", columns=columns, declared_by=BY)


def _tiny(rng: np.random.Generator) -> tuple[pd.DataFrame, Schema]:
    """One person fewer than a split without a budget needs."""
    columns = {"age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 120}, "sex": {"kind": "boolean"}}
    frame = pd.DataFrame({"age": rng.integers(20, 90, 39), "sex": rng.random(39) < 0.5})
    return frame, Schema(name="tiny", columns=columns, declared_by=BY)


MADE: dict[str, Callable[[np.random.Generator], tuple[pd.DataFrame, Schema]]] = {
    "numbers": _numbers,
    "categories": _categories,
    "dates": _dates,
    "ruled": _ruled,
    "visits": _visits,
    "tiny": _tiny,
}


def made(name: str) -> tuple[pd.DataFrame, Schema]:
    """The table of a name, the same each time, and its schema."""
    return MADE[name](np.random.default_rng(7))
