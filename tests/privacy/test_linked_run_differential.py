"""One patient more, with 500 rows in each of three tables below: all that leaves in a whole run is the same.

What leaves are the exit status, what is said, which files there are, and every file that is not INTERNAL.
`tests/helpers/linked_differential.py` says how two runs are compared. The leaks at the end are planted one at a time,
and each must be found, in the place where it leaks.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import planted_leaks as leaks
import pytest
from bounded_hospital import BOUNDED, CATALOGUE, hospital, patient, stacked
from differential import Difference
from linked_differential import UnitEar, hold, ran

from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.pipeline.linked import linked_results, private_linked_run
from synthkit.privacy.access import bounded_units, private_unit_access
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.linked_statement import LinkedStatement
from synthkit.schema.linked import LinkedSchema, public_tables
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

Frames = Mapping[str, pd.DataFrame]
SCHEMA = LinkedSchema.parse(BOUNDED)
BASE = hospital([(1 + k % 3, k % 5, k % 4) for k in range(12)])
STRANGER = patient("stranger", np.random.default_rng(9), (500, 500, 500))
COARSE = ("--set=components=1", "--set=first=1", "--set=last=1")  # a model that is fitted fast: leaks are not its own


def joined(stranger: Frames, *, first: bool = True) -> Frames:
    return {**stacked([dict(stranger), BASE] if first else [BASE, dict(stranger)]), "tests": CATALOGUE}


def compared(folder: Path, schema: LinkedSchema, base: Frames, more: Frames, *, first: bool = True, **how: Any) -> Any:
    """Both runs held against each other; what the first let out."""
    ear = UnitEar()
    without = ran(base, schema, folder / "a", ear, **how)
    hold(without, ran(more, schema, folder / "b", UnitEar(before=ear, rows=1, first=first), **how))
    return without


def test_nothing_that_leaves_in_a_run_differs(tmp_path):
    """The INTERNAL look at the real rows is taken in both."""
    without = compared(tmp_path, SCHEMA, BASE, joined(STRANGER), inspected=True)
    assert without["exit"] == 0, without["said"]
    assert {"out/run.json", "out/statement.json", "out/model/synthesizer.json", "out/synthetic/labs.parquet"} <= set(
        without
    )
    assert {"out/internal/log.txt", "out/evaluation.json"} <= set(without["names"]) - set(without)


ODD = {
    "rows that belong to nobody, and keys of others": {"labs": {"visit": "nowhere"}, "notes": {"visit": "p3-0"}},
    "cells of other types": {"labs": {"value": "much", "test": "sodium", "taken": "soon"}, "visits": {"left": "never"}},
    "no key of their own": {"visits": {"patient": None}, "patients": {"born": "long ago"}},
}


@pytest.mark.parametrize("odd", ODD)
def test_no_odd_row_decides_what_leaves(tmp_path, odd):
    """A patient whose rows break keys, links and types: no exit status, no word and no file tells."""
    more = {name: frame.astype(object).assign(**ODD[odd].get(name, {})) for name, frame in STRANGER.items()}
    assert compared(tmp_path, SCHEMA, BASE, joined(more, first=False), first=False, words=COARSE)["exit"] == 0


def test_what_is_refused_is_refused_alike(tmp_path):
    """A catalogue nobody declares and a table that is shared; before a row is read, in the same words."""
    found = compared(tmp_path / "c", undeclared(), BASE, catalogued(joined(STRANGER), "sodium"))
    assert (found["exit"], "nobody declares that its rows are public" in found["said"]) == (2, True)
    found = compared(tmp_path / "s", sharing(), shared(BASE, 3), shared(joined(STRANGER), 4))
    assert (found["exit"], "`doctors` is shared by units" in found["said"]) == (2, True)
    assert found["names"] == ["ward.yaml"]


def undeclared() -> LinkedSchema:
    """Everybody answers for their own table, and nobody for the catalogue."""
    said = copy.deepcopy(BOUNDED)
    said.pop("declared_by")
    said["rules"] = []
    for name in set(said["tables"]) - {"tests"}:
        said["tables"][name]["declared_by"] = "the test: made-up people"
    return LinkedSchema.parse(said)


def catalogued(frames: Frames, *codes: str) -> Frames:
    """The tables with more in their catalogue."""
    more = pd.DataFrame({"test": codes, "unit": "of the stranger"})
    return {**frames, "tests": pd.concat([CATALOGUE, more], ignore_index=True)}


def sharing() -> LinkedSchema:
    """A table of doctors whom patients share."""
    said = copy.deepcopy(BOUNDED)
    said["tables"]["doctors"] = {
        "role": "shared",
        "key": ["doctor"],
        "columns": {"doctor": {"kind": "identifier"}, "age": {"kind": "numeric", "min": 20, "max": 80, "decimals": 0}},
    }
    return LinkedSchema.parse(said)


def shared(frames: Frames, doctors: int) -> Frames:
    """The tables with so many doctors."""
    names = [f"d{k}" for k in range(doctors)]
    return {**frames, "doctors": pd.DataFrame({"doctor": names, "age": [40 + k for k in range(doctors)]})}


# -------------------------------------------------------------------------------------------------- planted leaks


@dataclass(frozen=True)
class Leak:
    """A leak to be planted.

    Args:
        where: what it is planted in.
        name: of the function that it replaces.
        planted: from the function to the one that leaks.
        found: names of what must differ.
        schema: of the tables.
        base: the tables without the stranger.
        more: the tables with them.
        further: more to be replaced: where, name, by what.
        words: more of the command.
    """

    where: Any
    name: str
    planted: Callable[[Any], Any]
    found: str
    schema: LinkedSchema = SCHEMA
    base: Frames = field(default_factory=lambda: BASE)
    more: Frames = field(default_factory=lambda: joined(STRANGER))
    further: tuple[tuple[Any, str, Any], ...] = ()
    words: tuple[object, ...] = ("--units", 60, "--epsilon", 300)  # little noise: what is drawn has several levels


RARE = {**STRANGER, "notes": STRANGER["notes"].assign(told=BASE["notes"]["told"].value_counts().index[-1])}
ORPHAN = {**STRANGER, "labs": STRANGER["labs"].assign(visit="nowhere")}
CATALOGUE_OF_PATIENTS = {"schema": undeclared(), "more": catalogued(joined(STRANGER), "sodium")}
LEAKS = {
    "an exact count in the coding": Leak(PrivateUnitAccess, "fit_encoder", leaks.exact_rows, "model/synthesizer.json"),
    "rows in the log of the run": Leak(private_linked_run, "learn_linked", leaks.said_to_the_log, "out/run.json"),
    "rows on the screen": Leak(UnitEncoder, "encode", leaks.said_on_the_screen, "said"),
    "as many units as there are": Leak(
        LinkedSynthesizer, "fit", leaks.units_by_count, "synthetic/patients.parquet", words=()
    ),
    "as many rows as there are": Leak(
        LinkedSynthesizer, "sample", leaks.remembering(leaks.rows_by_count), "synthetic/labs.parquet",
        further=leaks.KEEPING,
    ),
    "rows in the order of their counts": Leak(
        LinkedSynthesizer, "sample", leaks.remembering(leaks.rows_in_order_of_counts), "synthetic/notes.parquet",
        more=joined(RARE), further=leaks.KEEPING,
    ),
    "columns in an order by counts": Leak(
        LinkedSynthesizer, "sample", leaks.remembering(leaks.columns_by_count), "synthetic/notes.parquet",
        further=leaks.KEEPING,
    ),
    "what was cut off is told": Leak(bounded_units, "_fewer", leaks.told_what_was_cut, "said"),
    "an orphan is refused": Leak(
        private_linked_run, "load_mapped_units", leaks.refused_orphans, "exit", more=joined(ORPHAN)
    ),
    "too many rows crash": Leak(bounded_units, "_fewer", leaks.refused_many, "exit"),
    "columns stored as they came": Leak(
        LinkedSynthesizer, "_access", leaks.stored_as_they_came, "model/synthesizer.json"
    ),
    "levels as they came": Leak(
        private_unit_access, "bounded_units", leaks.levels_as_they_came, "model/synthesizer.json", more=joined(RARE),
        further=((private_unit_access, "_published", leaks.in_that_order(private_unit_access._published)),),
    ),
    "the bound that is seen": Leak(
        bounded_units, "within_bounds", leaks.counting_what_was_cut, "out/statement.json",
        further=((LinkedStatement, "of_linked", leaks.bounds_off_the_data(vars(LinkedStatement)["of_linked"])),),
    ),
    "a file where cells were changed": Leak(
        linked_results, "_told", leaks.a_file_where_cells_were_changed, "names", more=joined(ORPHAN)
    ),
    "a shared table carried over": Leak(
        private_linked_run, "load_mapped_units", leaks.laid_aside, "model/synthesizer.json", sharing(), shared(BASE, 3),
        shared(joined(STRANGER), 4), (
            (private_linked_run, "resolve_linked", lambda schema: SCHEMA),
            (LinkedSynthesizer, "save", leaks.carried_over(LinkedSynthesizer.save)),
        ),
    ),
    "a catalogue nobody declares": Leak(
        public_tables, "_silent", leaks.nobody_refused, "synthetic/tests.parquet", **CATALOGUE_OF_PATIENTS
    ),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
def test_every_planted_leak_is_found(tmp_path, leak):
    each = LEAKS[leak]
    planted = [(each.where, each.name, each.planted(vars(each.where)[each.name])), *each.further]
    with ExitStack() as stack:
        for where, name, leaking in planted:
            stack.enter_context(patch.object(where, name, leaking))
        with pytest.raises(Difference) as found:
            compared(tmp_path, each.schema, each.base, each.more, words=(*COARSE, *each.words))
    assert each.found in str(found.value).partition(": ")[0]
