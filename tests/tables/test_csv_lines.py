"""Delimited text under a budget: no line can keep another from being read, nor move what it says."""

from __future__ import annotations

import csv
import gzip
import io

import odd_cells
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import TableError
from synthkit.tables.csv_lines import LEFT_OUT_LINES, read_lines
from synthkit.tables.table_files import read_cells, write

HEAD = b"who,age,sex"
PLAIN = [b"1,61,f", b'2,44,"m"', b"3,,f"]


def read(path, **options):
    return read_lines(path, **{"delimiter": None, "encoding": "utf-8", "missing": (), **options})


def rows(frame):
    return [tuple(None if pd.isna(c) else c for c in row) for row in frame.itertuples(index=False, name=None)]


def table(tmp_path, lines, *, head=HEAD, end=b"\n", name="t.csv"):
    path = tmp_path / name
    path.write_bytes(head + end + b"".join(line + end for line in lines))
    return path


def test_what_is_right_is_read_as_it_is(tmp_path):
    path = table(tmp_path, PLAIN)
    assert rows(read(path)) == [("1", "61", "f"), ("2", "44", "m"), ("3", None, "f")]
    pd.testing.assert_frame_equal(read(path), read_cells(path))


@pytest.mark.parametrize("line", odd_cells.LINES.values(), ids=odd_cells.LINES)
@pytest.mark.parametrize("place", range(4))
def test_an_odd_line_moves_no_other(tmp_path, line, place):
    """The rows of a table with an odd line are those of the table without it, and those of the line alone."""
    alone = read(table(tmp_path, [line], name="alone.csv"))
    whole = read(table(tmp_path, [*PLAIN[:place], line, *PLAIN[place:]]))
    plain = rows(read(table(tmp_path, PLAIN, name="plain.csv")))
    assert rows(whole) == plain[:place] + rows(alone) + plain[place:]
    assert whole.attrs[LEFT_OUT_LINES] == alone.attrs[LEFT_OUT_LINES]
    assert list(whole.columns) == ["who", "age", "sex"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"caf\xe9,1,2", ("caf\ufffd", "1", "2")),
        (b"\xc3,1,2", ("\ufffd", "1", "2")),
        (b"a\x00b,1,2", ("a\x00b", "1", "2")),
        (b'"1,5",1,"say ""no"""', ("1,5", "1", 'say "no"')),
        (b'"",1,', ("", "1", None)),
        (b"1", None),
        (b"1,2,3,4", None),
        (b'"1,2,3', None),
        (b'1"1,2,3', None),
        (b'"1"1,2,3', None),
        (b"", None),
    ],
)
def test_what_a_line_becomes(tmp_path, line, wanted):
    found = read(table(tmp_path, [line]))
    assert rows(found) == ([] if wanted is None else [wanted])
    assert found.attrs[LEFT_OUT_LINES] == (wanted is None and bool(line))


CELLS = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=("Cs",)), min_size=1, max_size=6)


@given(cells=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_what_python_writes_is_read(tmp_path_factory, cells):
    """Python's own writer is the judge of what a well-formed line is."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(cells)
    path = tmp_path_factory.mktemp("lines") / "t.csv"
    path.write_bytes(HEAD + b"\n" + out.getvalue().encode())
    assert rows(read(path)) == cells


@given(line=st.binary(max_size=12).filter(lambda b: b"\n" not in b and b"\r" not in b))
@settings(deadline=None, max_examples=150)
def test_no_bytes_of_a_line_move_its_neighbours(tmp_path_factory, line):
    here = tmp_path_factory.mktemp("lines")
    found = rows(read(table(here, [PLAIN[0], line, PLAIN[1]])))
    assert found[0] == ("1", "61", "f")
    assert found[-1] == ("2", "44", "m")
    assert len(found) <= 3


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_as_they_may(tmp_path, end):
    assert len(read(table(tmp_path, PLAIN, end=end))) == 3


def test_the_delimiter_follows_from_the_header_alone(tmp_path):
    path = table(tmp_path, [b"1;61;f", b"1,2,3", b"1,2,3"], head=b"who;age;sex")
    assert rows(read(path)) == [("1", "61", "f")]
    assert rows(read(table(tmp_path, [b"1\t2"], head=b"who\tage", name="t.tsv"))) == [("1", "2")]


def test_a_packed_file_and_texts_that_mean_missing(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(HEAD + b"\nNA,61,f\n"))
    assert rows(read(path, missing=("NA",))) == [(None, "61", "f")]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TableError, match="a whole gzip file"):
        read(path)


def test_one_column_has_missing_cells(tmp_path):
    assert rows(read(table(tmp_path, [b"1", b"", b"2"], head=b"age"))) == [("1",), (None,), ("2",)]


def test_a_table_without_rows_is_one(tmp_path):
    found = read(table(tmp_path, []))
    assert list(found.columns) == ["who", "age", "sex"]
    assert len(found) == 0


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "klingon", "base64"])
def test_an_encoding_in_which_lines_cannot_be_told_is_refused(tmp_path, encoding):
    with pytest.raises(TableError, match="is read line by line"):
        read(table(tmp_path, PLAIN), encoding=encoding)


def test_other_encodings(tmp_path):
    assert rows(read(table(tmp_path, [b"caf\xe9,1,2"]), encoding="cp1252")) == [("caf\u00e9", "1", "2")]


@pytest.mark.parametrize(
    ("head", "match"), [(b"", "must have a name"), (b"who,,sex", "must have a name"), (b"who,who", "must differ")]
)
def test_a_header_refuses(tmp_path, head, match):
    with pytest.raises(TableError, match=match):
        read(table(tmp_path, PLAIN, head=head))


def test_one_missing_cell_of_a_file_keeps_whole_numbers_whole(tmp_path):
    """Two persons whose numbers floats do not tell apart stay two, whoever else has none."""
    far = [2**53, 2**53 + 1]
    for name, cells in (("plain", far), ("gap", [*far, None])):
        for writer in ("arrow", "pandas"):
            frame = pa.table({"who": pa.array(cells, pa.int64())})
            if writer == "pandas":
                frame = pa.Table.from_pandas(pd.DataFrame({"who": pd.Series(cells, dtype=object)}))
            path = tmp_path / f"{name}-{writer}.parquet"
            pq.write_table(frame, path)
            assert read_cells(path, alone=True)["who"].tolist()[:2] == far


def test_a_text_that_is_none_keeps_a_file_readable(tmp_path):
    """Parquet calls it text; one cell of it is not UTF-8."""
    broken = pa.array([b"f", b"\xff"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"sex": broken}), tmp_path / "t.parquet")
    assert read_cells(tmp_path / "t.parquet", alone=True)["sex"].tolist() == [b"f", b"\xff"]


def test_read_cells_reads_line_by_line_if_asked(tmp_path):
    path = table(tmp_path, [*PLAIN, b'"open'])
    assert len(read_cells(path, alone=True)) == 3
    with pytest.raises(TableError):
        read_cells(path)
    write(pd.DataFrame({"x": [1]}), tmp_path / "t.parquet")
    assert read_cells(tmp_path / "t.parquet", alone=True)["x"].tolist() == [1]


def test_the_first_line_of_excel_names_the_delimiter_and_is_no_row(tmp_path):
    path = table(tmp_path, [b"1;2,5", b"3;4,5"], head=b"sep=;\na;b,c")
    assert rows(read(path)) == [("1", "2,5"), ("3", "4,5")]
    assert read(path).attrs[LEFT_OUT_LINES] == 0
