"""The table of the pages: what is in it, and where it goes."""

from __future__ import annotations

import pytest

from benchmarks.contest import growth_sections, ratios, table
from benchmarks.measure.results import Result, load
from benchmarks.pages import rewrite
from benchmarks.places import FRONT, MEASURED, PAGE


@pytest.fixture
def results(result):
    first = [
        result("autoregressive", seed=k, cpu=60.0 + k, scores={"c2st": 0.52 + 0.02 * k, "gaps": gaps})
        for k, gaps in enumerate([(0.004, -0.002), (0.001, 0.008)])
    ]
    return [*first, result("autoregressive", "support2", scores={"gaps": ()}), result("mostlyai")]


def rows(text):
    lines = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {line[0]: line[1:] for line in lines}


def test_figures_are_medians_with_their_spread_and_what_real_rows_score(results):
    """By hand: the middle of 0.52 and 0.54, the reference in brackets; the largest gaps are 0.004 and 0.008."""
    found = rows(table.markdown(results))
    assert found[""] == ["adult", "support2"]
    assert found["C2ST, boosting"] == ["0.530 (0.520 to 0.540) [0.500]", "0.600 [0.500]"]
    assert found["loss TRTR − TSTR"] == ["0.006 (0.004 to 0.008)", "–"]
    assert found["fit, CPU s"] == ["60 (60 to 61)", "60"]
    assert found["rows fitted"] == ["32,561", "32,561"]
    assert found["DCR share"] == ["0.500", "0.500"]
    assert found["C2ST, LightGBM"] == ["–", "–"]


def test_likeness_to_the_holdout_stands_beside_its_floor_and_the_gap_beside_nought():
    scores = {
        "fidelity.tv3": {"value": 0.9604, "reference": 0.9651},
        "membership.generalisation_gap_tv3": {"value": 0.01041, "reference": 0.0},
    }
    measured = [Result(cell={"seed": 0, "threads": 1}, score={"scores": scores})]
    assert table.COLUMNS["three-way, holdout"](measured) == "0.960 [0.965]"
    assert table.COLUMNS["G3"](measured) == "0.0104 [0.0000]"


def test_machine_and_command_stand_beside_the_figures(results):
    text = table.markdown(results)
    assert "- adult: 2 seeds, A CPU, 1 thread of 2 cores, Python 3.11.7, torch 2.13.0, synthkit 1 abc" in text
    assert "`python -m benchmarks bench --only autoregressive --tables adult --seeds 0 1`" in text


def test_without_results_the_page_says_so(result):
    assert table.markdown([]) == table.markdown([result("mostlyai")]) == table.NONE


def test_only_what_stands_between_the_markers_is_rewritten(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- results -->\nold\n<!-- /results -->\nafter\n")
    monkeypatch.setattr(table, "PAGE", page)
    monkeypatch.setattr(table, "FRONT", page)
    table.write_pages(tmp_path)
    once = page.read_text()
    assert once.startswith("before\n<!-- results -->\n")
    assert once.endswith("<!-- /results -->\nafter\n")
    assert table.NONE in once
    assert "old" not in once
    table.write_pages(tmp_path)
    assert page.read_text() == once


@pytest.mark.parametrize(
    "text", ["nothing", "<!-- /results --> <!-- results -->", "<!-- results --> " * 2 + "<!-- /results -->"]
)
def test_a_page_without_one_pair_of_markers_is_refused(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match=r"must have one .*; however: page\.md has not"):
        rewrite(page, "new", table.START, table.END)
    assert page.read_text() == text


@pytest.mark.parametrize(
    ("page", "section"), [(FRONT, table.front), (PAGE, table.markdown)], ids=["front page", "benchmarks"]
)
def test_the_pages_show_the_results_that_are_recorded(page, section):
    """Nobody typed a figure: `python -m benchmarks table` would change nothing."""
    text = page.read_text(encoding="utf-8")
    shown = text.split(table.START)[1].split(table.END)[0].strip()
    assert shown == section(load(MEASURED))


def test_the_page_shows_the_targets_against_what_is_recorded():
    text = PAGE.read_text(encoding="utf-8")
    shown = text.split(ratios.START)[1].split(ratios.END)[0].strip()
    assert shown == ratios.markdown(load(MEASURED), growth_sections.sections(MEASURED)).strip()
