"""Wrong inputs and kills, a few of each, and whether the page of figures says what was measured."""

from __future__ import annotations

import json
import random

import pytest

from benchmarks.places import MEASURED
from benchmarks.stress import changed_inputs, corpus, faults, fuzz, input_kinds, reliability

WRITTEN = json.loads((MEASURED / "faults.json").read_text(encoding="utf-8"))
PAGE = reliability.PAGE.read_text(encoding="utf-8")
CHEAP = ("schema", "CSV", "Parquet, bytes", "Parquet, footer", "Arrow", "policy", "configuration", "key of a watermark")


@pytest.fixture
def small(tmp_path):
    """The inputs of cheap kinds, without any model or run."""
    from synthkit.schema import Schema
    from synthkit.tables import table_files
    from synthkit.watermark import WatermarkKey

    schema = Schema(**corpus.SCHEMA)
    schema.save(tmp_path / "schema.yaml")
    for name in ("table.csv", "table.parquet", "table.arrow"):
        table_files.write(corpus.table(), tmp_path / name, mark={"content": "synthetic"})
    WatermarkKey.new(schema).save(tmp_path / "key.json")
    (tmp_path / "config.yaml").write_text(corpus.CONFIGURATION, encoding="utf-8")
    (tmp_path / "policy.yaml").write_bytes(corpus.policy().read_bytes())
    return tmp_path


def test_no_reader_ends_in_a_traceback_or_tells_a_cell(small):
    kinds = input_kinds.kinds(small)
    chosen = {name: kinds[name] for name in CHEAP}
    found = fuzz.run(chosen, small, inputs=800, seed=1, say=str)
    assert found.faults == {}
    assert sum(found.inputs.values()) >= 800
    assert found.messages > 300
    assert found.told == 0


def test_a_reader_that_fails_is_found(small):
    """A traceback, a cell in a message, and a process that dies."""
    from synthkit.errors import TableError

    def crash(path):
        raise ZeroDivisionError

    def tell(path):
        raise TableError("QZSENTINEL0001")

    def die(path):
        import os

        os._exit(3)

    for read, said in ((crash, "ZeroDivisionError"), (tell, "a cell in a message"), (die, "the process died")):
        kind = fuzz.Kind(1.0, "table.csv", lambda content, rng: content, read)
        found = fuzz.run({"x": kind}, small, inputs=2, seed=0, say=str)
        assert [name for name in found.faults if said in name] == list(found.faults)
        assert found.inputs["x"] == 2


def test_the_same_seed_gives_the_same_inputs(small):
    kinds = input_kinds.kinds(small)
    for name in CHEAP:
        content = (small / kinds[name].file).read_bytes()
        both = [fuzz.wrong(kinds[name], content, name, 3, 7) for _ in range(2)]
        assert both[0] == both[1]
        others = {fuzz.wrong(kinds[name], content, name, 3, number) for number in range(12)}
        assert len(others) > 6


def test_only_some_kinds_are_tried_again(small):
    """By as many inputs as in a whole run; of the others nothing is forgotten."""
    kinds = input_kinds.kinds(small)
    chosen = {name: kinds[name] for name in CHEAP}
    whole = fuzz.run(chosen, small, inputs=200, seed=1, say=str)
    some = fuzz.run(chosen, small, inputs=200, seed=1, say=str, only=["policy", "CSV"])
    assert some.inputs == {name: whole.inputs[name] for name in ("policy", "CSV")}
    kind = {"inputs": 9, "refused": 5}
    fault = {"times": 2, "examples": ["x"]}
    told = {"a: a cell in a message": fault, "b: X at y.py:1": fault}
    before = {"by_kind": {"a": kind, "b": kind, "ab": kind}, "faults": told, "slowest_seconds": 4.0, "seconds": 1.0}
    again = {"by_kind": {"b": {"inputs": 7, "refused": 6}}, "faults": {}, "slowest_seconds": 3.0, "seconds": 2.0}
    now = faults.renewed(before, again)
    assert now["by_kind"] == {"a": kind, "b": {"inputs": 7, "refused": 6}, "ab": kind}
    assert (now["inputs"], now["messages"], now["messages_with_a_cell"]) == (25, 16, 2)
    assert now["faults"] == {"a: a cell in a message": fault}
    assert (now["slowest_seconds"], now["seconds"]) == (4.0, 3.0)


def test_changes_by_meaning_change():
    data = {"a": [1, 2, {"b": "c"}], "d": None}
    assert sum(repr(changed_inputs.by_meaning(data, random.Random(k))) != repr(data) for k in range(50)) > 40
    assert data == {"a": [1, 2, {"b": "c"}], "d": None}


def test_the_page_says_what_was_measured():
    """Every figure of the page is written from the result."""
    assert reliability.table(WRITTEN) in PAGE


def test_nothing_that_was_found_is_left():
    inputs = WRITTEN["inputs"]
    assert inputs["faults"] == {}
    assert inputs["messages_with_a_cell"] == 0
    assert inputs["slowest_seconds"] < 60
    assert faults.faults_in(WRITTEN) == []
