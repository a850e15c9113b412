"""Under a budget a cell becomes what it becomes alone: no other row counts, and no dtype that follows from others."""

from __future__ import annotations

import numpy as np
import odd_cells
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.columns import Identifier
from synthkit.schema.domain_mapping import into_domain, map_column, map_into_domain

COLUMNS = {
    "numeric": [
        {"kind": "numeric"},
        {"kind": "numeric", "decimals": 0, "min": 0, "max": 120},
        {"kind": "numeric", "decimals": 2, "min": -1.005, "nullable": True},
        {"kind": "numeric", "decimals": 15, "nullable": True},
        {"kind": "numeric", "decimals": 0},
    ],
    "datetime": [
        {"kind": "datetime"},
        {"kind": "datetime", "min": "2020-01-01", "max": "2021-01-01", "nullable": True},
        {"kind": "datetime", "format": "%d/%m/%Y", "precision": "day"},
    ],
    "boolean": [
        {"kind": "boolean"},
        {"kind": "boolean", "nullable": True},
        {"kind": "boolean", "levels": ["no", "yes"], "nullable": True},
        {"kind": "boolean", "levels": [0, 1]},
    ],
    "categorical": [
        {"kind": "categorical", "levels": ["f", "m"]},
        {"kind": "categorical", "levels": ["f", 1, True], "nullable": True} | {"levels": ["f", 1, 2.5]},
        {"kind": "categorical", "levels": [1, 2, 61], "nullable": True},
        {"kind": "categorical", "levels": [0.5, 61]},
    ],
    "ordinal": [{"kind": "ordinal", "levels": ["61", "f", "1"], "nullable": True}],
    "code": [
        {"kind": "code", "nullable": True},
        {"kind": "code"},
        {"kind": "code", "pattern": r"\d{3}(\.\d+)?", "nullable": True},
        {"kind": "code", "levels": ["250", "V10"]},
    ],
    "identifier": [{"kind": "identifier"}],
}
EVERY = [(kind, spec) for kind, specs in COLUMNS.items() for spec in specs]
every = pytest.mark.parametrize(("kind", "spec"), EVERY, ids=[f"{k}-{n}" for n, (k, _) in enumerate(EVERY)])


def column(spec):
    return Schema(columns={"x": spec, "y": {"kind": "numeric"}}).columns["x"]


def same(a, b):
    return (pd.isna(a) and pd.isna(b)) or (type(a) is type(b) and a == b)


def objects(cells):
    """A column of these cells and nothing else; numpy is not to take a list for several rows."""
    values = np.empty(len(cells), dtype=object)
    values[:] = [None] * len(cells)
    for k, cell in enumerate(cells):
        values[k] = cell
    return pd.Series(values, dtype=object)


@every
def test_every_odd_cell_is_mapped_as_if_it_were_alone(kind, spec):
    cells, x = odd_cells.of(kind), column(spec)
    together, changed, _ = map_column(objects(cells), x)
    for k, cell in enumerate(cells):
        alone, moved, _ = map_column(objects([cell]), x)
        assert alone.dtype == together.dtype
        assert same(alone[0], together[k]), (repr(cell), alone[0], together[k])
        assert moved[0] == changed[k]
    assert x.admits(together).all() or "(not told)" in set(together)
    if not x.nullable and not isinstance(x, Identifier):
        assert together.notna().all()


@every
def test_what_was_mapped_stays(kind, spec):
    x = column(spec)
    once, _, _ = map_column(objects(odd_cells.of(kind)), x)
    twice, _, _ = map_column(once, x)
    pd.testing.assert_series_equal(once, twice)


DTYPES = ["int8", "int64", "uint64", "float16", "float32", "float64", "bool", "Int64", "Float64", "boolean", "string"]
DTYPES += ["category", "datetime64[ns]", "datetime64[us]", "datetime64[s]", "datetime64[us, UTC]", "timedelta64[ns]"]
DTYPES += ["int64[pyarrow]", "string[pyarrow]", "double[pyarrow]", "timestamp[us][pyarrow]", "period[D]", "Sparse[int]"]


def of_dtype(dtype):
    plain = [1, 0, 61, 1, 7]
    if "datetime" in dtype or "timestamp" in dtype or "period" in dtype:
        return (
            pd.Series(pd.to_datetime(["2020-05-01", "1999-01-01", "2030-01-01"]), dtype=None).astype(dtype)
            if ("UTC" not in dtype)
            else pd.Series(pd.to_datetime(["2020-05-01", "1999-01-01"])).dt.tz_localize("UTC")
        )
    if "bool" in dtype:
        return pd.Series([True, False, True]).astype(dtype)
    return pd.Series(plain).astype(dtype)


@every
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_dtype_a_column_came_with_moves_nothing(kind, spec, dtype):
    """One odd cell makes objects of a column: the others are read as they were."""
    x, typed = column(spec), of_dtype(dtype)
    plain, _, _ = map_column(typed, x)
    loose, _, _ = map_column(objects([*list(typed), {"odd": 1}]), x)
    assert loose.dtype == plain.dtype
    for k in range(len(typed)):
        assert same(loose[k], plain[k]), (dtype, typed[k])


@given(data=st.data(), spec=st.sampled_from(EVERY))
@settings(deadline=None, max_examples=60)
def test_a_column_is_mapped_cell_by_cell(data, spec):
    kind, x = spec[0], column(spec[1])
    some = st.sampled_from(odd_cells.of(kind)) | st.text(max_size=5) | st.floats() | st.integers() | st.booleans()
    some |= st.datetimes() | st.decimals() | st.binary(max_size=4) | st.lists(st.integers(), max_size=2)
    cells = data.draw(st.lists(some, max_size=8))
    together, _, _ = map_column(objects(cells), x)
    for k, cell in enumerate(cells):
        assert same(map_column(objects([cell]), x)[0][0], together[k]), repr(cell)


VALUES = [
    ({"kind": "numeric", "nullable": True}, "1e3", 1000.0),
    ({"kind": "numeric", "nullable": True}, " 07 ", 7.0),
    ({"kind": "numeric", "decimals": 0, "max": 120}, "1e30", 120),
    ({"kind": "numeric", "decimals": 0}, 10**30, 2**53),
    ({"kind": "numeric"}, 1e308, 2.0**53),
    ({"kind": "numeric", "max": 1e300}, 1e308, 1e300),
    ({"kind": "numeric", "min": 1e30}, 0, 1e30),
    ({"kind": "numeric", "decimals": 0, "min": 10**17}, 5, 10**17),
    ({"kind": "numeric", "decimals": 0, "max": 1e300}, 1e299, 2**62),
    ({"kind": "numeric", "decimals": 0, "min": 5}, "unknown", 5),
    ({"kind": "numeric", "decimals": 0, "min": 5}, "0x20", 5),
    ({"kind": "numeric", "decimals": 0, "min": 5}, "True", 5),
    ({"kind": "numeric", "decimals": 0, "min": 5}, True, 5),
    ({"kind": "numeric", "decimals": 2, "nullable": True}, "1.239", 1.24),
    ({"kind": "datetime"}, "yesterday", pd.Timestamp("1970-01-01")),
    ({"kind": "datetime", "min": "2020-01-01"}, "yesterday", pd.Timestamp("2020-01-01")),
    ({"kind": "datetime"}, "2020-05-01T10:00:00+02:00", pd.Timestamp("2020-05-01T10:00:00")),
    ({"kind": "datetime", "max": "2021-01-01"}, "9999-12-31T23:59:59.999999", pd.Timestamp("2021-01-01")),
    ({"kind": "datetime", "format": "%d/%m/%Y"}, "31/12/2020", pd.Timestamp("2020-12-31")),
    ({"kind": "boolean"}, "maybe", False),
    ({"kind": "boolean"}, "TRUE", True),
    ({"kind": "categorical", "levels": ["f", "m"]}, "unheard of", "f"),
    ({"kind": "categorical", "levels": ["61", "m"]}, 61.0, "61"),
    ({"kind": "categorical", "levels": [1, 2]}, "2.0", 2),
    ({"kind": "code"}, 250.0, "250"),
    ({"kind": "code"}, [250], "(not told)"),
    ({"kind": "code"}, "\ud800", "\ufffd"),
]
MISSING = ["unknown", "inf", "nan", "1e400", "1,234.50", "0x20", "True", np.inf, "", {"a": 1}, b"61"]


@pytest.mark.parametrize(("spec", "cell", "wanted"), VALUES)
def test_a_cell_becomes(spec, cell, wanted):
    found, _, _ = map_column(objects([cell]), column(spec))
    assert found[0] == wanted


@pytest.mark.parametrize("cell", MISSING, ids=repr)
def test_what_is_no_number_is_missing_where_that_may_be(cell):
    found, changed, faults = map_column(objects([cell, 61]), column({"kind": "numeric", "nullable": True}))
    assert np.isnan(found[0])
    assert found[1] == 61
    assert changed.tolist() == [True, False]
    assert faults["a cell of the column's kind"].tolist() == [True, False]


def test_what_was_changed_is_counted_by_column():
    schema = Schema(
        columns={"age": {"kind": "numeric", "max": 120}, "sex": {"kind": "categorical", "levels": ["f", "m"]}}
    )
    frame = pd.DataFrame({"age": [61, 130, "old"], "sex": ["f", None, "m"]})
    found = map_into_domain(frame, schema)
    assert found.counts == {"age": 2, "sex": 1}
    assert {(v.columns, v.rule, v.count) for v in found.faults} == {
        (("age",), "a cell of the column's kind", 1),
        (("age",), "the declared domain", 1),
        (("sex",), "no missing cell", 1),
    }


def test_columns_alone_refuse():
    schema = Schema(columns={"age": {"kind": "numeric"}})
    with pytest.raises(SchemaError, match="missing from the schema"):
        into_domain(pd.DataFrame({"age": [1], "more": [1]}), schema)


def test_the_unit_meets_no_domain():
    schema = Schema(
        unit="who", columns={"who": {"kind": "numeric", "min": 0, "max": 5, "decimals": 0}, "x": {"kind": "numeric"}}
    )
    frame = pd.DataFrame({"who": [7, 8.5, "p 9", None], "x": [1, 2, 3, 4]})
    assert into_domain(frame, schema)["who"].tolist() == ["7", "8.5", "p 9", None]
