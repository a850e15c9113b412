"""The page that compares models: what it marks best, what it leaves out, and that every text of it is escaped."""

from __future__ import annotations

import json
import math
import re

import pytest
from made_up_comparison import DATA, entrant
from page_reader import Page

from synthkit.report.charts import model_points
from synthkit.report.comparison_view import COMPARISON_SECTIONS, build_comparison, comparison_data


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(build_comparison(DATA).html)


def marks(page: Page, metric: str) -> list[str]:
    """Best and as good in a row of the scoreboard, by model."""
    html = build_comparison(DATA).html
    row = re.search(rf'<tr data-test-row="{re.escape(metric)}">(.*?)</tr>', html, flags=re.DOTALL)[1]
    cells = re.findall(r'data-test-cell="(\w+)"(.*?)</td>', row, flags=re.DOTALL)
    found = ((who, re.search(r'data-test-mark="([\w ]+)"', cell)) for who, cell in cells)
    return [f"{who} {mark[1]}" for who, mark in found if mark]


def test_every_section_is_there(page):
    assert [e.attributes["data-test-section"] for e in page.all("data-test-section")] == [
        spec.id for spec in COMPARISON_SECTIONS
    ]
    assert not page.left_open


def test_the_best_value_is_marked_and_what_an_interval_cannot_tell_from_it(page):
    assert marks(page, "fidelity.c2st") == ["autoregressive best", "diffusion as good"]
    assert marks(page, "utility.dead.gap") == ["autoregressive best", "diffusion best"]
    assert marks(page, "cost.fit_seconds") == ["independent best"]


@pytest.mark.parametrize("metric", ["fidelity.shape", "copying.dcr_share", "fidelity.c2st_train", "cost.peak_mib"])
def test_no_mark_where_nothing_is_better(page, metric):
    """All alike; neither high nor low is better; nearer to the training rows is no merit."""
    assert marks(page, metric) == []


def test_linked_tables_are_compared_by_their_own_scores():
    """Units are told apart as wholes, rows by table; keys and rules come first."""
    whole = {"fidelity.c2st": "fidelity.unit_c2st", "fidelity.shape": "fidelity.labs.row_c2st"}
    whole |= {"fidelity.c2st_train": "fidelity.integrity", "fidelity.novel_levels": "fidelity.labs.tv1"}
    data = {**DATA, "unit": "patients", "tables": {"patients": 3, "labs": 4}}
    data["entrants"] = [
        {**e, "scores": [{**s, "metric": whole.get(s["metric"], s["metric"])} for s in e["scores"]]}
        for e in DATA["entrants"]
    ]
    sections = {each["id"]: each for each in comparison_data(data)["sections"]}
    first = [row["metric"] for row in sections["scoreboard"]["head"]][:4]
    assert first == ["copying.dcr_share", "fidelity.integrity", "fidelity.unit_c2st", "fidelity.labs.row_c2st"]
    assert [row["target"] for row in sections["scoreboard"]["head"]][1:4] == ["", "", "labs"]
    assert "figures" in sections["likeness"]
    said = dict(sections["verdicts"]["sentences"])
    assert said["Likeness"].startswith("The patients of autoregressive are the hardest to tell from real ones")
    assert "share of units that have such a row" in said["Rules"]
    assert (
        "units" not in dict({s["id"]: s for s in comparison_data(DATA)["sections"]}["verdicts"]["sentences"])["Rules"]
    )
    assert ["Patients fitted on", "2,000"] in [list(fact) for fact in sections["released"]["facts"]]


def test_nearer_to_a_coin_toss_is_better_on_either_side():
    """Scores as far below a half as others lie above are no better."""
    entrants = [entrant("timeline", 0.420, 9.0), entrant("independent", 0.514, 1.0), entrant("diffusion", 0.6, 5.0)]
    sections = {each["id"]: each for each in comparison_data({**DATA, "entrants": entrants})["sections"]}
    row = next(row for row in sections["scoreboard"]["head"] if row["metric"] == "fidelity.c2st")
    assert [cell["mark"] and cell["mark"]["word"] for cell in row["cells"]] == [None, "best", None]
    assert row["goal"] == "nearer to 0.5 is better"
    points = sections["likeness"]["figures"][0]["description"]
    assert points.index("independent") < points.index("timeline") < points.index("diffusion")
    assert "rows of independent are the hardest to tell" in dict(sections["verdicts"]["sentences"])["Likeness"]


def test_marks_are_a_sign_and_a_word(page):
    assert {e.text.strip() for e in page.all("data-test-mark")} == {"★ best", "≈ as good"}


def test_numbers_of_the_page_are_those_of_the_file(page):
    cells = {(e.attributes["data-test-cell"], e.attributes["data-value"]) for e in page.all("data-test-cell")}
    for e in DATA["entrants"]:
        for s in e["scores"]:
            assert (e["name"], str(s["value"])) in cells


def test_the_real_holdout_stands_beside(page):
    assert page.all("data-reference")[0].text.strip() == "0.500"


def test_a_failed_model_is_in_no_column_and_its_reason_is_told(page):
    assert "reference_ctgan" not in {e.attributes["data-test-cell"] for e in page.all("data-test-cell")}
    assert "failed: it had <i>not</i> learned" in page.all("data-test-failed", "reference_ctgan")[0].text
    assert "it had <i>not</i> learned" in page.all("data-test-sentence", "Failed")[0].text


def test_sentences(page):
    said = {e.attributes["data-test-sentence"]: e.text for e in page.all("data-test-sentence")}
    assert "rows of autoregressive are the hardest to tell from real ones: AUC 0.550 [0.530, 0.570]" in said["Likeness"]
    assert "within its interval diffusion cannot be told from it" in said["Likeness"]
    assert "independent, autoregressive and diffusion. Rows that break one: gaussian_copula 25.0 %." in said["Rules"]
    assert "loses 0.050 [0.040, 0.060], the best of all." in said["Use"]
    assert "independent learned in 0.0 s, diffusion took 80.0 s." in said["Time"]
    assert "ranks no privacy" in said["Privacy"]


def test_each_model_has_its_word(page):
    cards = {e.attributes["data-test-entrant"]: e.text for e in page.all("data-test-entrant")}
    assert "It breaks 1 of 4 declared rules, in 250 of 1,000 rows (25.0 %)." in cards["gaussian_copula"]
    assert "made by others, for reference" in cards["gaussian_copula"]
    assert "All 4 declared rules hold in all 1,000 rows." in cards["diffusion"]
    assert "Settings: epochs 3" in cards["gaussian_copula"]
    assert "Third <b>." in cards["diffusion"]
    links = [e.attributes["href"] for e in page.tags("a") if e.attributes["href"].startswith("models/")]
    assert links == [f"models/{e['name']}/report.html" for e in DATA["entrants"][:4]]


def test_a_metric_that_failed_for_all_is_listed_once(page):
    assert [e.attributes["data-test-failure"] for e in page.all("data-test-failure")] == ["utility.time"]
    one = json.loads(json.dumps(DATA))
    for e in one["entrants"][1:]:
        e["failures"] = []
    assert comparison_data(one)["sections"][6]["failures"][0]["metric"] == "utility.time (independent)"


def test_of_linked_tables_it_is_units_that_are_few():
    few = {**DATA, "unit": "patients", "tables": {"patients": 3}, "plan": {**DATA["plan"], "train": 144}}
    limits = dict(comparison_data(few)["sections"][7]["limits"])
    assert limits["few rows"] == "The models saw 144 patients only: intervals are wide."


def test_what_no_model_was_measured_by_is_said():
    told = dict(comparison_data(DATA)["sections"][6]["left_out"])
    assert {each.split(":")[0] for each in told} == {"Disclosure attacks"}


def test_limits_name_what_holds(page):
    limits = {e.attributes["data-test-limit"] for e in page.all("data-test-limit")}
    assert limits == {"one split", "defaults", "machine", "privacy", "references", "failed", "quick", "many scores"}
    few = json.loads(json.dumps(DATA)) | {"plan": DATA["plan"] | {"train": 99, "quick": False}}
    assert {"few rows"} == {k for k, _ in comparison_data(few)["sections"][7]["limits"]} - limits


def test_nothing_is_fetched_and_nothing_runs(page):
    assert not page.tags("script")
    html = build_comparison(DATA).html
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)


def test_nobody_finished():
    lost = {**DATA, "entrants": [DATA["entrants"][4]]}
    page = Page(build_comparison(lost).html)
    assert {e.attributes["data-test-absent"] for e in page.all("data-test-absent")} == {
        "scoreboard",
        "likeness",
        "cost",
        "failures",
    }
    assert "None learned the same 2,000 real rows" in page.all("data-test-sentence", "Compared")[0].text


def test_without_a_classifier_test_there_are_no_charts():
    bare = json.loads(json.dumps(DATA))
    for e in bare["entrants"]:
        e["scores"] = [s for s in e["scores"] if s["metric"] != "fidelity.c2st"]
    absent = {s["id"]: s["absent"] for s in comparison_data(bare)["sections"] if s["absent"]}
    assert absent == {k: "No classifier test was measured." for k in ("likeness", "cost")}


def test_every_rule_broken_and_none_declared():
    bad = json.loads(json.dumps(DATA))
    for e in bad["entrants"]:
        e["broken_rows"], e["broken_rules"] = 10, 2
    bad["entrants"][0]["rules"] = 0
    sections = {s["id"]: s for s in comparison_data(bad)["sections"]}
    assert "Every model breaks a rule." in dict(sections["verdicts"]["sentences"])["Rules"]
    assert sections["entrants"]["entrants"][0]["rules"] == "No rule was declared."


def test_the_charts_show_every_model_that_finished():
    sections = {s["id"]: s for s in comparison_data(DATA)["sections"]}
    for place in ("likeness", "cost"):
        figure = sections[place]["figures"][0]
        svg = model_points.MODEL_CHARTS[figure["chart"]](figure["data"])
        for e in DATA["entrants"][:4]:
            assert e["name"] in svg
        assert "reference_ctgan" not in svg
        assert math.isfinite(float(re.search(r'width="([\d.]+)"', svg)[1]))
    assert sections["likeness"]["figures"][0]["data"]["points"][0]["name"] == "autoregressive"
