"""One bad row hides nothing: what holds in nearly all rows is drafted, and validation lists the row."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from synthkit.schema.infer.linked.evidence import Evidence, percent
from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.linked.validate_linked import validate_linked

DAY = np.timedelta64(1, "D")


def ward(n=100):
    """Patients of whom some have left, three numbered stays each, two labs in each stay."""
    rng = np.random.default_rng(0)
    begin = np.datetime64("2020-01-01", "s") + (rng.integers(0, 900, n)[:, None] + [0, 40, 80]) * DAY
    patients = pd.DataFrame({"patient_id": np.arange(1000, 1000 + n), "sex": rng.choice(["F", "M"], n)})
    patients["left"] = np.where(np.arange(n) % 3 == 0, begin[:, 2] + 9 * DAY, np.datetime64("NaT", "s"))
    stays = pd.DataFrame({"patient_id": np.repeat(patients["patient_id"], 3), "number": np.tile([1, 2, 3], n)})
    stays["stay_id"] = [f"s{k:04d}" for k in range(3 * n)]
    stays["admitted"] = begin.ravel()
    stays["discharged"] = begin.ravel() + 8 * DAY
    labs = pd.DataFrame({"stay_id": np.repeat(stays["stay_id"], 2), "value": rng.normal(0, 1, 6 * n).round(1)})
    labs["time"] = np.repeat(begin.ravel(), 2) + rng.integers(0, 8 * 24, 6 * n) * np.timedelta64(1, "h")
    return {
        "patients": patients,
        "stays": stays.reset_index(drop=True),
        "labs": labs.reset_index(drop=True),
    }


@cache
def sound():
    return draft_linked(ward(), unit="patients")


def keeps_its_lines(frames):
    """That the draft of rows with mistakes has the lines of the sound ones; what it says of the mistakes."""
    found = draft_linked(frames, unit="patients")
    for name, table in sound().schema.tables.items():
        drafted = found.schema.tables[name]
        assert (drafted.order, drafted.position, drafted.end) == (table.order, table.position, table.end), name
    assert set(found.schema.rules) == set(sound().schema.rules)
    return found


def test_the_sound_rows_have_every_line_and_no_exception():
    tables = sound().schema.tables
    assert tables["patients"].end == "left"  # told by its rows, not by its name
    assert tables["stays"].position == "number"
    assert (tables["stays"].order.until, tables["stays"].order.overlap) == ("discharged", False)
    assert not tables["labs"].order.before_owner
    assert {rule.rule for rule in sound().schema.rules} == {"within", "nothing_after"}
    assert sound().exceptions == ()


def test_an_inverted_stay_is_listed_and_hides_no_line():
    frames = ward()
    stay = frames["stays"].loc[7, ["admitted", "discharged"]].tolist()
    frames["stays"].loc[7, ["admitted", "discharged"]] = stay[::-1]
    draft = keeps_its_lines(frames)
    mend = "1 row breaks it; mend it, or take `until` out"
    assert any(e.startswith("`stays`: admitted <= discharged holds in 99.7%") and mend in e for e in draft.exceptions)
    assert any(e.startswith("labs within stays: ") and "2 rows break it; mend them" in e for e in draft.exceptions)
    found = validate_linked(frames, draft.schema).violations["stays"]
    assert [(v.rule, v.count) for v in found] == [("discharged not before admitted", 1)]


def test_a_lab_outside_its_stay_and_one_after_the_end_are_exceptions():
    frames = ward()
    frames["labs"].loc[5, "time"] += 3000 * DAY
    said = keeps_its_lines(frames).exceptions
    assert len(said) == 2
    assert all("1 row breaks it; mend it, or take the line out" in each for each in said)


def test_a_lab_before_its_stay_makes_no_earlier_rows_lawful():
    frames = ward()
    frames["labs"].loc[5, "time"] -= 3000 * DAY
    assert any("or declare `before_owner: true`" in each for each in keeps_its_lines(frames).exceptions)


def test_one_overlap_and_one_wrong_number_are_exceptions():
    frames = ward()
    frames["stays"].loc[4, "discharged"] += 60 * DAY
    frames["stays"].loc[9, "number"] = 0
    said = "\n".join(keeps_its_lines(frames).exceptions)
    assert "1 row breaks it; mend it, or declare `overlap: true`" in said
    assert "1 owner breaks it; mend it, or take the line out" in said


def test_what_breaks_in_many_rows_is_no_line():
    frames = ward()
    frames["labs"].loc[:40, "time"] += 3000 * DAY
    rules = draft_linked(frames, unit="patients").schema.rules
    assert not any(rule.rule == "within" for rule in rules)


def test_shares_are_told_from_all():
    assert percent(6378, 6381) == "99.95%"
    assert percent(10**6 - 1, 10**6) == "99.9999%"
    assert (percent(3, 3), percent(0, 0)) == ("100.0%", "0.0%")
    assert Evidence(99, 100, 0.0).nearly_always
    assert not Evidence(99, 100, 0.99).nearly_always


def test_a_missing_key_of_an_owner_is_counted_and_no_reason_to_draft_gaps():
    """A row that belongs to nobody is left out by orphans=drop; its column has no missing cells then."""
    people = pd.DataFrame({"person_id": [f"P{k}" for k in range(60)], "age": range(20, 80)})
    stays = pd.DataFrame({"stay_id": [f"S{k}" for k in range(120)], "person_id": [f"P{k % 60}" for k in range(120)]})
    stays.loc[7, "person_id"] = None
    found = draft_linked({"people": people, "stays": stays.assign(cost=range(120))})
    assert found.schema.tables["stays"].owner.columns == ("person_id",)
    assert not found.schema.tables["stays"].columns["person_id"].nullable
    assert "1 missing" in found.comments["tables.stays.links[0]"][0]


def test_no_share_by_chance_is_said_that_was_not_measured():
    """Each patient has one row: there is nothing that could be shuffled."""
    people = pd.DataFrame({"person_id": [f"P{k}" for k in range(60)], "age": range(20, 80)})
    bills = pd.DataFrame({"person_id": people["person_id"], "paid": np.arange(60) % 7})
    found = draft_linked({"people": people, "bills": bills})
    at = [rule.sentence for rule in found.schema.rules].index("bills once a unit")
    assert found.comments[f"rules[{at}]"] == ("holds in 100.0% of 60",)
    assert str(Evidence.of(np.ones(3, dtype=bool), np.zeros(0, dtype=bool))) == "holds in 100.0% of 3"


def places(n=120):
    """Patients, their stays, orders of stays; each order names stay, patient and the first stay of its patient."""
    stays = pd.DataFrame({"stay_id": [f"s{k:03d}" for k in range(2 * n)], "patient_id": np.arange(2 * n) // 2})
    stays["patient_id"] = "p" + stays["patient_id"].astype(str)
    orders = stays.loc[np.repeat(stays.index, 2)].reset_index(drop=True)
    orders["first_stay_id"] = orders["patient_id"].map(stays.groupby("patient_id")["stay_id"].first())
    doses = pd.DataFrame({"order_id": [f"o{k:03d}" for k in range(4 * n)]})
    doses = doses.join(orders[["stay_id", "patient_id"]]).loc[np.repeat(doses.index, 2)].reset_index(drop=True)
    orders.insert(0, "order_id", [f"o{k:03d}" for k in range(4 * n)])
    patients = pd.DataFrame({"patient_id": [f"p{k}" for k in range(n)], "age": np.arange(n) % 60})
    return {"patients": patients, "stays": stays, "orders": orders, "doses": doses.assign(amount=np.arange(8 * n) % 7)}


def kinds(frames):
    found = draft_linked(frames, unit="patients")
    return found, {(name, *link.columns): link.kind for name, t in found.schema.tables.items() for link in t.links}


SOUND = {
    ("stays", "patient_id"): "owner",
    ("orders", "stay_id"): "owner",
    ("orders", "patient_id"): "implied",
    ("orders", "first_stay_id"): "earlier",
    ("doses", "order_id"): "owner",
    ("doses", "stay_id"): "implied",
    ("doses", "patient_id"): "implied",
}


def test_a_key_of_another_row_of_the_unit_is_not_that_of_the_owner():
    """`first_stay_id` names a stay in every row, of the same patient, and not always that of the order."""
    assert kinds(places())[1] == SOUND


@pytest.mark.parametrize(
    ("table", "column"), [("orders", "patient_id"), ("doses", "stay_id"), ("doses", "order_id"), ("orders", "stay_id")]
)
def test_one_key_that_names_no_row_changes_the_kind_of_no_link(table, column):
    frames = places()
    frames[table].loc[5, column] = "nobody"
    found, seen = kinds(frames)
    assert seen == SOUND
    (k,) = [k for k, link in enumerate(found.schema.tables[table].links) if link.columns == (column,)]
    assert "1 dangle (`--orphans drop` leaves them out)" in found.comments[f"tables.{table}.links[{k}]"][0]
    assert validate_linked(frames, found.schema, orphans="drop").success


def test_many_keys_that_name_no_row_change_it():
    frames = places()
    frames["doses"].loc[:40, "stay_id"] = "nobody"
    assert kinds(frames)[1]["doses", "stay_id"] == "earlier"


def noted(twice, people=600):
    """Five different codes of each of many patients, and so many patients who have one of theirs twice."""
    rng = np.random.default_rng(3)
    codes = np.argsort(rng.random((people, 40)), axis=1)[:, :5]
    codes[:twice, 1] = codes[:twice, 0]
    patients = pd.DataFrame({"patient_id": [f"p{k:03d}" for k in range(people)], "age": np.arange(people) % 60})
    notes = pd.DataFrame({"patient_id": np.repeat(patients["patient_id"], 5).to_numpy()})
    return {"patients": patients, "notes": notes.assign(code=[f"k{c:02d}" for c in codes.ravel()])}


def test_what_comes_once_but_in_two_rows_is_suggested_and_not_drafted():
    frames = noted(1)
    found = draft_linked(frames, unit="patients")
    assert not found.schema.rules
    why, line = found.comments["tables.notes"]
    assert why.startswith("a unit has each `code` once: holds in 99.9% of 3,000, ")
    assert "; 2 rows do not, so no rule is drafted." in why
    assert f"# {line}" in found.text
    assert not found.exceptions
    assert validate_linked(frames, found.schema).success
    mended = {**frames, "notes": frames["notes"].drop(index=0)}
    (rule,) = draft_linked(mended, unit="patients").schema.rules
    assert line == f"- {{rule: once, table: {rule.table}, columns: [{', '.join(rule.of)}]}}"


def test_what_comes_twice_now_and_then_is_not_suggested():
    assert "tables.notes" not in draft_linked(noted(20), unit="patients").comments
