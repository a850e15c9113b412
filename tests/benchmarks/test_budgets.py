"""The table of everybody under the same budgets: who stands in it, in which order, and what is asked of ours."""

from __future__ import annotations

import json

import pytest

from benchmarks.contest import budgets, ratios
from benchmarks.measure.results import load
from benchmarks.places import MEASURED, PAGE


def cells(text, first):
    line = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture
def results(result):
    ours = [result("marginal@1", seed=k, cpu=10.0 + k, scores={"tv2": 0.98 + 0.002 * k}) for k in range(3)]
    theirs = result("peer-mst@1", cpu=40.0, scores={"tv2": 0.96, "c2st": 0.8})
    return [*ours, theirs, result("peer-aim@1", finished=False), result("marginal@0.5"), result("tvae")]


def test_medians_stand_beside_seconds_memory_and_seeds(results):
    """By hand: the middle of 0.980, 0.982, 0.984; logistic regression at 0.89 - 0.02."""
    found = cells(budgets.markdown(results), "marginal@1")
    assert found[1:3] == ["0.9820 (0.9800 to 0.9840)", "0.9000"]
    assert found[4:6] == ["0.8900", "0.8700"]
    assert found[7:] == ["500", "11 (10 to 12)", "3", "synthkit 1 abc"]


def test_smaller_budgets_come_first_and_ours_before_theirs(results):
    text = budgets.markdown(results)
    places = [text.index(f"| {who} |") for who in ("marginal@0.5", "marginal@1", "peer-aim@1", "peer-mst@1")]
    assert places == sorted(places)
    assert "tvae" not in text


def test_who_did_not_finish_is_named(results):
    assert "did not finish in 2 hours of CPU" in cells(budgets.markdown(results), "peer-aim@1")[1]


def test_differences_are_held_against_what_is_asked(results):
    found = cells(budgets.markdown(results), "marginal@1 / peer-mst@1 | adult | two-way")
    assert found[5:7] == ["+0.0220", "≥ +0.012: met"]
    missing = cells(budgets.markdown(results), "marginal@1 / peer-aim@1 | adult | TSTR")
    assert missing[6] == "≥ -0.005: not measured"


def test_budgets_are_no_part_of_the_other_tables(results):
    assert "@" not in ratios.markdown(results)


def test_steps_are_printed_as_ratios():
    found = {
        "batch": 8,
        "machine": {"cpu": "A CPU", "torch": "2"},
        "milliseconds": {"net": {"plain": 2.0, "ours": 3.0}},
    }
    assert "| net | ours | 3.0 | 1.50 |" in budgets.markdown([], found)


def test_the_page_shows_what_is_recorded():
    page = PAGE.read_text(encoding="utf-8")
    clipping = json.loads((MEASURED / "clipping.json").read_text(encoding="utf-8"))
    shown = page.split(budgets.START)[1].split(budgets.END)[0]
    assert shown.strip() == budgets.markdown(load(MEASURED), clipping).strip()


def test_the_front_page_has_those_at_epsilon_1_that_finished(results):
    lines = [line for line in budgets.front(results).splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in lines[1:]] == ["marginal", "peer-mst"]
    assert "| 11 (10 to 12) | 3 |" in lines[1]
    assert budgets.front(results).endswith("medians (smallest to largest); synthkit 1 abc.")
