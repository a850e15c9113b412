"""Rows of Parquet files are those of the frame they were written from; what is no table is refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.data import support2, support2_schema
from synthkit.engine.duck import open_duck
from synthkit.engine.parquet_source import ParquetSource, is_parquet_source, is_several_files, read_parts
from synthkit.engine.parquet_sql import rows_at, rows_drawn
from synthkit.engine.source import FrameSource
from synthkit.engine.written_rows import without_rows
from synthkit.errors import SchemaError, TableError
from synthkit.schema import Schema
from synthkit.schema.conform import conform

AGE = Schema(columns={"age": {"kind": "numeric", "decimals": 0, "nullable": True}, "ward": {"kind": "code"}})


def table(n: int = 10) -> pd.DataFrame:
    return pd.DataFrame({"age": np.arange(n), "ward": [f"W{k % 3}" for k in range(n)]})


@pytest.fixture
def folder(tmp_path):
    table().iloc[:4].to_parquet(tmp_path / "b-0.parquet")
    table().iloc[4:].to_parquet(tmp_path / "b-1.parquet")
    (tmp_path / "_ignored.parquet").write_text("no table")
    return tmp_path


@pytest.mark.parametrize("size", [1, 3, 100])
def test_batches_are_the_rows(folder, size):
    for source in (ParquetSource.of(folder, AGE), FrameSource(conform(table(), AGE))):
        parts = list(source.batches(size=size))
        assert max(map(len, parts)) <= size
        pd.testing.assert_frame_equal(pd.concat(parts), conform(table(), AGE), check_index_type=False)
        assert source.rows == 10
        assert source.columns == ("age", "ward")


def test_a_pattern_and_a_file_are_tables_too(folder):
    assert ParquetSource.of(str(folder / "b-*.parquet"), AGE).rows == 10
    assert ParquetSource.of(folder / "b-1.parquet", AGE).rows == 6
    assert is_several_files(folder)
    assert is_several_files(str(folder / "b-*.parquet"))
    assert not is_several_files(folder / "b-1.parquet")
    assert not is_parquet_source("b.csv")
    pd.testing.assert_frame_equal(read_parts(folder), table())


def test_folders_name_columns(tmp_path):
    for ward in ("W1", "W 2"):
        (tmp_path / f"ward={ward.replace(' ', '%20')}").mkdir()
        pd.DataFrame({"age": [1, 2]}).to_parquet(tmp_path / f"ward={ward.replace(' ', '%20')}" / "p.parquet")
    (tmp_path / "ward=__HIVE_DEFAULT_PARTITION__").mkdir()
    pd.DataFrame({"age": [3]}).to_parquet(tmp_path / "ward=__HIVE_DEFAULT_PARTITION__" / "p.parquet")
    schema = Schema(columns={**AGE.columns, "ward": {"kind": "code", "nullable": True}})
    rows = pd.concat(list(ParquetSource.of(tmp_path, schema).batches()))
    assert sorted(rows["ward"].fillna("-")) == ["-", "W 2", "W 2", "W1", "W1"]
    assert sorted(read_parts(tmp_path)["ward"].fillna("-")) == ["-", "W 2", "W 2", "W1", "W1"]


def test_the_order_of_columns_may_differ(folder):
    table().iloc[:3][["ward", "age"]].to_parquet(folder / "b-2.parquet")
    assert ParquetSource.of(folder, AGE).rows == 13
    assert list(pd.concat(list(ParquetSource.of(folder, AGE).batches()))["age"][-3:]) == [0, 1, 2]


def test_parts_with_other_columns_are_named(folder):
    table().drop(columns="ward").to_parquet(folder / "b-2.parquet")
    with pytest.raises(TableError, match=r"`ward` is in b-0\.parquet and not in b-2\.parquet"):
        ParquetSource.of(folder, AGE)


def test_parts_with_other_types_are_named(folder):
    table().assign(age=0.5).to_parquet(folder / "b-2.parquet")
    with pytest.raises(TableError, match=r"`age` is int64 in b-0\.parquet and double in b-2\.parquet"):
        ParquetSource.of(folder, AGE)


def test_a_part_that_is_none_is_named(folder):
    (folder / "b-2.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(TableError, match=r"b-2\.parquet must be a whole parquet file"):
        ParquetSource.of(folder, AGE)


def test_a_part_that_vanished_is_named(folder):
    source = ParquetSource.of(folder, AGE)
    (folder / "b-1.parquet").unlink()
    with pytest.raises(TableError, match=r"b-1\.parquet must be a whole parquet file"):
        list(source.batches())


def test_no_file_is_no_table(tmp_path):
    with pytest.raises(TableError, match="there is none at"):
        ParquetSource.of(tmp_path / "x-*.parquet", AGE)
    with pytest.raises(TableError, match="has none"):
        ParquetSource.of(tmp_path, AGE)


def test_folders_that_name_other_columns(tmp_path):
    (tmp_path / "ward=W1").mkdir()
    pd.DataFrame({"age": [1]}).to_parquet(tmp_path / "ward=W1" / "p.parquet")
    pd.DataFrame({"age": [1]}).to_parquet(tmp_path / "q.parquet")
    with pytest.raises(TableError, match="name the same columns"):
        ParquetSource.of(tmp_path, AGE)


def test_columns_are_those_of_the_schema(folder):
    with pytest.raises(SchemaError, match="missing from the table"):
        ParquetSource.of(folder, Schema(columns={**AGE.columns, "sex": {"kind": "categorical", "levels": ["f", "m"]}}))


def test_cells_that_cannot_be_typed_are_told_with_their_number_in_the_table(tmp_path):
    pd.DataFrame({"age": ["1", "2"], "ward": "a"}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"age": ["3", "old"], "ward": "a"}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(SchemaError) as refused:
        list(ParquetSource.of(tmp_path, AGE).batches())
    assert " 4" in str(refused.value)
    assert "old" not in str(refused.value)


def test_a_slice_of_a_part_is_its_rows(tmp_path):
    table(50).to_parquet(tmp_path / "a.parquet", row_group_size=7)
    source = ParquetSource.of(tmp_path, AGE)
    assert source.slice(source.parts[0], 5, 23)["age"].tolist() == list(range(5, 23))
    assert source.slice(source.parts[0], 49, 50)["age"].tolist() == [49]


def test_rows_are_left_out_by_their_numbers(folder):
    out = folder / "written"
    out.mkdir()
    left = without_rows(ParquetSource.of(str(folder / "b-*.parquet"), AGE), np.array([0, 3, 4, 9]), out)
    assert pd.concat(list(left.batches()))["age"].tolist() == [1, 2, 5, 6, 7, 8]


def test_rows_are_found_by_their_numbers(folder):
    source = ParquetSource.of(folder, AGE)
    found = pd.concat(list(rows_at(source, np.array([1, 3, 4, 8]))))
    assert found["age"].tolist() == [1, 3, 4, 8]


def test_rows_drawn_are_the_same_whatever_the_threads(tmp_path):
    source_rows = support2()
    for k in range(4):
        source_rows.iloc[k::4].to_parquet(tmp_path / f"{k}.parquet", row_group_size=500)
    source = ParquetSource.of(tmp_path, support2_schema())
    drawn = []
    for threads in (1, 2):
        with open_duck(threads=threads) as duck:
            drawn.append(rows_drawn(source, duck, 700, 5, ["age", "sex", "charges"]))
    pd.testing.assert_frame_equal(*(each.sort_values(list(each)).reset_index(drop=True) for each in drawn))
    assert len(drawn[0]) == 700
    mean, spread = source_rows["age"].mean(), source_rows["age"].std() / 700**0.5
    assert abs(drawn[0]["age"].mean() - mean) < 5 * spread


def test_a_part_without_a_value_of_a_column_is_like_the_others(folder):
    table().iloc[:2].assign(age=None).to_parquet(folder / "a-first.parquet")
    source = ParquetSource.of(str(folder / "[ab]*.parquet"), AGE)
    rows = pd.concat(list(source.batches()))
    assert rows["age"].isna().sum() == 2
    out = folder / "written"
    out.mkdir()
    left = without_rows(source, np.array([1]), out)
    assert pd.concat(list(left.batches()))["age"].isna().sum() == 1
    with open_duck() as duck:
        assert rows_drawn(source, duck, 5, 1, ["age"])["age"].isna().sum() <= 2
