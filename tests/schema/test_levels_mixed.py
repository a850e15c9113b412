"""Levels that mix numbers and texts: one column of texts everywhere, in a file, a frame and under a budget."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import SchemaError, TableError
from synthkit.pipeline import synthesize as pipeline
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import synthesize
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.domain_mapping import map_into_domain
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.validation import validate
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files

TEXT = """
columns:
  grade: {kind: ordinal, levels: [1, 2, 3, unknown], nullable: true}
  smokes: {kind: boolean, levels: [0, "yes"]}
  icd: {kind: code, levels: [100, V10]}
  seen: {kind: categorical, levels: [true, unknown]}
  dose: {kind: numeric, min: 0, max: 9}
targets:
  - {column: smokes, task: binary}
  - {column: grade, task: multiclass}
rules:
  - {rule: implication, if: {grade: {in: [1, unknown]}}, then: {icd: {in: [100]}}}
  - {rule: fixed_combination, columns: [smokes, seen], combinations: [[0, true], ["yes", true], ["yes", unknown]]}
"""


def frame(n=120):
    rng = np.random.default_rng(0)
    grade = rng.choice(np.array([1, 2, 3, "unknown", None], dtype=object), n)
    icd = np.where(
        np.isin(grade.astype(str), ["1", "unknown"]), 100, rng.choice(np.array([100, "V10"], dtype=object), n)
    )
    smokes = rng.choice(np.array([0, "yes"], dtype=object), n)
    seen = np.where(smokes == 0, True, rng.choice(np.array([True, "unknown"], dtype=object), n))
    return pd.DataFrame({"grade": grade, "smokes": smokes, "icd": icd, "seen": seen, "dose": rng.integers(0, 9, n) / 2})


def texts():
    return frame().map(lambda cell: None if cell is None else str(cell)).astype({"dose": float})


def test_a_mixed_list_is_read_as_texts_and_so_is_what_rules_and_targets_name():
    schema = Schema.loads(TEXT)
    assert schema.columns["grade"].levels == ("1", "2", "3", "unknown")
    assert schema.columns["smokes"].levels == ("0", "yes")
    assert schema.columns["icd"].levels == ("100", "V10")
    assert schema.columns["seen"].levels == ("true", "unknown")
    assert schema.rules[0].if_["grade"].in_ == ("1", "unknown")
    assert schema.rules[1].combinations[0] == ("0", "true")
    assert Schema.loads(schema.dumps()) == schema
    alone = {"x": {"kind": "categorical", "levels": [1, "a"]}}
    target = {"column": "x", "task": "binary", "positive": 1}
    assert Schema(columns=alone, targets=[target]).targets[0].positive == "1"
    with pytest.raises(SchemaError, match=r"each level must be listed once; however: 1 \(listed twice\)"):
        Schema.loads('columns: {x: {kind: categorical, levels: [1, "1"]}}')


@pytest.mark.parametrize("made", [frame, texts])
def test_every_place_takes_them(made, tmp_path):
    schema, table = Schema.loads(TEXT), made()
    assert validate(table, schema).success
    typed = conform(table, schema)
    assert {type(v) for c in ("grade", "smokes", "icd", "seen") for v in typed[c].dropna()} == {str}
    assert map_into_domain(table, schema).counts == {}
    pd.testing.assert_frame_equal(map_into_domain(table, schema).frame, typed)
    run = synthesize(table, schema, config=RunConfig(model="independent", quick=True), rows=50, seed=1)
    run.save(tmp_path / "run")
    again = table_files.read(tmp_path / "run" / "synthetic.parquet").frame()
    assert validate(again, schema).success
    table_files.write(again, tmp_path / "t.csv")
    assert validate(table_files.read_cells(tmp_path / "t.csv"), schema).success
    assert validate(
        table_files.read_cells(tmp_path / "t.csv"), infer_schema(table_files.read(tmp_path / "t.csv").frame())
    ).success


def test_they_are_drafted_as_texts_whatever_holds_them(tmp_path):
    drafted = infer_schema(frame())
    assert drafted.columns["grade"].levels == ("1", "2", "3", "unknown")
    table_files.write(texts(), tmp_path / "t.parquet")
    assert infer_schema(table_files.read(tmp_path / "t.parquet").frame()) == drafted == infer_schema(texts())
    fitted = Synthesizer(drafted, "independent").fit(frame(), seed=1)
    table_files.write(fitted.sample(20, seed=1), tmp_path / "out.parquet")


def test_under_a_budget(tmp_path):
    schema = Schema.loads('declared_by: "A. Lee: codebook"\n' + TEXT)
    config = RunConfig(epsilon=5.0, public_n=120, ledger=tmp_path / "ledger.json")
    fitted = pipeline.fit(texts(), schema, config=config)
    drawn = fitted.synthesizer.sample(30, seed=1)
    assert set(drawn["icd"]) <= {"100", "V10"}
    table_files.write(drawn, tmp_path / "t.parquet")


def test_a_model_is_kept_where_its_rows_cannot_be_written(tmp_path):
    made = pipeline.release(texts(), Schema.loads(TEXT), config=RunConfig(model="independent"), rows=20, seed=1)
    broken = made.draws[0].astype(object)
    broken.loc[0, "dose"] = "SECRET"
    bad = dataclasses.replace(made, draws=(broken,))
    with pytest.raises(TableError, match=r"mixed in dose.*The model is kept in") as caught:
        bad.save(tmp_path / "run")
    assert "SECRET" not in str(caught.value)
    assert not (tmp_path / "run" / "synthetic.parquet").exists()
    assert len(Synthesizer.load(tmp_path / "run" / "model").sample(5, seed=1)) == 5
