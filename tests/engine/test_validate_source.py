"""The verdict on files of a table is that on a frame of all its rows, whatever is wrong with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.data import support2, support2_schema
from synthkit.engine import broken_rows
from synthkit.engine.duck import open_duck
from synthkit.engine.parquet_source import ParquetSource
from synthkit.engine.validate_source import validate_source
from synthkit.schema import Schema
from synthkit.schema.validation import validate

COMBINATIONS = [["f", True], ["f", False], ["m", False]]
SMALL = Schema.model_validate(
    {
        "columns": {
            "id": {"kind": "identifier", "unique": True},
            "sex": {"kind": "categorical", "levels": ["f", "m"]},
            "smoker": {"kind": "boolean", "levels": [False, True], "nullable": True},
            "grade": {"kind": "ordinal", "levels": [1, 2, 3]},
            "age": {"kind": "numeric", "min": 0, "max": 99, "decimals": 0},
            "weight": {"kind": "numeric", "min": 1, "decimals": 1, "nullable": True},
            "low": {"kind": "numeric", "nullable": True},
            "high": {"kind": "numeric", "nullable": True},
            "total": {"kind": "numeric", "nullable": True},
            "day": {"kind": "datetime", "min": "2020-01-01", "max": "2024-12-31"},
            "icd": {"kind": "code", "pattern": "[A-Z][0-9]{2}", "nullable": True},
        },
        "derived": {"total": "low + high"},
        "rules": [
            {"rule": "comparison", "left": "low", "op": "<=", "right": "high"},
            {"rule": "implication", "if": {"sex": {"in": ["m"]}}, "then": {"grade": {"in": [1, 2]}}},
            {"rule": "fixed_combination", "of": ["sex", "smoker"], "combinations": COMBINATIONS},
        ],
    }
)


def rows(n: int, rng: np.random.Generator) -> pd.DataFrame:
    low = rng.integers(0, 50, n).astype(float)
    high = low + rng.integers(0, 9, n)
    sex = rng.choice(["f", "m"], n)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "sex": sex,
            "smoker": pd.array(np.where(sex == "m", False, rng.random(n) < 0.5), dtype="boolean"),
            "grade": rng.integers(1, 3, n),
            "age": rng.integers(0, 100, n),
            "weight": np.where(rng.random(n) < 0.1, np.nan, rng.integers(10, 900, n) / 10),
            "low": low,
            "high": high,
            "total": low + high,
            "day": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "icd": rng.choice(["A01", "B22", None], n),
        }
    )


def written(frame: pd.DataFrame, folder, parts: int = 3) -> None:
    folder.mkdir()
    for k, piece in enumerate(np.array_split(np.arange(len(frame)), parts)):
        frame.iloc[piece].to_parquet(folder / f"part-{k}.parquet", index=False, row_group_size=40)


MUTATIONS = {
    "nothing": lambda f: f,
    "missing": lambda f: f.assign(sex=f["sex"].where(f.index % 50 != 7)),
    "level": lambda f: f.assign(sex=f["sex"].where(f.index % 90 != 3, "x")),
    "grade": lambda f: f.assign(grade=f["grade"].where(f.index % 90 != 3, 9)),
    "bounds": lambda f: f.assign(age=f["age"].where(f.index != 119, -4)),
    "decimals": lambda f: f.assign(weight=f["weight"].where(f.index % 33 != 2, 10.25)),
    "infinite": lambda f: f.assign(low=f["low"].where(f.index != 41, -np.inf)),
    "compared": lambda f: f.assign(high=f["high"].where(f.index % 70 != 9, -1.0)),
    "implied": lambda f: f.assign(grade=f["grade"].where(f["sex"] == "f", 3)),
    "combined": lambda f: f.assign(smoker=f["smoker"].where(f["sex"] == "f", True)),
    "derived": lambda f: f.assign(total=f["total"].where(f.index % 80 != 1, 7.5)),
    "day": lambda f: f.assign(day=f["day"].where(f.index != 90, pd.Timestamp("1999-01-01"))),
    "pattern": lambda f: f.assign(icd=f["icd"].where(f.index != 100, "a1")),
    "twice": lambda f: f.assign(id=f["id"].where(f.index % 60 != 5, 5)),
    "no identifier": lambda f: f.assign(id=f["id"].astype("Int64").where(f.index != 8)),
    "text": lambda f: f.assign(age=f["age"].astype(str).where(f.index % 40 != 11, "old")),
    "long": lambda f: f.assign(low=f["low"].fillna(0).astype("int64").where(f.index != 3, 2**53 + 1)),
    "all at once": lambda f: f.assign(
        sex=f["sex"].where(f.index % 50 != 7), age=f["age"].where(f.index != 119, 400), id=0, total=1.0
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_both_verdicts_are_equal(name, tmp_path, monkeypatch):
    monkeypatch.setattr(broken_rows, "BLOCK_ROWS", 50)
    monkeypatch.setattr("synthkit.engine.validate_source.BLOCK_ROWS", 50)
    frame = MUTATIONS[name](rows(160, np.random.default_rng(1)))
    written(frame, tmp_path / "table")
    wanted = validate(frame, SMALL)
    with open_duck() as duck:
        found = validate_source(ParquetSource.of(tmp_path / "table", SMALL), duck)
    assert found.checked == wanted.checked
    assert sorted(found.violations, key=str) == sorted(wanted.violations, key=str)
    assert set(found.unchecked) == set(wanted.unchecked)
    assert found.success == (name == "nothing")


@pytest.mark.parametrize("seed", range(4))
def test_mutations_together(seed, tmp_path):
    rng = np.random.default_rng(seed)
    frame = rows(130, rng)
    for name in rng.choice(sorted(set(MUTATIONS) - {"text", "long"}), 3, replace=False):
        frame = MUTATIONS[name](frame)
    written(frame, tmp_path / "table")
    with open_duck() as duck:
        found = validate_source(ParquetSource.of(tmp_path / "table", SMALL), duck)
    wanted = validate(frame, SMALL)
    assert sorted(found.violations, key=str) == sorted(wanted.violations, key=str)


def test_the_table_of_the_package(tmp_path):
    written(support2(), tmp_path / "table")
    with open_duck() as duck:
        assert validate_source(ParquetSource.of(tmp_path / "table", support2_schema()), duck).success
