"""Splits, cells that are made once, and one of them from end to end."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.contest import gpu, growth_sections
from benchmarks.contest.ours import PROGRAM
from benchmarks.json_files import write
from benchmarks.load import scaling
from benchmarks.measure import cells, job, scoring
from benchmarks.tables import real_tables
from synthkit.schema.validation import validate

needs_data = pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA names no folder of tables")


@pytest.fixture
def cell(tmp_path, monkeypatch):
    """A cell of the independent model on few rows, with work files in a folder of the test."""
    monkeypatch.setattr(cells, "BENCH", tmp_path / "work")
    who = cells.Contestant(name="independent", program=PROGRAM, version="1")
    return cells.Cell(who=who, table="breast_cancer", seed=0, rows=560)


@needs_data
def test_no_patient_is_on_both_sides():
    train, holdout = real_tables.parts("diabetes130")
    assert len(train) + len(holdout) == 101_766
    assert not set(train["patient_nbr"]) & set(holdout["patient_nbr"])
    units = train["patient_nbr"].nunique() + holdout["patient_nbr"].nunique()
    assert train["patient_nbr"].nunique() == round(0.67 * units)


@needs_data
def test_the_split_is_the_same_every_time():
    first, second = (real_tables.parts("support2") for _ in range(2))
    assert [len(part) for part in first] == [round(0.63 * 9105), 9105 - round(0.63 * 9105)]
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other)


@needs_data
@pytest.mark.parametrize("table", ["adult", "support2", "default_credit"])
def test_what_peers_are_given_is_the_same_table(table):
    """Texts for levels, numbers for numbers; typed by the schema it is the training table again."""
    from synthkit.schema.conform import conform

    meaning = real_tables.schema(table)
    train, _ = real_tables.parts(table, rows=500)
    given = real_tables.plain(train, meaning)
    assert list(given) == list(meaning.learned)
    back = conform(given.assign(**{c: train[c] for c in meaning.columns if c not in given}), meaning)
    pd.testing.assert_frame_equal(back, train)


@needs_data
def test_a_cell_is_made_once(cell, tmp_path):
    folder = tmp_path / "cells"
    assert not cell.done(folder)
    made = cells.run(cell, folder)
    assert made["finished"], (cell.scratch / "log.txt").read_text()
    assert cell.done(folder)
    assert json.loads(cell.path(folder).read_text()) == made
    synthetic = pd.read_parquet(cell.synthetic)
    assert len(synthetic) == json.loads((cell.scratch / "job.json").read_text())["rows"] == 280
    assert made["sample"]["rows"] >= 1000
    assert made["synthetic"] == cells.digest(cell.synthetic)


@needs_data
@pytest.mark.slow
def test_a_sample_is_scored_and_an_earlier_one_is_not_it(cell, tmp_path):
    cell.scratch.mkdir(parents=True)
    _, holdout = real_tables.parts(cell.table, rows=cell.rows)
    holdout[list(real_tables.schema(cell.table).learned)].to_parquet(cell.synthetic)
    write(cell.path(tmp_path / "cells"), cell.identity() | {"synthetic": cells.digest(cell.synthetic)})
    scored = scoring.score(cell, tmp_path / "scores")
    assert scored["cells_moved"] == {}
    assert scored["scores"]["fidelity.tv1"]["value"] == 1.0  # the holdout against itself
    assert scored["scores"]["copying.dcr_share"]["value"] < 0.1
    assert 0.8 < scored["sdmetrics"]["xgboost_detection"] <= 1
    assert scored["sdmetrics"]["shape"] == pytest.approx(scored["scores"]["fidelity.shape_train"]["value"], abs=0.01)
    assert scoring.done(cell, tmp_path / "scores", tmp_path / "cells")
    write(cell.path(tmp_path / "cells"), cell.identity() | {"synthetic": "another"})
    assert not scoring.done(cell, tmp_path / "scores", tmp_path / "cells")


@needs_data
def test_a_cell_of_other_settings_version_or_machine_is_not_the_same(cell, tmp_path, monkeypatch):
    write(cell.path(tmp_path), cell.identity())
    assert cell.done(tmp_path)
    assert not replace(cell, who=replace(cell.who, settings={"steps": 3})).done(tmp_path)
    assert not replace(cell, who=replace(cell.who, version="2")).done(tmp_path)
    assert not replace(cell, rows=None).done(tmp_path)
    assert not replace(cell, seed=1).done(tmp_path)
    assert replace(cell, seed=1).state(tmp_path) == "missing"
    newer = replace(cell, who=replace(cell.who, version="2"))
    assert newer.state(tmp_path) == "of another version"
    monkeypatch.setattr(cells, "fingerprint", lambda: {"cpu": "another"})
    assert not cell.done(tmp_path)
    assert newer.state(tmp_path) == "of another version, machine"


@needs_data
def test_who_takes_too_long_is_recorded_as_not_finished(cell, tmp_path, monkeypatch):
    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass\n")
    monkeypatch.setattr(cells, "HOURS", 1 / 3600)
    made = cells.run(replace(cell, who=replace(cell.who, program=(str(endless),))), tmp_path)
    assert not made["finished"]
    assert made["return_code"] < 0
    assert replace(cell, who=replace(cell.who, program=(str(endless),))).done(tmp_path)  # so it is, and remains
    assert "fit" not in made


@needs_data
def test_who_fails_is_recorded_as_not_finished_and_tried_again(cell, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(3)\n")
    made = cells.run(replace(cell, who=replace(cell.who, program=(str(broken),))), tmp_path)
    assert (made["finished"], made["return_code"]) == (False, 3)
    assert not cell.done(tmp_path)
    assert cell.state(tmp_path) == "failed"


def test_speed_is_measured_on_many_rows_or_a_minute_of_them():
    assert job.many(30_000, 1.0) == 100_000
    assert job.many(30_000, 120.0) == 30_000
    assert job.many(10_000, 30.0) == 20_000


def test_members_are_told_by_their_distance_as_sklearn_says():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    near, member = rng.random(200).round(1), rng.random(200) < 0.4
    found = scoring.membership(near, member)
    assert found["auc"] == pytest.approx(roc_auc_score(member, -near))
    n, m = member.sum(), (~member).sum()
    draws = [roc_auc_score(rng.permutation(member), rng.random(200)) for _ in range(400)]
    assert found["se"] == pytest.approx(np.std(draws), rel=0.15), (n, m)


def test_rows_with_a_level_no_training_row_has_are_left_out_of_the_detection():
    from synthkit.schema import Schema

    levels = {"kind": "categorical", "levels": ["a", "b", "c"], "nullable": True}
    meaning = Schema(columns={"x": levels, "y": {"kind": "numeric"}})
    real = pd.DataFrame({"x": ["a", "b", "a"], "y": [1.0, 2.0, 3.0]})
    made = pd.DataFrame({"x": ["a", "c", None], "y": [9.0, 1.0, 1.0]})
    assert scoring.seen(real, made, meaning).tolist() == [True, False, False]
    assert scoring.seen(made, made, meaning).all()


@needs_data
def test_one_gpu_runs_on_a_cpu_and_names_what_it_did_not_begin(tmp_path, monkeypatch):
    asked = ["--device", "cpu", "--dry", "--minutes", "0.03", "--only", "autoregressive", "--no-scores"]
    monkeypatch.setattr(gpu, "ORDER", (("autoregressive", "breast_cancer"), ("autoregressive", "adult")))
    gpu.main([*asked, "--out", str(tmp_path), "--work", str(tmp_path / "work")])
    written = json.loads((tmp_path / "gpu.json").read_text())
    begun = [made["table"] for made in written["cells"]]
    assert begun
    later = [name.split()[1] for name in written["not_begun"] if name.startswith("autoregressive ")]
    assert begun + later == ["breast_cancer", "adult"]
    assert written["device"] == "cpu"


@needs_data
def test_one_gpu_goes_on_where_it_was_broken_off(tmp_path, monkeypatch, capsys):
    """The whole script in small: a cell with a budget, the checks, and nothing made twice."""
    monkeypatch.setattr(gpu, "ORDER", (("autoregressive@3", "breast_cancer"),))
    monkeypatch.setattr(gpu, "CHECKED", ("autoregressive",))
    asked = ["--device", "cpu", "--dry", "--no-scores", "--out", str(tmp_path), "--work", str(tmp_path / "work")]
    gpu.main([*asked, "--minutes", "0"])
    written = json.loads((tmp_path / "gpu.json").read_text())
    names = ["same law, autoregressive", "private step", "many rows"]
    assert written["not_begun"] == ["autoregressive@3 breast_cancer", *names]
    gpu.main(asked)
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert [one["who"] for one in written["cells"]] == ["autoregressive@3@cpu"]
    assert list(written["checks"]) == names
    assert written["checks"]["same law, autoregressive"]["loss"]["cpu"] > 0
    assert written["not_begun"] == []
    text = "\n".join(growth_sections.one_gpu(written))
    assert "A private step of 64 rows" in text
    capsys.readouterr()
    gpu.main(asked)
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "gpu.json").read_text()) == written


@needs_data
def test_scaling_measures_its_three_parts():
    small = {"width": 8, "hidden": 4, "batch_size": 64}
    line = scaling.measure("kddcup99_10pct", 400, "autoregressive", small)
    assert line["rows"] == 400
    assert all(line[part] >= 0 for part in scaling.PARTS)
    assert line["peak_mib"] > 50
    assert scaling.steps(400, 64) == 7


@needs_data
def test_the_table_of_46_columns_keeps_its_schema():
    """No identifier, no patient, diagnoses as chapters: as private models are compared on."""
    schema = real_tables.schema("diabetes130_dp46")
    train, holdout = real_tables.parts("diabetes130_dp46")
    assert len(schema.columns) == 46
    assert schema.unit is None
    assert len(train) + len(holdout) == 101_766
    assert validate(train, schema).success
    assert not any(column.observed for column in schema.columns.values())
