"""A small hospital with all that must hold across tables: made-up patients, visits, labs, a catalogue of tests."""

from __future__ import annotations

import json

import pandas as pd
from small_hospital import SMALL, small_hospital

from synthkit.schema.linked import LinkedSchema

TESTS = pd.DataFrame({"test": ["crea", "hb"], "label": ["creatinine", "haemoglobin"]})


def hospital_schema() -> LinkedSchema:
    """The small hospital with a catalogue, a place in line, a number of visits, and values computed from others."""
    data = json.loads(json.dumps(SMALL))
    tables = data["tables"]
    tables["patients"]["columns"]["visits"] = {"kind": "numeric", "min": 0, "decimals": 0}
    tables["visits"]["columns"] |= {
        "place": {"kind": "numeric", "min": 1, "decimals": 0},
        "double": {"kind": "numeric", "nullable": True},
    }
    tables["visits"] |= {"position": "place", "derived": {"double": "2 * cost"}, "max_rows_per_unit": 5}
    tables["labs"]["links"] = [*tables["labs"]["links"], {"columns": ["test"], "to": "d_tests", "kind": "reference"}]
    columns = {"test": {"kind": "code"}, "label": {"kind": "code"}}
    tables["d_tests"] = {"role": "reference", "key": ["test"], "columns": columns}
    data["rules"] = [{"rule": "total", "parent": "patients.visits", "child": "visits"}]
    return LinkedSchema.parse(data)


def hospital_frames() -> dict[str, pd.DataFrame]:
    frames = small_hospital()
    visits = frames["visits"].sort_values(["patient", "admitted"]).reset_index(drop=True)
    visits["place"] = visits.groupby("patient").cumcount() + 1
    visits["double"] = 2 * visits["cost"]
    counts = visits["patient"].value_counts()
    patients = frames["patients"].assign(visits=frames["patients"]["patient"].map(counts).fillna(0).astype(int))
    return {"patients": patients, "visits": visits, "labs": frames["labs"], "d_tests": TESTS}
