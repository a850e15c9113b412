"""Latent classes of units: planted kinds of patients are told apart, and groups are as tight as another library's."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from synthkit.encoding.units.learned_table import learned_tables
from synthkit.encoding.units.unit_classes import UnitClasses
from synthkit.encoding.units.unit_clock import UnitClock
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

NAME = {"kind": "identifier"}
VISITS = 6
SCHEMA = LinkedSchema.parse(
    {
        "format": "synthkit-linked/1",
        "name": "kinds of patients",
        "unit": "patients",
        "tables": {
            "patients": {"key": ["patient"], "columns": {"patient": NAME}},
            "visits": {
                "links": [{"columns": ["patient"], "to": "patients", "kind": "owner"}],
                "columns": {
                    "patient": NAME,
                    "ward": {"kind": "categorical", "levels": ["icu", "ward"]},
                    "lactate": {"kind": "numeric", "decimals": 1},
                },
            },
        },
    }
)


def frames_of(lactate: np.ndarray, ward: np.ndarray) -> UnitFrames:
    """Patients with as many visits each. **Shape**: (patients x visits,) each."""
    keys = np.array([f"p{k}" for k in range(len(ward) // VISITS)])
    visits = pd.DataFrame({"patient": np.repeat(keys, VISITS), "ward": ward, "lactate": lactate.round(1)})
    clock = UnitClock.of(SCHEMA)
    tables = LinkedTables.of({"patients": pd.DataFrame({"patient": keys}), "visits": visits}, SCHEMA)
    return UnitFrames.of(tables, learned_tables(SCHEMA, clock), clock)


def planted(kinds: np.ndarray) -> UnitFrames:
    """Kind 1 lies in intensive care, kind 2 has a high lactate, kind 0 neither."""
    kind = np.repeat(kinds, VISITS)
    noise = np.random.default_rng(0).normal(0, 0.3, len(kind))
    return frames_of(np.where(kind == 2, 9.0, 2.0) + noise, np.where(kind == 1, "icu", "ward"))


def turned(classes: UnitClasses, frames: UnitFrames) -> np.ndarray:
    """What is grouped. **Shape**: (units, p)."""
    return ((classes.aggregates(frames) - classes.mean) / classes.scale) @ classes.directions


def test_planted_kinds_are_told_apart() -> None:
    """Three kinds far from each other are three classes, in most starts."""
    kinds = np.arange(90) % 3
    frames = planted(kinds)
    starts = [UnitClasses.fit(frames, 3, np.random.default_rng(seed)).of(frames) for seed in range(9)]
    assert np.median([adjusted_rand_score(kinds, found) for found in starts]) == 1


@pytest.mark.parametrize("many", [2, 5, 12])
def test_groups_are_as_tight_as_another_library_finds_them(many: int) -> None:
    """Squared distances to the centres, against the k-means of scikit-learn from single starts, medians of nine."""
    rng = np.random.default_rng(1)
    rows = 200 * VISITS
    frames = frames_of(np.repeat(rng.gamma(2, 2, 200), VISITS) + rng.random(rows), rng.choice(["icu", "ward"], rows))
    ours, theirs = [], []
    for seed in range(9):
        classes = UnitClasses.fit(frames, many, np.random.default_rng(seed))
        x = turned(classes, frames)
        ours.append(((x - classes.centres[classes.of(frames)]) ** 2).sum())
        theirs.append(KMeans(many, n_init=1, random_state=seed).fit(x).inertia_)
    assert np.median(ours) <= 1.05 * np.median(theirs)


def test_a_unit_is_in_the_class_of_the_nearest_centre() -> None:
    """By brute force."""
    frames = planted(np.arange(30) % 3)
    classes = UnitClasses.fit(frames, 4, np.random.default_rng(0))
    away = ((turned(classes, frames)[:, None, :] - classes.centres[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(away[np.arange(30), classes.of(frames)], away.min(axis=1), atol=1e-9)


def test_units_that_are_all_alike_share_a_class() -> None:
    """More classes than there are different units is no error."""
    frames = frames_of(np.full(10 * VISITS, 2.0), np.full(10 * VISITS, "icu"))
    classes = UnitClasses.fit(frames, 4, np.random.default_rng(0))
    assert len(set(classes.of(frames))) == 1


def test_what_is_saved_gives_the_same_classes() -> None:
    """Through JSON and back."""
    frames = planted(np.arange(30) % 3)
    classes = UnitClasses.fit(frames, 3, np.random.default_rng(0))
    again = UnitClasses.from_dict(json.loads(json.dumps(classes.to_dict())))
    np.testing.assert_array_equal(again.of(frames), classes.of(frames))
