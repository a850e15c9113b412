"""Keys are found by uniqueness and inclusion, and told from what is included by chance."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.schema.infer.linked.foreign_keys import (
    chance_of_inclusion,
    find_foreign_keys,
    names_agreement,
    row_key,
)
from synthkit.schema.infer.linked.unit_tree import draft_tree


def arrows(tables):
    return {(k.table, k.column, k.to, k.key) for k in find_foreign_keys(tables)}


def hospital(n=60):
    rng = np.random.default_rng(0)
    codes = rng.permutation(10**6)[:n]
    stays = pd.DataFrame(
        {"row": range(2 * n), "stay": [f"S{k}" for k in range(2 * n)], "patient": rng.choice(codes, 2 * n)}
    )
    labs = pd.DataFrame({"stay_id": rng.choice(stays["stay"], 3 * n), "count": rng.integers(0, 9, 3 * n)})
    return {"patients": pd.DataFrame({"id": codes, "age": rng.integers(20, 90, n)}), "stays": stays, "labs": labs}


def test_keys_are_found_whatever_they_are_called():
    assert arrows(hospital()) == {("stays", "patient", "patients", "id"), ("labs", "stay_id", "stays", "stay")}


def test_small_numbers_are_no_keys_of_tables_whose_rows_are_numbered():
    tables = hospital()
    tables["patients"]["id"] = range(1, 61)
    tables["stays"]["patient"] = tables["stays"]["row"] % 60 + 1
    tables["labs"]["score"] = tables["labs"]["count"] + 1
    assert ("labs", "score", "patients", "id") not in arrows(tables)
    assert ("stays", "patient", "patients", "id") in arrows(tables)


def test_what_dangles_and_what_is_missing_is_counted():
    tables = hospital()
    tables["labs"]["stay_id"] = tables["labs"]["stay_id"].where(tables["labs"].index >= 10, None)
    tables["labs"].loc[10:12, "stay_id"] = "S-none"
    (key,) = [k for k in find_foreign_keys(tables) if k.table == "labs"]
    assert (key.cells, key.resolved, key.missing) == (170, 167, 10)
    assert not key.nearly_complete
    assert key.evidence == "98.2% find a row, 0.0% by chance, 3 dangle (`--orphans drop` leaves them out), 10 missing"


def test_numbers_beside_missing_cells_are_the_same_keys():
    tables = hospital()
    tables["stays"]["patient"] = tables["stays"]["patient"].astype(float)
    tables["stays"].loc[0, "patient"] = np.nan
    assert ("stays", "patient", "patients", "id") in arrows(tables)


def test_keys_are_told_alike_by_drafts_and_validation():
    """Decimals, as DuckDB gives them, are the whole numbers that they equal; amounts of decimals are no keys."""
    tables = hospital()
    tables["stays"]["patient"] = [Decimal(int(code)).quantize(Decimal("0.00")) for code in tables["stays"]["patient"]]
    tables["stays"]["paid"] = [Decimal(int(code)) / 2 for code in tables["stays"]["row"]]
    assert arrows(tables) == arrows(hospital())
    (link,) = draft_tree(tables).links["stays"]
    assert (link.rows >= 0).all()


def test_moments_truths_and_fractions_are_no_keys():
    moments = pd.date_range("2020", periods=50, freq="D")
    tables = {
        "a": pd.DataFrame({"when": moments, "day": moments.astype(str), "x": np.arange(50) / 7, "b": [True] * 50}),
        "b": pd.DataFrame({"when": moments, "day": moments.astype(str), "x": np.arange(50) / 7, "b": [True] * 50}),
    }
    assert arrows(tables) == set()


def test_a_table_points_to_itself():
    rows = pd.DataFrame({"visit_id": range(100, 160), "previous_visit_id": [None, *range(100, 159)]})
    assert arrows({"visits": rows}) == {("visits", "previous_visit_id", "visits", "visit_id")}


def test_a_table_of_no_rows_has_no_keys():
    assert arrows({"patients": pd.DataFrame({"id": []}), "stays": pd.DataFrame({"patient_id": []})}) == set()


@pytest.mark.parametrize(
    ("column", "key", "table", "agreement"),
    [
        ("person_id", "person_id", "person", 2),
        ("PATIENT", "Id", "patients", 2),
        ("gender_concept_id", "concept_id", "concept", 2),
        ("hadm_id", "hadm_id", "admissions", 1),
        ("row_id", "row_id", "labs", 0),
        ("amount", "id", "payers", 0),
    ],
)
def test_names_agree_with_the_table_or_its_key(column, key, table, agreement):
    assert names_agreement(column, key, table) == agreement


def test_the_key_of_a_table_is_called_after_it():
    frame = pd.DataFrame({"row_id": range(5), "code_id": list("abcde"), "stay_id": list("vwxyz")})
    assert row_key("stays", frame) == "stay_id"
    assert row_key("stays", frame[["row_id"]]) == "row_id"
    assert row_key("stays", pd.DataFrame({"age": [1, 2]})) is None


@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60), min_size=2))
def test_inclusion_by_chance_is_the_share_of_the_range_that_keys_cover(values, keys):
    low, high = min(values), max(values)
    brute = np.mean([k in keys for k in range(low, high + 1)])
    found = chance_of_inclusion(pd.Index([str(v) for v in values]), pd.Index([str(k) for k in keys]))
    assert found == pytest.approx(brute)


def test_texts_are_not_included_by_chance():
    assert chance_of_inclusion(pd.Index(["a", "b"]), pd.Index(["a", "b", "c"])) == 0


def test_keys_that_are_found_once_spelled_alike_are_counted():
    tables = hospital()
    tables["stays"]["stay"] = [f"{k:04d}" for k in range(120)]
    tables["labs"]["stay_id"] = [f"{k % 120:04d}" for k in range(180)]
    tables["labs"].loc[:2, "stay_id"] = ["7", "8", "S-none"]
    (key,) = [k for k in find_foreign_keys(tables) if k.table == "labs"]
    assert (key.resolved, key.alike) == (177, 2)
    assert "3 dangle" in key.evidence
    assert key.evidence.endswith(
        "; 2 are found once spelled alike (as 007 and 7): write keys the same way in both tables"
    )


def test_shares_of_keys_are_not_rounded_to_all_and_numbers_without_gaps_are_said():
    patients = pd.DataFrame({"patient_id": range(1, 3001)})
    stays = pd.DataFrame({"patient_id": [*range(1, 3000), 9000]})
    (key,) = find_foreign_keys({"patients": patients, "stays": stays})
    assert key.evidence.startswith("99.97% find a row, 33.3% by chance, 1 dangle")
    (key,) = find_foreign_keys({"patients": patients, "stays": pd.concat([patients, patients])})
    assert key.evidence == "100.0% find a row, 100.0% by chance as keys are numbers without gaps"
