"""Rows that never happen together are kept apart: levels of the gap against what each of them would bring about."""

from __future__ import annotations

import numpy as np
import pytest

from synthkit.encoding.units.event_coding import EventCoding, fit_event_coding


def coding(tied: list[bool]) -> EventCoding:
    """Of two tables whose gaps are none, one or three, or any."""
    rng = np.random.default_rng(0)
    gap = np.concatenate([np.repeat([0, 1, 3], 40), rng.integers(5, 400, 100)])
    return fit_event_coding({"a": 100, "b": 120}, np.array(tied), {}, gap, np.full(len(gap), 1000), 0)


def gaps_of(events: EventCoding, level: int, left: int) -> set[int]:
    """Gaps that a level may stand for."""
    cells = range(len(events.edges) - 1) if level == events.a_share else [0]
    told = [(np.array([level]), np.array([c]), np.array([left]), np.array([x])) for c in cells for x in (0.0, 0.5, 1.0)]
    return {int(events.gap_of(*each)[0]) for each in told}


@pytest.mark.parametrize("tied", [[True, True], [True, False], [False, True], [False, False]])
@pytest.mark.parametrize("left", [0, 1, 3, 7, 500])
def test_levels_against_what_they_bring_about(tied: list[bool], left: int) -> None:
    """A level is out if its gap is none in a table that is never tied, or leaves nothing for one that is due."""
    events = coding(tied)
    for table in (0, 1):
        for others in ([False, False], [True, False], [False, True], [True, True]):
            arrays = np.array([left]), np.array([table]), np.array([others])
            fits = events.allowed(arrays[0], np.ones(1, dtype=bool))
            found = events.kept_apart(fits, *arrays)[0]
            due = any(o and not t for o, t in zip(others, tied, strict=True))
            wanted = []
            for level in np.flatnonzero(fits[0]):
                gaps = gaps_of(events, int(level), left)
                together = gaps == {0} and not tied[table]
                wanted.append(not together and not (due and gaps == {left} and level != events.a_share))
            if not any(wanted):
                wanted = [True] * len(wanted)
            assert found[fits[0]].tolist() == wanted
            assert not found[~fits[0]].any()


def test_it_comes_back_from_json() -> None:
    """With everything it knows."""
    events = coding([True, False])
    again = EventCoding.from_dict(events.to_dict())
    assert again.to_dict() == events.to_dict()
    assert again.tied.dtype == bool
