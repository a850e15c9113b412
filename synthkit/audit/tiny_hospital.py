"""A made-up hospital of a few rows a patient, three tables deep, in which one patient more is known cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthkit.schema.linked import LinkedSchema

TINY_BOUNDS = {"patients": 1, "visits": 4, "labs": 8}  # rows of each table that a patient has at most
MORE_ROWS = {"patients": 1, "visits": 40, "labs": 400}  # of a patient far beyond them
_SEX, _WARD, _TEST = ("F", "M", "X"), ("north", "south", "west"), ("crea", "hb", "na")
_KEY = {"kind": "identifier"}
_DAY = {"kind": "datetime", "precision": "day", "min": "2020-01-01", "max": "2020-12-31"}
TINY_HOSPITAL = LinkedSchema.parse(
    {
        "format": "synthkit-linked/1",
        "unit": "patients",
        "declared_by": "the audit: made-up people",
        "tables": {
            "patients": {
                "key": ["patient"],
                "columns": {"patient": _KEY, "sex": {"kind": "categorical", "levels": _SEX}},
            },
            "visits": {
                "key": ["visit"],
                "links": [{"columns": ["patient"], "to": "patients", "kind": "owner", "max_rows_per_owner": 4}],
                "order": {"from": "admitted"},
                "columns": {
                    "visit": _KEY,
                    "patient": _KEY,
                    "admitted": _DAY,
                    "ward": {"kind": "categorical", "levels": _WARD},
                },
            },
            "labs": {
                "links": [{"columns": ["visit"], "to": "visits", "kind": "owner", "max_rows_per_owner": 100}],
                "order": {"from": "taken"},
                "max_rows_per_unit": 8,
                "columns": {
                    "visit": _KEY,
                    "taken": _DAY,
                    "test": {"kind": "categorical", "levels": _TEST},
                },
            },
        },
    }
)
Tables = Mapping[str, pd.DataFrame]


def tiny_patient(name: str, visits: int, labs: int, *, level: int = 0) -> dict[str, pd.DataFrame]:
    """A patient all of whose rows say the same, so that it does not matter which of them is chosen.

    Args:
        name: key of the patient; keys of visits begin with it.
        visits: how many.
        labs: how many, dealt out to the visits in turn; none without visits.
        level: number of the level that stands in every column.
    """
    labs = labs if visits else 0
    day = pd.Timestamp("2020-03-01") + pd.Timedelta(days=30 * level)
    keys = pd.Series([f"{name}-{k}" for k in range(visits)], dtype=object)
    at = keys.iloc[[k % visits for k in range(labs)]].reset_index(drop=True)
    return {
        "patients": pd.DataFrame({"patient": [name], "sex": _SEX[level]}),
        "visits": pd.DataFrame({"visit": keys}).assign(patient=name, admitted=day, ward=_WARD[level]),
        "labs": pd.DataFrame({"visit": at}).assign(taken=day, test=_TEST[level]),
    }


def tiny_orphans(rows: int) -> dict[str, pd.DataFrame]:
    """Visits without a patient and labs of visits that are not there: rows of nobody."""
    made = tiny_patient("nobody", rows, rows, level=1)
    nobody = pd.Series([None if k % 2 else f"nobody {k}" for k in range(rows)], dtype=object)
    visits, labs = made["visits"].assign(patient=nobody), made["labs"].assign(visit=nobody)
    return {"patients": made["patients"].head(0), "visits": visits, "labs": labs}


def tiny_hospital(patients: int, *, heavy: float = 0.0, orphans: int = 0) -> dict[str, pd.DataFrame]:
    """Patients of one visit and one lab each, a share of them with as many rows as their bounds allow.

    Args:
        patients: how many.
        heavy: share of those with many rows, in [0, 1).
        orphans: rows of nobody in each table below the patients.
    """
    many = round(heavy * patients)
    light = _repeated(tiny_patient("p", 1, 1), patients - many)
    full = _repeated(tiny_patient("h", TINY_BOUNDS["visits"], TINY_BOUNDS["labs"]), many)
    return below([light, full, tiny_orphans(orphans)])


def below(parts: Sequence[Tables]) -> dict[str, pd.DataFrame]:
    """Tables of several groups of patients, one below the other."""
    out = {}
    for name in TINY_BOUNDS:
        some = [part[name] for part in parts if len(part[name])]
        out[name] = pd.concat(some or [parts[0][name]], ignore_index=True)
    return out


def _repeated(one: Tables, times: int) -> dict[str, pd.DataFrame]:
    """The rows of a patient so many times, each time with other keys."""
    out = {}
    for table, frame in one.items():
        number = np.repeat(np.arange(times), len(frame))
        again = frame.iloc[np.tile(np.arange(len(frame)), times)].reset_index(drop=True)
        keys = [column for column in ("patient", "visit") if column in frame]
        named = {c: [f"{k}{cell}" for k, cell in zip(number, again[c], strict=True)] for c in keys}
        out[table] = again.assign(**named)
    return out
