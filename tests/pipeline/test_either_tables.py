"""The public calls with one table and with linked ones."""

from __future__ import annotations

import pandas as pd
import pytest
from small_hospital import SMALL, small_hospital

import synthkit as sk
from synthkit.errors import ConfigError, TableError

SCHEMA = sk.LinkedSchema.parse(SMALL)
ONE = sk.Schema(columns={"x": {"kind": "numeric"}})
SMALL_RUN = {"model": "independent", "quick": True, "seed": 1, "device": "cpu"}


def test_frames_by_name_and_a_linked_schema_give_a_linked_run(tmp_path):
    SCHEMA.save(tmp_path / "s.yaml")
    made = sk.synthesize(small_hospital(), tmp_path / "s.yaml", units=8, **SMALL_RUN)
    assert isinstance(made, sk.LinkedRun)
    assert len(made.synthetic["patients"]) == 8
    assert made._repr_html_().startswith("<table")


def test_a_frame_and_a_schema_of_one_table_give_a_run(toy):
    made = sk.synthesize(toy.csv, toy.yaml, rows=20, **SMALL_RUN)
    assert isinstance(made, sk.Run)


def test_one_table_with_a_row_a_person_may_be_given_by_name():
    frames = {"people": pd.DataFrame({"x": range(60)})}
    made = sk.synthesize(frames, sk.Schema(name="people", columns={"x": {"kind": "numeric"}}), units=5, **SMALL_RUN)
    assert len(made.synthetic["people"]) == 5


def test_linked_tables_are_evaluated():
    train, held, drawn = (small_hospital(30, seed) for seed in range(3))
    found = sk.evaluate(sk.LinkedEvaluationData.of(train, held, drawn, SCHEMA), quick=True)
    assert found.score("fidelity.integrity").value == 0
    with pytest.raises(ConfigError, match="baselines are trained on one table"):
        sk.evaluate(sk.LinkedEvaluationData.of(train, held, drawn, SCHEMA), baselines={"a": "b"})


def test_linked_tables_are_validated():
    assert sk.validate(small_hospital(), SCHEMA).success
    orphan = {**small_hospital(), "patients": small_hospital()["patients"].iloc[1:]}
    assert not sk.validate(orphan, SCHEMA).success
    assert sk.validate(orphan, SCHEMA, orphans="drop").success
    assert sk.validate(pd.DataFrame({"x": [1.0]}), ONE).success


def test_a_schema_is_drafted_that_the_tables_keep():
    drafted = sk.infer_schema(small_hospital(), name="small", unit="patients")
    assert drafted.graph.owners == {"visits": "patients", "labs": "patients"}
    assert sk.validate(small_hospital(), drafted).success


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: sk.synthesize(pd.DataFrame({"x": [1]}), SCHEMA), ConfigError, "frames by name, a folder"),
        (lambda: sk.validate({"a": pd.DataFrame({"x": [1]})}, ONE), ConfigError, "one table is given as a frame"),
        (lambda: sk.validate(pd.DataFrame({"x": [1]}), ONE, extra={"x": "a.json"}), ConfigError, "suite of one table"),
        (lambda: sk.validate(pd.DataFrame({"x": [1]}), ONE, orphans="drop"), ConfigError, "`orphans` is of linked"),
        (lambda: sk.validate(small_hospital(), SCHEMA, extra="a.json"), ConfigError, "suites of linked tables"),
        (lambda: sk.synthesize({}, SCHEMA), TableError, "the mapping holds none"),
    ],
)
def test_what_is_given_for_the_other_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


@pytest.mark.parametrize(("option", "value"), [("units", 5), ("orphans", "drop")])
def test_what_is_of_linked_tables_is_refused_for_one(toy, option, value):
    with pytest.raises(ConfigError, match=f"`{option}` is of linked tables; however: the schema is of one table"):
        sk.synthesize(toy.frame, toy.schema, **{option: value}, **SMALL_RUN)
