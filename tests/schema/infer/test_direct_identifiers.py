"""Suspicions: what identifies people is found by name and by value, and real research tables are left in peace."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT

from synthkit.schema import Schema
from synthkit.schema.infer.direct_identifiers import (
    IDENTIFIER_REMEDIES,
    SAFE_HARBOR_CATEGORIES,
    find_direct_identifiers,
)

SCHEMAS = ROOT / "schemas"


def table(path):
    folder = os.environ.get("SYNTHKIT_DATA")
    if not folder:
        pytest.skip("SYNTHKIT_DATA names no folder with the public tables")
    return pd.read_parquet(Path(folder) / path)


def found(frame):
    return {(s.column, s.category) for s in find_direct_identifiers(frame)}


def categories(name, cells):
    return {s.category for s in find_direct_identifiers(pd.DataFrame({name: cells}))}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("support2/support2.parquet", {("id", "code"), ("age", "age")}),
        ("adult/train.parquet", {("age", "age")}),
        ("diabetes130/diabetic_data.parquet", {("encounter_id", "code"), ("patient_nbr", "record")}),
        ("heart_disease/heart_disease.parquet", set()),
        ("default_credit/default.parquet", set()),
    ],
)
def test_research_tables_give_only_sensible_warnings(path, expected):
    assert found(table(path)) == expected


def test_a_table_of_patients_gives_all_of_them():
    """Synthea's patients are invented, complete with names, addresses, licences and passports."""
    suspected = found(table("synthea_ma/patients.parquet"))
    columns = {(column.lower(), category) for column, category in suspected}
    expected = {("ssn", "ssn"), ("drivers", "licence"), ("passport", "licence"), ("address", "place"), ("zip", "place")}
    expected |= {
        ("city", "place"),
        ("county", "place"),
        ("birthdate", "date"),
        ("deathdate", "date"),
        ("maiden", "name"),
    }
    expected |= {("first", "name"), ("last", "name"), ("lat", "place"), ("lon", "place")}
    assert expected <= columns
    quiet = {"race", "ethnicity", "gender", "marital", "healthcare_expenses", "healthcare_coverage", "state"}
    assert not quiet & {column for column, _ in columns}


PEOPLE = [f"{a} {b}" for a in ("Ann", "Bob", "Eve", "Max", "Zoe") for b in ("Lee", "Ray", "Fox", "Day", "Orr")]


@pytest.mark.parametrize(
    ("name", "cells", "category"),
    [
        ("lastName", ["Lee", "Ray"], "name"),
        ("PATIENT_NAME", ["x", "y"], "name"),
        ("name", ["x", "y"], "name"),
        ("zip", [12345, 12346, 99999], "place"),
        ("homeAddress", ["a", "b", "c"], "place"),
        ("date_of_birth", ["1.1.20", "2.1.20", "x"], "date"),
        ("DOB", [19200101, 19300101, 19400101], "date"),
        ("x", ["2020-01-01", "2020-02-01"], "date"),
        ("x", pd.to_datetime(["2020-01-01", "2020-02-01"]), "date"),
        ("age", [90, 17], "age"),
        ("ageAtAdmission", [90.5, 17], "age"),
        ("home_phone", ["1", "2", "3"], "phone"),
        ("x", ["+1 (555) 123-4567", "555-123-4567"], "phone"),
        ("FaxNumber", ["1", "2", "3"], "fax"),
        ("x", ["a@b.org", "c.d@e-f.com", "none"], "email"),
        ("e-mail", ["a", "b", "c"], "email"),
        ("x", ["123-45-6789", "001-01-0001"], "ssn"),
        ("SSN", [123456789, 123456780, 3], "ssn"),
        ("mrn", np.arange(100) + 5000, "record"),
        ("patientId", np.arange(100) + 5000, "record"),
        ("health_plan_id", [f"H{k:03d}" for k in range(60)], "plan"),
        ("bank_account_no", np.arange(100) + 5000, "account"),
        ("licence_number", [f"L{k:03d}" for k in range(60)], "licence"),
        ("vin", ["a", "b", "c"], "vehicle"),
        ("serialNumber", [f"L{k:03d}" for k in range(60)], "device"),
        ("x", ["00:1A:2b:3C:4d:5E", "00:1A:2b:3C:4d:5F"], "device"),
        ("x", ["https://a.org/x", "http://b.org"], "url"),
        ("x", ["192.168.0.1", "10.0.0.255"], "ip"),
        ("fingerprint_hash", ["a", "b", "c"], "biometric"),
        ("photo", ["a", "b", "c"], "photo"),
        ("x", [f"k{k:05d}" for k in range(100)], "code"),
        ("x", ["12 Main Street", "7 High Hill Road"], "place"),
        ("x", ["SW1A 1AA", "M1 1AE"], "place"),
        ("contact", PEOPLE, "name"),
        ("x", [f"{k} she came in with a cough and went home again" for k in range(40)] * 3, "prose"),
    ],
)
def test_identifiers_are_found_by_name_or_by_values(name, cells, category):
    assert category in categories(name, cells)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("drug_name", ["Aspirin", "Ibuprofen", "Aspirin"] * 10),
        ("procedure_name", [f"Knee Operation {k}" for k in "ab"] * 30),
        ("stage", [91, 95, 99]),
        ("age", [89, 17, 30]),
        ("hospital_name", ["North", "South"] * 30),
        ("days_since_birth_date", [100, 2000, 30]),
        ("birth_year", [1950, 1960, 1970]),
        ("year_of_death_date", [2001, 2002, 2003]),
        ("has_phone", [0, 1, 0, 1, 1]),
        ("state", ["NY", "CA", "TX"]),
        ("native_country", ["Cuba", "Peru", "Chad"]),
        ("telemetry", [1, 0, 1, 2]),
        ("device_type", ["pump", "stent", "pump"] * 20),
        ("account_type", ["a", "b", "c"] * 20),
        ("dose", ["1.2.3", "4.5.6"] * 10),
        ("icd9", ["250.83", "276.00", "401.90"] * 20),
        ("description", ["Acute Bronchitis", "Viral Sinusitis"] * 40),
        ("systolic", [120, 130, 140]),
        ("ward", ["Intensive Care", "Heart Failure"] * 40),
        ("paid", [1, 2, 3]),
        ("vincristine", ["a", "b", "c"] * 10),
        ("empty", [None, None, None]),
        ("emptyNumber", [np.nan, np.nan]),
    ],
)
def test_ordinary_columns_are_left_in_peace(name, cells):
    assert categories(name, cells) == set()


def test_no_value_of_the_table_is_ever_said():
    cells = ["zebra@example.org", "quagga@example.org", "okapi@example.org"]
    frame = pd.DataFrame({"x": cells, "name": cells, "age": [97.25, 1, 2], "ssn": ["123-45-6789"] * 3})
    said = " ".join(map(str, find_direct_identifiers(frame))) + repr(find_direct_identifiers(frame))
    assert not any(word in said for word in ("zebra", "quagga", "okapi", "97", "123-45"))
    assert "100% of the distinct values look so" in said


def test_every_suspicion_has_a_letter_of_the_list_and_a_remedy():
    assert all(text.startswith("(") for text in SAFE_HARBOR_CATEGORIES.values())
    assert {text[1] for text in SAFE_HARBOR_CATEGORIES.values()} == set("ABCDEFGHIJKLMNOPQR")
    assert set(IDENTIFIER_REMEDIES) <= set(SAFE_HARBOR_CATEGORIES)
    (suspicion,) = find_direct_identifiers(pd.DataFrame({"surname": ["a", "b"]}))
    assert str(suspicion) == (
        "HIPAA Safe Harbor (A) names: the name says `surname`. If so, declare it `kind: identifier`, so that it is "
        "made fresh and never learned, or drop it from the table"
    )


def test_declared_kinds_spare_the_guess():
    frame = table("diabetes130/diabetic_data.parquet")
    columns = Schema.load(SCHEMAS / "diabetes130.yaml").columns
    assert find_direct_identifiers(frame, columns) == find_direct_identifiers(frame)


def test_two_columns_of_one_name_are_both_looked_at():
    frame = pd.DataFrame([["a@b.org", "1"], ["c@d.org", "2"]], columns=["x", "x"])
    assert [(s.column, s.category) for s in find_direct_identifiers(frame)] == [("x", "email")]
