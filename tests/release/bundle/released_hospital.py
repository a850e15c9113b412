"""A small hospital with all that must hold across tables: made-up patients, visits, labs, a catalogue of tests."""

from __future__ import annotations

import hashlib
import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from small_hospital import SMALL, small_hospital

from synthkit.report.html import redraw
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


def hospital_frames(units: int = 60) -> dict[str, pd.DataFrame]:
    frames = small_hospital(units)
    visits = frames["visits"].sort_values(["patient", "admitted"]).reset_index(drop=True)
    visits["place"] = visits.groupby("patient").cumcount() + 1
    visits["double"] = 2 * visits["cost"]
    counts = visits["patient"].value_counts()
    patients = frames["patients"].assign(visits=frames["patients"]["patient"].map(counts).fillna(0).astype(int))
    return {"patients": patients, "visits": visits, "labs": frames["labs"], "d_tests": TESTS}


def rows(members, table, place="synthetic"):
    return pd.read_parquet(io.BytesIO(members[f"{place}/{table}.parquet"]))


def rewritten(members, place="synthetic", **frames):
    """Members with other rows in tables, stored and marked as they were."""
    out = dict(members)
    for table, frame in frames.items():
        name = f"{place}/{table}.parquet"
        before = pq.read_schema(io.BytesIO(members[name]))
        content = io.BytesIO()
        table_ = pa.Table.from_pandas(frame, schema=before.remove_metadata(), preserve_index=False)
        pq.write_table(table_.replace_schema_metadata(before.metadata), content)
        out[name] = content.getvalue()
    return out


def mended(members):
    """The report made to count and hash the tables as they are now, as a custodian would who hides a change."""
    report = json.loads(members["report.json"])
    first = report["sections"][0]
    tables = {name: content for name, content in members.items() if name.endswith(".parquet")}
    first["hashes"] = {name: hashlib.sha256(content).hexdigest() for name, content in tables.items()}
    counts = {name: len(rows(members, name)) for name in first["rows"][0]}
    first["rows"] = [counts]
    others = sum(counts.values()) - counts["patients"]
    end = first["what"].partition(", made by")
    first["what"] = f"{counts['patients']} synthetic patients with {others} rows in 2 other tables{end[1]}{end[2]}"
    return {**members, "report.json": json.dumps(report).encode(), "report.html": redraw(report).encode()}
