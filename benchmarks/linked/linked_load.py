"""A million rows of ten columns below a hundred thousand units: what a fit and a draw take of the timeline.

So many steps are made that the cost of one is known; the rest of the fit is added at the median step. Encoding, the
root's own fit and the evaluations between steps are measured whole.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.json_files import write
from benchmarks.linked.linked_cells import LINKED
from benchmarks.linked.linked_page import LOAD_FILE
from benchmarks.linked.linked_plan import of_ours
from benchmarks.measure.cells import environment
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.meter import measured, own_cpu, peak_mib
from synthkit.models.timeline.config import TimelineConfig, default_epochs
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

LOAD_ROWS, LOAD_STEPS, ROWS_A_UNIT = 1_000_000, 200, 10
LEVELS = {"ward": 8, "code": 200, "test": 12, "flag": 3}


def load_tables(rows: int, seed: int) -> dict[str, pd.DataFrame]:
    """About so many rows: Poisson numbers of rows a unit, values that carry on, levels of a person."""
    rng = np.random.default_rng(seed)
    units = max(rows // ROWS_A_UNIT, 2)
    many = rng.poisson(ROWS_A_UNIT, units)
    owner = np.repeat(np.arange(units), many)
    n, level = len(owner), rng.normal(size=units)
    days = np.sort(rng.integers(0, 2_000, n) + 10_000 * owner) - 10_000 * owner  # by unit, in order
    test = rng.integers(0, LEVELS["test"], n)
    walk = level[owner] + rng.normal(0, 0.5, n)
    people = pd.DataFrame(
        {
            "id": np.arange(units).astype(str),
            "sex": rng.choice(["F", "M"], units),
            "born": rng.integers(1930, 2000, units),
        }
    )
    rest = {
        "id": people["id"].to_numpy()[owner],
        "day": np.datetime64("2010-01-01", "s") + days * np.timedelta64(1, "D"),
        "test": [f"T{k}" for k in test],
        "ward": [f"W{k}" for k in rng.integers(0, LEVELS["ward"], n)],
        "code": [f"C{k:03d}" for k in (rng.random(n) ** 3 * LEVELS["code"]).astype(int)],
        "flag": [f"F{k}" for k in rng.integers(0, LEVELS["flag"], n)],
        "value": np.round(50 + 10 * walk + test, 1),
        "other": np.round(rng.gamma(2.0, 5.0 + test), 2),
        "count": rng.poisson(3 + 2 * np.exp(0.3 * level[owner])),
        "dose": rng.choice([1.0, 2.0, 5.0, 10.0], n),
        "urgent": rng.random(n) < 0.3,
    }
    return {"people": people, "rows": pd.DataFrame(rest)}


def load_schema() -> LinkedSchema:
    """What the tables of the load mean: ten columns beside the key."""
    number, code = {"kind": "numeric", "decimals": 0}, {"kind": "code"}
    levels = {
        name: {"kind": "categorical", "levels": [f"{name[0].upper()}{k}" for k in range(LEVELS[name])]}
        for name in ("test", "ward", "flag")
    }
    columns = {"id": {"kind": "identifier"}, "day": {"kind": "datetime", "precision": "day"}, **levels, "code": code}
    columns |= {"value": {"kind": "numeric", "decimals": 1}, "other": {"kind": "numeric", "decimals": 2}}
    columns |= {"count": number, "dose": number, "urgent": {"kind": "boolean"}}
    owner = {"columns": ["id"], "to": "people", "kind": "owner"}
    people = {"id": {"kind": "identifier"}, "sex": {"kind": "categorical", "levels": ["F", "M"]}, "born": number}
    rows = {"links": [owner], "order": {"from": "day"}, "series": "test", "columns": columns}
    tables = {"people": {"key": ["id"], "columns": people}, "rows": rows}
    return LinkedSchema.parse({"name": "load", "unit": "people", "tables": tables})


def measure_load(rows: int, steps: int, threads: int = 1, **settings: Any) -> dict[str, Any]:
    """CPU minutes of a whole fit and of a draw of as many units, and what they are made of."""
    import torch

    torch.set_num_threads(threads)
    frames, schema = load_tables(rows, 0), load_schema()
    at: list[float] = []
    synthesizer = LinkedSynthesizer(schema, settings={"steps": steps, **settings}, device="cpu")
    begun = own_cpu()
    with measured() as fit:
        synthesizer.fit(
            frames,
            seed=0,
            progress=lambda step, of, loss: at.append(own_cpu()),
            stage=lambda name: at.clear(),  # the root's steps are not those that a larger fit has more of
        )
    with measured() as draw:
        drawn = synthesizer.sample(len(frames["people"]), seed=1)
    many = len(frames["rows"])
    config = TimelineConfig(**settings).settled(many)
    planned = config.steps or 1
    a_step = median(np.diff(at).tolist())
    whole = fit["cpu"] + max(planned - len(at), 0) * a_step
    return {
        "rows": many,
        "columns": len(schema.tables["rows"].columns) - 1,
        "units": len(frames["people"]),
        "threads": threads,
        "steps": len(at),
        "planned": planned,
        "epochs": default_epochs(many),
        "a_step": round(a_step, 4),
        "rows_a_cpu_second": round((config.batch_rows or 1) / a_step),
        "before_first_step": round(at[0] - begun, 1),
        "fit": fit,
        "draw": {"rows": len(drawn["rows"]), **draw},
        "minutes": {
            "fit": round(whole / 60, 2),
            "draw": round(draw["cpu"] * many / max(len(drawn["rows"]), 1) / 60, 2),
        },
        "peak_mib": peak_mib(),
    }


def run_load(rows: int, steps: int, threads: int) -> dict[str, Any]:
    """The same in a process of its own, so that memory is its own; written down."""
    words = ["linked", "--load-here", "--load-rows", str(rows), "--load-steps", str(steps), "--threads", str(threads)]
    command = [sys.executable, "-P", "-m", "benchmarks", *words]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment(threads))
    found = json.loads(ended.stdout.splitlines()[-1])
    content = {"machine": fingerprint(), "version": of_ours("timeline").version, **found}
    if rows == LOAD_ROWS:  # a trial with fewer rows is not kept
        write(LINKED / LOAD_FILE, content)
    return content
