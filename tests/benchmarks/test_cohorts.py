"""The page on small cohorts, its picture and the evidence in the package show what is recorded."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from benchmarks.places import MEASURED
from benchmarks.risk import cohort_evidence, cohort_page, cohort_picture, cohorts
from benchmarks.risk.cohort_cells import CONTESTANTS, SIZES, TABLES
from synthkit.models.auto_evidence import AutoEvidence

KEPT = json.loads((MEASURED / "cohorts.json").read_text(encoding="utf-8"))
PLAIN = cohort_evidence.evidence(KEPT["cells"])
KNOWN = AutoEvidence.of(PLAIN)


def shown(start: str, end: str) -> str:
    return cohorts.PAGE.read_text(encoding="utf-8").split(start)[1].split(end)[0].strip()


def test_the_page_shows_what_is_recorded():
    assert shown(*cohorts.ANSWER) == cohort_page.answer(KEPT, KNOWN).strip()
    assert shown(*cohorts.TABLE) == cohort_page.tables(KEPT, KNOWN).strip()


def test_the_evidence_in_the_package_is_what_is_recorded():
    assert json.loads(cohorts.EVIDENCE.read_text(encoding="utf-8")) == PLAIN


def test_the_picture_shows_every_point_and_asks_for_nothing():
    drawn = list(ElementTree.fromstring(cohorts.PICTURE.read_text(encoding="utf-8")).iter())
    names = {each.tag.rpartition("}")[2] for each in drawn}
    assert {"title", "desc"} <= names
    assert not names & {"image", "script", "use"}
    (data,) = [json.loads(each.text) for each in drawn if each.tag.endswith("metadata")]
    assert data == cohort_page.points(KEPT, KNOWN)
    words = {each.text for each in drawn if each.tag.endswith("text")}
    assert {point[key] for point in data for key in ("table", "who")} <= words


def test_a_picture_has_two_lines_for_each_contestant_of_each_table():
    points = [
        {"table": "t", "people": n, "who": who, "membership": 0.6, "likeness": 0.1 * n}
        for n in (50, 100)
        for who in ("a", "b")
    ]
    drawn = ElementTree.fromstring(cohort_picture.picture(points, title="a < b", said="c"))
    lines = [each for each in drawn.iter() if each.get("class", "").startswith("mark-line")]
    assert sum("symbol" not in each.get("class", "") for each in lines) == 2 * 2
    assert [each.text for each in drawn.iter() if each.tag.endswith("title")] == ["a < b"]


def test_no_cell_is_kept_twice_and_each_is_of_the_plan():
    keys = [cohorts.key(cell) for cell in KEPT["cells"]]
    assert len(set(keys)) == len(keys)
    seeds = sorted({seed for _, _, seed, _ in keys})
    plan = {(table, n, seed, who.name) for table, n, seed, who in cohorts.planned(TABLES, SIZES, seeds, None)}
    assert set(keys) <= plan


def test_a_table_that_ends_is_measured_once_at_its_end():
    cells = list(cohorts.planned(["breast_cancer"], SIZES, [0], ["firm"]))
    assert [n for _, n, _, _ in cells] == [50, 100, 200, 284]
    many = list(cohorts.planned(["adult"], SIZES, [0, 1], None))
    assert len(many) == len(SIZES) * 2 * len(CONTESTANTS)


@pytest.mark.parametrize("who", ["autoregressive", "firm"])
def test_up_to_200_people_a_budget_hides_who_was_fitted_and_costs_likeness(who):
    """What the page says in words, held against the cells: with epsilon 8 both are lower."""
    few = {place: each for place, each in cohort_evidence.means(KEPT["cells"]).items() if place[1] <= 200}
    assert {table for table, _ in few} == set(TABLES)
    for each in few.values():
        assert each[cohort_page.BUDGET]["membership"] < each[who]["membership"]
        assert each[cohort_page.BUDGET]["likeness"] < each[who]["likeness"]


def test_the_mean_of_a_loss_leaves_out_fits_without_one():
    cell = {"table": "adult", "who": "firm", "n": 50, "similarity": 0.5, "floor": 0.6, "c2st": 0.9, "auc": 0.7}
    cells = [{**cell, "loss": 0.2, "fit_cpu": 1.0}, {**cell, "loss": None, "fit_cpu": 9.0}]
    found = cohort_evidence.means(cells)[("adult", 50)]["firm"]
    assert (found["seconds"], found["loss"], found["seeds"]) == (5.0, 0.2, 2)
    assert "loss" not in cohort_evidence.means(cells[1:])[("adult", 50)]["firm"]
    assert found["likeness"] == pytest.approx(-0.1)
