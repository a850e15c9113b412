"""Patterns with fewer values than rows are refused before anything is learned; drafts have none."""

import numpy as np
import pandas as pd
import pytest

import synthkit as sk
from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.narrow_patterns import narrow_pattern_faults
from synthkit.schema.patterns import pattern_space
from synthkit.schema.typed_columns import check_structure


def made(rows, **keys):
    frame = pd.DataFrame({"id": [f"k{k}" for k in range(rows)], "x": np.arange(rows) / 7})
    return frame, Schema(columns={"id": {"kind": "identifier", **keys}, "x": {"kind": "numeric"}})


def test_as_many_values_as_rows_are_enough():
    frame, schema = made(12, pattern="[A-C][1-4]", unique=True)
    assert pattern_space("[A-C][1-4]") == 12
    assert sk.validate(frame, schema).success
    check_structure(frame, schema)


def test_too_few_values_are_a_fault_of_the_table_and_the_schema():
    frame, schema = made(13, pattern="[A-C][1-4]", unique=True)
    (fault,) = sk.validate(frame, schema).violations
    assert (fault.columns, fault.count) == (("id",), 0)
    assert fault.rule == "a pattern with a value for each of 13 rows; however: it has 12"
    assert fault.remedy == "widen `pattern`, for example by more digits"
    with pytest.raises(SchemaError, match=r"a value for each of 13 rows; however: it has 12"):
        sk.Synthesizer(schema, "independent").fit(frame, seed=1)


def test_values_that_may_repeat_need_not_be_as_many():
    frame, schema = made(13, pattern="[A-C][1-4]")
    assert sk.validate(frame, schema).success
    assert len(narrow_pattern_faults(schema, 13, unique=False)) == 1


def test_more_rows_than_values_are_refused_before_they_are_drawn(monkeypatch):
    frame, schema = made(12, pattern="[A-C][1-4]", unique=True)
    fitted = sk.Synthesizer(schema, "independent").fit(frame, seed=1)
    assert fitted.sample(12, seed=1)["id"].nunique() == 12
    monkeypatch.setattr(type(fitted._model), "sample", lambda *_: pytest.fail("rows were drawn"))
    with pytest.raises(SchemaError, match=r"`id`: the pattern must .* however: it has 12 and 13 are needed. Widen"):
        fitted.sample(13, seed=1)


@pytest.mark.parametrize("keys", [[f"P{k}" for k in range(1, 6)], list(range(1, 6))])
def test_a_drafted_key_of_few_people_can_be_drawn_for_every_row(keys):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"patnr": np.repeat(keys, 40), "age": np.repeat([30, 30, 50, 60, 60], 40)})
    frame = frame.assign(sex=np.repeat(list("ffmmf"), 40), x=rng.normal(size=200))
    schema = infer_schema(frame)
    assert schema.columns["patnr"].kind == "identifier"
    assert narrow_pattern_faults(schema, 200, unique=False) == []
    assert len(sk.Synthesizer(schema, "independent").fit(frame, seed=1).sample(200, seed=1)) == 200


def test_a_run_draws_as_many_rows_as_it_learns_and_so_asks_before_it_learns(monkeypatch):
    frame, schema = made(200, pattern="[A-C][1-4]")
    monkeypatch.setattr(sk.Synthesizer, "fit", lambda *_, **__: pytest.fail("something was learned"))
    with pytest.raises(SchemaError, match=r"a pattern with a value for each of \d+ rows; however: it has 12"):
        sk.synthesize(frame, schema, model="independent", seed=1)
