"""Drafts: the frame satisfies its own draft whatever it holds; clear cases come out as a person would write them."""

import datetime as dt
import os
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.conform import conform, type_cells
from synthkit.schema.infer.column_names import name_words, says_key
from synthkit.schema.infer.datetime_format import infer_datetime_format
from synthkit.schema.infer.draft import draft, examine, infer_schema
from synthkit.schema.infer.ranges import atoms, decimals, outward, span
from synthkit.schema.infer.relations import comparisons, fixed_combinations
from synthkit.schema.infer.text_shapes import fixed_shape
from synthkit.schema.infer.type_inference import infer_column
from synthkit.schema.level_order import known_order, parse_band
from synthkit.synthesizer.synthesizer import Synthesizer

TABLES = {
    "support2": "support2/support2.parquet",
    "adult": "adult/train.parquet",
    "diabetes130": "diabetes130/diabetic_data.parquet",
    "heart_disease": "heart_disease/heart_disease.parquet",
    "breast_cancer": "breast_cancer/wdbc.parquet",
}


def table(name):
    folder = os.environ.get("SYNTHKIT_DATA")
    if not folder:
        pytest.skip("SYNTHKIT_DATA names no folder with the public tables")
    return pd.read_parquet(Path(folder) / TABLES[name])


@cache
def examined(name, unit=None):
    """A draft of a real table, which says its schema and its text; made once for all that ask."""
    return examine(table(name), name=name, unit=unit)


def refused(frame, schema):
    """Columns and rules of the schema that the frame breaks."""
    broken = [c for c, column in schema.columns.items() if not column.admits(frame[c]).all()]
    broken += [c for c, column in schema.columns.items() if frame[c].isna().any() and not column.nullable]
    return broken + [rule.sentence for rule in schema.rules if not rule.holds(frame).all()]


@pytest.mark.parametrize("name", TABLES)
def test_a_real_table_satisfies_its_own_draft(name):
    frame, schema = table(name), examined(name).schema
    assert refused(frame, schema) == []
    assert refused(conform(frame, schema), schema) == []
    assert Schema.loads(examined(name).text) == schema
    assert all({"kind", "nullable"} <= set(column.observed) for column in schema.columns.values())
    assert all(rule.observed for rule in schema.rules)


def test_support2_is_drafted_as_a_person_would():
    schema = examined("support2").schema
    kinds = {name: column.kind for name, column in schema.columns.items()}
    assert kinds["id"] == "identifier"
    assert kinds["death"] == kinds["diabetes"] == "boolean"
    assert kinds["age"] == kinds["totcst"] == "numeric"
    assert schema.columns["income"].levels == ("under $11k", "$11-$25k", "$25-$50k", ">$50k")
    assert schema.columns["bili"].decimals is None
    assert schema.columns["slos"].decimals == 0
    assert [rule.sentence for rule in schema.rules] == [
        "surv6m <= surv2m",
        "only known combinations of dzgroup, dzclass",
    ]


def test_diabetes130_is_drafted_as_a_person_would():
    schema = examined("diabetes130", "patient_nbr").schema
    assert [c for c, column in schema.columns.items() if column.kind == "identifier"] == ["encounter_id", "patient_nbr"]
    assert (schema.columns["encounter_id"].unique, schema.columns["patient_nbr"].unique) == (True, False)
    assert [schema.columns[f"diag_{k}"].system for k in (1, 2, 3)] == ["ICD-9-CM"] * 3
    assert schema.columns["age"].levels[1] == "[10-20)"
    assert schema.columns["weight"].levels[-1] == ">200"
    assert schema.columns["A1Cresult"].levels == (">7", ">8", "None", "Norm")
    assert not schema.columns["A1Cresult"].nullable
    assert schema.columns["discharge_disposition_id"].kind == "categorical"
    assert "# unit: patient_nbr" in examined("diabetes130").text.splitlines()


def test_adults_education_is_one_thing_said_twice():
    frame, schema = table("adult"), examined("adult").schema
    (rule,) = schema.rules
    assert rule.of == ("education", "education_num")
    assert ("Doctorate", 16) in rule.combinations
    assert len(rule.combinations) == frame["education"].nunique()
    assert schema.columns["capital_gain"].atoms == (0.0, 99999.0)


# Without NUL, at which pandas ends a text when it looks for distinct values.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    TEXT,
    st.sampled_from(["None", "NA", "nan", "", "2020-01-01", "1", "I", "II", "<30", ">30", "yes", "No", "A01", "B02"]),
    st.dates(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
)
FAMILIES = [
    st.none(),
    st.none() | st.booleans(),
    st.none() | st.integers(-3, 3),
    st.none() | st.integers(-(2**62), 2**62),
    st.floats(allow_nan=True, allow_infinity=False),
    st.floats(allow_nan=True, allow_infinity=True),
    st.none() | TEXT,
    st.none() | st.sampled_from(["None", "NA", "x"]),
    st.none() | st.dates().map(str),
    st.none() | st.datetimes(),
    CELLS,
]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_frame_satisfies_its_own_draft_but_for_infinities(data):
    n = data.draw(st.integers(1, 40))
    chosen = data.draw(st.lists(st.sampled_from(FAMILIES), min_size=1, max_size=3))
    names = ["id", "date", "diag é"]
    frame = pd.DataFrame(
        {
            name: pd.Series(data.draw(st.lists(cells, min_size=n, max_size=n)), dtype=data.draw(DTYPES))
            if cells is not FAMILIES[4]
            else np.array(data.draw(st.lists(cells, min_size=n, max_size=n)))
            for name, cells in zip(names, chosen, strict=False)
        }
    )
    schema = infer_schema(frame)
    assert Schema.loads(draft(frame)) == schema
    typed = type_cells(frame, schema)[0]
    for name, column in schema.columns.items():
        infinite = np.array([beyond_floats(cell) for cell in frame[name]])
        assert (column.admits(typed[name]) | infinite).all()
        assert column.nullable == frame[name].isna().any()
    assert all(rule.holds(typed).all() for rule in schema.rules)


DTYPES = st.sampled_from([object, "category"])


def beyond_floats(cell):
    return isinstance(cell, float) and np.isinf(cell)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "string", "category"])
def test_every_dtype_of_pandas_can_be_drafted(dtype):
    cells = {"boolean": [True, False, None], "string": ["a", "b", None]}.get(dtype, [1, 2, None])
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=dtype)})
    assert refused(frame, infer_schema(frame)) == []


def kind_of(cells, name="x"):
    return infer_column(name, pd.Series(cells)).column


def test_kinds_of_clear_cases():
    assert kind_of([0, 1, 1, None]).levels == (0, 1)
    assert kind_of([1.0, 2.0] * 20).levels == (1, 2)
    assert kind_of(["no", "yes"]).kind == "boolean"
    assert kind_of(["Yes", "No"]).levels == ("No", "Yes")
    assert kind_of(["b", "a", None]).levels == ("a", "b")
    assert kind_of([True, True]).levels == (False, True)
    assert kind_of(["012", "3.5"] * 20).levels == ("012", "3.5")
    assert kind_of([Decimal("1.25"), Decimal("3")]).decimals == 2
    assert kind_of(["31.12.2020", "01.02.2021"]).format == "%d.%m.%Y"
    assert kind_of(pd.to_datetime(["2020-03-05 10:30", "2020-04-05 11:00"])).precision == "minute"
    assert kind_of([dt.date(2020, 3, 5), dt.date(2020, 4, 6)]).max == "2020-04-30"
    assert kind_of([5, 5, 5]).min == kind_of([5, 5, 5]).max == 5
    assert kind_of(["III", "I", "II", "I"]).levels == ("I", "II", "III")
    assert kind_of([1, "a", 1, "a"]).levels == ("1", "a")


def test_numbers_of_hundreds_of_digits_are_no_codes():
    frame = pd.DataFrame({"id": [0.0] * 9 + [1e300], "x": [2.0**60, 2.0**61] * 5})
    assert [column.kind for column in infer_schema(frame).columns.values()] == ["numeric", "numeric"]
    assert Schema.loads(draft(frame)) == infer_schema(frame)


def test_the_strings_none_and_na_are_levels_and_not_missing():
    column = kind_of(["None", "NA", "x", None])
    assert column.levels == ("NA", "None", "x")
    assert column.nullable


def test_an_all_null_column_is_nullable_and_says_that_nothing_was_seen():
    for dtype, kind in ((object, "code"), (float, "numeric"), ("datetime64[ns]", "datetime")):
        drafted = infer_column("x", pd.Series([None, None], dtype=dtype))
        assert (drafted.column.kind, drafted.column.nullable) == (kind, True)
        assert "every cell is missing" in drafted.notes[0]


def test_infinite_cells_are_counted_and_left_out_of_the_bounds():
    drafted = infer_column("x", pd.Series([1.5, np.inf, -np.inf, 2.5]))
    assert (drafted.column.min, drafted.column.max) == (1.5, 2.5)
    assert drafted.notes[0].startswith("2 cells are infinite")


def test_moments_with_a_time_zone_are_said_to_be_refused():
    drafted = infer_column("x", pd.Series(pd.to_datetime(["2020-01-01"])).dt.tz_localize("UTC"))
    assert drafted.column.kind == "datetime"
    assert "time zone" in drafted.notes[0]


def test_keys_become_identifiers_with_a_pattern_no_real_value_has():
    n = 500
    column = kind_of(np.arange(n) * 7 + 1000, name="patient_id")
    assert (column.kind, column.pattern, column.unique) == ("identifier", "[1-9][0-9]{4}", True)
    assert kind_of(np.arange(n), name="row").kind == "identifier"
    assert kind_of([f"P-{k:04d}" for k in range(n)], name="x").pattern == "P-[0-9]{4}"
    assert kind_of(np.repeat(np.arange(100) + 5, 5), name="patient_nbr").kind == "identifier"
    assert kind_of(np.repeat(np.arange(100), 5), name="visits").kind == "numeric"


def test_free_text_is_never_learned():
    texts = [f"the patient number {k} was seen by the doctor and sent home again" for k in range(50)]
    drafted = infer_column("note", pd.Series(texts))
    assert drafted.column.kind == "identifier"
    assert "free text" in drafted.notes[0]


def test_many_codes_are_codes():
    icd10 = [f"{c}{k:02d}.{d}" for c in "ABC" for k in range(60) for d in (0, 9)] * 4
    column = kind_of(icd10, name="diagnosis")
    assert (column.kind, column.system, column.levels) == ("code", "ICD-10", None)
    assert kind_of([f"{a}{b}{k}" for a in "XYZ" for b in "UVW" for k in range(60)] * 4).kind == "code"
    assert kind_of(np.tile(np.arange(10000, 10900), 4), name="zip_code").kind == "code"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([[1], [2]], "`x` holds lists or mappings"),
        ([1 + 2j, 2j], "`x` holds complex numbers"),
        (pd.to_timedelta(["1h", "2h"]), "`x` holds spans of time"),
    ],
)
def test_what_no_kind_can_mean_is_refused_by_name(cells, message):
    with pytest.raises(SchemaError) as caught:
        infer_schema(pd.DataFrame({"x": cells}))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "unit", "message"),
    [
        (pd.DataFrame(), None, "0 rows and 0 columns"),
        (pd.DataFrame({"a": []}), None, "0 rows and 1 columns"),
        (pd.DataFrame({1: [1]}), None, "columns named 1 are no text"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), None, "columns named twice: a"),
        (pd.DataFrame({"a": [1]}), "b", "`b` is to be the unit and is no column. Name one of a"),
    ],
)
def test_frames_without_a_schema_are_refused(frame, unit, message):
    with pytest.raises(SchemaError) as caught:
        infer_schema(frame, unit=unit)
    assert message in str(caught.value)


def test_the_unit_is_an_identifier_whatever_it_holds():
    schema = infer_schema(pd.DataFrame({"house": ["a", "b", "a"], "x": [1, 2, 3]}), unit="house", name="t")
    assert (schema.columns["house"].kind, schema.unit, schema.name) == ("identifier", "house", "t")


def test_a_draft_suggests_roles_and_warns_in_comments():
    frame = pd.DataFrame({"patient_id": [1, 2, 3, 3], "sex": list("fmfm"), "dead": [0, 1, 0, 1], "age": [91, 50, 2, 7]})
    text = draft(frame, name="t")
    assert "# quasi_identifiers: [sex, age]" in text
    assert "# protected: [sex]" in text
    assert "# targets: [{column: dead, task: binary, positive: 1}]" in text
    assert "HIPAA Safe Harbor (C) ages over 89" in text
    assert "HIPAA Safe Harbor (H) medical record numbers" in text
    assert "# unit: patient_id" in text
    assert max(map(len, text.splitlines())) <= 120
    schema = Schema.loads(text)
    assert (schema.unit, schema.quasi_identifiers, schema.secrets, schema.targets) == (None, (), (), ())


def test_a_wide_and_long_table_is_drafted():
    rng = np.random.default_rng(0)
    n = 100_000
    frame = pd.DataFrame({f"number{k}": rng.normal(size=n).round(2) for k in range(20)})
    for k in range(25):
        frame[f"level{k}"] = rng.choice(np.array(["a", "b", "c", "d"], dtype=object), size=n)
    for k in range(5):
        frame[f"code{k}"] = [f"{c:04d}" for c in rng.integers(0, 900, size=n)]
    kinds = [column.kind for column in infer_schema(frame).columns.values()]
    assert kinds == ["numeric"] * 20 + ["categorical"] * 25 + ["code"] * 5


@given(st.lists(st.floats(-1e12, 1e12), min_size=1))
def test_rounded_bounds_hold_all_values_and_add_at_most_a_tenth(cells):
    distinct = np.unique(cells)
    low, high = outward(distinct)
    assert low <= distinct[0] <= distinct[-1] <= high
    assert high - low <= 1.1 * np.ptp(distinct) * (1 + 1e-6) + 1e-9 * np.abs(distinct).max()


def test_bounds_by_hand():
    assert outward(np.array([17.0, 90.0])) == (16, 90)
    assert outward(np.array([1.0, 14.0])) == (1, 14)
    assert outward(np.array([0.0, 99999.0])) == (0, 100000)
    assert outward(np.array([0.02, 0.97])) == (0.02, 0.98)


def test_decimals_are_exact_and_artefacts_have_none():
    assert decimals(np.array([1.0, 2.0])) == 0
    assert decimals(np.array([0.1, 0.25])) == 2
    assert decimals(np.array([0.1 + 0.2])) == 1
    assert decimals(np.array([0.39996338, 1.0])) is None
    assert decimals(np.array([17528.4375, 0.125])) is None
    assert decimals(np.array([0.001, 1e300])) == 3


def test_atoms_are_spikes_and_sentinels_but_not_rounding():
    counts = np.full(50, 20)
    values = np.arange(50.0)
    assert atoms(values, counts) == ()
    spiked = counts.copy()
    spiked[0] = 500
    assert atoms(values, spiked) == (0.0,)
    assert atoms(np.append(values, 999.0), np.append(counts, 1)) == (999.0,)
    assert atoms(np.append(-1.0, values), np.append(1, counts)) == (-1.0,)
    heaped = np.full(50, 2)
    heaped[::10] = 100
    assert atoms(values, heaped) == ()
    assert atoms(np.append(values[:5], 999.0), np.full(6, 9)) == ()


def test_spans_end_where_years_and_months_end():
    day = np.array(["2019-03-05", "2022-04-06"], dtype="datetime64[us]")
    assert span(day) == ("2019-01-01", "2022-12-31", "day")
    near = np.array(["2022-03-05T10:00", "2022-04-06T11:00"], dtype="datetime64[us]")
    assert span(near) == ("2022-03-01T00:00:00", "2022-05-01T00:00:00", "hour")
    end = np.array(["2022-03-05", "9999-12-31"], dtype="datetime64[us]")
    assert span(end)[1] == "9999-12-31"


def test_bands_are_read_as_people_write_them():
    assert parse_band("[10-20)") == (10, 20)
    assert parse_band("under $11k") == (-np.inf, 11000)
    assert parse_band("$11-$25k") == (11000, 25000)
    assert parse_band("65+") == (65, np.inf)
    assert parse_band("18 to 24 years") == (18, 24)
    assert parse_band(">=30") == (30, np.inf)
    assert parse_band("20-10") is None
    assert parse_band("NO") is None


def test_orders_are_found_only_where_they_are_clear():
    assert known_order([">30", "<30"]) == ("<30", ">30")
    assert known_order([">30", "<30", "NO"]) is None
    assert known_order([">7", ">8"]) is None
    assert known_order(["high", "low", "medium"]) == ("low", "medium", "high")
    assert known_order(["Severe", "None", "Mild"]) == ("None", "Mild", "Severe")
    assert known_order(["stage IV", "Stage I"]) == ("Stage I", "stage IV")
    assert known_order(["I", "V", "X"]) is None
    assert known_order(["low"]) is None
    assert known_order(["0-10", "5-20"]) is None


def test_shapes_generalise_digits_always_and_letters_unless_many_share_them():
    assert fixed_shape(["A-01", "B-17"]) == fixed_shape(["A-01", "A-17"]) == "[A-Z]-[0-9]{2}"
    assert fixed_shape(["(1).\\", "(2).\\"]) == r"\([0-9]\)\.\\"
    assert fixed_shape([f"A{k:03d}" for k in range(100)]) == "A[0-9]{3}"
    assert fixed_shape(["0f", "a1"]) == "[0-9a-f]{2}"
    assert fixed_shape(["a", "bb"]) is None
    assert fixed_shape(["é1", "ü2"]) is None


@pytest.mark.parametrize(
    ("texts", "format_"),
    [
        (["2020-01-01", "2020-01-31T10:00"], None),
        (["12/31/2020"], "%m/%d/%Y"),
        (["31/12/2020"], "%d/%m/%Y"),
    ],
)
def test_date_formats_are_those_of_all_texts(texts, format_):
    assert infer_datetime_format("x", texts).writing.format == format_


@pytest.mark.parametrize("texts", [["2020-01-01", "2020-13-01"], ["20200101"], ["31/12/2020", "12/31/2020"]])
def test_texts_of_which_one_is_no_date_have_no_format(texts):
    assert infer_datetime_format("x", texts) is None


def test_names_are_split_as_people_read_them():
    assert name_words("patientNbr_2") == ("patient", "nbr", "2")
    assert name_words("HTTPCode") == ("http", "code")
    assert says_key("encounter_id")
    assert says_key("accountNumber")
    assert not says_key("number_outpatient")
    assert not says_key("num")
    assert not says_key("paid")


def test_functional_dependencies_become_one_rule_a_chain():
    rng = np.random.default_rng(0)
    ward = rng.integers(0, 6, size=600)
    frame = pd.DataFrame(
        {
            "site": np.array(["n", "s"])[ward // 3],
            "ward": np.array(list("abcdef"))[ward],
            "floor": ward // 2 + 1,
            "other": rng.choice(["x", "y"], size=600),
            "rare": np.where(np.arange(600) < 3, "r", "s"),
        }
    )
    frame.loc[ward == 5, "site"] = None
    schema = infer_schema(frame)
    (rule,) = fixed_combinations(frame, schema.columns)
    assert rule.of == ("site", "ward", "floor")
    assert set(rule.combinations) == {
        ("n", "a", 1),
        ("n", "b", 1),
        ("n", "c", 2),
        ("s", "d", 2),
        ("s", "e", 3),
        (None, "f", 3),
    }
    assert rule.holds(frame).all()


def test_few_rows_a_level_are_chance_and_no_rule():
    frame = pd.DataFrame({"a": list("abcdefgh") * 2, "b": list("xxyyxxyy") * 2})
    assert fixed_combinations(frame, infer_schema(frame).columns) == []


def test_comparisons_need_one_stem_and_one_range_or_dates():
    rng = np.random.default_rng(0)
    low = rng.uniform(50, 80, size=200).round(1)
    frame = pd.DataFrame({"bp_min": low, "bp_max": low + 5, "weight": low + 100, "bp_mean": low + 2.5})
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, size=200), unit="D")
    frame["admitted"], frame["discharged"] = start, start + pd.to_timedelta(3, unit="D")
    frame["seen"] = start.astype(str)
    frame.loc[:20, "bp_max"] = None
    held = [rule.sentence for rule in comparisons(frame, infer_schema(frame).columns)]
    assert held == ["admitted <= discharged", "seen <= discharged", "bp_min <= bp_mean", "bp_mean <= bp_max"]
    frame.loc[100, "bp_max"] = 0.0
    held = [rule.sentence for rule in comparisons(frame, infer_schema(frame).columns)]
    assert held == ["admitted <= discharged", "seen <= discharged", "bp_min <= bp_mean"]


def test_a_draft_says_that_missing_identifiers_come_out_whole():
    frame = pd.DataFrame({"ins": [f"INS{k:06d}" if k % 2 else None for k in range(200)], "x": np.arange(200) / 7})
    draft = examine(frame)
    assert draft.schema.columns["ins"].kind == "identifier"
    assert draft.schema.columns["ins"].nullable
    said = "cells are missing here: synthetic rows have a fresh value in every one, and none is missing"
    assert said in draft.text
    assert said not in examine(frame.dropna().reset_index(drop=True)).text
    fitted = Synthesizer(draft.schema, "independent").fit(frame, seed=1)
    assert fitted.sample(50, seed=1)["ins"].notna().all()
