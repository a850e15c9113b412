"""Dates and numbers that other cells keep from being learned as such: how many cells, and what to do, is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.schema.infer.draft import examine

DAYS = pd.date_range("2021-01-03", periods=60, freq="9D")
ROWS = np.arange(180)


def column(form, odd, every=4):
    """Days of one form, and another cell in each fourth row or so: the cells, and how many are odd."""
    cells = [odd if k % every == 0 else DAYS[k % 60].strftime(form) for k in ROWS]
    return cells, sum(cell == odd for cell in cells)


def misfits(values):
    frame = pd.DataFrame({"death": values, "sex": ["f", "m", "f"] * 60})
    return [q for q in examine(frame).questions if q.column == "death" and q.about in ("misfits", "rare codes")]


@pytest.mark.parametrize("odd", ["0", "99999999", "20210230", "11111111", "-1"])
@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "object", "string", "texts"])
def test_days_in_whole_numbers_among_others_are_told_from_every_storage(odd, dtype):
    cells, strange = column("%Y%m%d", odd)
    values = pd.Series(cells, dtype=object)
    values = values if dtype == "texts" else values.astype("int64").astype(dtype)
    (asked,) = misfits(values)
    assert asked.evidence == f"{strange} cells are no moments, the others are, written as %Y%m%d"
    assert asked.otherwise == "correct these cells, or empty them, and draft again"
    assert asked.meanwhile.startswith("the column is drafted as numeric, and real dates")


@pytest.mark.parametrize(
    ("form", "odd", "how"),
    [
        ("%d.%m.%Y", "00.00.0000", "%d.%m.%Y"),
        ("%d.%m.%Y", "00.05.2021", "%d.%m.%Y"),
        ("%m/%d/%Y", "99/99/9999", "%m/%d/%Y"),
        ("%Y-%m-%d", "0000-00-00", "ISO 8601"),
        ("%Y-%m-%d", "2021-02-30", "ISO 8601"),
        ("%Y%m%d", "00000000", "%Y%m%d"),
        ("%Y%m%d", "unknown", "%Y%m%d"),
        ("%d.%m.%Y %H:%M", "00.00.0000 00:00", "%d.%m.%Y %H:%M"),
        ("%d.%m.%Y", "open", "%d.%m.%Y"),
    ],
)
def test_cells_that_are_no_dates_among_dates_are_counted_and_asked_about(form, odd, how):
    cells, strange = column(form, odd)
    (asked,) = misfits(cells)
    assert asked.evidence == f"{strange} cells are no moments, the others are, written as {how}"
    assert odd not in str(asked)


def test_once_they_are_emptied_the_column_is_one_of_dates():
    cells, _ = column("%Y%m%d", "0")
    frame = pd.DataFrame({"death": [None if cell == "0" else int(cell) for cell in cells]})
    drafted = examine(frame)
    assert drafted.schema.columns["death"].kind == "datetime"
    assert drafted.questions == ()


@pytest.mark.parametrize(
    "values",
    [
        [20210000 + 7 * k for k in ROWS],
        [k * 111_111 for k in ROWS],
        [0, 20210304, 20210305, 0] * 45,
        [f"{k % 90:02d}.{k % 70:02d}.{k % 99:02d}" for k in ROWS],
        [f"{k % 9}.{k % 7}.{k % 5}" for k in ROWS],
    ],
)
def test_what_is_hardly_a_date_has_no_such_question(values):
    assert not [q for q in misfits(values) if q.about == "misfits"]


def test_numbers_among_other_cells_are_asked_about_and_nobody_is_told_to_shorten_codes():
    cells = ["see note" if k % 9 == 0 else f"{k / 8:.3f}" for k in range(180)]
    (asked,) = misfits(cells)
    assert asked.about == "misfits"
    assert asked.evidence == "20 cells are no numbers, the others are"
    assert "`missing`" in asked.otherwise
    assert "see note" not in str(asked)


def test_init_warns_of_them(tmp_path):
    cells, strange = column("%Y%m%d", "0")
    pd.DataFrame({"death": cells, "sex": ["f", "m", "f"] * 60}).to_csv(tmp_path / "x.csv", index=False)
    said = CliRunner().invoke(app, ["init", str(tmp_path / "x.csv"), "-o", str(tmp_path / "x.yaml")])
    assert said.exit_code == 0
    words = " ".join(said.stderr.split())
    assert f"Are the cells of `death` that are no moments meant to be there? ({strange} cells are no moments" in words
    comments = " ".join(line.strip(" #") for line in (tmp_path / "x.yaml").read_text("utf-8").splitlines())
    assert comments.count(f"{strange} cells are no moments, the others are, written as %Y%m%d") == 1
