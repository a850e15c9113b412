"""How columns are stored: whatever holds the cells, they mean the same, and they go out as they came."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthkit.errors import SchemaError, TableError
from synthkit.io.plain_columns import as_frame
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.validation import validate
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files
from synthkit.tables.storage import restore, storages

WARD = ["a", "b", "a", None, "c"] * 30
BEDS = [4, 12, 7, None, 9] * 30
DAYS = [dt.date(2020, 3, 5), dt.date(2020, 4, 6), None, dt.date(2021, 1, 1), dt.date(2019, 5, 5)] * 30
COST = [Decimal("1.50"), Decimal("20.25"), None, Decimal("3.00"), Decimal("7.75")] * 30
DEAD = [True, False, None, True, True] * 30


def arrow(cells, kind):
    return pd.Series(pd.array(cells, dtype=pd.ArrowDtype(kind)))


STORED = {
    "text": {
        "object": pd.Series(WARD, dtype=object),
        "NaN": pd.Series([np.nan if c is None else c for c in WARD], dtype=object),
        "string": pd.Series(WARD, dtype="string[python]"),
        "string of Arrow": pd.Series(WARD, dtype="string[pyarrow]"),
        "category": pd.Series(WARD, dtype="category"),
        "Arrow": arrow(WARD, pa.string()),
        "large": arrow(WARD, pa.large_string()),
        "dictionary": arrow(WARD, pa.dictionary(pa.int8(), pa.string())),
        "bytes": pd.Series([c and c.encode() for c in WARD], dtype=object),
        "binary": arrow([c and c.encode() for c in WARD], pa.binary()),
    },
    "whole": {
        "Int64": pd.Series(BEDS, dtype="Int64"),
        "float": pd.Series(BEDS, dtype=float),
        "object": pd.Series(BEDS, dtype=object),
        "Int8": pd.Series(BEDS, dtype="Int8"),
        "UInt16": pd.Series(BEDS, dtype="UInt16"),
        "category": pd.Series(BEDS, dtype="category"),
        "texts": pd.Series([None if c is None else str(c) for c in BEDS], dtype=object),
        "string": pd.Series([None if c is None else str(c) for c in BEDS], dtype="string"),
        "mixed": pd.Series([c if k % 2 or c is None else str(c) for k, c in enumerate(BEDS)], dtype=object),
        "Arrow": arrow(BEDS, pa.uint8()),
        "decimal": pd.Series([None if c is None else Decimal(c) for c in BEDS], dtype=object),
        "decimal of Arrow": arrow([None if c is None else Decimal(c) for c in BEDS], pa.decimal128(5, 0)),
    },
    "real": {
        "object": pd.Series(COST, dtype=object),
        "float": pd.Series([np.nan if c is None else float(c) for c in COST]),
        "Float64": pd.Series([None if c is None else float(c) for c in COST], dtype="Float64"),
        "Arrow": arrow(COST, pa.decimal128(10, 2)),
        "category": pd.Series([None if c is None else float(c) for c in COST], dtype="category"),
        "texts": pd.Series([None if c is None else str(c) for c in COST], dtype=object),
    },
    "date": {
        "object": pd.Series(DAYS, dtype=object),
        "datetime": pd.to_datetime(pd.Series(DAYS)),
        "seconds": pd.to_datetime(pd.Series(DAYS)).astype("datetime64[s]"),
        "Arrow": arrow(DAYS, pa.date32()),
        "timestamp": arrow(DAYS, pa.timestamp("us")),
        "texts": pd.Series([c and c.isoformat() for c in DAYS], dtype=object),
        "category": pd.Series([c and c.isoformat() for c in DAYS], dtype="category"),
        "category of dates": pd.Series(pd.to_datetime(pd.Series(DAYS)), dtype="category"),
    },
    "truth": {
        "boolean": pd.Series(DEAD, dtype="boolean"),
        "object": pd.Series(DEAD, dtype=object),
        "category": pd.Series(DEAD, dtype="category"),
        "Arrow": arrow(DEAD, pa.bool_()),
        "texts": pd.Series([None if c is None else str(c) for c in DEAD], dtype=object),
    },
}
EACH = [(kind, how) for kind, stored in STORED.items() for how in stored]


@pytest.mark.parametrize(("kind", "how"), EACH)
@pytest.mark.parametrize("name", ["x", "patient_id", "date"])
def test_a_draft_does_not_depend_on_the_storage(kind, how, name, tmp_path):
    first = next(iter(STORED[kind].values()))
    plain, stored = pd.DataFrame({name: first}), pd.DataFrame({name: STORED[kind][how]})
    assert infer_schema(stored).dumps() == infer_schema(plain).dumps()
    table_files.write(plain, tmp_path / "t.csv")
    assert infer_schema(table_files.read(tmp_path / "t.csv").frame()).dumps() == infer_schema(plain).dumps()
    if how != "mixed":
        table_files.write(stored, tmp_path / "t.parquet")
        assert infer_schema(table_files.read(tmp_path / "t.parquet").frame()).dumps() == infer_schema(plain).dumps()


@pytest.mark.parametrize(("kind", "how"), EACH)
def test_the_same_cells_are_read_and_go_out_as_they_came(kind, how, tmp_path):
    first = pd.DataFrame({"x": next(iter(STORED[kind].values()))})
    frame = pd.DataFrame({"x": STORED[kind][how]})
    schema = infer_schema(first)
    assert validate(frame, schema).success
    pd.testing.assert_frame_equal(conform(frame, schema), conform(first, schema))
    back = restore(conform(frame, schema), storages(frame, schema), schema)
    if how not in ("mixed", "NaN"):
        pd.testing.assert_frame_equal(back, frame)
    if how == "mixed":
        assert back["x"].dropna().tolist() == [c for c in BEDS if c is not None]
        return
    table_files.write(back, tmp_path / "t.parquet")
    again = table_files.read(tmp_path / "t.parquet").frame()
    pd.testing.assert_frame_equal(conform(again, schema), conform(first, schema))


@pytest.mark.parametrize(("kind", "how"), EACH)
def test_what_is_drawn_is_stored_as_what_was_learned(kind, how):
    frame = pd.DataFrame({"x": STORED[kind][how]})
    drawn = Synthesizer(infer_schema(frame), "independent").fit(frame, seed=1).sample(60, seed=2)
    assert drawn["x"].dtype == frame["x"].dtype
    if how == "mixed":
        return
    kinds = {type(cell) for cell in frame["x"].dropna()}
    assert {type(cell) for cell in drawn["x"].dropna()} <= kinds


ARROW = {
    "large": pa.array(WARD, pa.large_string()),
    "view": pa.array(WARD, pa.string_view()),
    "binary": pa.array([c and c.encode() for c in WARD], pa.binary()),
    "dictionary": pa.array(WARD).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.large_string())),
    "byte": pa.array(BEDS, pa.int8()),
    "unsigned": pa.array(BEDS, pa.uint32()),
    "cost": pa.array(COST, pa.decimal128(12, 2)),
    "day": pa.array(DAYS, pa.date32()),
    "dead": pa.array(DEAD, pa.bool_()),
    "single": pa.array([c and c / 4 for c in BEDS], pa.float32()),
    "second": pa.array(DAYS, pa.date32()).cast(pa.timestamp("s")),
}


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_types_of_arrow_come_out_as_they_came_in(ending, tmp_path):
    import pyarrow.parquet as pq
    from pyarrow import feather

    table = pa.table(ARROW)
    path = tmp_path / f"t.{ending}"
    (pq.write_table if ending == "parquet" else feather.write_feather)(table, str(path))
    read = table_files.read(path).frame()
    for source in (table, read):
        schema = infer_schema(source)
        assert schema == infer_schema(pd.DataFrame({c: ARROW[c].to_pylist() for c in ARROW}))
    drawn = Synthesizer(schema, "independent").fit(read, seed=1).sample(50, seed=2)
    out = tmp_path / f"out.{ending}"
    table_files.write(drawn, out)
    came = pq.read_schema(out) if ending == "parquet" else feather.read_table(out).schema
    given = pq.read_schema(path) if ending == "parquet" else table.schema
    assert {f.name: str(f.type) for f in came} == {f.name: str(f.type) for f in given}
    assert validate(table_files.read(out).frame(), schema).success
    table_files.write(drawn, tmp_path / "out.csv")
    again = conform(table_files.read_cells(tmp_path / "out.csv"), schema)
    pd.testing.assert_frame_equal(again, conform(drawn, schema))


def test_a_run_and_a_model_on_disk_keep_the_storage(tmp_path):
    frame = pd.DataFrame({c: STORED[k][h] for c, k, h in (("a", "text", "bytes"), ("b", "real", "Arrow"))})
    frame["grade"] = pd.Categorical(["low", "high", None, "low", "high"] * 30, ["low", "middle", "high"], ordered=True)
    fitted = Synthesizer(infer_schema(frame), "independent").fit(frame, seed=1)
    fitted.save(tmp_path / "model")
    drawn = Synthesizer.load(tmp_path / "model").sample(40, seed=3)
    pd.testing.assert_frame_equal(drawn, fitted.sample(40, seed=3))
    assert (drawn.dtypes == frame.dtypes).all()
    assert set(drawn["a"].dropna()) <= {b"a", b"b", b"c"}


def test_ordered_categories_are_an_order_with_levels_nobody_has():
    grade = pd.Categorical(["low", "high", None] * 20, ["low", "middle", "high"], ordered=True)
    schema = infer_schema(
        pd.DataFrame({"grade": grade, "pain": pd.Categorical([2, 1, 3] * 20, [3, 2, 1], ordered=True)})
    )
    assert (schema.columns["grade"].kind, schema.columns["grade"].levels) == ("ordinal", ("low", "middle", "high"))
    assert schema.columns["grade"].nullable
    assert (schema.columns["pain"].kind, schema.columns["pain"].levels) == ("ordinal", (3, 2, 1))


def test_bands_cut_by_pandas_come_back():
    frame = pd.DataFrame({"band": pd.cut([1, 5, 9, 3] * 20, [0, 4, 8, 12])})
    schema = infer_schema(frame)
    assert schema.columns["band"].levels == ("(0, 4]", "(4, 8]", "(8, 12]")
    drawn = Synthesizer(schema, "independent").fit(frame, seed=1).sample(30, seed=2)
    assert drawn["band"].dtype == frame["band"].dtype


def test_categories_nobody_declared_are_not_told():
    frame = pd.DataFrame({"ward": pd.Categorical(["a", "b"] * 20, ["hidden", "b", "a"])})
    schema = Schema(columns={"ward": {"kind": "categorical", "levels": ["a", "b", "c"]}})
    fitted = Synthesizer(schema, "independent").fit(frame, seed=1)
    assert fitted.sample(9, seed=1)["ward"].cat.categories.tolist() == ["b", "a", "c"]


def test_whole_numbers_beyond_floats_stay_exact(tmp_path):
    large = [2**53 + 1, 2**63 + 3, 2**64 - 1, 2**53 + 1] * 10
    for values in (
        pd.Series(large, dtype="uint64"),
        pd.Series([*large[1:], None], dtype="UInt64"),
        pd.Series(large, dtype=object),
    ):
        frame = pd.DataFrame({"x": values})
        schema = Schema(columns={"x": {"kind": "categorical", "levels": large[:3], "nullable": True}})
        assert validate(frame, schema).success
        assert conform(frame, schema)["x"].dropna().tolist() == [v for v in values if v is not pd.NA]
        drawn = Synthesizer(schema, "independent").fit(frame, seed=1).sample(50, seed=2)
        assert drawn["x"].dtype in (values.dtype, "UInt64")
        assert set(drawn["x"].dropna()) == set(large)
        drafted = infer_schema(frame)
        assert drafted.columns["x"].kind == "categorical"
        again = Synthesizer(drafted, "independent").fit(frame, seed=1).sample(9, seed=1)
        assert again["x"].dropna().map(int).isin(large).all()
        table_files.write(frame, tmp_path / "t.csv")
        assert infer_schema(table_files.read(tmp_path / "t.csv").frame()) == drafted


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "Int16", "UInt8"])
def test_whole_numbers_without_declared_decimals_stay_whole(dtype):
    frame = pd.DataFrame({"beds": pd.Series([4, 12, 7, 9] * 30, dtype=dtype)})
    fitted = Synthesizer(Schema(columns={"beds": {"kind": "numeric", "min": 0, "max": 20}}), "independent").fit(
        frame, seed=1
    )
    assert fitted.schema.columns["beds"].decimals == 0
    assert fitted.schema.columns["beds"].observed == ("decimals",)
    assert fitted.sample(40, seed=1)["beds"].dtype == dtype


def test_what_is_no_table_is_refused_without_a_cell():
    for nothing in ([{"a": "SECRET"}], {"a": ["SECRET"]}, np.array(["SECRET"]), pd.Series(["SECRET"]), "SECRET"):
        with pytest.raises(TableError, match="is a DataFrame or an Arrow table") as caught:
            infer_schema(nothing)
        assert "SECRET" not in str(caught.value)
    batch = pa.record_batch({"a": ["x", "y"]})
    assert infer_schema(batch) == infer_schema(pa.table(batch)) == infer_schema(pd.DataFrame({"a": ["x", "y"]}))
    assert as_frame(batch)["a"].tolist() == ["x", "y"]
    with pytest.raises(TableError, match="each column name stands once"):
        infer_schema(pa.table([[1], [2]], names=["a", "a"]))


@pytest.mark.parametrize(
    ("cells", "kind", "says"),
    [
        ([[1], [2]], "code", "however: list"),
        ([{"a": 1}, None], "identifier", "however: dict"),
        ([1 + 2j, 2j], "numeric", "however: complex"),
        ([b"\xff", "a"], "code", "however: bytes"),
        ([dt.timedelta(1), "a"], "code", "however: timedelta"),
        ([Decimal("12345678901234567.89"), None], "numeric", "a decimal of at most 15 digits"),
        ([Decimal("sNaN"), Decimal(1)], "numeric", "a decimal of at most 15 digits"),
        (pd.to_timedelta(["1h", "2h"]), "numeric", "a number, finite"),
        ([pd.Timestamp("2020", tz="UTC"), pd.Timestamp("2020", tz="Asia/Tokyo")], "datetime", "without a time zone"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_column_and_type_before_the_fit(cells, kind, says):
    frame = pd.DataFrame({"odd": cells, "y": [1, 2]})
    schema = Schema(columns={"odd": {"kind": kind, "nullable": True}, "y": {"kind": "numeric"}})
    with pytest.raises(SchemaError, match=says) as caught:
        Synthesizer(schema, "independent").fit(frame, seed=1)
    assert "odd" in str(caught.value)
    assert "123456789" not in str(caught.value)
    assert not validate(frame, schema).success
