"""The null law is kept whatever the table is; the mark is found after damage, and not by another key."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from synthkit.errors import TableError
from synthkit.tables.table_files import read_cells, write
from synthkit.watermark import choose_candidates, detect

KEYS = 120


def marked(table, key, n: int, seed: int = 0) -> pd.DataFrame:
    pool = table(key.candidates * n, seed)
    return pool.iloc[choose_candidates(pool, key, np.random.default_rng(seed))].reset_index(drop=True)


def made_of(kind: str, table) -> pd.DataFrame:
    """Tables on which a careless count goes wrong."""
    frame = table(60, 9)
    if kind == "copies":
        return pd.concat([frame] * 5)
    if kind == "near copies":
        return pd.concat([frame.assign(age=frame["age"] + k) for k in range(5)])
    if kind == "constant":
        return frame.assign(**{c: frame[c].iloc[0] for c in frame if c not in ("score", "cost")})
    if kind == "few columns":
        return frame[["sex", "stage", "age"]]
    return frame


@pytest.mark.parametrize("kind", ["plain", "copies", "near copies", "constant", "few columns"])
def test_p_values_of_a_fixed_table_are_uniform_over_keys_or_larger(kind, table, keyed):
    """One-sided Kolmogorov-Smirnov: nowhere more small values than a uniform law has."""
    frame = made_of(kind, table)
    p = [detect(frame, keyed(k)).p for k in range(KEYS)]
    assert kstest(p, "uniform", alternative="greater").pvalue > 1e-3
    assert min(p) > 1e-5
    assert np.mean(np.array(p) <= 0.1) < 0.16


def test_tables_marked_with_one_key_are_plain_to_others(table, keyed):
    frame = marked(table, keyed(1), 60)
    p = [detect(frame, keyed(k)).p for k in range(2, KEYS)]
    assert kstest(p, "uniform", alternative="greater").pvalue > 1e-3
    assert detect(frame, keyed(1)).p < 1e-9


@pytest.mark.parametrize("candidates", [2, 4, 8])
def test_a_marked_table_is_found_and_more_candidates_mark_more_strongly(table, keyed, candidates):
    key = keyed(1, candidates=candidates)
    found = detect(marked(table, key, 150), key)
    assert found.p < {2: 1e-8, 4: 1e-20, 8: 1e-30}[candidates]
    assert found.found()
    assert found.heads > found.coins / 2
    assert (found.columns, found.columns_of_key, found.sets, found.sets_of_key) == (10, 10, 64, 64)


def test_the_order_of_rows_and_columns_copies_and_other_columns_change_nothing(table, keyed):
    key = keyed(1)
    frame = marked(table, key, 50)
    mixed = pd.concat([frame, frame.head(20)]).sample(frac=1, random_state=1)
    mixed = mixed[list(mixed)[::-1]].assign(id="x", more=1)
    assert detect(mixed, key) == detect(frame, key)


def test_a_csv_file_says_the_same(table, keyed, tmp_path, schema):
    """Through our own files, and through another library that guesses types."""
    key = keyed(1)
    frame = marked(table, key, 50)
    before = detect(frame, key)
    for ending in ("csv", "parquet", "feather", "tsv"):
        write(frame, tmp_path / f"t.{ending}", schema=schema)
        assert detect(read_cells(tmp_path / f"t.{ending}"), key) == before, ending
    again = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert detect(again, key) == before
    assert detect(frame.astype({"dead": int, "stage": float}), key) == before
    single = detect(frame.astype({"score": "float32"}), key)  # a few numbers lie at the border of six digits
    assert single.coins == before.coins
    assert abs(single.heads - before.heads) < 0.01 * before.coins


@pytest.mark.parametrize("damage", ["half the rows", "a third of the columns", "both", "cells", "rounded", "mixed in"])
def test_a_damaged_table_is_found(table, keyed, damage):
    key = keyed(1)
    frame, rng = marked(table, key, 600), np.random.default_rng(5)
    if damage in ("half the rows", "both"):
        frame = frame.sample(frac=0.5, random_state=2)
    if damage in ("a third of the columns", "both"):
        frame = frame.drop(columns=["score", "told", "code"])
    if damage == "cells":
        for name in list(frame)[1:]:
            hit = rng.random(len(frame)) < 0.1
            frame.loc[hit, name] = rng.permutation(frame[name][hit].to_numpy())
    if damage == "rounded":
        frame = frame.assign(cost=frame["cost"].round(0), mass=frame["mass"].round(0), score=frame["score"].round(1))
    if damage == "mixed in":
        frame = pd.concat([frame.head(300), table(600, 77)])
    assert detect(frame, key).found()


def test_a_table_without_a_coin_is_not_ours(keyed, table):
    assert detect(table(0, 0), keyed(1)).p == 1
    assert detect(table(5, 0)[["sex"]], keyed(1)).p == 1
    assert not detect(table(5, 0)[["sex"]], keyed(1)).found(0.5)


def test_a_table_of_other_names_is_refused_and_no_value_is_told(keyed, table):
    frame = table(5, 0)
    with pytest.raises(TableError, match="has none of them") as told:
        detect(frame.rename(columns=str.upper), keyed(1))
    assert "P000001" not in str(told.value)


def test_as_plain_data(keyed, table):
    told = detect(table(9, 0), keyed(1)).to_dict()
    assert told["format"] == "synthkit-detection/1"
    assert set(told) == {
        "format", "rows", "columns", "columns_of_key", "sets", "sets_of_key", "coins", "heads", "p",
    }  # fmt: skip
