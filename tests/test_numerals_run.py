"""Numbers written by people on the whole path: file, draft, run, report, saved model, and the same under a budget."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

import synthkit as sk
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit
from synthkit.schema import Numeric, Schema
from synthkit.schema.infer.draft import draft
from synthkit.schema.public_domain import taken_for_public
from synthkit.schema.sdv_metadata import from_sdv, to_sdv
from synthkit.schema.validation import validate
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files

N = 300
SMALL = {"components": 40, "rounds": 2, "first": 10, "between": 2, "last": 10}
SHAPES = {
    "crp": r"<5 mg/l|\d+,\d mg/l",
    "cost": r"-?(\d{1,3}(\.\d{3})+|\d{1,3}),\d\d",
    "sat": r"\d{1,3}%|\?",
    "price": r"\$(\d{1,3}(,\d{3})+|\d{1,3})",
}


def german(x: float) -> str:
    return f"{x:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    rng = np.random.default_rng(0)
    crp = rng.lognormal(2, 1, N).round(1)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, N),
            "crp": [f"{x} mg/l".replace(".", ",") if x >= 5 else "<5 mg/l" for x in crp],
            "cost": [german(x) for x in (rng.normal(1500, 900, N)).round(2)],
            "sat": [f"{x}%" if k % 10 else "?" for k, x in enumerate(rng.integers(70, 101, N))],
            "price": [f"${x:,}" for x in rng.integers(1, 90_000, N)],
        }
    )
    path = tmp_path_factory.mktemp("file") / "t.csv"
    frame.to_csv(path, index=False, sep=";")
    return path


@pytest.fixture(scope="module")
def schema(file):
    return Schema.loads(draft(table_files.read(file).frame(), name="visits"))


def as_written(frame: pd.DataFrame) -> bool:
    return all(frame[name].map(re.compile(shape).fullmatch).notna().all() for name, shape in SHAPES.items())


def test_a_run_draws_numbers_as_they_are_written_and_measures_them_as_numbers(file, schema, tmp_path):
    run = sk.synthesize(file, schema, config=RunConfig(model="independent", quick=True, seed=3, rows=200))
    assert as_written(run.synthetic)
    assert validate(run.synthetic, schema).success
    assert not [failure for failure in run.evaluation.failures if failure.metric.startswith("fidelity")]
    run.save(tmp_path / "out")
    again = Synthesizer.load(tmp_path / "out" / "model")
    drawn = again.sample(20, seed=1)
    assert as_written(drawn)
    table_files.write(drawn, tmp_path / "drawn.csv", schema=again.schema)
    texts = table_files.read_cells(tmp_path / "drawn.csv")
    pd.testing.assert_frame_equal(texts[list(SHAPES)], drawn[list(SHAPES)].astype(object), check_dtype=False)
    assert set(pd.read_parquet(tmp_path / "out" / "synthetic.parquet")["crp"]) >= {"<5 mg/l"}


def test_missing_cells_are_filled_as_numbers_are_written(file, schema):
    frame = table_files.read(file).frame()
    synthesizer = Synthesizer(schema, "independent").fit(frame, seed=1)
    part = frame.head(30).assign(cost=[None, *frame["cost"][1:30]])
    filled = synthesizer.impute(part, seed=2)
    assert as_written(filled)
    assert "?" not in set(filled["sat"])
    known = part["sat"] != "?"
    assert filled["sat"][known].tolist() == part["sat"][known].tolist()
    assert filled["cost"][1:].tolist() == part["cost"][1:].tolist()
    assert np.isfinite(synthesizer.anomaly_score(part)).all()


def test_under_a_budget_no_cell_is_refused_and_strange_ones_are_counted_inside(file, schema, tmp_path):
    public = taken_for_public(schema, "A. Lee: manual of the laboratory")
    frame = table_files.read(file).frame()
    strange = frame.astype(object)
    strange.loc[0, ["crp", "cost", "sat", "price"]] = ["4,9 mg/l", "1.5", "many", "1234"]
    asked = {"epsilon": 2.0, "delta": 1e-5, "seed": 3, "quick": True, "settings": SMALL}
    made = fit(strange, public, config=RunConfig(**asked, ledger=tmp_path / "l.json"))
    out = made.save(tmp_path / "out")
    counted = json.loads((out / "internal" / "clamped.json").read_text())
    assert {name: counted[name] for name in SHAPES} == dict.fromkeys(SHAPES, 1)
    drawn = Synthesizer.load(out / "model").sample(100, seed=1)
    assert as_written(drawn)
    kept = Schema.load(out / "schema.yaml").columns
    assert kept["crp"].censored == schema.columns["crp"].censored
    assert isinstance(kept["cost"], Numeric)
    assert (kept["cost"].decimal, kept["cost"].thousands) == (",", ".")


def test_sdv_is_told_of_numbers_and_not_how_they_are_written(schema):
    metadata = to_sdv(schema)
    assert metadata["tables"]["visits"]["columns"]["cost"]["sdtype"] == "numerical"
    assert from_sdv(metadata).columns["cost"] == Numeric(
        min=schema.columns["cost"].min, max=schema.columns["cost"].max, decimals=2
    )
