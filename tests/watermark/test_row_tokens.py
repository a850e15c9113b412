"""One form for every way in which a cell is written, and sets of columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.schema import Schema
from synthkit.watermark.column_subsets import SUBSET_COUNT, subsets
from synthkit.watermark.marked_column import MarkedColumn
from synthkit.watermark.row_tokens import canonical_forms, row_contents

NUMBER, WORD = MarkedColumn(name="x", kind="number"), MarkedColumn(name="x", kind="word")
MOMENT = MarkedColumn(name="x", kind="moment", format="%d.%m.%Y")


def read(cells: list, column: MarkedColumn, *, coarse: bool = False) -> list[str]:
    codes, texts = canonical_forms(pd.Series(cells, dtype=object), column, coarse=coarse)
    return [texts[code] for code in codes]


def test_numbers():
    same = [5, 5.0, "5", "5.0", "5.00", " 5", np.int64(5), np.float32(5), 5.0000001]
    assert set(read(same, NUMBER)) == {"5"}
    assert read([0.0, -0.0, "-0"], NUMBER) == ["0"] * 3
    assert read([1234567.0, 0.1234567], NUMBER) == ["1.23457e+06", "0.123457"]
    assert read([112, 67.4, 0.0123], NUMBER, coarse=True) == ["1.1e+02", "67", "0.012"]
    assert read([None, np.nan, "", "n/a"], NUMBER) == [""] * 4


def test_moments():
    same = ["2020-01-31", "2020-01-31 00:00:00", "2020-01-31T00:00", "31.01.2020", pd.Timestamp("2020-01-31")]
    assert len(set(read(same, MOMENT))) == 1
    assert read(["2020-01-31", "2020-01-02"], MOMENT, coarse=True) == ["2020-01"] * 2
    assert read([None, "soon"], MOMENT) == [""] * 2


def test_words():
    assert read([True, "true", "True", 1, "1", 1.0, "1.0"], WORD) == ["1"] * 7
    assert read([False, "false", 0], WORD) == ["0"] * 3
    assert read(["F", " f", "f "], WORD) == ["f"] * 3
    assert read(["250.00", 250, "250"], WORD) == ["250"] * 3
    assert read([None, np.nan], WORD) == ["", ""]
    assert read(["nan", "inf", "e5"], WORD) == ["nan", "inf", "e5"]
    assert read(["V27.0", "v27.0"], WORD, coarse=True) == ["v27.0"] * 2


@pytest.mark.parametrize("dtype", ["category", "string", object])
def test_words_of_every_dtype(dtype):
    codes, texts = canonical_forms(pd.Series(["a", None, "b"], dtype=dtype), WORD, coarse=False)
    assert [texts[c] for c in codes] == ["a", "", "b"]


def test_contents_tell_columns_apart_and_follow_the_row(keyed):
    """The same cells under other columns, or in other rows: other bits; the same cells in the same: the same."""
    schema = Schema(columns={c: {"kind": "numeric"} for c in "abc"})
    frame = pd.DataFrame({"a": [1, 2, 1], "b": [2, 1, 2], "c": [3, 3, 3]})
    key = keyed(1, schema)
    found = dict(row_contents(frame, key, subsets(key)))
    for said in found.values():
        assert said[0] == said[2]
    for one, said in found.items():
        assert said[0] != said[1] or set(one.columns) == {"c"}
    assert len({int(said[0]) for said in found.values()}) == len(found)


def test_sets_whose_columns_lack_are_left_out(keyed, table):
    key = keyed(1)
    frame = table(5, 0)[["age", "mass", "sex"]]
    found = [one for one, _ in row_contents(frame, key, subsets(key))]
    assert found == [one for one in subsets(key) if set(one.columns) <= {"age", "mass", "sex"}]
    assert found


def test_sets_follow_from_the_key_and_not_from_the_order_of_columns(keyed, schema):
    key = keyed(1)
    turned = key.model_copy(update={"columns": key.columns[::-1]})
    assert subsets(key) == subsets(turned)
    assert subsets(key) != subsets(keyed(2))
    assert len(set(subsets(key))) == SUBSET_COUNT
    assert {len(one.columns) for one in subsets(key)} == {2, 3, 4}
    assert SUBSET_COUNT * 0.4 < sum(one.coarse for one in subsets(key)) < SUBSET_COUNT * 0.6


@pytest.mark.parametrize(("columns", "there"), [("a", 2), ("ab", 2), ("abc", 8), ("abcd", 22), ("abcdef", 64)])
def test_narrow_tables_have_all_sets_there_are(keyed, columns, there):
    found = subsets(keyed(1, Schema(columns={c: {"kind": "numeric"} for c in columns})))
    assert len(set(found)) == len(found) == there
