"""Times and events are found by what they are called and hold, and the event becomes a boolean, not seen first."""

import numpy as np
import pandas as pd
import pytest
from made_tables import made

from synthkit.schema.infer.draft import draft, examine, infer_schema
from synthkit.schema.infer.survival_pairs import find_survival_pairs

DAYS = np.tile(np.arange(1, 151), 2)
HALF = np.repeat([0, 1], 150)


def found(frame):
    columns = infer_schema(frame).columns
    return [(pair.time, pair.event) for pair in find_survival_pairs(frame, columns)]


@pytest.mark.parametrize(
    ("time", "event", "cells", "levels"),
    [
        ("futime", "status", HALF, (0, 1)),
        ("time", "status", HALF + 1, (1, 2)),
        ("d.time", "death", HALF, (0, 1)),
        ("time", "DEATH_EVENT", HALF, (0, 1)),
        ("os_months", "os_status", np.where(HALF, "1:DECEASED", "0:LIVING"), ("0:LIVING", "1:DECEASED")),
        ("survival_days", "vital_status", np.where(HALF, "Dead", "Alive"), ("Alive", "Dead")),
        ("time", "cens", HALF, (1, 0)),
        ("followup", "relapse", np.where(HALF, "yes", "no"), ("no", "yes")),
        ("days", "died", HALF == 1, (False, True)),
    ],
)
def test_pairs_by_name(time, event, cells, levels):
    frame = pd.DataFrame({event: cells, "age": DAYS % 60 + 20, time: DAYS})
    (pair,) = find_survival_pairs(frame, infer_schema(frame).columns)
    assert (pair.time, pair.event) == (time, event)
    column = infer_schema(frame).columns[event]
    assert (column.kind, column.levels) == ("boolean", levels)
    assert column.admits(frame[event]).all()
    assert f"targets: [{{column: {time}, task: survival, event: {event}}}]" in draft(frame)


@pytest.mark.parametrize(
    ("time", "event", "cells"),
    [
        ("duration", "status", HALF),  # of a loan, and of an account
        ("time", "sex", HALF),
        ("time", "status", np.tile([0, 1, 2], 100)),
        ("visit_time", "colour", np.where(HALF, "red", "blue")),
        ("procedure_time", "death", HALF),
        ("age", "death", HALF),
        ("os_months", "os_status", np.where(HALF, "red", "blue")),
    ],
)
def test_no_pairs(time, event, cells):
    assert found(pd.DataFrame({event: cells, time: DAYS})) == []


def test_times_are_not_negative_and_many():
    assert found(pd.DataFrame({"time": DAYS - 10, "death": HALF})) == []
    assert found(pd.DataFrame({"time": DAYS % 5, "death": HALF})) == []


def test_every_event_goes_with_the_time_of_its_name():
    frame = pd.DataFrame({"rtime": DAYS, "dtime": DAYS[::-1], "recur": HALF, "death": HALF[::-1]})
    assert sorted(found(frame)) == [("dtime", "death"), ("rtime", "recur")]
    frame = pd.DataFrame({"pfs_time": DAYS, "os_time": DAYS, "os_event": HALF, "pfs_event": HALF})
    assert sorted(found(frame)) == [("os_time", "os_event"), ("pfs_time", "pfs_event")]


@pytest.mark.parametrize("name", ["cohort", "registry"])
def test_made_tables_whatever_the_order_of_rows_and_columns(name):
    expected = {"cohort": [("futime", "death")], "registry": [("time", "status")]}[name]
    frame = made(name)
    assert found(frame) == expected
    assert found(frame.sample(frac=1, random_state=3)) == expected
    assert found(frame[frame.columns[::-1]]) == expected
    about = [q for q in examine(frame).questions if q.about == "survival"]
    assert [q.column for q in about] == [expected[0][0]]
    assert "the event is seen in" in about[0].evidence
