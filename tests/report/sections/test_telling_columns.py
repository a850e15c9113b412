"""The section on what gives rows away, and the table of generalisation gaps beside the attacks."""

from __future__ import annotations

from dataclasses import replace

from page_reader import Page

from synthkit.report import build
from synthkit.report.html import redraw


def section(report, name):
    return next(each for each in report.document["sections"] if each["id"] == name)


def without(evaluation, *panels):
    return replace(evaluation, panels={k: v for k, v in evaluation.panels.items() if k not in panels})


def test_pairs_come_first_each_with_what_real_rows_gain(evaluation):
    found = section(build(evaluation), "telling")
    assert [figure["key"] for figure in found["figures"]] == ["telling-pairs", "telling-columns"]
    panel = evaluation.panels["telling_pairs"]["pairs"]
    rows = found["tables"][0]["rows"]
    assert [row["name"] for row in rows] == [" × ".join(each["columns"]) for each in panel]
    assert rows[0]["cells"][-1]["text"] == "0.004"
    assert f"{panel[0]['auc']:.3f}" == rows[0]["cells"][0]["text"]
    assert "column_00 and column_01" in found["figures"][0]["description"]
    assert f"all {24 * 23 // 2} pairs at once" in found["figures"][0]["caption"]


def test_columns_alone_have_no_table(evaluation):
    found = section(build(without(evaluation, "telling_pairs")), "telling")
    assert [figure["key"] for figure in found["figures"]] == ["telling-columns"]
    assert found["tables"] == []


def test_an_evaluation_that_did_not_ask_says_so(evaluation):
    found = section(build(without(evaluation, "telling_pairs", "telling_columns")), "telling")
    assert found["absent"].startswith("No classifier was shown single columns")


def test_outsiders_do_not_see_it(evaluation):
    assert "telling" not in [each["id"] for each in build(evaluation, tier="shareable").document["sections"]]


def test_gaps_stand_beside_the_floor_and_stay_inside(evaluation):
    gaps = section(build(evaluation), "risk")["gaps"]
    assert [row["name"] for row in gaps["rows"]] == ["2 columns at a time", "3 columns at a time"]
    assert [cell["text"] for cell in gaps["rows"][0]["cells"]] == ["0.964", "0.955", "0.959", "0.009 [0.005, 0.013]"]
    assert "about 2,276 rows of each" in gaps["caption"]
    assert section(build(evaluation, tier="shareable"), "risk")["gaps"] is None


def test_reports_without_gaps_are_drawn_as_ever(evaluation):
    """Those of an evaluation without them, and those that an earlier version wrote."""
    report = build(without(evaluation, "generalisation"))
    assert section(report, "risk")["gaps"] is None
    old = {**report.document, "sections": [dict(each) for each in report.document["sections"]]}
    del next(each for each in old["sections"] if each["id"] == "risk")["gaps"]
    assert Page(redraw(old)).all("data-test-verdict")
    assert redraw(old) == report.html
