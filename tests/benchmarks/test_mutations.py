"""Errors in the measurement of risks are noticed, and what is changed for that is there to be changed."""

from __future__ import annotations

import json

import pytest

from benchmarks.places import MEASURED, ROOT
from benchmarks.risk import mutations
from benchmarks.risk.planted_errors import MUTATIONS, Mutation

WRITTEN = json.loads((MEASURED / "mutations.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_two_errors_are_caught():
    """One by the known answers, one by the tests; without either nothing is."""
    names = ("members and non-members exchanged", "of a pair always the first")
    found = mutations.measure(tuple(each for each in MUTATIONS if each.name in names))
    assert not found["none"]["caught"]
    assert found[names[0]]["by"] == "selftest"
    assert found[names[1]]["by"] == "tests"


def test_every_error_can_be_made(tmp_path):
    """Its text stands once in its file, and its tests are there."""
    assert len({each.name for each in MUTATIONS}) == len(MUTATIONS) >= 10
    mutations.copied(tmp_path)
    for each in MUTATIONS:
        before = mutations.changed(tmp_path, each)
        path = tmp_path / "synthkit" / each.file
        compile(path.read_text(encoding="utf-8"), each.file, "exec")
        assert path.read_text(encoding="utf-8") != before
        path.write_text(before, encoding="utf-8")
        assert (ROOT / each.tests).exists()


def test_an_error_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "synthkit").mkdir()
    (tmp_path / "synthkit" / "a.py").write_text("x = 1\nx = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"`x = 1` must stand once in a.py; however: 2 times"):
        mutations.changed(tmp_path, Mutation("twice", "a.py", "x = 1", "x = 2", ""))


def test_all_that_were_made_were_caught():
    names = {each.name for each in MUTATIONS}
    assert set(WRITTEN["errors"]) == names
    assert WRITTEN["unchanged"] == "right"
    assert [name for name, each in WRITTEN["errors"].items() if not each["caught"]] == []
