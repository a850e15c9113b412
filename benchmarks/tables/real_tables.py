"""Public tables as they are measured on: where each lies, how it is split, and the kinds of its columns."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.places import SCHEMAS
from benchmarks.tables.derived_tables import DERIVED
from synthkit.schema import Categorical, Numeric, Ordinal, Schema
from synthkit.schema.conform import conform

SPLIT = 2026  # seed of the split, the same for every fit
FILES: Mapping[str, str] = {
    "breast_cancer": "breast_cancer/wdbc.parquet",
    "default_credit": "default_credit/default.parquet",
    "diabetes130": "diabetes130/diabetic_data.parquet",
    "diabetes130_dp46": "diabetes130/diabetic_data.parquet",
    "support2": "support2/support2.parquet",
}
SHARES: Mapping[str, float] = {
    "breast_cancer": 0.5,
    "default_credit": 0.5,
    "diabetes130": 0.67,
    "diabetes130_dp46": 0.7,
    "support2": 0.63,
}
TABLES = ("adult", *FILES)


def data(name: str) -> Path:
    """Folder or file of a real table; SYNTHKIT_DATA says where the tables are."""
    root = os.environ.get("SYNTHKIT_DATA")
    if root is None:
        sys.exit("set SYNTHKIT_DATA to the folder of the tables; benchmarks/README.md says where each comes from")
    return Path(root) / name


def schema(name: str) -> Schema:
    """A shipped schema."""
    return Schema.load(SCHEMAS / f"{name}.yaml")


def parts(name: str, *, rows: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and holdout rows of a table, conformed; all rows of a unit are on one side.

    Args:
        name: one of TABLES.
        rows: look at the first so many rows only; all if not given.
    """
    meaning = schema(name)
    if name == "adult":  # the official files
        read = [pd.read_parquet(data("adult") / f"{part}.parquet") for part in ("train", "test")]
        train, holdout = (frame if rows is None else frame.head(rows) for frame in read)
        return conform(train, meaning), conform(holdout, meaning)
    frame = pd.read_parquet(data(FILES[name]))
    frame = DERIVED.get(name, lambda raw: raw)(frame if rows is None else frame.head(rows))
    owner = np.arange(len(frame)) if meaning.unit is None else pd.factorize(frame[meaning.unit])[0]
    order = np.random.default_rng(SPLIT).permutation(owner.max() + 1)
    fitted = np.isin(owner, order[: round(SHARES[name] * len(order))])
    return conform(frame[fitted], meaning), conform(frame[~fitted], meaning)


def kinds(meaning: Schema) -> dict[str, str]:
    """Kind of every learned column, by name."""
    return {name: meaning.columns[name].kind for name in meaning.learned}


def domain(meaning: Schema) -> dict[str, dict[str, object]]:
    """What the schema says of the values of learned columns: bounds of numbers, levels of others; public by definition.

    Example:
        >>> sex = {"kind": "categorical", "levels": ["f", "m"]}
        >>> domain(Schema(columns={"age": {"kind": "numeric", "min": 0, "max": 99}, "sex": sex}))
        {'age': {'lower': 0.0, 'upper': 99.0}, 'sex': {'categories': ['f', 'm']}}
    """
    out: dict[str, dict[str, object]] = {}
    for name in meaning.learned:
        column = meaning.columns[name]
        if isinstance(column, Numeric) and column.min is not None and column.max is not None:
            out[name] = {"lower": float(column.min), "upper": float(column.max)}
        elif isinstance(column, Categorical | Ordinal) and column.levels:
            out[name] = {"categories": [str(level) for level in column.levels]}
    return out


def plain(frame: pd.DataFrame, meaning: Schema) -> pd.DataFrame:
    """The learned columns as any package takes them: numbers, dates, and texts; None or NaN where missing."""
    out = frame[list(meaning.learned)].copy()
    for name, kind in kinds(meaning).items():
        if kind == "numeric":
            whole = out[name].dtype == np.int64
            out[name] = out[name] if whole else out[name].astype("float64")
        elif kind != "datetime":
            out[name] = out[name].astype("string").astype(object).where(out[name].notna(), None)
    return out
