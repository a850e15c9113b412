"""Patients with several encounters under a budget: the page shows what is kept, and all rows tell enough."""

from __future__ import annotations

import json
from statistics import median

from benchmarks.parts import patient_rows

KEPT = json.loads(patient_rows.FILE.read_text(encoding="utf-8"))


def test_the_page_shows_what_is_kept() -> None:
    text = patient_rows.PAGE.read_text(encoding="utf-8")
    shown = text.split(patient_rows.START)[1].split(patient_rows.END)[0]
    assert shown.strip() == patient_rows.markdown(KEPT).strip()


def test_all_rows_of_a_patient_tell_what_is_asked() -> None:
    two = {way: median(each["two-way"] for each in by_seed.values()) for way, by_seed in KEPT["found"].items()}
    assert set(two) <= set(patient_rows.WAYS)
    assert two[patient_rows.ALL] >= 0.982
    assert all(two[way] < two[patient_rows.ALL] for way in two if way == patient_rows.ONE)
