"""What real tables do that textbooks do not: the draft says so, and the tables keep it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from synthkit.schema.infer.linked.foreign_keys import find_foreign_keys
from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.linked.validate_linked import validate_linked

DAY = np.timedelta64(1, "D")


def ward(n=80):
    """Patients, stays, orders written before some stays, payments by year, codes of which some are in no catalogue."""
    rng = np.random.default_rng(4)
    patients = pd.DataFrame({"id": np.arange(1, n + 1), "sex": rng.choice(["F", "M"], n)})
    owner = np.sort(rng.integers(1, n + 1, 3 * n))
    begin = np.datetime64("2020-01-01", "s") + 40 * np.arange(3 * n) * DAY
    stays = pd.DataFrame(
        {"id": owner, "stay_id": np.arange(9000, 9000 + 3 * n), "begin": begin, "end": begin + 5 * DAY}
    )
    stays.loc[::7, "end"] = pd.NaT
    of = np.sort(rng.integers(0, 3 * n, 4 * n))
    orders = pd.DataFrame({"order_id": [f"o{k}" for k in range(4 * n)], "stay_id": stays["stay_id"].to_numpy()[of]})
    orders["begin"] = begin[of] + rng.integers(-1, 4, 4 * n) * DAY
    orders["link_order_id"] = np.where(np.arange(4 * n) % 5 > 0, orders["order_id"], orders["order_id"].shift(1))
    orders["code"] = [f"k{c:02d}" for c in rng.integers(0, 40, 4 * n)]
    orders["doctor_id"] = [f"d{k % 9}" for k in range(4 * n)]
    years = pd.DataFrame({"id": np.repeat(np.arange(1, n + 1), 3), "year": 2000 + np.tile(np.arange(3), n)})
    years["paid"] = rng.integers(10, 900, 3 * n)
    return {
        "patients": patients,
        "stays": stays,
        "orders": orders,
        "payments": years,
        "d_codes": pd.DataFrame({"code": [f"k{c:02d}" for c in range(39)], "title": [f"t{c}" for c in range(39)]}),
        "doctors": pd.DataFrame(
            {"doctor_id": [f"d{k}" for k in range(9)], "clinic_id": [f"c{k % 3}" for k in range(9)]}
        ),
        "clinics": pd.DataFrame({"clinic_id": [f"c{k}" for k in range(3)], "beds": [10, 20, 30]}),
    }


@cache
def drafted():
    return draft_linked(ward(), unit="patients")


def test_a_whole_number_called_id_in_both_tables_is_a_key_where_it_comes_again():
    links = {(link.columns, link.to, link.kind) for link in drafted().schema.tables["stays"].links}
    assert links == {(("id",), "patients", "owner")}
    both = {"a": pd.DataFrame({"id": range(50)}), "b": pd.DataFrame({"id": range(40)})}
    assert find_foreign_keys(both) == ()  # each numbers rows of its own


def test_rows_before_what_they_belong_to_are_declared_with_their_share():
    order = drafted().schema.tables["orders"].order
    assert order.before_owner
    frames = ward()
    stays = frames["stays"].set_index("stay_id")["begin"]
    share = (frames["orders"]["begin"] >= stays.loc[frames["orders"]["stay_id"]].to_numpy()).mean()
    said = "\n".join(drafted().comments["tables.orders.order"])
    assert f"`before_owner`: not before stays.begin holds in {share:.1%} of 320, " in said
    assert not drafted().schema.tables["stays"].order.before_owner


def test_ends_that_are_missing_now_and_then_are_ends():
    order = drafted().schema.tables["stays"].order
    assert (order.start, order.until, order.overlap) == ("begin", "end", False)


def test_a_column_by_which_rows_name_themselves_points_to_no_other_row():
    assert all(link.columns != ("link_order_id",) for link in drafted().schema.tables["orders"].links)


def test_numbers_order_nothing_where_moments_do():
    assert drafted().schema.tables["payments"].order is None
    assert "other tables tell time by moments" in drafted().comments["tables.payments"][0]
    alone = {name: ward()[name] for name in ("patients", "payments")}
    assert draft_linked(alone, unit="patients").schema.tables["payments"].order.start == "year"
    named = {"patients": alone["patients"], "payments": alone["payments"].rename(columns={"year": "yearID"})}
    found = draft_linked(named, unit="patients").schema.tables["payments"]
    assert (found.order.start, found.columns["yearID"].kind) == ("yearID", "numeric")


def test_keys_in_no_catalogue_are_counted_and_may_be_emptied():
    orders = drafted().schema.tables["orders"]
    (k,) = [k for k, link in enumerate(orders.links) if link.columns == ("code",)]
    lost = int((ward()["orders"]["code"] == "k39").sum())
    assert lost
    assert f"{lost:,} dangle (`--orphans drop` leaves them out)" in drafted().comments[f"tables.orders.links[{k}]"][0]
    assert orders.columns["code"].nullable


def test_rows_in_common_point_to_others_in_common():
    (link,) = drafted().schema.tables["doctors"].links
    assert (link.columns, link.to, link.kind, link.observed) == (("clinic_id",), "clinics", "shared", True)


def test_the_tables_keep_the_draft():
    found = validate_linked(ward(), drafted().schema, orphans="drop")
    assert found.success, str(found)
    assert {name: (count.rows, count.keys > 0) for name, count in found.orphans.items()} == {"orders": (0, True)}


def test_links_name_rows_by_the_key_of_their_table_and_others_are_said():
    """Of two columns that name patients one is the key; a link by the other would name nobody."""
    tables = {
        "patients": pd.DataFrame(
            {"patient_id": range(1000, 1800, 10), "mrn": [f"M{k:03}" for k in range(80)], "age": range(10, 90)}
        ),
        "stays": pd.DataFrame({"stay_id": [f"S{k}" for k in range(160)], "patient_id": [*range(1000, 1800, 10)] * 2}),
        "labs": pd.DataFrame({"mrn": [f"M{k % 80:03}" for k in range(240)], "value": range(240)}),
    }
    found = draft_linked(tables)
    assert found.schema.tables["patients"].key == ("patient_id",)
    assert not found.schema.tables["labs"].links
    (said,) = (note for note in found.comments["tables.labs"] if "mrn" in note)
    assert "but the key of `patients` is `patient_id`: no link is drafted" in said
