"""The benchmark scripts: splits, one fit end to end on few rows, and the table made of results."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
needs_data = pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA names no folder of tables")


@pytest.fixture
def script(monkeypatch):
    """Scripts import each other by plain names, as they do when they are run."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    yield importlib.import_module
    for name in {"common", "tables", "table"} - before:
        sys.modules.pop(name, None)


def result(seed, c2st, gaps, dcr=0.5):
    """One seed of a made-up benchmark, in the form the scripts write."""
    score = {"value": c2st, "low": c2st - 0.01, "high": c2st + 0.01, "reference": 0.5}
    utility = {f"utility.{k}.gap": {"value": g, "low": g, "high": g, "reference": 0.0} for k, g in enumerate(gaps)}
    return {
        "seed": seed,
        "rows": 32561,
        "columns": 15,
        "fit_seconds": 60.0 + seed,
        "sample_rows_per_second": 50_000,
        "rows_breaking_a_rule_of_100000": 0,
        "scores": {
            "fidelity.c2st": score,
            "copying.dcr_share": {**score, "value": dcr, "reference": None},
            **utility,
        },
    }


MACHINE = {"cores": 2, "threads": 2, "python": "3.11.7", "torch": "2.13.0", "device": "cpu"}


@pytest.fixture
def folder(tmp_path):
    results = [result(0, 0.52, [0.004, -0.002]), result(1, 0.54, [0.001, 0.008])]
    (tmp_path / "adult.json").write_text(json.dumps({"machine": MACHINE, "results": results}))
    (tmp_path / "adult.py").touch()
    (tmp_path / "support2.json").write_text(json.dumps({"machine": MACHINE, "results": [result(0, 0.6, [])]}))
    (tmp_path / "speed.json").write_text(json.dumps({"benchmark": "validation"}))
    return tmp_path


def rows(text):
    lines = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {line[0]: line[1:] for line in lines}


def test_figures_are_means_with_their_spread_and_what_real_rows_score(script, folder):
    """By hand: (0.52 + 0.54) / 2, the reference in brackets; the largest gap of each seed, 0.004 and 0.008."""
    text = script("table").markdown(folder)
    found = rows(text)
    assert found[""] == ["adult", "support2"]
    assert found["C2ST, boosting"] == ["0.530 (0.520 to 0.540) [0.500]", "0.600 [0.500]"]
    assert found["loss TRTR − TSTR"] == ["0.006 (0.004 to 0.008)", "–"]
    assert found["fit, s"] == ["60 (60 to 61)", "60"]
    assert found["rows fitted"] == ["32,561", "32,561"]
    assert found["DCR share"] == ["0.500", "0.500"]
    assert found["C2ST, LightGBM"] == ["–", "–"]


def test_machine_and_command_stand_beside_the_figures(script, folder):
    text = script("table").markdown(folder)
    assert "- adult: 2 seeds, cpu, 2 cores, 2 threads, Python 3.11.7, torch 2.13.0" in text
    assert "`python benchmarks/adult.py --seeds 2`" in text
    assert "`python benchmarks/tables.py --tables support2 --seeds 1`" in text


def test_without_results_the_page_says_so(script, tmp_path):
    assert script("table").markdown(tmp_path) == script("table").NONE


def test_only_what_stands_between_the_markers_is_rewritten(script, folder):
    page = folder / "page.md"
    page.write_text("before\n<!-- results -->\nold\n<!-- /results -->\nafter\n")
    table = script("table")
    table.main(folder, [page])
    once = page.read_text()
    assert once.startswith("before\n<!-- results -->\n")
    assert once.endswith("<!-- /results -->\nafter\n")
    assert table.markdown(folder) in once
    assert "old" not in once
    table.main(folder, [page])
    assert page.read_text() == once


@pytest.mark.parametrize(
    "text", ["nothing", "<!-- /results --> <!-- results -->", "<!-- results --> " * 2 + "<!-- /results -->"]
)
def test_a_page_without_one_pair_of_markers_is_refused(script, folder, text):
    page = folder / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match=r"must have one .*; however: page\.md has not"):
        script("table").rewrite(page, "new")
    assert page.read_text() == text


@pytest.mark.parametrize("page", ["README.md", "benchmarks/README.md"])
def test_the_pages_show_the_results_that_are_recorded(script, page):
    """Nobody typed a figure: `python benchmarks/table.py` would change nothing."""
    table = script("table")
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.split(table.START)[1].split(table.END)[0].strip() == table.markdown(ROOT / "benchmarks")


@needs_data
def test_no_patient_is_on_both_sides(script):
    tables = script("tables")
    train, holdout = tables.parts("diabetes130")
    assert len(train) + len(holdout) == 101_766
    assert not set(train["patient_nbr"]) & set(holdout["patient_nbr"])
    units = train["patient_nbr"].nunique() + holdout["patient_nbr"].nunique()
    assert train["patient_nbr"].nunique() == round(0.67 * units)


@needs_data
def test_the_split_is_the_same_every_time(script):
    tables = script("tables")
    first, second = tables.parts("support2"), tables.parts("support2")
    assert [len(part) for part in first] == [round(0.63 * 9105), 9105 - round(0.63 * 9105)]
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other)


@needs_data
@pytest.mark.slow
def test_a_table_is_measured_end_to_end(script, folder, monkeypatch):
    """Few rows and few steps: every figure of the table is there, and the file that is saved is read back."""
    tables, common, table = script("tables"), script("common"), script("table")
    small = {"steps": 20, "width": 16, "hidden": 8, "batch_size": 64}
    measured = tables.measure("support2", seeds=1, rows=400, settings=small)
    monkeypatch.setattr(common, "HERE", folder)
    common.save("support2", measured)
    assert measured[0]["rows"] == 252
    assert measured[0]["rows_breaking_a_rule_of_100000"] == 0
    found = rows(table.markdown(folder))
    assert [title for title, cells in found.items() if cells[1] == "–"] == []
    assert table.load(folder)["support2"]["results"] == measured
