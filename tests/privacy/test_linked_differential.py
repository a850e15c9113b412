"""One patient more, with rows in four tables: all that a fit lets out is the same, or was told with paid noise.

`tests/helpers/linked_differential.py` says how two fits are compared; the twins at the end put faults back, and each
must be found.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import odd_cells
import pandas as pd
import pytest
from bounded_hospital import BOUNDED, CATALOGUE, hospital, patient, stacked
from differential import Difference
from linked_differential import UnitEar, bought, hold, let_out

from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.privacy.access import bounded_units, unit_counts
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.mechanisms.stacked_counts import StackedCounts
from synthkit.schema.linked import LinkedSchema

SCHEMA = LinkedSchema.parse(BOUNDED)
BASE = hospital([(k % 4, k % 9, k % 6) for k in range(30)] + [(0, 0, 0)])
ROWS = {"none": (0, 0, 0), "one": (0, 0, 1), "seven": (1, 6, 0), "forty": (3, 30, 7), "five hundred": (500, 500, 500)}
PLACES = pytest.mark.parametrize("first", [True, False], ids=["first", "last"])


def stranger(rows=(3, 9, 4), **cells):
    """A patient of so many rows, with cells of their own, by table and column."""
    out = patient("stranger", np.random.default_rng(9), rows)
    for name, columns in cells.items():
        out[name] = (
            out[name]
            .astype(object)
            .assign(**{c: pd.Series([x] * len(out[name]), dtype=object) for c, x in columns.items()})
        )
    return out


def joined(more, first):
    return {**stacked([more, BASE] if first else [BASE, more]), "tests": CATALOGUE}


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """The fits without the stranger, made once."""
    kept = {}

    def get(how):
        if how not in kept:
            ear = UnitEar()
            kept[how] = ear, how(BASE, SCHEMA, tmp_path_factory.mktemp("without"), ear)
        return kept[how]

    return get


def held(heard, how, more, folder, *, first):
    ear, without = heard(how)
    again = UnitEar(before=ear, first=first)
    hold(without, how(joined(more, first), SCHEMA, folder, again))
    assert len(again.asked) == len(ear.asked)
    return without


@PLACES
@pytest.mark.parametrize("rows", ROWS)
def test_every_count_that_is_bought_moves_by_what_is_charged_at_most(heard, tmp_path, rows, first):
    """Coding, types, gaps and repeats, numbers of rows, tables told together at several prices, and choices."""
    without = held(heard, bought, stranger(ROWS[rows]), tmp_path, first=first)
    assert len(without["told"]) > 10


@PLACES
def test_nothing_that_a_fit_lets_out_differs(heard, tmp_path, first):
    without = held(heard, let_out, stranger(ROWS["five hundred"]), tmp_path, first=first)
    assert without["exit"] == 0, without["said"]
    assert {"model/synthesizer.json", "ledger.json"} <= set(without)
    assert without["heard"]


UNTYPED = {
    "visits": {"admitted": "never", "left": "9999-12-31T23:59:59.999999", "ward": "x" * 10_000},
    "labs": {"test": "unheard of", "taken": "31/12/2020", "value": "9" * 400},
    "notes": {"visit": "nowhere", "written": None, "told": b"\xff\x00"},
    "patients": {"sex": object, "born": float("nan")},
}


def test_no_cell_out_of_its_domain_is_told(heard, tmp_path):
    held(heard, bought, stranger(**UNTYPED), tmp_path, first=True)


def test_no_odd_cell_is_told(heard, tmp_path):
    """A hundred odd cells, each in a row of its own, in every column of a table that is no key."""
    cells = [*odd_cells.OBJECTS, *odd_cells.MISSING, *odd_cells.TEXT["datetime"], *odd_cells.TEXT["numeric"]][:140]
    more = {name: frame.head(1) for name, frame in stranger((1, 1, 1)).items()}
    for name, columns in (("labs", ("test", "taken", "value")), ("notes", ("written", "told"))):
        many = stacked([{name: more[name]}] * len(cells))[name]
        for k, column in enumerate(columns):
            held_cells = np.empty(len(cells), dtype=object)
            for j in range(len(cells)):
                held_cells[j] = cells[(j + k) % len(cells)]
            many[column] = held_cells
        more[name] = many
    held(heard, bought, more, tmp_path, first=False)


KEYS = {
    "rows that belong to nobody": {"labs": {"visit": "nowhere"}, "notes": {"patient": None}},
    "a visit of another patient": {"notes": {"visit": "p3-0"}},
    "the key of another patient repeated": {"labs": {"patient": "p3"}},
    "one key for all visits": {"visits": {"visit": "v"}, "labs": {"visit": "v"}},
}


@pytest.mark.parametrize("keys", KEYS)
def test_no_key_of_the_stranger_moves_anybody_else(heard, tmp_path, keys):
    held(heard, bought, stranger(**KEYS[keys]), tmp_path, first=True)


def test_visits_with_the_keys_of_another_patient_move_nobody(heard, tmp_path):
    more = stranger((2, 0, 0))
    more["visits"]["visit"] = ["p3-0", "p3-1"]
    held(heard, bought, more, tmp_path, first=False)


# ------------------------------------------------------------------------------------------------- faults put back


def exact_rows(real):
    """Fault 1: an exact number of rows is in the coding."""

    def fit_encoder(self):
        encoder = real(self)
        rows = sum(len(frame) for frame in self._frames.frames.values())
        types = np.full_like(encoder.events.types, rows)
        self._encoder = replace(encoder, events=replace(encoder.events, types=types))
        return self._encoder

    return fit_encoder


def remarks(real):
    """Fault 2: how many rows there are is said."""

    def encode(self, frames):
        sys.stdout.write(f"{len(frames.order.table)} rows\n")
        return real(self, frames)

    return encode


def refused(real):
    """Fault 3: too many rows of one owner end the fit."""

    def fewer(tables, name, group, most):
        if np.bincount(group, minlength=1).max(initial=0) > most:
            msg = f"rows of `{name}` are too many"
            raise ValueError(msg)
        return real(tables, name, group, most)

    return fewer


def unclipped(real):
    """Fault 4: rows of a unit are weighed by nothing where tables are chosen."""

    def of(cls, *args, **more):
        made = real.__func__(cls, *args, **more)
        return replace(made, weight=np.ones_like(made.weight))

    return classmethod(of)


def by_rows(self, tables):
    """Fault 5: rows are clipped one by one."""
    rows = [replace(table, owner=np.arange(len(table.owner))) for table in tables]
    return CLIPPED(self, rows)


CLIPPED = StackedCounts.clipped
TWINS = {
    "1: exact counts in the coding": (
        PrivateUnitAccess,
        "fit_encoder",
        exact_rows(PrivateUnitAccess.fit_encoder),
        bought,
    ),
    "2: rows are said": (UnitEncoder, "encode", remarks(UnitEncoder.encode), let_out),
    "3: refused for their number": (bounded_units, "_fewer", refused(bounded_units._fewer), let_out),
    "4: choices by rows": (unit_counts.UnitCounting, "of", unclipped(unit_counts.UnitCounting.of), bought),
    "5: rows are clipped": (StackedCounts, "clipped", by_rows, bought),
}


@pytest.mark.parametrize("fault", TWINS)
def test_every_fault_put_back_is_found(tmp_path, fault):
    where, name, broken, how = TWINS[fault]
    ear = UnitEar()
    with patch.object(where, name, broken):
        without = how(BASE, SCHEMA, tmp_path / "a", ear)
        more = joined(stranger(ROWS["five hundred"]), first=True)
        with pytest.raises(Difference):
            hold(without, how(more, SCHEMA, tmp_path / "b", UnitEar(before=ear)))
