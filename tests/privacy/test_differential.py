"""One person more: every public byte is the same, or was told by a mechanism that was paid for.

`tests/helpers/differential.py` says how two tables are compared; the twins at the end put each known fault back, and each
must be found.
"""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

import odd_cells
from differential import Case, Difference, Ear, compare, joined, public
from six_tables import MADE, made

SMALL = {
    "marginal": {"components": 4, "rounds": 1, "first": 3, "between": 1, "last": 3},
    "autoregressive": {"steps": 2},
    "ctgan": {"steps": 2},
    "tvae": {"steps": 2},
    "diffusion": {"steps": 2},
}


def stranger(name, k=0, rows=1):
    """A person with the k-th odd cell of its kind in every column, a number of nobody else if there is a unit."""
    frame, schema = made(name)
    cells = {}
    for c, column in schema.columns.items():
        odd = odd_cells.TEXT[column.kind] if column.kind in odd_cells.TEXT else ("",)
        cells[c] = "9000000" if c == schema.unit else odd[k % len(odd)]
    return pd.DataFrame([cells] * rows)[list(frame)]


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """The fit of each table without the stranger, made once: what it asked and what is public of it."""
    kept = {}

    def get(name, case):
        if (name, case.model, case.suffix) not in kept:
            ear = Ear()
            kept[name, case.model, case.suffix] = ear, public(case, made(name)[0], tmp_path_factory.mktemp(name), ear)
        return kept[name, case.model, case.suffix]

    return get


def held(heard, name, case, more, where, *, first=True):
    """The fit with the stranger, held against the one without."""
    ear, without = heard(name, case)
    again = Ear(before=ear, rows=len(more), first=first)
    compare(without, public(case, joined(made(name)[0], more, first=first), where, again))
    assert len(again.asked) == len(ear.asked)


@pytest.mark.parametrize("name", MADE)
def test_nothing_public_differs(heard, tmp_path, name):
    case = Case(made(name)[1], settings=SMALL["marginal"])
    held(heard, name, case, stranger(name), tmp_path)
