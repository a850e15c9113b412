"""Air quality of Beijing by the protocol of the published tables: 90 % fitted, SDMetrics' scores, error of its target.

The counter `No` and hours without a measurement are left out (41,757 of 43,824 rows); 90 % by chance are fitted, as
many rows are drawn, and both are compared by SDMetrics: shape and trend error, and detection by XGBoost (1: nothing is
told apart). Year, month, day, hour and wind are names, the other seven columns numbers. Boosting learns log(pm2.5) from
the rows drawn, its settings chosen on a ninth of them, and is tested on the 10 % held out. What was published stands
beside it. Needs beijing_pm25 (benchmarks/README.md says where from).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.job import torch_threads
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.meter import measured
from benchmarks.measure.results import Spread
from benchmarks.measure.scoring import sdmetrics
from benchmarks.measure.sources import version_of
from benchmarks.pages import rewrite
from benchmarks.places import MEASURED, PAGE
from benchmarks.tables.real_tables import data
from synthkit.models.registry import MODELS
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.synthesizer.synthesizer import Synthesizer

START, END = "<!-- beijing -->", "<!-- /beijing -->"
FILE = "published_beijing.json"
SPLIT, SHARE = 1234, 0.9  # seed and share of the published split
TARGET = "pm2.5"
NAMES: Mapping[str, Sequence[str]] = {
    "year": [str(k) for k in range(2010, 2015)],
    "month": [str(k) for k in range(1, 13)],
    "day": [str(k) for k in range(1, 32)],
    "hour": [str(k) for k in range(24)],
    "cbwd": ["NE", "NW", "SE", "cv"],
}
DECIMALS = {TARGET: 0, "DEWP": 0, "TEMP": 0, "PRES": 0, "Iws": 2, "Is": 0, "Ir": 0}
SCHEMA = Schema(
    name="beijing_pm25",
    columns={
        name: {"kind": "categorical", "levels": list(NAMES[name])}
        if name in NAMES
        else {"kind": "numeric", "decimals": DECIMALS[name]}
        for name in ("year", "month", "day", "hour", TARGET, "DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir")
    },
)
LARGER = {"blocks": 2, "hidden": 128, "steps": 4200, "dropout": 0.1, "weight_decay": 1.0}
VARIANTS: Mapping[str, tuple[Mapping[str, Any], bool]] = {  # by name: settings, and if draws are raked
    "autoregressive": ({}, False),
    "autoregressive, larger, raked": (LARGER, True),
}
GRID = ((10, 50, 100), (1, 10), (5, 10, 20), (0, 1))  # trees, least weight of a leaf, depth, least gain
FIGURES = {"detection": ".3f", "shape error, %": ".2f", "trend error, %": ".2f", "RMSE": ".3f"}
# A Sobering Look at Tabular Data Generation via Probabilistic Circuits (arXiv 2603.23016), results of five models each
PUBLISHED: Mapping[str, tuple[float, ...]] = {  # detection, shape, trend, RMSE, seconds of training
    "TabDiff": (0.772, 1.05, 2.59, 0.564, 14_418.0),
    "shallow mixture": (0.733, 1.89, 3.54, 0.558, 106.0),
    "TabPC": (0.570, 0.57, 2.19, 0.656, 582.0),
    "TabSyn": (0.527, 2.61, 4.50, 0.626, 3_321.0),
}


def parts() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to fit and rows held out, as the published tables split them."""
    frame = pd.read_parquet(data("beijing_pm25") / "beijing_pm25.parquet").drop(columns="No").dropna()
    order = np.arange(len(frame))
    np.random.RandomState(SPLIT).shuffle(order)  # the published rows
    frame = frame.astype(dict.fromkeys(NAMES, str)).iloc[order]
    first = int(SHARE * len(frame))
    train, test = frame.iloc[:first], frame.iloc[first:]
    return conform(train.reset_index(drop=True), SCHEMA), conform(test.reset_index(drop=True), SCHEMA)


def features(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as they are, names as indicators; the target is left out."""
    numbers = frame[[name for name in DECIMALS if name != TARGET]].astype(float)
    names = [(frame[name].astype(str) == level).rename(f"{name} {level}") for name in NAMES for level in NAMES[name]]
    return pd.concat([numbers, *names], axis=1).astype("float32")


def log_target(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Logarithm of the target, cut to 1 to 20,000. **Shape**: (n,)."""
    return np.log(frame[TARGET].to_numpy(dtype=float).clip(1, 20_000))


def rmse(drawn: pd.DataFrame, test: pd.DataFrame, seed: int) -> float:
    """Root mean squared error of log(pm2.5) on real rows of a booster fitted on drawn ones, the best of the grid."""
    from xgboost import XGBRegressor

    x, y = features(drawn), log_target(drawn)
    order = np.random.default_rng(seed).permutation(len(drawn))
    chosen, fitted = np.split(order, [len(drawn) // 9])
    best, error = None, np.inf
    for trees, weight, depth, gain in product(*GRID):
        kind = {"n_estimators": trees, "min_child_weight": weight, "max_depth": depth, "gamma": gain}
        model = XGBRegressor(**kind, tree_method="hist", random_state=0, n_jobs=1).fit(x.iloc[fitted], y[fitted])
        found = _error(model.predict(x.iloc[chosen]), y[chosen])
        if found < error:
            best, error = model, found
    assert best is not None
    return _error(best.predict(features(test)), log_target(test))


def _error(guess: NDArray[np.floating[Any]], truth: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean((guess - truth) ** 2)))


def scores(drawn: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, float]:
    """The published figures of drawn rows."""
    found = sdmetrics(train, drawn, SCHEMA)
    return {
        "detection": found["xgboost_detection"],
        "shape error, %": 100 * (1 - found["shape"]),
        "trend error, %": 100 * (1 - found["trend"]),
        "RMSE": rmse(drawn, test, seed),
    }


def identity(name: str, seed: int) -> dict[str, Any]:
    """What must be the same for a figure to be the same."""
    version = version_of(MODELS["autoregressive"].__module__)
    settings = dict(VARIANTS[name][0])
    return {"who": name, "seed": seed, "settings": settings, "version": version, "machine": fingerprint()}


def made(name: str, seed: int, train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Fit, draw and score."""
    settings, rake = VARIANTS[name]
    with torch_threads(1):
        synthesizer = Synthesizer(SCHEMA, "autoregressive", settings=settings, device="cpu")
        with measured() as fitting:
            synthesizer.fit(train, seed=seed)
        with measured() as sampling:
            drawn = synthesizer.sample(len(train), seed=seed + 1, rake=rake)
    return identity(name, seed) | {"fit": fitting, "sample": sampling, "scores": scores(drawn, train, test, seed)}


def missing(content: Mapping[str, Any], names: Sequence[str], seeds: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Fits that are not there yet from the same machine, version and settings."""
    for seed in seeds:
        for name in names:
            wanted = identity(name, seed)
            if not any(all(cell[key] == wanted[key] for key in wanted) for cell in content["cells"]):
                yield name, seed


def line(who: str, values: Sequence[float | None], seconds: str, seeds: str) -> str:
    """A line of the table."""
    shown = ["–" if v is None else format(v, form) for v, form in zip(values, FIGURES.values(), strict=True)]
    return "| " + " | ".join([who, *shown, seconds, seeds]) + " |"


def markdown(content: Mapping[str, Any]) -> str:
    """Ours, what was published, and what real rows score."""
    out = ["| | " + " | ".join(FIGURES) + " | fit, s | fits |", "|---" * (len(FIGURES) + 3) + "|"]
    for name in VARIANTS:
        mine = [cell for cell in content["cells"] if cell["who"] == name]
        if not mine:
            continue
        spreads = [Spread.of(cell["scores"][figure] for cell in mine) for figure in FIGURES]
        took = Spread.of(cell["fit"]["cpu"] for cell in mine)
        seconds = "–" if took is None else f"{took.middle:,.0f} (CPU, one thread)"
        out.append(line(name, [None if s is None else s.middle for s in spreads], seconds, str(len(mine))))
    for who, (*values, seconds) in PUBLISHED.items():
        out.append(line(f"{who}, published", values, f"{seconds:,.0f}", "5"))
    if "real" in content:
        out.append(line("real rows", [content["real"].get(figure) for figure in FIGURES], "–", "–"))
    said = sorted({f"{cell['who']}: {cell['version']}, {cell['settings'] or 'defaults'}" for cell in content["cells"]})
    note = (
        "Detection: 1 where XGBoost tells nothing apart. RMSE: of log(pm2.5) by XGBoost, fitted on drawn rows, on real "
        "rows. Medians. Published: arXiv 2603.23016, on hardware its authors do not name. Real rows: as many drawn "
        "with replacement from those fitted, and a booster fitted on these themselves."
    )
    return "\n".join([*out, "", note, *(f"- {text}" for text in said)])


def real(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    """What real rows score: a bootstrap for what is compared with them, the rows themselves for the target."""
    again = train.sample(len(train), replace=True, random_state=SPLIT).reset_index(drop=True)
    found = scores(again, train, test, 0)
    return found | {"RMSE": rmse(train, test, 0)}


def write_page(folder: Path = MEASURED, page: Path = PAGE) -> str:
    """Write the table into the page; its text."""
    text = markdown(read(folder / FILE))
    rewrite(page, text, START, END)
    return text


def main(words: Sequence[str] | None = None) -> None:
    """Make what is asked for and not there, and write the page."""
    flags = parser("published_beijing", __doc__)
    flags.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS), help="these only")
    flags.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="0 1 2 if not given")
    flags.add_argument("--page", action="store_true", help="the table of what is recorded, nothing made")
    asked = flags.parse_args(words)
    file = MEASURED / FILE
    content = read(file) if file.exists() else {"cells": []}
    if not asked.page:
        train, test = parts()
        for name, seed in missing(content, asked.only, asked.seeds):
            kept = [cell for cell in content["cells"] if (cell["who"], cell["seed"]) != (name, seed)]
            content["cells"] = [*kept, made(name, seed, train, test)]
            write(file, content)
            print(name, seed, content["cells"][-1]["scores"], flush=True)
        if "real" not in content:
            content["real"] = real(train, test)
            write(file, content)
    print(write_page())
