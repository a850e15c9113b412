"""Whole numbers that floats do not tell apart: drafted as codes and keys, exact all the way, refused as quantities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.infer.long_integers import inexact_integers
from synthkit.schema.validation import validate
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files

FEW = [2**53 + 1 + 2 * k for k in range(20)] * 10


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**53) - 9, 2**53 + 9), min_size=1))
def test_a_number_is_long_where_numpy_changes_it(cells):
    """numpy's own conversion there and back is the judge, and the storage of a number says nothing."""
    judged = [int(np.float64(cell)) != cell for cell in cells]
    assert inexact_integers(pd.Series(cells, dtype="int64")).tolist() == judged
    assert inexact_integers(pd.Series(cells, dtype=object)).tolist() == judged
    assert inexact_integers(pd.Series([str(cell) for cell in cells])).tolist() == judged
    assert inexact_integers(pd.Series([*cells, None], dtype="Int64")).tolist() == [*judged, False]


@pytest.mark.parametrize("cell", [None, "", "x", "1e300", "0.1", "1" + "0" * 15, True, 1e300, float("nan"), "٣" * 20])
def test_other_cells_are_not(cell):
    assert not inexact_integers(pd.Series([cell], dtype=object)).any()


@pytest.mark.parametrize("cell", ["9" * 5000, "-" + "9" * 400, 10**400, 10**30 + 1])
def test_there_is_no_number_too_long_to_be_seen(cell):
    assert inexact_integers(pd.Series([cell], dtype=object)).all()


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(FEW),
        pd.Series(FEW, dtype="uint64"),
        pd.Series([*FEW, None], dtype="Int64"),
        pd.Series([10**30 + k for k in range(20)] * 10, dtype=object),
        pd.Series([str(cell) for cell in FEW]),
    ],
    ids=["int64", "uint64", "Int64", "object", "text"],
)
def test_they_are_drafted_as_levels_and_come_out_as_they_were(values, tmp_path):
    frame = pd.DataFrame({"n": values, "y": range(len(values))})
    drafted = infer_schema(frame)
    assert drafted.columns["n"].kind == "categorical"
    assert validate(frame, drafted).success
    drawn = Synthesizer(drafted, "independent").fit(frame, seed=1).sample(40, seed=1)
    assert set(drawn["n"].dropna().map(int)) <= set(values.dropna().map(int))
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert infer_schema(table_files.read(tmp_path / "t.csv").frame()) == drafted


@pytest.mark.parametrize("decimals", [0, None])
@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64", object, "string", "category"])
def test_a_numeric_column_of_them_is_refused_before_the_fit(dtype, decimals):
    cells = [str(cell) for cell in FEW] if dtype == "string" else FEW
    frame = pd.DataFrame({"n": pd.Series([*cells[1:], cells[0]], dtype=dtype), "y": range(200)})
    numeric = {"kind": "numeric", "nullable": True, "decimals": decimals}
    schema = Schema(columns={"n": numeric, "y": {"kind": "numeric"}})
    (violation,) = validate(frame, schema).violations
    assert (violation.columns, violation.count) == (("n",), 200)
    with pytest.raises(SchemaError, match=r"n +a whole number that a float of 64 bits equals, .* 200 ") as caught:
        Synthesizer(schema, "independent").fit(frame, seed=1)
    assert "declare `kind: code` or `identifier`" in str(caught.value)
    assert str(FEW[0]) not in str(caught.value)
    unit = Schema(columns={"n": numeric, "y": {"kind": "numeric"}}, unit="n")  # a key is never learned
    assert validate(frame, unit).success


def test_keys_stay_keys_and_exact_quantities_quantities():
    frame = pd.DataFrame(
        {"key": [2**60 + 7919 * k + 1 for k in range(200)], "x": [2**60 + 1024 * k for k in range(200)]}
    )
    drafted = infer_schema(frame)
    assert drafted.columns["key"].kind == "identifier"
    assert validate(frame, drafted).success
    numeric = Schema(columns={"x": {"kind": "numeric"}})
    assert (
        Synthesizer(numeric, "independent").fit(frame[["x"]], seed=1).sample(9, seed=1)["x"].between(2**60, 2**61).all()
    )
