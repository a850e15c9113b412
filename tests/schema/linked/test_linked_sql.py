"""The SQL of linked tables, run in DuckDB, counts what a loop counts; what it is not asked it says."""

from __future__ import annotations

import json

import duckdb
import pandas as pd
import pytest
from small_hospital import SMALL, small_hospital

from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.linked_sql import linked_checks, linked_script


def schema():
    data = json.loads(json.dumps(SMALL))
    tables = data["tables"]
    tables["labs"]["links"] = [*tables["labs"]["links"], {"columns": ["test"], "to": "d_tests", "kind": "reference"}]
    tables["d_tests"] = {"role": "reference", "key": ["test"], "columns": {"test": {"kind": "code"}}}
    tables["visits"]["max_rows_per_unit"] = 6
    data["rules"] = [{"rule": "nothing_after", "moment": "patients.gone", "tables": ["visits"]}]
    tables["patients"] |= {"end": "gone"}
    tables["patients"]["columns"]["gone"] = {"kind": "datetime", "precision": "day", "nullable": True}
    return LinkedSchema.parse(data)


def frames():
    made = small_hospital()
    made["patients"]["gone"] = pd.Series([pd.NaT] * len(made["patients"]), dtype="datetime64[s]")
    return {**made, "d_tests": pd.DataFrame({"test": ["crea", "hb"]})}


def counted(tables, place):
    files = {}
    for name, frame in tables.items():
        files[name] = str(place / f"{name}.parquet")
        frame.to_parquet(files[name])
    with duckdb.connect() as database:
        found = database.execute(linked_script(schema(), [files])).fetchall()
    return {(file.rsplit("/", 1)[1], about, rule): n for file, about, rule, n in found}


def test_whole_tables_break_nothing(tmp_path):
    found = counted(frames(), tmp_path)
    assert set(found.values()) == {0}
    assert {
        ("visits.parquet", "visit", "no key twice"),
        ("visits.parquet", "patient", "names a row of `patients`"),
        ("visits.parquet", "patient", "at most 6 rows of `visits`"),
        ("labs.parquet", "test", "names a row of `d_tests`"),
        ("labs.parquet", "value", ">= 0.0"),
    } <= set(found)


@pytest.mark.parametrize("seed", range(4))
def test_broken_keys_and_links_are_counted_as_pandas_counts_them(seed, tmp_path):
    made = frames()
    made["visits"] = pd.concat([made["visits"], made["visits"].sample(5, random_state=seed)] * (1 + seed))
    made["patients"] = made["patients"].sample(frac=0.8, random_state=seed)
    made["d_tests"] = made["d_tests"].iloc[:1]
    found = counted(made, tmp_path)
    visits, labs, known = made["visits"], made["labs"], made["patients"]["patient"]
    assert found["visits.parquet", "visit", "no key twice"] == visits["visit"].duplicated(keep=False).sum()
    assert found["visits.parquet", "patient", "names a row of `patients`"] == (~visits["patient"].isin(known)).sum()
    assert found["labs.parquet", "patient", "names a row of `patients`"] == (~labs["patient"].isin(known)).sum()
    assert found["labs.parquet", "test", "names a row of `d_tests`"] == (labs["test"] != "crea").sum()
    most = (visits["patient"].value_counts() > 6).sum()
    assert found["visits.parquet", "patient", "at most 6 rows of `visits`"] == most


def test_keys_that_are_spelled_as_other_numbers_are_one_key_and_others_are_not(tmp_path):
    made = frames()
    number = {name: k for k, name in enumerate(made["patients"]["patient"])}
    made["patients"]["patient"] = made["patients"]["patient"].map(number)
    for name in ("visits", "labs"):
        made[name]["patient"] = made[name]["patient"].map(number).astype(float if name == "visits" else str)
    assert set(counted(made, tmp_path).values()) == {0}
    made["labs"]["patient"] = "0" + made["labs"]["patient"]
    found = counted(made, tmp_path)
    assert found["labs.parquet", "patient", "names a row of `patients`"] == len(made["labs"])


def test_what_is_not_asked_is_said():
    files = {name: f"{name}.parquet" for name in schema().tables}
    left = {(file, check.rule) for file, check in linked_checks(schema(), files) if check.sql is None}
    assert left >= {
        ("visits.parquet", "at most 6 rows of a unit"),
        ("visits.parquet", "order in time"),
        ("labs.parquet", "order in time"),
    }
    assert any(file == "patients.parquet" and "gone" in rule for file, rule in left)
    text = linked_script(schema(), [files])
    assert text.count("-- not asked of ") == len(left)


def test_a_catalogue_that_nobody_described_is_not_asked_about():
    data = json.loads(json.dumps(SMALL))
    data["tables"]["labs"]["links"].append({"columns": ["test"], "to": "d_tests", "kind": "reference"})
    data["tables"]["d_tests"] = {"role": "reference"}
    bare = LinkedSchema.parse(data)
    files = {name: f"{name}.parquet" for name in bare.tables}
    found = [check for file, check in linked_checks(bare, files) if check.rule.startswith("names a row of `d_tests`")]
    assert [check.sql for check in found] == [None]
    assert "d_tests.parquet" not in linked_script(bare, [files])
