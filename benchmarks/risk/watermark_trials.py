"""Trials of the watermark: false alarms, power after damage, fidelity, bias of a fixed key, and of refitting."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from pydantic import SecretStr
from scipy.stats import kstest, t

from benchmarks.risk.watermark_damage import DAMAGES, altered, narrower, taken
from benchmarks.tables.real_tables import parts
from benchmarks.tables.real_tables import schema as loaded
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity.classifier_two_sample import c2st_lightgbm
from synthkit.metrics.fidelity.distributions import tv_mean
from synthkit.runtime.seeds import Seeds
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.watermark import WatermarkKey, choose_candidates, detect

TABLES = ("support2", "adult")
STEPS, FITTED, POOL = 600, 8_000, 40_000  # of the model: steps, rows it is fitted on, rows drawn for all tables
ROWS = (50, 100, 200, 500, 1_000, 5_000)
REPEATS, ALARMS, KEYS, TOGETHER = 20, 1_000, 6, 40
ALPHAS = (1e-6, 1e-3)

schema = cache(loaded)


def key(table: str, seed: int, *, without: tuple[str, ...] = ()) -> WatermarkKey:
    """A key that is the same in every run; real ones come from the operating system."""
    new = WatermarkKey.new(schema(table))
    columns = tuple(column for column in new.columns if column.name not in without)
    secret = SecretStr(hashlib.sha256(f"watermark {table} {seed}".encode()).hexdigest())
    return new.model_copy(update={"secret": secret, "columns": columns})


def model(table: str) -> Synthesizer:
    """A tvae of a few steps: what a model has learned matters little to a watermark."""
    train, _ = parts(table)
    return Synthesizer(schema(table), "tvae", settings={"steps": STEPS}).fit(train.head(FITTED), seed=1)


def marked(pool: pd.DataFrame, n: int, secret: WatermarkKey, rng: np.random.Generator) -> pd.DataFrame:
    """n rows chosen by a key among four times as many of a pool."""
    drawn = taken(pool, n * secret.candidates, rng)
    return drawn.iloc[choose_candidates(drawn, secret, rng)].reset_index(drop=True)


def alarms(pools: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """p-values of a thousand tables, each against a key that has nothing to do with it."""
    found: dict[str, list[float]] = {}
    for k in range(ALARMS):
        table, rng = TABLES[k % 2], np.random.default_rng(k)
        n = int(rng.choice([50, 200, 1_000]))
        kind = ("real rows", "model's rows", "rows of another key", "real rows, repeated and cut")[k // 2 % 4]
        if kind == "rows of another key":
            frame = marked(pools[table], n, key(table, k + 10**6), rng)
        else:
            frame = taken(pools[table if kind == "model's rows" else f"{table} real"], n, rng)
        if kind.endswith("cut"):
            frame = narrower(pd.concat([frame, frame.head(n // 2), altered(frame, rng)]), rng)
        found.setdefault(kind, []).append(detect(frame, key(table, k)).p)
    found["all"] = [p for each in found.values() for p in each]
    return {kind: alarmed(each) for kind, each in found.items()}


def alarmed(p: list[float]) -> dict[str, Any]:
    """How many p-values are small, and whether more than a uniform law has."""
    levels = [float(f"{a:.3g}") for a in np.logspace(-3, 0, 61)]
    shares = {f"{a:g}": int(np.sum(np.array(p) <= a)) for a in (0.1, 0.05, 0.01, 0.001)}
    return {
        "tables": len(p),
        "at_most": shares,
        "curve": [[a, float(np.mean(np.array(p) <= a))] for a in levels],
        "least": min(p),
        "ks": float(kstest(p, "uniform", alternative="greater").pvalue),
    }


def power(pools: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """p-values of marked tables by size and damage, other keys and other rows each time."""
    out = []
    cases = [(table, f"{table}{rows}", ()) for table in TABLES for rows in ("", " real")]
    for table, pool, without in [*cases, ("adult", "adult", ("fnlwgt",))]:
        for n in ROWS:
            if n * 4 > len(pools[pool]):
                continue
            found: dict[str, list[Any]] = {}
            for k in range(REPEATS):
                rng, secret = np.random.default_rng([n, k]), key(table, k, without=without)
                frame = marked(pools[pool], n, secret, rng)[[c.name for c in secret.columns]]
                tried = {name: damage(frame, rng) for name, damage in DAMAGES.items()}
                if n == ROWS[-1]:
                    tried |= {f"all but {few} rows lost": frame.head(few) for few in (100, 500)}
                for name, damaged in tried.items():
                    found.setdefault(name, []).append(detect(damaged, secret))
            for name, each in found.items():
                p = np.array([one.p for one in each])
                told = {"table": table, "rows_of": pool, "without": list(without), "rows": n, "damage": name}
                told |= {"median_p": float(np.median(p)), "found": {f"{a:g}": float((p <= a).mean()) for a in ALPHAS}}
                told["heads"] = float(np.sum([e.heads for e in each]) / max(1, np.sum([e.coins for e in each])))
                out.append(told)
            print(pool, without, n, {d["damage"]: d["found"] for d in out[-len(found) :]}, flush=True)
    return out


def interval(values: list[float]) -> list[float]:
    """Mean and its 95 % interval by Student's t."""
    mean, wide = np.mean(values), t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return [float(mean), float(mean - wide), float(mean + wide)]


def fidelity(pools: Mapping[str, pd.DataFrame], rows: int = 4_000) -> dict[str, Any]:
    """Marked against plain rows of one model: two-way TV to training rows, C2ST to holdout, and C2ST to each other."""
    out = {}
    for table in TABLES:
        train, holdout = parts(table)
        found: dict[str, list[float]] = {}
        for k in range(KEYS):
            rng = np.random.default_rng([7, k])
            drawn = taken(pools[table], 6 * rows, rng)
            candidates, plain, twin = drawn[: 4 * rows], drawn[4 * rows : 5 * rows], drawn[5 * rows :]
            chosen = candidates.iloc[choose_candidates(candidates, key(table, k), rng)]
            values = {}
            for name, frame in (("marked", chosen), ("plain", plain)):
                both = EvaluationData(
                    train=train, holdout=holdout, synthetic=(frame.reset_index(drop=True),), schema=schema(table)
                )
                codes, sizes = both.binning.codes, both.binning.sizes
                pairs = [(i, j) for i in range(len(sizes)) for j in range(i)]
                values[name, "tv2"] = float(np.mean(tv_mean(codes(frame), codes(train), sizes, pairs).values))
                values[name, "c2st"] = c2st_lightgbm(both, Seeds(k).numpy("c2st"))[0][0].value
                found.setdefault(f"{name} against each other", []).append(told_apart(frame, twin, table, k))
            for metric in ("tv2", "c2st"):
                for name in ("marked", "plain"):
                    found.setdefault(f"{name}.{metric}", []).append(values[name, metric])
                found.setdefault(f"change.{metric}", []).append(values["marked", metric] - values["plain", metric])
            print(table, k, values, flush=True)
        out[table] = {name: interval(each) for name, each in found.items()}
    return out


def told_apart(left: pd.DataFrame, right: pd.DataFrame, table: str, seed: int) -> float:
    """AUC of telling rows from those the model draws without a key."""
    left, right = (frame.reset_index(drop=True) for frame in (left, right))
    both = EvaluationData(train=right, holdout=right, synthetic=(left,), schema=schema(table))
    return float(c2st_lightgbm(both, Seeds(seed).numpy("c2st"))[0][0].value)


def bias(pools: Mapping[str, pd.DataFrame], rows: int = 1_000, repeats: int = TOGETHER) -> dict[str, Any]:
    """Shares of cells in many tables of one key against those of the pool, beside tables chosen by a die.

    z = (mean share over the tables - share in the pool) / its standard error under choice by a die; without a bias its
    root mean square is 1 up to chance.
    """
    out = {}
    for table in TABLES:
        train, holdout = parts(table)
        pool = pools[table]
        binning = EvaluationData(train=train, holdout=holdout, synthetic=(pool,), schema=schema(table)).binning
        codes, sizes, rng = binning.codes(pool), binning.sizes, np.random.default_rng(11)
        picked: dict[str, list[Any]] = {"key": [], "die": []}
        for _ in range(repeats):
            rows_of = rng.permutation(len(pool))[: 4 * rows]
            picked["key"].append(rows_of[choose_candidates(pool.iloc[rows_of], key(table, 0), rng)])
            picked["die"].append(rng.choice(rows_of, rows, replace=False))
        for ways, k in (("one-way", 1), ("two-way", 2)):
            chosen = list(combinations(range(len(sizes)), k))
            for by, tables in picked.items():
                together = np.concatenate(tables)
                z, gaps = [], []
                for names in chosen:
                    cell = np.ravel_multi_index([codes[i] for i in names], [sizes[i] for i in names])
                    p = np.bincount(cell, minlength=int(cell.max()) + 1) / len(cell)
                    q = np.bincount(cell[together], minlength=len(p)) / len(together)
                    some = p * len(together) >= 20
                    gaps.append(np.abs(q - p)[some])
                    z.append(((q - p) / np.sqrt(p * (1 - p) / len(together) + 1e-300))[some & (p < 1)])
                all_z, all_gaps = np.concatenate(z), np.concatenate(gaps)
                out[f"{table}, {ways}, {by}"] = {
                    "cells": len(all_z),
                    "rms_z": float(np.sqrt(np.mean(all_z**2))),
                    "largest_gap": float(all_gaps.max()),
                }
        print(table, {k: v for k, v in out.items() if k.startswith(table)}, flush=True)
    return out


def refit(pools: Mapping[str, pd.DataFrame], rows: int = 5_000) -> list[dict[str, Any]]:
    """p of rows drawn from a model that somebody fitted to marked rows."""
    out = []
    for k, (table, name) in enumerate((each, kind) for kind in ("independent", "tvae") for each in TABLES):
        frame = marked(pools[table], rows, key(table, k), np.random.default_rng(k))
        settings = {"steps": STEPS} if name == "tvae" else None
        again = Synthesizer(schema(table), name, settings=settings).fit(frame, seed=1).sample(rows, seed=2)
        before, after = detect(frame, key(table, k)), detect(again, key(table, k))
        out.append({"table": table, "model": name, "before": before.p, "after": after.p})
        print(out[-1], flush=True)
    return out


PARTS: Mapping[str, Callable[[Mapping[str, pd.DataFrame]], Any]] = {
    "alarms": alarms,
    "power": power,
    "bias": bias,
    "refit": refit,
    "fidelity": fidelity,
}
