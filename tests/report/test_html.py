"""The page is asked through its data-test attributes."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from itertools import pairwise

import pytest
from made_up import HOSTILE, LEDGER, RUN, VALIDATION, make_evaluation, with_facts
from page_reader import Page

from synthkit.errors import TableError
from synthkit.metrics.result import Evaluation
from synthkit.report import Report, build
from synthkit.report.section_registry import OWN_SECTIONS

IDS = [spec.id for spec in OWN_SECTIONS]


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_every_section_stands_once_in_order_and_in_the_contents(page):
    assert [e.attributes["data-test-section"] for e in page.all("data-test-section")] == IDS
    links = [e.attributes["href"] for e in page.tags("a") if "nav" in e.inside]
    assert links == [f"#{k}" for k in IDS]


def test_every_score_on_the_page_is_the_one_in_the_json(evaluation, page):
    """Value, interval and reference of every score equal those of evaluation.json to the last digit."""
    shown = {e.attributes["data-test-score"]: e for e in page.all("data-test-score")}
    saved = json.loads(evaluation.to_json())["scores"]
    assert set(shown) == {s["metric"] for s in saved}
    for score in saved:
        attributes = shown[score["metric"]].attributes
        assert float(attributes["data-value"]) == score["value"]
        ends = [None if math.isinf(x) else x for x in map(float, (attributes["data-low"], attributes["data-high"]))]
        assert ends == [score["low"], score["high"]]
        assert ("data-reference" in attributes) == (score["reference"] is not None)
        if score["reference"] is not None:
            assert float(attributes["data-reference"]) == score["reference"]


def test_the_text_of_a_score_rounds_its_value(page):
    row = page.all("data-test-score", "fidelity.shape")[0]
    assert "0.971" in row.text
    assert "[0.961, 0.981]" in row.text


def test_a_page_drawn_from_the_file_is_the_page_drawn_from_memory(evaluation, full, html):
    assert build(Evaluation.from_json(evaluation.to_json()), **full).html == html


def test_columns_rules_charges_failures_and_validation_are_all_there(page, evaluation):
    columns = [e.attributes["data-test-column"] for e in page.all("data-test-column")]
    assert columns == [e["column"] for e in evaluation.panels["distributions"]]
    rules = {e.attributes["data-test-rule"]: int(e.attributes["data-violations"]) for e in page.all("data-test-rule")}
    assert rules == {r["sentence"]: r["violations"] for r in evaluation.panels["rules"]}
    assert [e.attributes["data-test-charge"] for e in page.all("data-test-charge")] == [
        c["what"] for c in LEDGER["charges"]
    ]
    assert [e.attributes["data-test-failure"] for e in page.all("data-test-failure")] == ["utility.sfdm2"]
    results = {e.attributes["data-test-validation"]: e.text for e in page.all("data-test-validation")}
    assert "passed" in results["input"]
    assert "failed" in results["output"]
    assert page.all("data-test-broken")[0].attributes["data-test-broken"] == "column_00"


def test_hostile_names_are_text_everywhere(full):
    """A column called <script> opens no element, in tables, titles and charts alike."""
    html = build(make_evaluation(6, hostile=True), **full).html
    page = Page(html)
    assert not page.tags("script")
    assert HOSTILE in [e.attributes["data-test-column"] for e in page.all("data-test-column")]


def test_nothing_is_fetched_and_nothing_runs(page, html):
    assert {e.tag for e in page.elements}.isdisjoint({"script", "iframe", "img", "object", "embed", "form"})
    assert [e.attributes["href"] for e in page.tags("link")] == ["data:,"]
    assert not re.findall(r"https?://|@import|url\((?!#)", html)
    assert not [k for e in page.elements for k in e.attributes if k.startswith("on")]


def test_no_path_of_the_source_and_no_row_number_is_shown(html):
    assert "wards.parquet" in html
    assert "/home/somebody" not in html
    assert "raise `min`" not in html


def test_ids_are_unique_and_every_reference_to_one_resolves(page, html):
    ids = [e.attributes["id"] for e in page.all("id")]
    assert len(ids) == len(set(ids))
    wanted = {e.attributes["href"][1:] for e in page.tags("a")} | set(re.findall(r"url\(#([^)]+)\)", html))
    for attribute in ("aria-labelledby", "aria-describedby"):
        wanted |= {k for e in page.all(attribute) for k in e.attributes[attribute].split()}
    assert wanted <= set(ids)


def test_tables_say_what_they_are_and_what_their_heads_head(page):
    tables = page.tags("table")
    assert len(page.tags("caption")) == len(tables) > 10
    assert all(e.attributes.get("scope") in ("row", "col") for e in page.tags("th"))


def test_headings_leave_out_no_level(page):
    levels = [int(e.tag[1]) for e in page.elements if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_every_chart_has_a_name_and_a_role(page):
    charts = [e for e in page.tags("svg") if e.attributes.get("aria-hidden") != "true"]
    assert len(charts) > 24
    assert all(e.attributes["role"] == "img" and e.attributes["aria-labelledby"] for e in charts)
    assert page.tags("html")[0].attributes["lang"] == "en"


def test_an_evaluation_with_nothing_in_it_still_makes_a_whole_page():
    """Every section that has nothing to show says so in one sentence."""
    page = Page(build(Evaluation(run={}, scores=())).html)
    assert [e.attributes["data-test-section"] for e in page.all("data-test-section")] == IDS
    absent = {e.attributes["data-test-absent"] for e in page.all("data-test-absent")}
    expected = {
        "fidelity",
        "distributions",
        "pairs",
        "missingness",
        "detection",
        "telling",
        "utility",
        "copying",
        "training",
        "risk",
        "scope",
        "subgroups",
    }
    assert absent == expected


@pytest.mark.parametrize(
    "panel",
    [
        "distributions",
        "pairs",
        "correlation",
        "missingness",
        "utility",
        "detection",
        "telling_pairs",
        "telling_columns",
        "generalisation",
        "rules",
        "training",
        "sample_size",
    ],
)
def test_any_panel_may_be_absent(panel):
    """The page stays whole, and its charts are those of the panels that are there."""
    small = make_evaluation(4)
    panels = {k: v for k, v in small.panels.items() if k != panel}
    page = Page(build(dataclasses.replace(small, panels=panels)).html)
    assert page.left_open == []
    assert len(page.all("data-test-section")) == len(IDS)
    charts = {e.attributes["data-test-chart"] for e in page.all("data-test-chart")}
    drawn = {"pairs": "pair-errors", "correlation": "correlations", "utility": "ladder-hospdead", "detection": "roc"}
    assert drawn.get(panel, panel.replace("_", "-")) not in charts
    assert len(charts) >= 7


def test_fifty_columns_stay_below_three_mebibytes(full):
    assert len(build(make_evaluation(50), **full).html.encode()) < 3 * 2**20


def test_save_writes_the_whole_page_or_nothing(tmp_path, html):
    path = Report(html).save(tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == html
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_save_into_a_missing_folder_names_it(tmp_path, html):
    with pytest.raises(TableError, match="nowhere"):
        Report(html).save(tmp_path / "nowhere" / "report.html")


def test_in_a_notebook_the_page_stands_in_a_frame_that_runs_nothing(html):
    shown = Page(Report(html)._repr_html_())
    (frame,) = shown.elements
    assert frame.tag == "iframe"
    assert frame.attributes["sandbox"] == ""
    assert frame.attributes["srcdoc"] == html


def test_a_report_is_frozen(html):
    with pytest.raises(dataclasses.FrozenInstanceError):
        Report(html).html = ""


def test_run_facts_beat_those_of_the_evaluation(evaluation):
    page = Page(build(with_facts(evaluation, **RUN, model="independent"), validation=VALIDATION).html)
    assert page.all("data-test-fact", "Model")[0].text == "independent"
