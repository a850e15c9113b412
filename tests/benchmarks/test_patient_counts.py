"""Counts of patients with many rows: the page shows what is kept, and the made table is as it says."""

from __future__ import annotations

import json

import numpy as np

from benchmarks.parts import patient_counts
from benchmarks.places import MEASURED

KEPT = json.loads((MEASURED / "patient_counts.json").read_text(encoding="utf-8"))


def test_the_page_shows_what_is_kept() -> None:
    text = patient_counts.PAGE.read_text(encoding="utf-8")
    shown = text.split(patient_counts.START)[1].split(patient_counts.END)[0]
    assert shown.strip() == patient_counts.markdown(KEPT).strip()


def test_the_table_is_of_the_size_it_says() -> None:
    owner, cat = patient_counts.made()
    many = np.bincount(owner)
    assert (len(many), len(owner)) == (KEPT["patients"], KEPT["rows"]) == (15_666, 400_123)
    assert many.min() >= 1
    assert many.max() > 10 * np.median(many)
    assert (cat.max(axis=0) == np.array(patient_counts.SIZES["test x value x period"]) - 1).all()


def test_clipping_halves_the_error_where_cells_are_many() -> None:
    for each in KEPT["found"]:
        one, all_ = (each[way] for way in patient_counts.WAYS)
        assert 0 < all_ < one
    worst = next(e for e in KEPT["found"] if e["table"] == "test x value x period" and e["rho"] == 0.005)
    assert worst[patient_counts.WAYS[1]] <= 0.5 * worst[patient_counts.WAYS[0]]
