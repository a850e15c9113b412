"""Small lists of codes and labels are catalogues, and those of people or dates are none."""

from __future__ import annotations

import pandas as pd
import pytest

from synthkit.schema.infer.linked.catalogues import is_list
from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.linked.validate_linked import validate_linked

WARDS = pd.DataFrame({"code": ["ICU", "MED", "SUR"], "name": ["Intensive care", "Internal medicine", "Surgery"]})


def tables(listed=WARDS, name="wards"):
    """Patients with three stays each, on one of the wards."""
    key = str(listed.columns[0])
    patients = pd.DataFrame({"patient_id": range(1000, 1100), "sex": ["f", "m"] * 50})
    stays = pd.DataFrame({"patient_id": list(range(1000, 1100)) * 3})
    stays["begin"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(range(300), unit="D")
    stays[f"{name[:-1]}_{key}"] = [listed[key].iloc[k % len(listed)] for k in range(300)]
    return {"patients": patients, "stays": stays, name: listed}


def test_a_small_list_is_a_catalogue_and_its_codes_are_learned():
    draft = draft_linked(tables(), unit="patients")
    assert draft.schema.tables["wards"].role == "reference"
    assert "copied as it is, and must be public" in draft.comments["tables.wards"][0]
    stays = draft.schema.tables["stays"]
    assert {(link.to, link.kind) for link in stays.links} == {("patients", "owner"), ("wards", "reference")}
    assert stays.columns["ward_code"].kind == "categorical"
    assert validate_linked(tables(), draft.schema).success


@pytest.mark.parametrize("keys", [range(7, 10), [f"c{k:03d}" for k in range(3)], [f"long code {k}" for k in range(3)]])
def test_columns_that_name_entries_are_never_identifiers(keys):
    frames = tables(WARDS.assign(code=list(keys)))
    stays = draft_linked(frames, unit="patients").schema.tables["stays"]
    assert stays.columns["ward_code"].kind in ("categorical", "code")


def test_many_codes_of_a_list_are_codes():
    listed = pd.DataFrame(
        {"code": [f"k{k:03d}" for k in range(900)], "label": [f"label {k} of it" for k in range(900)]}
    )
    draft = draft_linked(tables(listed), unit="patients")
    assert draft.schema.tables["wards"].role == "reference"
    assert draft.schema.tables["stays"].columns["ward_code"].kind == "code"


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("doctors", WARDS),
        ("wards", WARDS.assign(first_name=["Anna", "Bo", "Cid"])),
        ("wards", WARDS.assign(name=["Anna Miller", "Bo Smith", "Cid Jones"])),
        ("wards", WARDS.assign(opened=pd.to_datetime(["2020-01-01", "2021-02-03", "2022-03-04"]))),
        ("wards", WARDS.assign(address=["1 Long Road", "2 Long Road", "3 Long Road"])),
        ("wards", WARDS.assign(code=[f"{k:08d}-0a1b-4c2d-8e3f-0123456789ab" for k in range(3)])),
        ("wards", WARDS.assign(name=["one", "one", "two"])),
        ("wards", WARDS.head(1)),
        ("wards", pd.DataFrame({"code": [f"k{k}" for k in range(1001)], "name": [f"n{k}" for k in range(1001)]})),
    ],
)
def test_people_places_dates_and_long_tables_are_no_lists(name, listed):
    assert is_list("wards", WARDS, "code")
    assert not is_list(name, listed, "code")


def test_a_list_of_people_stays_shared():
    people = WARDS.assign(name=["Anna Miller", "Bo Smith", "Cid Jones"])
    assert draft_linked(tables(people), unit="patients").schema.tables["wards"].role == "shared"
