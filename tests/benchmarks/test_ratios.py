"""Targets held against results: which cells are compared, by which clock, and what is said."""

from __future__ import annotations

import pytest

from benchmarks.contest import growth_sections, plan, ratios, targets
from benchmarks.json_files import write
from benchmarks.measure import results


@pytest.fixture
def target():
    def make(figure, *, must=None, **more):
        return targets.Target(ours="ctgan", peer="peer-ctgan", table="adult", figure=figure, must=must, **more)

    return make


def test_a_ratio_is_that_of_the_medians(result, target):
    """By hand: ours 0.02, 0.03, 0.10 above a half, theirs 0.4: 0.03 / 0.4."""
    ours = [result("ctgan", seed=k, scores={"c2st": 0.5 + e}) for k, e in enumerate([0.10, 0.02, 0.03])]
    theirs = [result("peer-ctgan", scores={"c2st": 0.9})]
    line = ratios.measured(target("e", must=targets.most(0.3)), [*ours, *theirs])
    assert line.number == pytest.approx(0.075)
    assert (line.own.least, line.own.most) == pytest.approx((0.02, 0.10))
    assert line.verdict(line.target.must) == "≤ 0.3x: met"


def test_a_difference_and_a_value(result, target):
    most, least = targets.most, targets.least
    found = [result("ctgan", scores={"gaps": (0.02,)}), result("peer-ctgan", scores={"gaps": (0.05,)})]
    line = ratios.measured(target("TSTR", must=least(0.04), relation="difference"), found)
    assert line.number == pytest.approx(0.03)
    assert line.verdict(line.target.must) == "≥ +0.04: **not met**"
    line = ratios.measured(target("C2ST", must=most(0.6), relation="value"), found)
    assert line.verdict(line.target.must) == "≤ 0.6: met"


def test_a_value_of_ours_can_be_good_enough_by_itself(result, target):
    found = [result("ctgan", scores={"gaps": (0.004,)}), result("peer-ctgan", scores={"gaps": (0.001,)})]
    line = ratios.measured(target("g", must=targets.most(1.0, floor=0.005)), found)
    assert line.number == pytest.approx(4.0)
    assert line.verdict(line.target.must) == "≤ 1x or ≤ 0.005: met"


def test_what_is_missing_is_said_to_be_missing(result, target):
    bound = targets.most(0.3)
    for found in ([], [result("ctgan")], [result("peer-ctgan")]):
        line = ratios.measured(target("e", must=bound), found)
        assert line.number is None
        assert line.verdict(bound) == "≤ 0.3x: not measured"
        assert ratios.row(line).startswith("| ctgan / peer-ctgan | adult | e |")


def test_a_peer_that_did_not_finish_is_not_compared_and_is_named(result, target):
    failed = result("peer-ctgan", finished=False)
    assert ratios.measured(target("e"), [result("ctgan"), failed]).number is None
    assert any("peer-ctgan did not finish" in line for line in ratios.everything([failed]))


def test_seeds_of_different_versions_are_named(result):
    same = [result("tvae", seed=k, version="1") for k in range(2)]
    assert not any("versions" in line for line in ratios.everything(same))
    other = result("tvae", seed=2, version="2")
    assert "\ntvae was measured in 2 versions: make its cells again." in ratios.everything([*same, other])


def test_the_wall_counts_on_a_quiet_machine_only(result, target):
    """By hand: 10 s against 40 s on the wall, 20 s against 60 s of CPU."""
    asked = target("training", clock="wall")
    quiet = [result("ctgan", others=0.05, cpu=20.0, wall=10.0), result("peer-ctgan", others=0.02)]
    assert ratios.measured(asked, quiet).number == pytest.approx(0.25)
    loud = [quiet[0], result("peer-ctgan", others=0.2)]
    line = ratios.measured(asked, loud)
    assert line.number == pytest.approx(1 / 3)
    assert line.clock == "CPU, 1 thread(s)"
    assert ratios.measured(target("training"), quiet).number == pytest.approx(1 / 3)


def test_times_are_compared_on_one_machine_with_as_many_threads(result, target):
    other = {"cpu": "Another", "cores": 64, "python": "3.11.7", "torch": "2.13.0"}
    ours = result("ctgan", cpu=20.0)
    assert ratios.measured(target("training"), [ours, result("peer-ctgan", machine=other)]).number is None
    assert ratios.measured(target("training"), [ours, result("peer-ctgan", threads=2)]).number is None
    both = [result(who, threads=2, cpu=cpu) for who, cpu in (("ctgan", 30.0), ("peer-ctgan", 40.0))]
    line = ratios.measured(target("training"), [ours, result("peer-ctgan"), *both])
    assert line.number == pytest.approx(0.75)
    assert line.clock == "CPU, 2 thread(s)"


def test_speeds_are_rows_a_second(result, target):
    found = [result("ctgan", rate=3000.0), result("peer-ctgan", rate=1000.0)]
    line = ratios.measured(target("rows/s"), found)
    assert line.number == pytest.approx(3.0)
    assert line.own.middle == pytest.approx(3000.0)


def test_copying_beyond_chance_is_named(result):
    """By hand: 0.5 + max(0.03, 3 * 0.01 / 1.96) is 0.53; 0.5 + max(0.02, 0.015) is 0.52."""
    fine = result("ctgan", scores={"dcr": 0.525, "attack": 0.515})
    assert "all 1 cells of ours are within" in ratios.privacy([fine])[0]
    assert "DCR share 0.540" in ratios.privacy([result("ctgan", scores={"dcr": 0.54})])[0]
    assert "attack AUC 0.525" in ratios.privacy([result("ctgan+rake", scores={"attack": 0.525})])[0]
    assert ratios.privacy([result("mostlyai", scores={"dcr": 0.9})]) == ["No cell of ours is scored yet."]


def test_every_target_names_somebody_who_is_measured_and_a_figure_there_is():
    cells = {*plan.PEER_CELLS, *plan.PLAIN, *((f"{name}+rake", table) for name, table in plan.PLAIN)}
    asked = targets.all_of(plan.PLAIN)
    assert len(asked) > 30
    for target in asked:
        assert (target.ours, target.table) in cells
        assert target.peer is None or (target.peer, target.table) in cells
        assert target.figure in {*results.FIGURES, *targets.TIMES}
    assert {name for name, _ in plan.PLAIN} <= set(plan.MODELS)


def test_scores_of_an_earlier_sample_are_left_out(tmp_path):
    for of, known in (("abc", True), ("old", False)):
        write(tmp_path / "cells" / "adult" / "x-s0-1t.json", {"synthetic": "abc", "who": "x", "table": "adult"})
        write(tmp_path / "scores" / "adult" / "x-s0-1t.json", {"of": of})
        assert (results.load(tmp_path)[0].score is not None) == known


def test_cells_of_the_former_name_of_raked_draws_are_read_as_todays(tmp_path):
    """One that was made again under today's name takes its place."""
    for name, of in (("tvae+calibrate", "old"), ("tvae+rake", "new")):
        write(tmp_path / "cells" / "adult" / f"{name}-s0-1t.json", {"who": name, "table": "adult", "synthetic": of})
        (found,) = results.load(tmp_path)
        assert (found.key, found.cell["synthetic"], found.score) == (("tvae+rake", "adult"), of, None)
        write(tmp_path / "scores" / "adult" / f"{name}-s0-1t.json", {"of": of})
        assert results.load(tmp_path)[0].score == {"of": of}


def test_growth_and_gpu_are_shown_where_they_are_recorded(tmp_path):
    """By hand: exponent 1.2 is above 1.05, 9,000 MiB above 8,192, 70 CPU seconds above 60; a GPU's scores below."""
    sections = growth_sections.sections
    assert list(sections(tmp_path)) == []
    line = {"model": "tvae", "table": "t", "rows": 1_000_000, "encode": 1.0, "epoch": 2.0, "sample": 70.0}
    line |= {"sample_wall": 80.0, "peak_mib": 9000, "others": 0.0}
    exponents = [{"model": "tvae", "table": "t", "sizes": 3, "exponent": 1.2}]
    write(tmp_path / "scaling.json", {"lines": [line], "exponents": exponents})
    score = {"shape": 0.99, "trend": 0.99, "xgboost_detection": 0.9}
    made = {"who": "diffusion@cuda", "table": "adult", "fit": {"wall": 100.0}, "sample": {"rows": 100, "wall": 2.0}}
    made |= {"gpu_peak_mib": 5, "scored": {"sdmetrics": score, "scores": {"fidelity.c2st": {"value": 0.6}}}}
    gpu = {"device": "A GPU", "machine": {"cores": 2, "torch": "2"}, "cells": [made], "not_begun": ["tvae adult"]}
    write(tmp_path / "gpu.json", gpu)
    text = "\n".join(sections(tmp_path))
    assert "exponent 1.20 over 3 sizes, ≤ 1.05: **not met**" in text
    assert "9,000 MiB, ≤ 8,192: **not met**" in text
    assert "drawn in 70 CPU s, ≤ 60: **not met**" in text
    assert "fit, s: 100, ≤ 120: met" in text
    assert "shape error: 0.01, ≤ 0.007: **not met**" in text
    assert "XGBoost score: 0.9, ≥ 0.84: met" in text
    assert "Not begun for want of time: tvae adult." in text
