"""Parquet and Arrow files of strangers: measured before they are read, read in pieces, refused in words."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from synthkit.errors import TableError
from synthkit.io import arrow_files
from synthkit.io.provenance_marks import read_mark
from synthkit.tables import table_files

MIXED = pd.DataFrame(
    {
        "c": pd.Categorical(["a", "b", None]),
        "s": pd.Series(["x", None, "y"], dtype="string"),
        "o": ["p", "q", None],
        "i": pd.Series([1, None, 3], dtype="Int64"),
        "x": [0.5, np.nan, 2.0],
        "b": [b"a", b"b", None],
        "t": pd.to_datetime(["2020-01-01", None, "2021-01-01"]),
    }
)


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_what_was_written_is_read(ending, tmp_path):
    table_files.write(MIXED, tmp_path / f"t.{ending}")
    pd.testing.assert_frame_equal(table_files.read(tmp_path / f"t.{ending}").frame(), MIXED)
    table_files.write(MIXED.iloc[:0], tmp_path / f"t.{ending}")
    none = table_files.read(tmp_path / f"t.{ending}").frame()
    assert (list(none), len(none)) == (list(MIXED), 0)


def test_many_rows_in_one_group_come_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow_files, "MAX_PIECE_ROWS", 10)
    frame = pd.DataFrame({"x": np.arange(25), "y": [f"t{k}" for k in range(25)]})
    frame.to_parquet(tmp_path / "t.parquet")
    assert [piece.num_rows for piece in arrow_files.read_pieces(tmp_path / "t.parquet", "parquet")] == [10, 10, 5]
    pd.testing.assert_frame_equal(table_files.read(tmp_path / "t.parquet").frame(), frame)


def test_the_extent_is_that_of_the_footer(tmp_path):
    MIXED.to_parquet(tmp_path / "t.parquet", index=False)
    assert arrow_files.arrow_extent((tmp_path / "t.parquet").read_bytes(), "t.parquet") == arrow_files.Extent(
        rows=3, columns=7
    )


def test_a_text_that_stands_in_many_rows_is_weighed_before_it_is_written_out(tmp_path):
    """Two kilobytes that stand for 100 GB."""
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, dtype=np.int32)), pa.array(["y" * 100_000]))
    pq.write_table(pa.table({"x": text}), tmp_path / "t.parquet", compression="zstd", store_schema=False)
    assert (tmp_path / "t.parquet").stat().st_size < 10_000
    with pytest.raises(TableError, match="at most 1,024 MiB of text in 1,048,576 rows"):
        table_files.read(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1, 2], [3]]),
        pa.array([{"a": 1}, {"a": 2}]),
    ],
)
def test_cells_that_hold_several_values_are_refused(column, tmp_path):
    pq.write_table(pa.table({"x": column}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="must hold one value; however: those of x hold others"):
        table_files.read(tmp_path / "t.parquet")


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_bytes_of_one_length_are_read_up_to_a_length(ending, tmp_path):
    path, short = tmp_path / f"t.{ending}", pa.table({"x": pa.array([b"ab", b"cd", None], pa.binary(2))})
    long = pa.table({"x": pa.array([b"y" * 1025], pa.binary(1025))})
    write = pq.write_table if ending == "parquet" else feather.write_feather
    write(short, str(path))
    assert table_files.read(path).frame()["x"].tolist() == [b"ab", b"cd", None]
    write(long, str(path))
    with pytest.raises(TableError, match="at most 1,024 a cell; however: those of x are more"):
        table_files.read(path)


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_a_file_changed_anywhere_is_read_or_refused_in_words(ending, tmp_path):
    """Every byte of the end of a file, and many of the rest, one at a time."""
    path = tmp_path / f"t.{ending}"
    table_files.write(MIXED, path, mark={"content": "synthetic"})
    content, rng = path.read_bytes(), random.Random(0)
    for place in [*range(len(content) - 40, len(content)), *rng.sample(range(len(content)), 300)]:
        changed = bytearray(content)
        changed[place] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        for read in (read_mark, table_files.read):
            try:
                read(path)
            except TableError as error:
                assert "however" in str(error)  # noqa: PT017 - both outcomes are right


def test_a_feather_file_of_the_first_version_is_refused(tmp_path):
    feather.write_feather(pa.table({"x": [1.0]}), str(tmp_path / "t.feather"), version=1)
    with pytest.raises(TableError, match="must be a whole arrow file"):
        table_files.read(tmp_path / "t.feather")
