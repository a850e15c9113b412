"""One person more: every public byte is the same, or was told by a mechanism that was paid for.

`tests/helpers/differential.py` says how two tables are compared; the twins at the end put each known fault back, and each
must be found.
"""

from __future__ import annotations

import itertools

import odd_cells
import pandas as pd
import pytest
from differential import Case, Difference, Ear, coded, compare, joined, public
from six_tables import MADE, made

from synthkit.schema.keys import unit_key, unit_keys

SMALL = {
    "marginal": {"components": 4, "rounds": 1, "first": 3, "between": 1, "last": 3},
    "autoregressive": {"steps": 2},
    "ctgan": {"steps": 2},
    "tvae": {"steps": 2},
    "diffusion": {"steps": 2},
}




def stranger(name, cell, rows=1):
    """A person with one odd cell of its kind in every column; a number of nobody else if the table has a unit."""
    frame, schema = made(name)
    cells = {c: cell(column.kind) if c != schema.unit else 9_000_000 for c, column in schema.columns.items()}
    return pd.DataFrame([cells] * rows, dtype=object)[list(frame)]


def nth(k, cells=odd_cells.TEXT):
    """The k-th odd cell of a kind."""
    return lambda kind: cells[kind][k % len(cells[kind])] if isinstance(cells, dict) else cells[k]


def usual(kind):
    """A cell that might be anybody's, and a level of nobody else."""
    odd = {"numeric": "41", "datetime": "2020-05-01", "boolean": "true", "ordinal": "III"}
    return odd.get(kind, "of nobody else")


STRANGERS = {
    "usual": usual,
    "extreme": lambda kind: {"numeric": "9" * 400, "datetime": "9999-12-31T23:59:59.999999"}.get(kind, "x" * 10_000),
    "fine": lambda kind: {"numeric": "61.123456789", "datetime": "2020-05-01T10:00:00.123456"}.get(kind, " f"),
    "nothing": lambda kind: None,
    "unknown": lambda kind: "unknown",
}


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """The fit of each table without the stranger, made once: what it asked and what is public of it."""
    kept = {}

    def get(name, case, how):
        key = (name, case.model, case.suffix, case.held_out, case.calibrate, how)
        if key not in kept:
            ear = Ear()
            kept[key] = ear, how(case, made(name)[0], *_place(how, tmp_path_factory.mktemp(name)), ear)
        return kept[key]

    return get


def _place(how, where):
    return (where,) if how is public else ()


def held(heard, name, more, *, case=None, how=public, where=None, first=True):
    """The fit with the stranger, held against the one without."""
    case = case or Case(made(name)[1], settings=SMALL["marginal"])
    ear, without = heard(name, case, how)
    again = Ear(before=ear, rows=len(more), first=first)
    compare(without, how(case, joined(made(name)[0], more, first=first), *_place(how, where), again))
    assert len(again.asked) == len(ear.asked)
    return without


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("name", MADE)
def test_nothing_public_differs(heard, tmp_path, name, who):
    without = held(heard, name, stranger(name, STRANGERS[who]), where=tmp_path)
    assert without["exit"] == 0, without["said"]


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
@pytest.mark.parametrize("model", ["autoregressive", "ctgan", "tvae", "diffusion"])
def test_nothing_public_differs_whatever_the_model(heard, tmp_path, model, first):
    case = Case(made("visits")[1], model=model, settings=SMALL[model], held_out=first)
    more = stranger("visits", usual, rows=40 if first else 1)
    without = held(heard, "visits", more, case=case, where=tmp_path, first=first)
    assert without["exit"] == 0, without["said"]
    assert "out/model/weights.safetensors" in without["files"] or len(without["files"]) > 5


@pytest.mark.parametrize("name", ["numbers", "categories", "dates"])
def test_nothing_public_differs_where_a_column_of_a_file_has_another_type(heard, tmp_path, name):
    """One cell that is a text makes all numbers of a Parquet file texts."""
    case = Case(made(name)[1], settings=SMALL["marginal"], suffix=".parquet", calibrate=name == "numbers")
    without = held(heard, name, stranger(name, STRANGERS["unknown"]), case=case, where=tmp_path)
    assert without["exit"] == 0, without["said"]


@pytest.mark.parametrize("name", MADE)
def test_no_odd_text_is_told(heard, name):
    for k, first in zip(range(max(map(len, odd_cells.TEXT.values()))), itertools.cycle([True, False])):
        held(heard, name, stranger(name, nth(k)), how=coded, first=first)


@pytest.mark.parametrize("name", MADE)
def test_no_odd_object_is_told(heard, name):
    cells = (*odd_cells.OBJECTS, *odd_cells.MISSING)
    for k, first in zip(range(len(cells)), itertools.cycle([True, False])):
        held(heard, name, stranger(name, nth(k, cells)), how=coded, first=first)


@pytest.mark.parametrize("kind", ["identifier"])
def test_no_odd_number_of_a_person_is_told(heard, kind):
    frame, schema = made("visits")
    known = set(unit_keys(frame["who"]))
    for cell in odd_cells.units():
        if unit_key(cell) not in known:
            more = stranger("visits", usual, rows=3)
            more["who"] = pd.Series([cell] * 3, dtype=object)
            held(heard, "visits", more, how=coded)
