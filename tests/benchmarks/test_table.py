"""The table of the pages: what is in it, and where it goes."""

from __future__ import annotations

import pytest
from places import ROOT


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


def test_figures_are_medians_with_their_spread_and_what_real_rows_score(script, results):
    """By hand: the middle of 0.52 and 0.54, the reference in brackets; the largest gaps are 0.004 and 0.008."""
    found = rows(script("table").markdown(results))
    assert found[""] == ["adult", "support2"]
    assert found["C2ST, boosting"] == ["0.530 (0.520 to 0.540) [0.500]", "0.600 [0.500]"]
    assert found["loss TRTR − TSTR"] == ["0.006 (0.004 to 0.008)", "–"]
    assert found["fit, CPU s"] == ["60 (60 to 61)", "60"]
    assert found["rows fitted"] == ["32,561", "32,561"]
    assert found["DCR share"] == ["0.500", "0.500"]
    assert found["C2ST, LightGBM"] == ["–", "–"]


def test_machine_and_command_stand_beside_the_figures(script, results):
    text = script("table").markdown(results)
    assert "- adult: 2 seeds, A CPU, 1 thread of 2 cores, Python 3.11.7, torch 2.13.0" in text
    assert "`python benchmarks/bench.py --only autoregressive --tables adult --seeds 0 1`" in text


def test_without_results_the_page_says_so(script, result):
    table = script("table")
    assert table.markdown([]) == table.markdown([result("mostlyai")]) == table.NONE


def test_only_what_stands_between_the_markers_is_rewritten(script, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- results -->\nold\n<!-- /results -->\nafter\n")
    table = script("table")
    table.main(tmp_path, [page])
    once = page.read_text()
    assert once.startswith("before\n<!-- results -->\n")
    assert once.endswith("<!-- /results -->\nafter\n")
    assert table.NONE in once
    assert "old" not in once
    table.main(tmp_path, [page])
    assert page.read_text() == once


@pytest.mark.parametrize(
    "text", ["nothing", "<!-- /results --> <!-- results -->", "<!-- results --> " * 2 + "<!-- /results -->"]
)
def test_a_page_without_one_pair_of_markers_is_refused(script, tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match=r"must have one .*; however: page\.md has not"):
        script("table").rewrite(page, "new")
    assert page.read_text() == text


@pytest.mark.parametrize("page", ["README.md", "benchmarks/README.md"])
def test_the_pages_show_the_results_that_are_recorded(script, page):
    """Nobody typed a figure: `python benchmarks/table.py` would change nothing."""
    table, results = script("table"), script("results")
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = text.split(table.START)[1].split(table.END)[0].strip()
    assert shown == table.markdown(results.load(ROOT / "benchmarks"))


def test_the_page_shows_the_targets_against_what_is_recorded(script):
    ratios, results, sections = script("ratios"), script("results"), script("sections")
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    shown = text.split(ratios.START)[1].split(ratios.END)[0].strip()
    folder = ROOT / "benchmarks"
    assert shown == ratios.markdown(results.load(folder), sections.sections(folder)).strip()
