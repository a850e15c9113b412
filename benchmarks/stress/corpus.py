"""One valid file of every format synthkit reads, made from a table every cell of which can be told in a message."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.places import ROOT

SCHEMA = {
    "name": "toy",
    "columns": {
        "id": {"kind": "identifier"},
        "name": {"kind": "code"},
        "age": {"kind": "numeric", "min": 9e9, "max": 9.9e9, "decimals": 0},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "crea": {"kind": "numeric", "nullable": True},
        "icd": {"kind": "code", "pattern": "[A-Z]+-[A-Z][0-9]+"},
        "admitted": {"kind": "datetime", "min": "2019-01-01", "max": "2021-12-31"},
        "dead": {"kind": "boolean"},
    },
    "targets": [{"column": "dead", "task": "binary", "positive": True}],
    "quasi_identifiers": ["sex"],
    "rules": [{"rule": "implication", "if": {"dead": {"in": [True]}}, "then": {"sex": {"in": ["f", "m"]}}}],
}
SMALL = {
    "independent": {},
    "marginal": {},
    "autoregressive": {"steps": 5, "width": 8, "hidden": 4, "batch_size": 16},
    "tvae": {"steps": 5},
    "ctgan": {"steps": 5},
    "diffusion": {"steps": 5},
}
CONFIGURATION = "model: independent\ndraws: 2\nseed: 3\nmissing: [NA]\nsettings: {}\n"
WHY = "made up for a test of readers"
LAST = "policy.yaml"  # is written last


def table(rows: int = 60) -> pd.DataFrame:
    """People whose every text begins with one word and whose every number with one of two."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "id": [f"QZSENTINEL{k:04d}" for k in range(rows)],
            "name": rng.choice([f"QZSENTINEL name {k}" for k in range(9)], rows),
            "age": 9182736000 + rng.integers(18, 95, rows),
            "sex": rng.choice(["f", "m"], rows),
            "crea": np.where(rng.random(rows) < 0.2, np.nan, 7364519 + rng.random(rows).round(3)),
            "icd": [f"QZSENTINEL-{chr(65 + k % 5)}{k % 7}" for k in range(rows)],
            "admitted": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 365, rows), unit="D"),
            "dead": rng.random(rows) < 0.4,
        }
    )


def build(place: Path) -> None:
    """Write the corpus; takes a minute."""
    from synthkit import RunConfig, synthesize
    from synthkit.release.bundle.build_bundle import release
    from synthkit.release.bundle.signature import keygen
    from synthkit.schema import Schema
    from synthkit.schema.expectation_suite import expectation_suite
    from synthkit.synthesizer.synthesizer import Synthesizer
    from synthkit.tables import table_files
    from synthkit.watermark import WatermarkKey

    schema, frame = Schema(**SCHEMA), table()
    schema.save(place / "schema.yaml")
    for name in ("table.csv", "table.parquet", "table.arrow"):
        table_files.write(frame, place / name, mark={"content": "synthetic"})
    synthesize(frame, schema, seed=1, config=RunConfig(model="independent", quick=True)).save(place / "run")
    asked = RunConfig(model="marginal", quick=True, epsilon=3.0, delta=1e-4, ledger=place / "table.ledger.json")
    synthesize(frame, _declared(), seed=1, config=asked).save(place / "private")
    for name, settings in SMALL.items():
        Synthesizer(schema, name, settings=settings).fit(frame, seed=1).save(place / "models" / name)
    keygen(place / "custodian")
    release(place / "private", place / "bundle.zip", key=place / "custodian.key", although=WHY)
    WatermarkKey.new(schema).save(place / "key.json")
    (place / "suite.json").write_text(
        json.dumps(expectation_suite(Schema(columns={"age": {"kind": "numeric", "min": 0}})))
    )
    (place / "config.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (place / "gaps.csv").write_bytes((place / "table.csv").read_bytes())
    shutil.copyfile(policy(), place / LAST)


def policy() -> Path:
    """An example of a policy that comes with the package."""
    return ROOT / "schemas" / "policies" / "internal-research.yaml"


def _declared() -> Any:
    """The schema with a declarer of everything, as a budget asks."""
    from synthkit.schema import Schema

    said = json.loads(json.dumps(SCHEMA))
    said["declared_by"] = "A. Custodian: made up"
    said["columns"]["crea"] |= {"min": 0, "max": 1e7, "decimals": 3}
    said["columns"]["name"]["levels"] = [f"QZSENTINEL name {k}" for k in range(9)]
    said["columns"]["icd"]["levels"] = [f"QZSENTINEL-{chr(65 + k)}{j}" for k in range(5) for j in range(7)]
    return Schema(**said)
