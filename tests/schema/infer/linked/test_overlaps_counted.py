"""A draft counts rows that begin too early as validation does: while any row of their owner before still lasts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.schema.columns import Datetime
from synthkit.schema.infer.linked.drafted_order import find_order
from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.linked.validate_linked import validate_linked

DAY = np.timedelta64(1, "D")
BEGIN = np.datetime64("2020-01-01", "s")


def ward(n=100, early=1):
    """Six stays a person, one after another; of some the first lasts over all the others."""
    people = pd.DataFrame({"patient_id": np.arange(1000, 1000 + n), "sex": ["F", "M"] * (n // 2)})
    stays = pd.DataFrame({"patient_id": np.repeat(people["patient_id"], 6).to_numpy()})
    stays["start"] = np.tile(BEGIN + np.arange(6) * 30 * DAY, n)
    stays["stop"] = stays["start"] + pd.Timedelta(9, unit="D")
    stays.loc[np.arange(early) * 6, "stop"] = BEGIN + 900 * DAY
    return {"patients": people, "stays": stays}


@pytest.mark.parametrize("early", [1, 2])
def test_the_rows_that_are_said_to_break_the_order_are_those_that_validation_finds(early):
    draft = draft_linked(ward(early=early), unit="patients")
    assert not draft.schema.tables["stays"].order.overlap
    broken = 5 * early  # all that begin while the first lasts, not the next one alone
    assert any("of 500, " in each and f": {broken} rows break it" in each for each in draft.exceptions)
    (found,) = validate_linked(ward(early=early), draft.schema).violations["stays"]
    assert found.count == broken


def test_where_more_than_a_few_break_it_the_order_may_overlap_and_validation_says_nothing():
    draft = draft_linked(ward(early=3), unit="patients")
    assert draft.schema.tables["stays"].order.overlap
    assert validate_linked(ward(early=3), draft.schema).success


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 20), st.integers(0, 9) | st.none()), min_size=2, max_size=25)
)
def test_the_share_is_that_of_brute_force(rows):
    owner = np.array([o for o, _, _ in rows], dtype=np.intp)
    start = np.array([BEGIN + s * DAY for _, s, _ in rows])
    stop = np.array([np.datetime64("NaT", "s") if d is None else BEGIN + (s + d) * DAY for _, s, d in rows])
    frame = pd.DataFrame({"start": start, "stop": stop})
    columns = {"start": Datetime(), "stop": Datetime(nullable=True)}
    found = find_order(frame, columns, owner)
    if found is None or found.until is None:
        return
    spans = sorted((o, s, s + (d or 0), k) for k, (o, s, d) in enumerate(rows) if o >= 0)
    later = [(a, [b for b in spans[:k] if b[0] == a[0]]) for k, a in enumerate(spans)]
    cases = [(a, before) for a, before in later if before]
    broken = sum(any(b[2] > a[1] for b in before) for a, before in cases)
    if not found.overlap and cases:
        assert f"of {len(cases)}" in found.notes[1]
        assert (f": {broken} row" in found.notes[1]) == bool(broken)
    if not broken:
        assert not found.overlap


def test_ends_that_are_days_are_held_against_moments_as_validation_does():
    frames = ward(early=0)
    stays = frames["stays"].assign(stop=lambda x: x["start"].dt.floor("D") + pd.Timedelta(2, unit="D"))
    stays["start"] += pd.Timedelta(8, unit="h")
    again = stays.head(6).assign(start=lambda x: x["start"] + pd.Timedelta(1, unit="h"))
    frames["stays"] = pd.concat([stays, again.assign(stop=again["start"].dt.floor("D"))], ignore_index=True)
    draft = draft_linked(frames, unit="patients")
    assert draft.schema.tables["stays"].columns["stop"].precision == "day"
    (found,) = validate_linked(frames, draft.schema).violations["stays"]
    assert found.count == 6
    assert any(": 6 rows break it" in each for each in draft.exceptions)
