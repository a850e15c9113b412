"""Orders in whole numbers: grades, stages and scores are levels in their order, counts are not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tables import made

from synthkit.schema.infer.draft import examine, infer_schema
from synthkit.schema.infer.integer_levels import ordinal
from synthkit.schema.infer.type_inference import infer_column


@pytest.mark.parametrize(
    ("name", "levels", "kind"),
    [
        ("grade", [1, 2, 3], "ordinal"),
        ("tumourStage", [1, 2, 3, 4], "ordinal"),
        ("ph.ecog", [0, 1, 2, 3], "ordinal"),
        ("NYHA class", [1, 2, 3, 4], "ordinal"),
        ("Pclass", [1, 2, 3], "ordinal"),
        ("apgar", list(range(11)), "ordinal"),
        ("gcs_score", list(range(3, 16)), "ordinal"),
        ("karnofsky", list(range(0, 101, 10)), "ordinal"),
        ("visits", [0, 1, 2, 3], "numeric"),
        ("score", list(range(40)), "numeric"),
        ("score", [1, 2, 7, 30], "numeric"),
        ("stage", [1, 3, 4], "numeric"),
        ("grade_id", [1, 2, 3], "categorical"),
        ("stage_days", [1, 2, 3], "numeric"),
        ("stage", [4, 5, 6], "numeric"),
    ],
)
def test_orders_by_name_and_numbers_without_gaps(name, levels, kind):
    column = infer_column(name, pd.Series(levels * 20)).column
    assert column.kind == kind
    if kind == "ordinal":
        assert column.levels == tuple(levels)
        assert {"kind", "levels"} <= set(column.observed)


def test_the_same_numbers_as_text_are_the_same_order():
    assert infer_column("stage", pd.Series(["3", "1", "2"] * 20)).column.levels == ("1", "2", "3")
    assert infer_column("stage", pd.Series(["3", "1", "2"] * 20)).column.kind == "ordinal"
    assert infer_column("stage", pd.Series(["01", "1", "2"] * 20)).column.kind == "categorical"
    assert infer_column("stage", pd.Series(["a", "1", "2"] * 20)).column.kind == "categorical"


@given(st.integers(-3, 3), st.integers(3, 13), st.integers(5, 30), st.integers(0, 99))
def test_orders_do_not_depend_on_the_order_of_rows_or_on_storage(low, d, each, seed):
    cells = pd.Series(np.repeat(np.arange(low, low + d), each)).sample(frac=1, random_state=seed)
    expected = tuple(range(low, low + d))
    for values in (cells, cells.astype(float), cells.astype("Int8"), cells.astype(object), cells.sort_values()):
        assert infer_column("grade", values).column.levels == expected


def test_few_rows_tell_no_order():
    assert ordinal("grade", np.array([1.0, 2.0, 3.0]), np.array([2, 2, 2])) is None


def test_orders_are_drafted_and_asked_for():
    draft = examine(made("registry"))
    assert [q.column for q in draft.questions if q.about == "order"] == ["stage", "grade", "ecog"]
    assert draft.schema.columns["ecog"].levels == (0, 1, 2, 3, 4)
    assert infer_schema(made("credit")).columns["job_grade"].kind == "ordinal"
    assert "QUESTION: Are the numbers of `stage` an order" in draft.text
