"""A hundred thousand rows of each table of the made hospital, and no key or rule broken, by joins of pandas alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from places import ROOT  # noqa: F401  # puts the benchmarks on the path

from benchmarks.linked import made_hospital
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

SMALL = {"steps": 2, "root_steps": 2, "width": 16, "hidden": 8, "mixed": 8}
ROWS, UNITS_AT_ONCE = 100_000, 10_000
MADE = ("patients", "visits", "orders", "doses", "labs", "events")  # tables whose rows are drawn


def broken(drawn: dict[str, pd.DataFrame], catalogue: pd.DataFrame) -> Counter[str]:
    """Rows that break something, by what they break."""
    people, visits = drawn["patients"].set_index("patient_id"), drawn["visits"].set_index("visit_id")
    orders, doses, labs, events = (drawn[name] for name in ("orders", "doses", "labs", "events"))
    of_visit = orders.join(visits[["patient_id", "admitted", "discharged"]], on="visit_id", rsuffix="_of")
    of_order = doses.join(
        of_visit.set_index("order_id")[["ordered", "admitted", "discharged", "patient_id"]], on="order_id"
    )
    found = Counter[str]()
    found["keys"] = sum(int(index.duplicated().sum()) for index in (people.index, visits.index))
    found["keys"] += int(orders["order_id"].duplicated().sum() + doses[["order_id", "number"]].duplicated().sum())
    found["keys"] += int(drawn["doctors"]["doctor_id"].duplicated().sum())
    for frame, column, index in (
        (visits, "patient_id", people.index),
        (labs, "patient_id", people.index),
        (events, "patient_id", people.index),
        (orders, "visit_id", visits.index),
        (doses, "order_id", orders["order_id"]),
        (visits, "doctor_id", drawn["doctors"]["doctor_id"]),
        (people, "payer_id", catalogue["payer_id"]),
    ):
        found[f"{column} names a row"] += int((~frame[column].isin(index)).sum())
    found["implied patient"] = int((of_visit["patient_id"] != of_visit["patient_id_of"]).sum())
    found["catalogue"] = int(not drawn["payers"].equals(catalogue))
    found += _links(visits, labs)
    found += _times(people, visits, of_visit, of_order, labs, events)
    found["charges"] = int((_sums(visits, orders) - visits["charges"]).abs().gt(0.005).sum())
    turn = doses.sort_values(["order_id", "number"]).groupby("order_id")
    found["number"] = int((turn.cumcount() + 1 != doses["number"].loc[turn.cumcount().index]).sum())
    found["in order"] = int((turn["given"].diff() < np.timedelta64(0, "s")).sum())
    found["many visits"] = int((visits["patient_id"].value_counts() > 20).sum())
    return +found


def _sums(visits: pd.DataFrame, orders: pd.DataFrame) -> pd.Series:
    return orders.groupby("visit_id")["cost"].sum().reindex(visits.index).fillna(0.0)


def _links(visits: pd.DataFrame, labs: pd.DataFrame) -> Counter[str]:
    """Links to earlier rows: of the same patient, begun before, and for labs still going on."""
    found = Counter[str]()
    back = visits[visits["previous"].notna()].join(visits[["patient_id", "admitted"]], on="previous", rsuffix="_there")
    found["previous visit"] = int(
        ((back["patient_id"] != back["patient_id_there"]) | ~(back["admitted_there"] <= back["admitted"])).sum()
        + (back.index == back["previous"]).sum()
    )
    open_ = labs[labs["visit_id"].notna()].join(
        visits[["patient_id", "admitted", "discharged"]], on="visit_id", rsuffix="_of"
    )
    inside = (open_["admitted"] <= open_["taken"]) & (open_["taken"] <= open_["discharged"])
    found["open visit"] = int(((open_["patient_id"] != open_["patient_id_of"]) | ~inside).sum())
    return found


def _times(
    people: pd.DataFrame,
    visits: pd.DataFrame,
    orders: pd.DataFrame,
    doses: pd.DataFrame,
    labs: pd.DataFrame,
    events: pd.DataFrame,
) -> Counter[str]:
    """Stays one after the other, rows inside stays, nothing after the end of the patient's follow-up."""
    found = Counter[str]()
    stays = visits.sort_values(["patient_id", "admitted", "discharged"])
    same = stays["patient_id"].eq(stays["patient_id"].shift())
    found["overlap"] = int((same & (stays["admitted"] < stays["discharged"].shift())).sum())
    found["ends before"] = int((visits["discharged"] < visits["admitted"]).sum())
    found["entry"] = int((people["entry"] > people["end"]).sum())
    for frame, column in ((orders, "ordered"), (doses, "given")):
        outside = (frame[column] < frame["admitted"]) | (frame[column] > frame["discharged"])
        found[f"{column} outside"] = int(outside.sum())
    found["given before ordered"] = int((doses["given"] < doses["ordered"]).sum())
    for frame, column in (
        *((visits, c) for c in ("admitted", "discharged")),
        *((orders, "ordered"), (doses, "given"), (labs, "taken"), (events, "day")),
    ):
        late = frame[column].dt.floor("D") > frame["patient_id"].map(people["end"]).dt.floor("D")
        found["after the end"] += int(late.sum())
    return found


def test_the_law_itself_breaks_nothing() -> None:
    frames = made_hospital.tables(200, 5)
    assert broken(frames, frames["payers"]) == {}


def test_what_is_damaged_is_found() -> None:
    """The checker sees what it looks for."""
    frames = made_hospital.tables(200, 5)
    visits = frames["visits"].copy()
    visits.loc[0, "charges"] += 1.0
    visits.loc[3, "discharged"] += np.timedelta64(4000, "D")
    found = broken({**frames, "visits": visits}, frames["payers"])
    assert found["charges"] == 1
    assert found["after the end"] == 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("model", ["independent", "timeline"])
def test_nothing_is_broken_in_a_hundred_thousand_rows_of_each_table(model: str) -> None:
    """By construction: the networks were hardly trained."""
    draw_many(model, ROWS, UNITS_AT_ONCE)


def test_nothing_is_broken_in_rows_of_each_table() -> None:
    """The same, of fewer rows."""
    draw_many("timeline", 200, 400)


def draw_many(model: str, rows: int, units: int) -> None:
    """Draw until each table has so many rows, and hold each draw against the rules."""
    frames = made_hospital.tables(600, 1)
    settings = SMALL if model == "timeline" else {}
    fitted = LinkedSynthesizer(made_hospital.schema(), model, seed=1, device="cpu", settings=settings).fit(frames)
    many, seed = Counter[str](), 0
    while min(many[name] for name in MADE) < rows:
        drawn = fitted.sample(units, seed=seed)
        assert broken(drawn, frames["payers"]) == {}
        many.update({name: len(drawn[name]) for name in MADE})
        seed += 1
