"""Numbers written by people are read as the decimals of the standard library, and written back as they were."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Numeric, Schema
from synthkit.schema.clamp import clamp
from synthkit.schema.conform import conform
from synthkit.schema.domain_mapping import map_into_domain
from synthkit.schema.number_formats import NOT_A_NUMBER, read_numbers, write_numbers
from synthkit.schema.rules_sql import checks
from synthkit.schema.typed_columns import check_structure
from synthkit.schema.validation import validate
from synthkit.schema.written_numbers import as_written
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files
from synthkit.tables.storage import storages
from synthkit.watermark import WatermarkKey
from synthkit.watermark.row_tokens import canonical_forms

THOUSANDS = (None, ".", ",", "'", "\u2019", " ", "\u00a0", "\u2009", "\u202f")
LOOKS = [(decimal, thousands) for decimal in ".," for thousands in THOUSANDS if decimal != thousands]
ENDS = [
    {},
    {"prefix": "$"},
    {"prefix": "CHF "},
    {"suffix": " mg"},
    {"suffix": "kg/m2"},
    {"suffix": " %"},
    {"suffix": " 10^9/L"},
    {"percent": True},
    {"minus": "\u2212"},
    {"plus": True, "suffix": " mg"},
]


@st.composite
def columns(draw: st.DrawFn) -> Numeric:
    """A numeric column with any way of writing."""
    decimal, thousands = draw(st.sampled_from(LOOKS))
    decimals = draw(st.sampled_from([None, 0, 1, 2, 4]))
    zeros = bool(decimals) and draw(st.booleans())
    return Numeric(
        decimal=decimal,
        thousands=thousands,
        decimals=decimals,
        trailing_zeros=zeros,
        missing=draw(st.sampled_from([(), ("?",), ("n/a", "NaN"), ("", "-")])),
        nullable=True,
        **draw(st.sampled_from(ENDS)),
    )


@st.composite
def decimals_of(draw: st.DrawFn, column: Numeric) -> Decimal:
    """A number of at most 15 digits that the column may hold."""
    digits = draw(st.integers(0, column.decimals if column.decimals is not None else 6))
    return Decimal(draw(st.integers(-(10**9), 10**9))).scaleb(-digits)


def spelled(number: Decimal, column: Numeric) -> str:
    """The text of a number by plain means: groups cut from the right, no format string."""
    whole, _, fraction = f"{abs(number):f}".partition(".")
    fraction = fraction.rstrip("0")
    if column.trailing_zeros:
        fraction += "0" * (column.decimals - len(fraction))
    if column.thousands:
        groups = []
        while whole:
            whole, group = whole[:-3], whole[-3:]
            groups.insert(0, group)
        whole = column.thousands.join(groups)
    text = whole + (column.decimal + fraction if fraction else "")
    ending = "%" if column.percent else (column.suffix or "")
    sign = column.minus if number < 0 else "+" * column.plus
    return sign + (column.prefix or "") + text + ending


@given(st.data())
def test_every_number_is_read_as_decimal_reads_it_and_written_back_to_the_same_text(data):
    column = data.draw(columns())
    numbers = data.draw(st.lists(decimals_of(column), min_size=1, max_size=8))
    texts = [spelled(number, column) for number in numbers]
    values = pd.Series([*texts, None, *column.missing], dtype=object)
    typed = conform(pd.DataFrame({"x": values}), Schema(columns={"x": column}))["x"]
    assert typed[: len(texts)].astype(float).tolist() == [float(number) for number in numbers]
    assert typed[len(texts) :].isna().all()
    written = write_numbers(typed, column)
    assert written[: len(texts)].tolist() == texts
    assert set(written[len(texts) :]) <= {column.missing[0] if column.missing and column.missing[0] else None}


@pytest.mark.parametrize(
    ("keys", "text", "number"),
    [
        ({"decimal": ",", "thousands": "."}, "1.234.567,89", 1234567.89),
        ({"decimal": ",", "thousands": "."}, "1234,5", 1234.5),
        ({"decimal": ",", "thousands": "."}, ",5", 0.5),
        ({"decimal": ","}, "1,5e3", 1500.0),
        ({"thousands": "'"}, "12\u2019345", 12345.0),
        ({"thousands": " "}, "12\u202f345.5", 12345.5),
        ({"thousands": ","}, "-1,234", -1234.0),
        ({"thousands": ","}, "\u22121,234", -1234.0),
        ({"prefix": "$", "thousands": ","}, "-$1,234.50", -1234.5),
        ({"prefix": "$"}, "$ -5", -5.0),
        ({"suffix": " mg"}, " 5mg ", 5.0),
        ({"suffix": "kg/m2"}, "22.5 kg/m2", 22.5),
        ({"percent": True}, "+12 %", 12.0),
        ({"missing": ["?"]}, "007", 7.0),
        ({"plus": True}, "\u22127", -7.0),
        ({"minus": "\u2212"}, "-7", -7.0),
        ({"suffix": " 10^9/L"}, "4.5  10^9/L", 4.5),
    ],
)
def test_what_people_write_is_read(keys, text, number):
    assert float(Numeric(**keys).cell(text)) == number


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"decimal": ",", "thousands": "."}, "1.5"),
        ({"decimal": ",", "thousands": "."}, "1.2345"),
        ({"decimal": ",", "thousands": "."}, "12.34.567"),
        ({"decimal": ",", "thousands": "."}, "1.234.56"),
        ({"thousands": ","}, "1,23,456"),
        ({"decimal": ","}, "1.234,5"),
        ({"suffix": " mg"}, "5"),
        ({"suffix": " 10^9/L"}, "4.510^9/L"),
        ({"suffix": " mg"}, "5 g"),
        ({"suffix": " mg"}, "mg"),
        ({"prefix": "$"}, "-$-5"),
        ({"percent": True}, "5%%"),
        ({"missing": ["?"]}, "??"),
        ({"missing": ["?"]}, "\u0661"),
        ({"missing": ["?"]}, "0x20"),
        ({"missing": ["?"]}, "1_000"),
        ({"missing": ["?"]}, "inf"),
        ({"missing": ["?"]}, ""),
    ],
)
def test_what_is_written_in_another_way_is_no_number_and_is_refused_by_count(keys, text):
    column = Numeric(nullable=True, **keys)
    assert column.cell(text) == NOT_A_NUMBER
    schema = Schema(columns={"x": column})
    broken = validate(pd.DataFrame({"x": [column.text(3), text]}), schema)
    assert [(v.columns, v.count, v.rows) for v in broken.violations] == [(("x",), 1, (2,))]
    assert column.sentence in str(broken)
    with pytest.raises(SchemaError, match="written like"):
        conform(pd.DataFrame({"x": [text]}), schema)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"decimal": ",", "thousands": ","}, "`decimal` and `thousands` must differ"),
        ({"percent": True, "suffix": "%"}, "`percent` or a `suffix`"),
        ({"trailing_zeros": True}, "`trailing_zeros` fill up `decimals`"),
        ({"trailing_zeros": True, "decimals": 0}, "`trailing_zeros` fill up `decimals`"),
        ({"suffix": " "}, "`suffix` must be text"),
        ({"suffix": "5mg"}, "`suffix` must be text"),
        ({"prefix": "-"}, "`prefix` must be text"),
        ({"missing": ["-1"]}, "`missing` must list texts that are no numbers"),
        ({"missing": ["?", "?"]}, "`missing` must list each text once"),
    ],
)
def test_a_way_of_writing_that_cannot_be_read_is_refused_with_the_schema(keys, words):
    with pytest.raises(ValueError, match=words):
        Numeric(**keys)


def test_a_schema_with_numerals_is_written_and_read_back():
    text = 'columns:\n  x: {kind: numeric, min: 0, decimals: 2, decimal: ",", thousands: ".", missing: ["?", n/a]}\n'
    schema = Schema.loads(text)
    assert schema.columns["x"].missing == ("?", "n/a")
    assert Schema.loads(schema.dumps()) == schema
    assert text.splitlines()[1] in schema.dumps()


def test_numbers_of_a_column_with_a_number_type_are_read_as_they_are_and_stay_numbers():
    schema = Schema(columns={"x": Numeric(decimal=",", decimals=1)})
    frame = pd.DataFrame({"x": np.array([1.5, 2.0], dtype="float32")})
    assert validate(frame, schema).success
    assert table_files.as_it_came(frame, schema, storages(frame))["x"].dtype == np.dtype("float32")
    assert table_files.as_it_came(frame, schema, {})["x"].tolist() == ["1,5", "2"]


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_a_sample_is_written_as_the_table_was(dtype):
    column = {
        "kind": "numeric",
        "decimals": 2,
        "decimal": ",",
        "thousands": ".",
        "suffix": " €",
        "trailing_zeros": True,
    }
    schema = Schema(columns={"cost": {**column, "min": 0, "max": 9000}})
    frame = pd.DataFrame({"cost": pd.Series(["1.234,50 €", "0,75 €", "980,00 €"] * 10, dtype=dtype)})
    synthesizer = Synthesizer(schema, "independent").fit(frame, seed=1)
    drawn = synthesizer.sample(40, seed=2)
    assert drawn["cost"].dtype == frame["cost"].dtype
    assert drawn["cost"].astype(object).str.fullmatch(r"(\d{1,3}(\.\d{3})+|\d{1,3}),\d{2} €").all()
    assert validate(drawn, schema).success
    assert set(drawn["cost"]) <= set(frame["cost"])
    for given_ in ("980,00 €", 980):
        assert set(synthesizer.sample(5, given={"cost": given_}, seed=3)["cost"]) == {"980,00 €"}
    with pytest.raises(SchemaError, match="written like"):
        synthesizer.sample(5, given={"cost": "980.00"}, seed=3)


def test_whole_numbers_beyond_floats_stay_exact():
    column = Numeric(decimals=0, thousands=" ")
    frame = pd.DataFrame({"x": ["9 007 199 254 740 993", "1"]})
    typed = conform(frame, Schema(columns={"x": column}))
    assert typed["x"].tolist() == [2**53 + 1, 1]
    assert write_numbers(typed["x"], column).tolist() == frame["x"].tolist()


def test_csv_goes_out_as_it_came(tmp_path):
    schema = Schema.loads(
        'columns: {x: {kind: numeric, decimal: ",", missing: ["?"], nullable: true}, y: {kind: numeric, decimals: 0}}'
    )
    (tmp_path / "in.csv").write_text("x;y\n1,5;1\n?;2\n-20;3\n", encoding="utf-8")
    typed = table_files.read(tmp_path / "in.csv", schema=schema).frame()
    assert typed["x"].tolist()[::2] == [1.5, -20.0]
    table_files.write(typed, tmp_path / "out.csv", schema=schema)
    assert (tmp_path / "out.csv").read_text() == '"x","y"\n"1,5",1\n"?",2\n"-20",3\n'
    pd.testing.assert_frame_equal(table_files.read(tmp_path / "out.csv", schema=schema).frame(), typed)


def test_a_column_of_words_for_missing_cells_is_empty_before_the_fit():
    schema = Schema(columns={"x": Numeric(missing=["?"]), "y": Numeric()})
    with pytest.raises(SchemaError, match="has values"):
        check_structure(pd.DataFrame({"x": ["?", "?"], "y": [1, 2]}), schema)


def test_under_a_budget_strange_cells_are_mapped_and_counted_and_none_is_refused():
    schema = Schema(columns={"x": Numeric(min=0, max=100, decimals=1, decimal=",", missing=["?"], nullable=True)})
    found = map_into_domain(pd.DataFrame({"x": ["1,5", "1.5", "?", None, "250", "no"]}), schema)
    assert found.frame["x"].tolist()[0::4] == [1.5, 100.0]
    assert found.frame["x"].isna().tolist() == [False, True, True, True, False, True]
    assert found.counts == {"x": 3}
    assert [(v.rule, v.count) for v in found.faults] == [("a cell of the column's kind", 2), ("the declared domain", 1)]


def test_clamped_cells_are_moved_to_the_bounds():
    schema = Schema(columns={"x": Numeric(min=0, max=100, decimals=1, decimal=",")})
    frame, changed = clamp(pd.DataFrame({"x": ["1,5", "250"]}), schema)
    assert frame["x"].tolist() == [1.5, 100.0]
    assert changed == {"x": 1}


cells = st.sampled_from(
    ["1.234,5 mg", "7 mg", "?", " n/a", None, "1.5 mg", "12.345 mg", "-3 mg", "\u22123,25 mg", "+-3 mg", "5", "", "mg"]
)


@settings(max_examples=30)  # of many cells each: the query takes long to read, not to answer
@given(st.lists(cells, min_size=1, max_size=40))
def test_sql_counts_what_the_validation_counts(tmp_path_factory, texts):
    column = Numeric(min=0, max=9000, decimals=1, decimal=",", thousands=".", suffix=" mg", missing=["?", "n/a"])
    frame = pd.DataFrame({"x": pd.Series(texts, dtype=object)})
    path = tmp_path_factory.mktemp("sql") / "x.parquet"
    frame.to_parquet(path)
    counted = {c.rule: duckdb.sql(c.sql).fetchall()[0][0] for c in checks(Schema(columns={"x": column}), str(path))}
    said = [column.cell(text) if text is not None else None for text in texts]
    known = [float(one) if one else np.nan for one in said if one is not None]
    assert counted["no missing cell"] == said.count(None)
    assert counted["a number, finite"] == said.count("")
    assert counted[">= 0.0 and <= 9000.0"] == sum(not 0 <= x <= 9000 for x in known)
    assert counted["at most 1 decimals"] == sum(round(x, 1) != x for x in known)


def test_a_watermark_reads_numbers_however_they_are_written():
    key = WatermarkKey.new(Schema(columns={"x": Numeric(decimal=",", thousands=".", decimals=1)}))
    marked = WatermarkKey.model_validate_json(key.model_dump_json().replace("**********", "0" * 64)).columns[0]
    written = canonical_forms(pd.Series(["1.234,5", "7"]), marked, coarse=False)[1]
    assert written == canonical_forms(pd.Series([1234.5, 7.0]), marked, coarse=False)[1]


def test_reading_leaves_columns_without_texts_alone():
    column = Numeric(decimal=",")
    for values in (pd.Series([1, 2]), pd.Series([1.5]), pd.Series(pd.to_datetime(["2020-01-01"]))):
        assert read_numbers(values, column) is values
    assert read_numbers(pd.Series(["1,5"]), Numeric()).tolist() == ["1,5"]
    frame: Any = as_written(pd.DataFrame({"x": [np.inf]}), Schema(columns={"x": column}), {})
    assert frame["x"].tolist() == ["inf"]
