"""A schema of ten columns of every kind, tables of it, and keys."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.schema import Schema
from synthkit.watermark import WatermarkKey


@pytest.fixture(scope="session")
def schema() -> Schema:
    return Schema(
        columns={
            "id": {"kind": "identifier", "pattern": "P[0-9]{6}"},
            "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
            "mass": {"kind": "numeric", "min": 0, "max": 500, "decimals": 1, "nullable": True},
            "cost": {"kind": "numeric", "min": 0, "decimals": 2},
            "score": {"kind": "numeric"},
            "seen": {"kind": "datetime", "precision": "day"},
            "told": {"kind": "datetime", "precision": "minute", "format": "%d.%m.%Y %H:%M"},
            "sex": {"kind": "categorical", "levels": ["f", "m"]},
            "dead": {"kind": "boolean"},
            "code": {"kind": "code", "nullable": True},
            "stage": {"kind": "ordinal", "levels": [1, 2, 3, 4]},
        }
    )


def made(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"P{i:06d}" for i in range(n)],
            "age": rng.integers(0, 100, n),
            "mass": np.where(rng.random(n) < 0.1, np.nan, rng.normal(75, 15, n).round(1)),
            "cost": rng.lognormal(7, 1, n).round(2),
            "score": rng.normal(size=n),
            "seen": np.datetime64("2020-01-01") + rng.integers(0, 2000, n).astype("timedelta64[D]"),
            "told": np.datetime64("2020-01-01T00:00") + rng.integers(0, 2_000_000, n).astype("timedelta64[m]"),
            "sex": rng.choice(["f", "m"], n),
            "dead": rng.random(n) < 0.2,
            "code": rng.choice([*(f"{k / 10:.1f}" for k in range(2500, 2900)), None], n),
            "stage": rng.integers(1, 5, n),
        }
    )
    return frame.astype({"seen": "datetime64[us]", "told": "datetime64[us]"})


@pytest.fixture(scope="session")
def table():
    """Makes n rows by a seed."""
    return made


@pytest.fixture(scope="session")
def key(schema) -> WatermarkKey:
    return WatermarkKey.new(schema).model_copy(update={"secret": secret(1)})


def secret(k: int):
    from pydantic import SecretStr

    return SecretStr(f"{k:064x}")


@pytest.fixture(scope="session")
def keyed(schema):
    """The k-th of fixed keys, for this schema or another."""
    return lambda k, of=schema, candidates=4: WatermarkKey.new(of, candidates=candidates).model_copy(
        update={"secret": secret(k)}
    )
