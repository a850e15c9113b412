"""One more patient, whatever their cells are: the same exit, the same words, the same files."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import odd_cells
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit
from synthkit.schema import Schema
from synthkit.schema.public_domain import NOT_STATED

SMALL = {"components": 8, "rounds": 1, "first": 2, "between": 1, "last": 2}
SCHEMA = Schema(
    name="visits",
    unit="who",
    declared_by="A. Lee: codebook of 2019",
    columns={
        "who": {"kind": "numeric", "decimals": 0, "min": 0, "max": 50},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 99, "nullable": True},
        "pay": {"kind": "numeric", "decimals": 2},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "icd": {"kind": "code", "pattern": r"[0-9]{3}", "nullable": True},
        "seen": {"kind": "datetime", "min": "2019-01-01", "max": "2022-01-01", "precision": "day"},
        "died": {"kind": "boolean"},
        "note": {"kind": "identifier"},
    },
)
KINDS = {"age": "numeric", "pay": "numeric", "sex": "categorical", "icd": "code", "seen": "datetime", "died": "boolean"}


def visits(n=150):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "who": rng.integers(0, 100, n),
            "age": rng.integers(20, 90, n),
            "pay": rng.gamma(2, 1000, n).round(2),
            "sex": rng.choice(["f", "m"], n),
            "icd": rng.choice(["250", "401", "428"], n),
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
            "died": rng.random(n) < 0.2,
            "note": [f"n{k}" for k in range(n)],
        }
    )


def artefacts(here, said):
    """What may leave or is said: names of files, exit, words, the plan and the public schema."""
    out = here / "out"
    released = [code for code in Schema.load(out / "schema.yaml").columns["icd"].levels if code != NOT_STATED]
    # what is released already may be counted, and nothing else
    noisy = f"`icd`: {len(released)} of its codes could be told"
    assert noisy in said.output
    words = said.output.replace(str(here), "").replace(noisy, "`icd`: # of its codes could be told")
    ledger = json.loads((here / "out.ledger.json").read_text())
    return {
        "exit": said.exit_code,
        "said": sorted(set(re.sub(r"loss [\d.]+|about \d+ s left|\d+ of \d+", "#", words).split("\n"))),
        "files": sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()),
        "charges": [{k: c[k] for k in ("what", "mechanism", "times", "detail")} for c in ledger["charges"]],
        "dtypes": json.loads((out / "model" / "synthesizer.json").read_text())["dtypes"],
    }


def fitted(table, here):
    SCHEMA.save(here / "visits.yaml")
    words = ["fit", str(table), "--schema", str(here / "visits.yaml"), "--out", str(here / "out"), "--epsilon", "2"]
    words += ["--delta", "1e-6", "--seed", "1", *(f"--set={k}={v}" for k, v in SMALL.items())]
    return artefacts(here, CliRunner().invoke(app, words))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    here = tmp_path_factory.mktemp("plain")
    visits().to_csv(here / "visits.csv", index=False)
    found = fitted(here / "visits.csv", here)
    assert found["exit"] == 0
    return found


def stranger():
    """Rows of one person that hold every odd cell of every column, a row for each place in the lists."""
    texts = {name: odd_cells.TEXT[kind] for name, kind in KINDS.items()} | {"note": odd_cells.TEXT["identifier"]}
    rows = max(map(len, texts.values()))
    table = {name: [cells[k % len(cells)] for k in range(rows)] for name, cells in texts.items()}
    return pd.DataFrame({"who": "stranger", **table})


def test_every_odd_cell_unit_and_line_of_a_delimited_file(plain, tmp_path):
    units = visits().astype(object).head(len(odd_cells.TEXT["identifier"]))
    units["who"] = odd_cells.TEXT["identifier"]
    odd = pd.concat([stranger(), units])[list(SCHEMA.columns)].replace("\n", " ", regex=True)
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(odd.values)
    cells = out.getvalue().encode("utf-8", errors="surrogatepass")
    lines = b"\n".join(odd_cells.LINES.values()) + b"\n"
    (tmp_path / "visits.csv").write_bytes(visits().to_csv(index=False).encode() + cells + lines)
    assert fitted(tmp_path / "visits.csv", tmp_path) == plain
    counted = json.loads((tmp_path / "out" / "internal" / "clamped.json").read_text())
    assert set(KINDS) <= set(counted)
    assert counted["(lines that are no rows)"] > 5
    assert counted["(rows without a unit)"] > 3


def test_a_parquet_file_of_other_dtypes(plain, tmp_path):
    """Everything is text, and a moment has a zone."""
    frame = visits().astype({"age": "float32", "sex": "category", "died": "str"})
    frame["seen"] = frame["seen"].dt.tz_localize("UTC")
    frame["pay"] = frame["pay"].astype(str)
    frame.to_parquet(tmp_path / "visits.parquet")
    assert fitted(tmp_path / "visits.parquet", tmp_path) == plain


def test_every_odd_cell_of_a_frame(tmp_path):
    """Lists, bytes, records, whole numbers of 400 digits: a frame can hold them."""
    odd = [*odd_cells.OBJECTS, *odd_cells.MISSING]
    frame = visits().astype(object)
    cells = np.empty(len(odd), dtype=object)
    for k, cell in enumerate(odd):
        cells[k] = cell
    whole = pd.concat([frame, pd.DataFrame({name: cells for name in frame})], ignore_index=True)
    config = RunConfig(epsilon=2.0, delta=1e-6, settings=SMALL, ledger=tmp_path / "l.json", seed=1)
    made = fit(whole, SCHEMA, config=config)
    assert made.clamped["age"] > 20
    assert made.clamped["(rows without a unit)"] == len(odd_cells.MISSING) + 1  # and a NUL
