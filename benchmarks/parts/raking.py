"""What raked draws are worth: the same fit drawn plainly and from a pool, scored alike; one JSON a table.

A table whose JSON has the same seed, steps and quickness, made on the same machine, is not measured again. Parts of
the method are drawn by themselves too, and judged by their tables alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.flags import parser
from benchmarks.json_files import read
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.scoring import attack, membership
from benchmarks.places import MEASURED
from benchmarks.tables.real_tables import TABLES, parts, schema
from synthkit.encoding.column_groups import coded
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity.distributions import tv_mean
from synthkit.metrics.runner import evaluate
from synthkit.metrics.stats.binning import cells, combined, tuples
from synthkit.runtime.seeds import Seeds
from synthkit.schema.conform import conform
from synthkit.synthesizer import raking as rakes
from synthkit.synthesizer.rule_sampling import sample_valid_rows
from synthkit.synthesizer.synthesizer import Synthesizer

OUT = MEASURED / "raking"
SIZES = (2, 3, 5)  # of pools, in rows kept
SHOWN = ("fidelity.tv", "fidelity.c2st", "copying.dcr")


def tables_apart(draw: pd.DataFrame, comparison: EvaluationData) -> dict[str, float]:
    """Total variation of tables of one to three columns, from the training rows and from the holdout."""
    binning, out = comparison.binning, {}
    rows = binning.codes(draw)
    for k in (1, 2, 3):
        chosen = tuples(len(binning.sizes), k, 2000 if k < 3 else 500, np.random.default_rng(0))
        for name, real in (("train", comparison.train), ("holdout", comparison.holdout)):
            out[f"{k}_{name}"] = tv_mean(rows, binning.codes(real), binning.sizes, chosen).difference.value
    return out


def scored(draw: pd.DataFrame, comparison: EvaluationData, seed: int, *, quick: bool) -> dict[str, Any]:
    """Tables, what tells rows from real ones, what they are good for, and what they copy."""
    one = EvaluationData(
        train=comparison.train, holdout=comparison.holdout, synthetic=(draw,), schema=comparison.schema
    )
    found = {
        s.metric: {"value": s.value, "low": s.low, "high": s.high, "reference": s.reference}
        for s in evaluate(one, seed=seed, quick=quick).scores
        if s.metric.startswith(SHOWN) or s.metric.endswith(".gap")
    }
    by_tables = table_attack(draw, one, np.random.default_rng(seed))
    return {"scores": found, "attack": attack(one, np.random.default_rng(seed)), "table_attack": by_tables}


def table_attack(draw: pd.DataFrame, comparison: EvaluationData, rng: np.random.Generator) -> dict[str, float]:
    """AUC of telling training rows from others by two-way tables; 0.5 is ideal. Distances do not see what this sees.

    The attacker has half of the holdout as a reference. A record scores the sum over pairs of columns of
    log((share of its cell among the draw's rows) / (share in the reference)).

    References:
        Homer et al.: Resolving individuals contributing trace amounts of DNA to highly complex mixtures (2008).
    """
    binning, holdout = comparison.binning, comparison.binning.codes(comparison.holdout)
    order = rng.permutation(holdout.shape[1])
    reference, others = np.array_split(order, 2)
    train = binning.codes(comparison.train)
    size = min(len(others), train.shape[1])
    asked = np.concatenate(
        [train[:, rng.choice(train.shape[1], size, replace=False)], holdout[:, others[:size]]], axis=1
    )
    made, known, score = binning.codes(draw), holdout[:, reference], np.zeros(2 * size)
    for pair in tuples(len(binning.sizes), 2, 2000, rng):
        k = cells(binning.sizes, pair)
        shares = [
            (np.bincount(combined(codes, binning.sizes, pair), minlength=k) + 0.5) / (codes.shape[1] + 0.5 * k)
            for codes in (made, known)
        ]
        score += np.log(shares[0] / shares[1])[combined(asked, binning.sizes, pair)]
    return membership(-score, np.repeat([True, False], size))


def pieces(synthesizer: Synthesizer, n: int, seed: int) -> dict[str, pd.DataFrame]:
    """Draws by raking alone, by exchanges alone, and by both from pools of several sizes."""
    encoder, model, targets = synthesizer._encoder, synthesizer._model, synthesizer._margins
    seeds, asked = Seeds(seed), rakes.Cells.of(targets)
    pool = model.sample(max(SIZES) * n, seeds.torch("pool"))
    codes = coded(pool.cat.numpy(), targets.groupings)
    rng = seeds.numpy("choice")

    def kept(chosen: NDArray[np.bool_]) -> pd.DataFrame:
        rows = pool[torch.from_numpy(np.flatnonzero(chosen))]
        return conform(sample_valid_rows(n, encoder, model, seeds, first=rows), encoder.schema)

    first, three = np.arange(3 * n) < n, codes[:, : 3 * n]
    out = {
        "raked": kept(rakes.sample(rakes.rake(three, asked), n, rng)),
        "exchanged": kept(rakes.exchange(three, first, asked, rng)),
    }
    for size in SIZES:
        chosen = np.zeros(size * n, dtype=bool)
        chosen[rakes.select(codes[:, : size * n], n, targets, rng, to="sample")] = True
        out[f"both, pool of {size}"] = kept(chosen)
    return out


def drawn(synthesizer: Synthesizer, n: int, seed: int, *, rake: bool | rakes.RakeTarget) -> tuple[pd.DataFrame, float]:
    """A draw, and the CPU seconds it took."""
    clock = time.process_time()
    draw = synthesizer.sample(n, seed=seed, rake=rake)
    return draw, time.process_time() - clock


def measure(name: str, *, seed: int, steps: int | None, quick: bool = False, rows: int | None = None) -> dict[str, Any]:
    """Both draws of one fit and what they score.

    Args:
        name: one of `real_tables.TABLES`.
        seed: of the fit; the draws have the next one.
        steps: of training; the model's own choice if not given.
        quick: whether scores but those of tables are taken on samples, with two learners.
        rows: look at the first so many rows of the table only; all if not given.
    """
    (train, holdout), meaning = parts(name, rows=rows), schema(name)
    settings = {} if steps is None else {"steps": steps}
    synthesizer = Synthesizer(meaning, settings=settings, device="cpu").fit(train, seed=seed)
    synthesizer.sample(1000, seed=seed)  # the first call also warms caches
    out: dict[str, Any] = {"table": name, "seed": seed, "steps": steps, "quick": quick}
    out |= {"rows": len(train), "machine": fingerprint()}
    comparison = EvaluationData(train=train, holdout=holdout, synthetic=(train,), schema=meaning)
    out["real"] = tables_apart(train, comparison)
    out["real_table_attack"] = table_attack(train, comparison, np.random.default_rng(seed))
    for which, rake in (("plain", False), ("calibrated", "sample"), ("to the population", "population")):
        raw, seconds = drawn(synthesizer, len(train), seed + 1, rake=rake)
        draw = conform(raw, meaning)
        more = {"cpu_seconds": seconds, "rows_per_second": len(train) / seconds}
        out[which] = more | {"tables": tables_apart(draw, comparison)} | scored(draw, comparison, seed, quick=quick)
    out["pieces"] = {k: tables_apart(d, comparison) for k, d in pieces(synthesizer, len(train), seed + 1).items()}
    return out


def line(result: dict[str, Any]) -> str:
    """The figures that matter, plain to raked, in a few lines."""
    plain, chosen = result["plain"], result["calibrated"]
    tables = [f"{k} {plain['tables'][k]:.4f} to {chosen['tables'][k]:.4f}" for k in plain["tables"]]
    scores = [
        f"{k} {plain['scores'][k]['value']:.4f} to {chosen['scores'][k]['value']:.4f}"
        for k in plain["scores"]
        if not k.startswith("fidelity.tv")
    ]
    slower = chosen["cpu_seconds"] / plain["cpu_seconds"]
    attacks = [f"{k} {plain[k]['auc']:.4f} to {chosen[k]['auc']:.4f}" for k in ("attack", "table_attack")]
    return f"{result['table']}: {slower:.2f} times slower; {'; '.join([*tables, *scores, *attacks])}"


def done(path: Path, seed: int, steps: int | None, *, quick: bool) -> bool:
    """Whether this was measured on this machine already."""
    if not path.exists():
        return False
    found = read(path)
    asked = {"seed": seed, "steps": steps, "quick": quick, "machine": fingerprint()}
    return all(found.get(key) == value for key, value in asked.items())


def main(words: Sequence[str] | None = None) -> None:
    """Measure the tables that are asked for, where that was not done yet."""
    flags = parser("raking", __doc__)
    flags.add_argument("--tables", nargs="+", choices=TABLES, default=["support2", "default_credit", "adult"])
    flags.add_argument("--steps", type=int, help="of training; the model's own choice if not given")
    flags.add_argument("--seed", type=int, default=0)
    flags.add_argument("--quick", action="store_true", help="scores but those of tables on samples")
    asked = flags.parse_args(words)
    OUT.mkdir(exist_ok=True)
    for name in asked.tables:
        path = OUT / f"{name}.json"
        if not done(path, asked.seed, asked.steps, quick=asked.quick):
            result = measure(name, seed=asked.seed, steps=asked.steps, quick=asked.quick)
            path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(line(read(path)), flush=True)
