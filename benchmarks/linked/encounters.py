"""Diabetes 130 as encounters of patients: sex and race where they are constant, encounters in their order."""

from __future__ import annotations

import pandas as pd

from benchmarks.tables.real_tables import data, schema
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

OF_PATIENTS = ("race", "gender")
PREGNANCY = [*(str(k) for k in range(630, 680)), "V22", "V23", "V24", "V27"]
PROSTATE = ["185", "600", "601", "602"]
DIAGNOSES = ("diag_1", "diag_2", "diag_3")
ADULT = [f"[{k}-{k + 10})" for k in range(10, 100, 10)]


def meaning() -> LinkedSchema:
    """The shipped schema in two tables; encounters are numbered as they happened."""
    alone = schema("diabetes130")
    people = {name: alone.columns[name].model_copy(update={"nullable": True}) for name in OF_PATIENTS}
    rest = {name: column for name, column in alone.columns.items() if name not in OF_PATIENTS}
    rest["encounter_id"] = {"kind": "numeric", "decimals": 0, "min": 1}  # type: ignore[assignment]
    owner = {"columns": ["patient_nbr"], "to": "patients", "kind": "owner", "max_rows_per_owner": 40}
    impossible = [
        {"name": f"{what} in {diagnosis}", "table": "encounters", "when": {diagnosis: {"in": codes}},
         "unit": {"gender": {"in": [sex]}}}
        for what, codes, sex in (("pregnant man", PREGNANCY, "Male"), ("prostate of a woman", PROSTATE, "Female"))
        for diagnosis in DIAGNOSES
    ]  # fmt: skip
    impossible.append(
        {"name": "newborn over ten", "table": "encounters",
         "when": {"admission_type_id": {"in": [4]}, "age": {"in": ADULT}}}
    )  # fmt: skip
    return LinkedSchema.parse(
        {
            "name": "diabetes130",
            "unit": "patients",
            "tables": {
                "patients": {"key": ["patient_nbr"], "columns": {"patient_nbr": {"kind": "identifier"}, **people}},
                "encounters": {
                    "links": [owner],
                    "order": {"from": "encounter_id"},
                    "columns": {**rest, "patient_nbr": {"kind": "identifier"}},
                    "rules": alone.rules,
                },
            },
            "contradictions": impossible,
            "targets": [{"name": "readmission", "at": "encounters", "column": "readmitted", "positive": "<30"}],
        }
    )


def tables() -> LinkedTables:
    """All patients; where race or sex is told in two ways, it is missing."""
    frame = pd.read_parquet(data("diabetes130/diabetic_data.parquet"))
    groups = frame.groupby("patient_nbr", sort=False)[list(OF_PATIENTS)]
    people = groups.first().where(groups.nunique(dropna=False).lt(2), None)
    rows = frame.drop(columns=list(OF_PATIENTS))
    return LinkedTables.of({"patients": people.reset_index(), "encounters": rows}, meaning())
