"""What people complained about in public, of tools of this kind and of pandas: right here, or refused before the fit.

Where each was complained about, and what came of it here, is the log in docs/reliability.md; its rows name these tests.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from places import ROOT

from synthkit.errors import ConfigError, SchemaError, SynthkitError, TableError
from synthkit.schema import Categorical, Code, Identifier, Numeric, Schema
from synthkit.schema.conform import conform
from synthkit.schema.infer.draft import draft, infer_schema
from synthkit.schema.validation import validate
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files

N = 60
DOCS = ROOT / "docs" / "reliability.md"


def numbers(seed: int = 0, n: int = N) -> Any:
    """Numbers nobody asks about, to stand beside the odd column."""
    return np.random.default_rng(seed).random(n).round(3)


def whole_path(frame: pd.DataFrame, folder: Path, rows: int = 50) -> pd.DataFrame:
    """Draft, validate, fit, sample, validate, write, read: what comes out, the same in every file."""
    schema = Schema.loads(draft(frame))
    validate(frame, schema).raise_if_failed()
    drawn = Synthesizer(schema, "independent").fit(frame, seed=1).sample(rows, seed=2)
    validate(drawn, schema).raise_if_failed()
    learned = list(schema.learned)
    for ending in ("parquet", "csv", "arrow"):
        table_files.write(drawn, folder / f"drawn.{ending}", schema=schema)
        back = table_files.read(folder / f"drawn.{ending}", schema=schema).frame()
        validate(back, schema).raise_if_failed()
        pd.testing.assert_frame_equal(back[learned], conform(drawn, schema)[learned], check_dtype=False)
    return drawn


STORED = {
    "nullable whole numbers": pd.array([1, 2, None, 7, 9, 30] * 10, dtype="Int64"),
    "whole numbers of one byte": (numbers() * 100).astype("int8"),
    "floats of two bytes": numbers().astype("float16"),
    "nullable truths": pd.array([True, False, None] * 20, dtype="boolean"),
    "truths": np.array([True, False] * 30),
    "categories": pd.Categorical(["x", "y", "z"] * 20),
    "categories that are whole numbers": pd.Categorical([1, 2] * 30),
    "categories in an order, one unused": pd.Categorical(["lo", "hi"] * 30, ["lo", "mid", "hi"], ordered=True),
    "text with missing cells": pd.array(["x", None, "y"] * 20, dtype="string"),
    "whole numbers of Arrow": pd.array((numbers() * 50).astype(int), dtype="int64[pyarrow]"),
    "text of Arrow": pd.array(["x", "y", None] * 20, dtype="string[pyarrow]"),
    "truths of Arrow": pd.array([True, False, None] * 20, dtype="bool[pyarrow]"),
    "decimals of Arrow": pd.array([Decimal("1.25"), Decimal("2.50")] * 30, pd.ArrowDtype(pa.decimal128(9, 2))),
    "days of Arrow": pd.array([dt.date(2020, 1, 1), dt.date(2020, 2, 1)] * 30, pd.ArrowDtype(pa.date32())),
    "sparse numbers": pd.arrays.SparseArray([0.0, 0.0, 1.5] * 20),
    "periods": pd.period_range("2020-01", periods=12, freq="M").repeat(5),
    "intervals": pd.IntervalIndex.from_breaks([0, 1, 2, 3]).repeat(20),
    "bins": pd.cut(numbers(), 4),
    "long floats": numbers().astype("longdouble"),
    "times of day": pd.Series([dt.time(7, 30), dt.time(11, 0), None] * 20, dtype=object),
    "decimals": pd.Series([Decimal("1.25"), Decimal("2.50"), Decimal("3.10")] * 20, dtype=object),
    "dates": pd.Series([dt.date(2020, 1, 1), dt.date(2020, 5, 1)] * 30, dtype=object),
}


@pytest.mark.parametrize("name", STORED)
def test_a_column_comes_out_as_it_is_stored(name, tmp_path):
    frame = pd.DataFrame({"odd": STORED[name], "x": numbers()})
    drawn = whole_path(frame, tmp_path)
    assert drawn["odd"].dtype == frame["odd"].dtype
    if frame["odd"].dtype == object:
        assert {type(v) for v in drawn["odd"].dropna()} == {type(v) for v in frame["odd"].dropna()}
    if not isinstance(infer_schema(frame).columns["odd"], Numeric):
        assert set(drawn["odd"].dropna()) <= set(frame["odd"].dropna())


EMPTY = {
    "numbers": np.full(N, np.nan),
    "objects": pd.Series([None] * N, dtype=object),
    "moments": pd.Series([pd.NaT] * N),
    "nullable": pd.array([None] * N, dtype="Int64"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_column_without_a_value_stays_empty_and_harms_no_other(name, tmp_path):
    frame = pd.DataFrame({"empty": EMPTY[name], "x": numbers(), "far": ["2024-01-01", "9999-12-31"] * 30})
    drawn = whole_path(frame, tmp_path)
    assert drawn["empty"].isna().all()
    assert drawn[["x", "far"]].notna().all(axis=None)
    assert drawn["x"].nunique() > 20


def test_nearly_empty_columns_keep_their_share_of_missing_cells(tmp_path):
    few = [1.5] + [np.nan] * 19
    frame = pd.DataFrame({"a": few * 20, "b": ([None] * 19 + ["x"]) * 20, "c": numbers(1, 400)})
    drawn = whole_path(frame, tmp_path, rows=1000)
    assert (drawn[["a", "b"]].isna().mean() - 0.95).abs().max() < 0.03
    assert drawn["c"].notna().all()


def test_constant_columns_stay_constant(tmp_path):
    day = pd.Timestamp("2020-01-01")
    frame = pd.DataFrame({"a": [0] * N, "b": ["k"] * N, "c": [2.5] * N, "d": [True] * N, "e": [day] * N})
    drawn = whole_path(frame, tmp_path)
    assert drawn.drop_duplicates().to_dict("records") == frame.head(1).to_dict("records")


@pytest.mark.parametrize(
    "cells", [["x", "y", "z"] * 20, list(range(0, 6000, 100)), [0.0, -0.0, 1.0] * 20, [5e-324, 1e-310, 1.0] * 20]
)
def test_a_table_of_one_column_is_learned(cells, tmp_path):
    drawn = whole_path(pd.DataFrame({"only": cells}), tmp_path)
    assert set(drawn["only"]) <= set(range(6000)) | set(cells)


def test_texts_that_look_like_nothing_stay_texts_beside_missing_cells(tmp_path):
    frame = pd.DataFrame({"a": ["NA", "nan", "None", "null", "", None] * 10, "b": [" x", "x ", "x"] * 20})
    drawn = whole_path(frame, tmp_path, rows=400)
    assert set(drawn["a"].dropna()) == {"NA", "nan", "None", "null", ""}
    assert 0.05 < drawn["a"].isna().mean() < 0.3
    assert set(drawn["b"]) == {" x", "x ", "x"}


def test_na_in_a_file_is_a_text_and_an_empty_cell_is_missing(tmp_path):
    (tmp_path / "c.csv").write_text('country,x\nNA,1\nDE,2\n,3\n"",4\n', encoding="utf-8")
    assert table_files.read(tmp_path / "c.csv").frame()["country"].tolist() == ["NA", "DE", None, ""]
    told = table_files.read(tmp_path / "c.csv", missing=["NA"]).frame()
    assert told["country"].tolist() == [None, "DE", None, ""]


def test_leading_zeros_stay(tmp_path):
    frame = pd.DataFrame({"zip": ["03110", "00420", "10117"] * 20, "x": numbers()})
    frame.to_csv(tmp_path / "z.csv", index=False)
    assert set(table_files.read(tmp_path / "z.csv").frame()["zip"]) == set(frame["zip"])
    assert set(whole_path(frame, tmp_path)["zip"]) <= set(frame["zip"])


def test_line_breaks_quotes_and_delimiters_in_cells_and_names_survive_every_file(tmp_path):
    cells = ["a\nb", '"q"', "it's", "a,b;c\td", "=1+1", "\u2028", "😀"]
    frame = pd.DataFrame({"odd\nname": cells * 9, 'q"': numbers(0, 63), "it's": cells * 9, "a.value": numbers(1, 63)})
    frame = frame.assign(**{"a.is_null": numbers(2, 63), "名前": cells * 9, "None": 1.5, "Unnamed: 0": numbers(3, 63)})
    drawn = whole_path(frame, tmp_path)
    assert list(drawn) == list(frame)
    assert set(drawn["odd\nname"]) <= set(cells)


def test_years_are_numbers_and_stay_within_what_is_declared(tmp_path):
    frame = pd.DataFrame({"year": np.random.default_rng(0).integers(2016, 2025, N), "x": numbers()})
    schema = infer_schema(frame)
    assert isinstance(schema.columns["year"], Numeric)
    drawn = whole_path(frame, tmp_path)
    assert drawn["year"].between(2016, 2024).all()
    assert drawn["year"].dtype == frame["year"].dtype


def test_decimals_are_those_of_the_table(tmp_path):
    frame = pd.DataFrame({"two": numbers(0).round(2), "none": (numbers(1) * 900).round(), "one": numbers(2).round(1)})
    drawn = whole_path(frame, tmp_path)
    for name, digits in (("two", 2), ("none", 0), ("one", 1)):
        assert (drawn[name] == drawn[name].round(digits)).all()


def test_whole_numbers_with_missing_cells_stay_whole(tmp_path):
    cells = [float(v % 11) for v in range(40)] + [np.nan] * 20
    drawn = whole_path(pd.DataFrame({"a": cells, "x": numbers()}), tmp_path, rows=300)
    assert 0.2 < drawn["a"].isna().mean() < 0.45
    assert (drawn["a"].dropna() % 1 == 0).all()


def test_categories_come_as_often_as_they_were_and_two_modes_stay_two():
    rng = np.random.default_rng(4711)
    modes = np.where(rng.random(4000) < 0.5, rng.normal(1, 0.1, 4000), rng.normal(9, 0.1, 4000)).round(3)
    frame = pd.DataFrame({"level": pd.Categorical(rng.integers(0, 4, 4000)), "first": modes})
    drawn = Synthesizer(infer_schema(frame), "independent").fit(frame, seed=1).sample(4000, seed=2)
    shares = drawn["level"].value_counts(normalize=True)
    assert shares.between(0.22, 0.28).all()
    assert (drawn["first"].between(3, 7)).mean() < 0.01
    assert 0.45 < (drawn["first"] < 3).mean() < 0.55


def test_an_order_between_columns_holds_beside_missing_cells(tmp_path):
    start = pd.date_range("2020-01-01", periods=N, freq="D")
    end = [str((s + pd.Timedelta(days=k % 9)).date()) if k % 4 else None for k, s in enumerate(start)]
    frame = pd.DataFrame({"start": start.astype(str), "end": pd.array(end, dtype="string")}).convert_dtypes()
    schema = infer_schema(frame).model_copy(update={"rules": ()})
    rule = {"rule": "comparison", "left": "start", "op": "<=", "right": "end"}
    schema = Schema.model_validate({**schema.model_dump(by_alias=True), "rules": [rule]})
    drawn = Synthesizer(schema, "independent").fit(frame, seed=1).sample(300, seed=2)
    validate(drawn, schema).raise_if_failed()
    both = drawn.dropna()
    assert 0.1 < drawn["end"].isna().mean() < 0.4
    assert (both["start"].astype(str) <= both["end"].astype(str)).all()


def test_the_same_cells_in_other_types_are_the_same_table():
    frame = pd.DataFrame(
        {"a": [1, 2, None] * 20, "b": [True, False, None] * 20, "c": ["2020-01-01", "2021-01-01"] * 30}
    )
    schema = infer_schema(frame)
    texts = frame.astype(object).map(lambda cell: None if pd.isna(cell) else str(cell))
    others = [frame.convert_dtypes(), frame.astype("category"), texts.astype("string")]
    others.append(frame.assign(c=pd.to_datetime(frame["c"]), a=frame["a"].astype("Float32")))
    for other in others:
        pd.testing.assert_frame_equal(conform(other, schema), conform(frame, schema))


def test_more_rows_than_were_learned_have_keys_of_their_own(tmp_path):
    frame = pd.DataFrame({"patient_id": [f"P{k:04d}" for k in range(N)], "x": numbers()})
    drawn = whole_path(frame, tmp_path, rows=10 * N)
    assert drawn["patient_id"].is_unique


def test_rare_codes_are_not_told_word_for_word():
    codes = [f"A{k % 30:02d}.1" for k in range(600)] + [f"Z{k:02d}.9" for k in range(40)]
    frame = pd.DataFrame({"icd": codes, "x": numbers(0, 640)})
    schema = Schema(columns={"icd": Code(system="ICD-10"), "x": Numeric()})
    drawn = Synthesizer(schema, "independent").fit(frame, seed=1).sample(2000, seed=2)
    assert not set(drawn["icd"].dropna()) & set(codes[600:])


INDEXES = {
    "reversed": np.arange(N)[::-1] * 3,
    "repeated": [0] * N,
    "moments": pd.date_range("2020", periods=N),
    "levels": pd.MultiIndex.from_product([range(6), range(10)]),
}


@pytest.fixture(scope="module")
def without_index(tmp_path_factory):
    """A table without an index of its own, and what the whole path makes of it."""
    plain = pd.DataFrame({"a": numbers(), "b": ["x", "y", None] * 20})
    return plain, whole_path(plain, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_of_any_kind_changes_nothing(name, without_index, tmp_path):
    plain, made = without_index
    odd = plain.set_axis(pd.Index(INDEXES[name]), axis=0)
    assert draft(odd) == draft(plain)
    pd.testing.assert_frame_equal(whole_path(odd, tmp_path), made)


def test_a_named_index_is_a_column_of_its_file_and_is_said_of_a_frame(tmp_path):
    frame = pd.DataFrame({"patient": [f"P{k}" for k in range(N)], "x": numbers()})
    frame.set_index("patient").to_parquet(tmp_path / "i.parquet")
    frame[frame["x"] > 0.5].to_parquet(tmp_path / "part.parquet")
    assert set(table_files.read(tmp_path / "i.parquet").frame()) == {"patient", "x"}
    assert set(table_files.read_cells(tmp_path / "i.parquet")) == {"patient", "x"}
    assert list(table_files.read(tmp_path / "part.parquet").frame()) == ["patient", "x"]
    said = "The index of the frame (patient) is no column"
    assert said in draft(frame.set_index("patient"))
    assert "index" not in draft(frame)


LISTS = pd.ArrowDtype(pa.list_(pa.int64()))
REFUSED = {
    "whole numbers as names": (pd.DataFrame({1: [1.5] * N}), "columns named 1 are no text"),
    "names of several levels": (pd.DataFrame({("1", "a"): [1.5] * N}), "are no text"),
    "names that stand twice": (pd.DataFrame([[1, 2]] * N, columns=["a", "a"]), "columns named twice: a"),
    "a name that is blank": (pd.DataFrame({"a": [1.5] * N, " ": 1}), "column 2 has no name"),
    "mappings": (pd.DataFrame({"a": [{"k": 1}] * N}), "`a` holds lists or mappings"),
    "lists": (pd.DataFrame({"a": [[1], [2]] * 30}), "`a` holds lists or mappings"),
    "lists of Arrow": (
        pd.DataFrame({"a": pd.array([[1]] * N, pd.ArrowDtype(pa.list_(pa.int64())))}),
        "`a` holds lists",
    ),
    "tuples": (pd.DataFrame({"a": [(1,), (2,)] * 30}), "`a` holds objects that are none of these"),
    "objects": (pd.DataFrame({"a": [object() for _ in range(N)]}), "`a` holds objects that are none of these"),
    "spans of time": (pd.DataFrame({"a": pd.to_timedelta(range(N), unit="h")}), "`a` holds spans of time"),
    "complex numbers": (pd.DataFrame({"a": [1 + 2j] * N}), "`a` holds complex numbers"),
    "no rows": (pd.DataFrame({"a": []}), "0 rows and 1 columns"),
    "no columns": (pd.DataFrame(index=range(5)), "5 rows and 0 columns"),
    "NUL in a text": (pd.DataFrame({"a": ["x", "x\0y"] * 30}), r"NUL \(U\+0000\) or half letters"),
    "half a letter": (pd.DataFrame({"a": ["x", "\ud800"] * 30}), r"half letters \(surrogates\) in texts of `a`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(name):
    frame, words = REFUSED[name]
    for look in (draft, infer_schema):
        with pytest.raises(SchemaError, match=words) as caught:
            look(frame)
        assert "x\0y" not in str(caught.value)


UNFIT = {
    "one row": (pd.DataFrame({"a": [1], "b": ["x"]}), {"a": Numeric(), "b": Code()}, "at least 2 rows; however: 1"),
    "only keys": (pd.DataFrame({"a": ["p", "q"]}), {"a": Identifier()}, "a column to learn; however: only identifiers"),
    "infinity": (pd.DataFrame({"a": [1.0, np.inf, 2.0]}), {"a": Numeric()}, "a number, finite"),
    "a lacking column": (pd.DataFrame({"a": [1, 2]}), {"a": Numeric(), "b": Numeric()}, "missing from the table"),
    "a column more": (pd.DataFrame({"a": [1, 2], "b": [1, 2]}), {"a": Numeric()}, "missing from the schema"),
    "a blank name": (
        pd.DataFrame({"a": [1, 2], "": [1, 2]}),
        {"a": Numeric(), "": Numeric()},
        "a name that is not blank",
    ),
    "NUL": (pd.DataFrame({"a": ["x", "x\0y"]}), {"a": Code()}, r"text without NUL \(U\+0000\)"),
    "text among numbers": (pd.DataFrame({"a": [1, "secret"]}), {"a": Numeric()}, "a number, finite"),
    "no value": (pd.DataFrame({"a": [None, None], "b": [1, 2]}), {"a": Code(), "b": Numeric()}, "has values"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_table_that_cannot_be_learned_is_refused_before_the_fit(name):
    frame, columns, words = UNFIT[name]
    with pytest.raises(SchemaError, match=words) as caught:
        Synthesizer(Schema(columns=columns), "independent").fit(frame)
    assert "secret" not in str(caught.value)


def test_a_level_that_is_not_declared_is_refused_by_count():
    schema = Schema(columns={"a": Categorical(levels=("x", "y")), "b": Numeric()})
    found = validate(pd.DataFrame({"a": ["x", "secret"], "b": [1, 2]}), schema)
    assert [(v.columns, v.count, v.rows) for v in found.violations] == [(("a",), 1, (2,))]
    assert "secret" not in str(found)


@pytest.mark.parametrize("table", [None, {"a": [1]}, [[1]], "no such file.csv"])
def test_what_is_no_table_is_refused_in_words(table):
    with pytest.raises(SynthkitError):
        table_files.read(table)


def test_sampling_before_the_fit_and_fewer_rows_than_none_are_refused():
    synthesizer = Synthesizer(Schema(columns={"a": Numeric()}), "independent")
    with pytest.raises(ConfigError, match="must be fitted first"):
        synthesizer.sample(3)
    with pytest.raises(ConfigError, match="must not be negative"):
        synthesizer.fit(pd.DataFrame({"a": [1.0, 2.0]}), seed=1).sample(-1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (",a\n0,1\n", "column 1 has none"),
        ("a,a\n1,2\n", "column 2 repeats one"),
        ("a,b\n1,2\n3\n", "must have 2 cells"),
        ("a,b\n", "holds only a header"),
        ('a,b\n1,"2\n', "a quote is not closed"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_line_or_column(text, words, tmp_path):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=words):
        table_files.read(tmp_path / "t.csv")


def test_given_values_of_several_rows_stand_in_these_rows_and_nothing_else_is_missing():
    frame = pd.DataFrame({"sex": ["f", "m"] * 30, "x": numbers()})
    synthesizer = Synthesizer(infer_schema(frame), "independent").fit(frame, seed=1)
    given = pd.DataFrame({"sex": ["m", "m", "f"]}, index=[7, 9, 7])
    drawn = synthesizer.sample(3, given=given, seed=2)
    assert drawn["sex"].tolist() == ["m", "m", "f"]
    assert drawn.notna().all(axis=None)
    assert list(drawn.index) == [0, 1, 2]


def test_every_row_of_the_log_names_tests_that_are_here():
    log = DOCS.read_text(encoding="utf-8").split("## Complaints")[1]
    rows = re.findall(r"^\| (?!trait|---)(.+) \|$", log, flags=re.MULTILINE)
    here = {name for name in globals() if name.startswith("test_")}
    assert len(rows) >= 30
    for row in rows:
        _, where, verdict, test = row.split(" | ")
        assert re.search(r"[A-Za-z]+ \d+", where)
        assert verdict.split(":")[0] in {"right", "refused", "was wrong and is mended"}
        assert f"test_{test}" in here
