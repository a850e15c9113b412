"""The table of linked targets: what is met, which peer did best, what was not measured, the load."""

from __future__ import annotations

import pytest

from benchmarks.catalogue import main
from benchmarks.linked import linked_figures, linked_load, linked_page
from benchmarks.linked.linked_targets import MODEL, linked_line, linked_targets
from benchmarks.measure.results import Result
from benchmarks.places import PAGE


def result(who, table, seed=0, *, scores=None, finished=True, **more):
    cell = {
        "who": who,
        "table": table,
        "seed": seed,
        "threads": 1,
        "version": "v",
        "machine": {"cores": 2},
        "of_rows": None,
    }
    cell |= {"finished": finished, "whole": {"wall": 90.0, "cpu": 60.0, "peak_mib": 500}, "hours": 2.0}
    cell |= {} if finished else {"return_code": -24}
    found = {name: {"value": value, "reference": real} for name, (value, real) in (scores or {}).items()}
    return Result(cell=cell, score={"scores": found, "broken": {"labs: key": 0}, **more} if finished else None)


def line(results, figure, table="made_hospital"):
    (target,) = [t for t in linked_targets() if (t.table, t.figure) == (table, figure)]
    return linked_line(target, results)


def test_excess_is_over_the_floor_and_the_best_peer_is_held_against():
    ours = result("timeline", "made_hospital", scores={"fidelity.gap_ks": (0.05, 0.03)})
    near = result("peer-mostlyai", "made_hospital", scores={"fidelity.gap_ks": (0.07, 0.03)})
    far = result("peer-hma", "made_hospital", scores={"fidelity.gap_ks": (0.5, 0.03)})
    base = result("independent", "made_hospital", scores={"fidelity.gap_ks": (0.031, 0.03)})
    found = line([ours, far, near, base], "gap KS over floor")
    assert found.who == "peer-mostlyai"  # baselines of ours are no peers
    assert found.number == pytest.approx(0.5)
    assert "≤ 0.6x: met" in linked_page.row(found)
    assert "≤ 0.35x: **not met**" in linked_page.row(found)


def test_c2st_is_held_against_the_engine_alone():
    scores = {"fidelity.labs.row_c2st": (0.7, 0.5), "fidelity.visits.row_c2st": (0.6, 0.5)}
    ours = result("timeline", "made_hospital", scores=scores)
    hma = result("peer-hma", "made_hospital", scores={"fidelity.labs.row_c2st": (0.55, 0.5)})
    found = line([ours, hma], "C2ST row over floor")
    assert found.own.middle == pytest.approx(0.15)
    assert found.number is None
    assert "not measured" in linked_page.row(found)


def test_more_is_better_of_some_and_trials_do_not_count():
    scores = {"fidelity.sdmetrics.quality": (0.96, 0.974)}
    ours = result("timeline", "baseball", scores=scores)
    trial = result("timeline", "baseball", 1, scores={"fidelity.sdmetrics.quality": (0.1, 0.9)})
    trial.cell["of_rows"] = 30
    others = [
        result(f"published-{k}", "baseball", scores={"fidelity.sdmetrics.quality": (x, 0.97)})
        for k, x in (("argn", 0.946), ("par", 0.6))
    ]
    found = line([ours, trial, *others], "SDMetrics", "baseball")
    assert (found.who, found.own.count) == ("published-argn", 1)
    assert found.floor.middle == 0.974
    assert "≥ 0.955: met" in linked_page.row(found)


def test_broken_rows_are_counted_with_domains_and_unresolvable_keys_are_no_zero():
    fine = result("timeline", "mimic3_demo")
    bad = result("timeline", "mimic3_demo", 1, violations={"labs": 2})
    lost = Result(cell=fine.cell, score={"scores": {}})
    assert [linked_figures.rows_broken(r) for r in (fine, bad, lost)] == [0, 2, float("inf")]
    said = line([fine, bad], "rows broken", "mimic3_demo")
    assert "| 1 (0 to 2) |" in linked_page.row(said)
    assert said.verdict(said.target.must) == "≤ 0: **not met**"


def test_losses_contradictions_and_official_figures():
    more = {
        "contradictions": {"drawn": {"share": 0.03}, "real": {"share": 0.01}},
        "codes": {"tv": 0.17, "floor": 0.1},
        "official": {"accuracy": {"overall": 0.97, "coherence": 0.98, "overall_max": 0.9721}},
    }
    found = result("timeline", "x", scores={"utility.a.gap": (0.01, 0), "utility.b.gap": (0.04, 0)}, **more)
    value = {name: figure(found) for name, figure in linked_figures.LINKED_FIGURES.items()}
    assert value["TSTR loss"] == 0.04
    assert value["contradictions"] == pytest.approx(0.02)
    assert (value["codes TV"], value["accuracy"], value["coherence"]) == (0.17, 0.97, 0.98)
    assert linked_figures.FLOORS["accuracy"](found) == 0.9721
    assert value["alignment"] is None


def test_the_page_tells_who_did_not_finish_and_prints_the_load():
    ours = result("timeline", "diabetes130", scores={"fidelity.unit_c2st": (0.7, 0.5)})
    slow = result("peer-hma", "diabetes130", finished=False)
    load = {"rows": 10, "columns": 10, "units": 3, "threads": 1, "steps": 2, "planned": 9, "epochs": 6.0}
    load |= {"rows_a_cpu_second": 5, "peak_mib": 7, "version": "v", "minutes": {"fit": 50.0, "draw": 9.0}}
    text = linked_page.markdown([ours, slow], load)
    assert "- peer-hma, seed 0: did not finish in 2 hours of CPU a thread (1 CPU minutes, return code -24)." in text
    assert "| load | fit, CPU minutes | 50.0 | – | – |  | ≤ 60: met | ≤ 25: **not met** |" in text
    assert "| C2ST units | 0.7000 | 0.5000 |" in text
    assert "2 of 9 steps made" in text


def test_the_page_has_the_table_and_every_target_of_it():
    kept = PAGE.read_text(encoding="utf-8").split(linked_page.LINKED_START)[1].split(linked_page.LINKED_END)[0]
    for target in linked_targets():
        whose = target.figure if target.model == MODEL else f"{target.figure}, {target.model}"
        assert f"| {target.table} | {whose} |" in kept


def test_a_list_makes_nothing(capsys):
    assert main(["linked", "--list", "--tables", "baseball", "--seeds", "7"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "baseball timeline-s7-1t: missing" in said
    assert all(each.startswith("baseball ") for each in said)


def test_the_load_counts_the_steps_that_were_not_made():
    found = linked_load.measure_load(400, 4, width=8, hidden=4, mixed=8, classes=1, root_steps=2, batch_rows=64)
    assert (found["steps"], found["columns"]) == (4, 10)
    assert found["planned"] > 4
    left = (found["planned"] - 4) * found["a_step"]
    assert found["minutes"]["fit"] == pytest.approx((found["fit"]["cpu"] + left) / 60, abs=0.02)
    assert found["draw"]["rows"] > 0
