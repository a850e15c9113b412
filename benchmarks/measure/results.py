"""Cells with their scores, read back: one Result a fit, and the figures that are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import json_files
from benchmarks.places import MEASURED

QUIET = 0.1  # share of the machine's CPU that others may use while the clock on the wall still counts


@dataclass(frozen=True, kw_only=True)
class Result:
    """One fit.

    Args:
        cell: what was done and what it took.
        score: scores of its sample; none if it was not scored.
    """

    cell: Mapping[str, Any]
    score: Mapping[str, Any] | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Who and which table."""
        return str(self.cell["who"]), str(self.cell["table"])

    @property
    def machine(self) -> tuple[tuple[str, Any], ...]:
        """What must be equal for times to be compared."""
        return (*sorted(self.cell["machine"].items()), ("threads", self.cell["threads"]))

    def is_quiet(self, phase: str) -> bool:
        """Whether the machine had little else to do."""
        return bool(self.cell[phase]["others"] < QUIET)

    def value(self, metric: str) -> float | None:
        """A score by its name; None if it was not measured."""
        found = (self.score or {"scores": {}})["scores"].get(metric)
        return None if found is None else float(found["value"])


def today(who: str) -> str:
    """Name of somebody, or of a file, as it is today: kept results say what the flag of raked draws was called.

    Example:
        >>> today("tvae+calibrate"), today("tvae+calibrate-s0-1t.json"), today("tvae")
        ('tvae+rake', 'tvae+rake-s0-1t.json', 'tvae')
    """
    return who.replace("+calibrate", "+rake")


def read(folder: Path) -> dict[str, Any]:
    """JSON files of a folder of folders by their place in it; today's name of a thing comes last and stays."""
    return {
        today(path.relative_to(folder).as_posix()): json_files.read(path) for path in sorted(folder.glob("*/*.json"))
    }


def load(folder: Path = MEASURED) -> list[Result]:
    """All cells with the scores of their own samples; scores of an earlier sample are left out."""
    cells, scores = read(folder / "cells"), read(folder / "scores")
    return [
        Result(
            cell={**cell, "who": today(cell["who"])},
            score=scores[place] if place in scores and scores[place]["of"] == cell.get("synthetic") else None,
        )
        for place, cell in cells.items()
    ]


def versions(results: Sequence[Result]) -> str:
    """Versions that were measured, of the package and of its code, so that nobody takes them for today's."""
    return ", ".join(sorted({str(r.cell["version"]) for r in results}))


def has_budget(result: Result) -> bool:
    """Whether it was made under a privacy budget, which its name tells."""
    return "@" in result.key[0]


def one_less(metric: str) -> Callable[[Result], float | None]:
    """Error of a similarity."""

    def figure(result: Result) -> float | None:
        value = result.value(metric)
        return None if value is None else 1 - value

    return figure


def excess(result: Result) -> float | None:
    """C2ST above the ideal, never below a thousandth, so that a ratio means something."""
    value = result.value("fidelity.c2st")
    return None if value is None else max(value - 0.5, 0.001)


def gaps(result: Result) -> list[float]:
    """TRTR minus TSTR of every target."""
    scores = (result.score or {"scores": {}})["scores"]
    return [float(s["value"]) for name, s in scores.items() if name.endswith(".gap")]


def gap(result: Result) -> float | None:
    """The largest gap over the targets."""
    return max(gaps(result), default=None)


def tstr(result: Result) -> float | None:
    """TSTR, mean over the targets."""
    scores = (result.score or {"scores": {}})["scores"]
    found = [float(s["value"]) for name, s in scores.items() if name.endswith(".tstr")]
    return sum(found) / len(found) if found else None


def logistic(result: Result) -> float | None:
    """TSTR of logistic regression, mean over the targets."""
    scores = (result.score or {}).get("logistic", {})
    found = [float(value) for name, value in scores.items() if name.endswith(".tstr")]
    return sum(found) / len(found) if found else None


def inner(part: str, key: str) -> Callable[[Result], float | None]:
    """A figure of SDMetrics, or of the attack."""

    def figure(result: Result) -> float | None:
        found = (result.score or {}).get(part, {}).get(key)
        return None if found is None else float(found)

    return figure


def score(metric: str) -> Callable[[Result], float | None]:
    """A score as it is."""
    return lambda result: result.value(metric)


FIGURES: Mapping[str, Callable[[Result], float | None]] = {
    "C2ST": score("fidelity.c2st"),
    "C2ST, LightGBM": score("fidelity.c2st_lightgbm"),
    "C2ST, numbers only": inner("numbers", "c2st"),
    "e": excess,
    "t2": one_less("fidelity.tv2_train"),
    "t2 to holdout": one_less("fidelity.tv2"),
    "t3": one_less("fidelity.tv3_train"),
    "two-way": score("fidelity.tv2_train"),
    "three-way": score("fidelity.tv3_train"),
    "two-way, holdout": score("fidelity.tv2"),
    "three-way, holdout": score("fidelity.tv3"),
    "G2": score("membership.generalisation_gap_tv2"),
    "G3": score("membership.generalisation_gap_tv3"),
    "one column": score("fidelity.c2st_one_column"),
    "pair gain": score("fidelity.two_column_gain"),
    "g": gap,
    "loss of R2, charges": score("utility.charges.gap"),
    "TSTR": tstr,
    "TSTR, logistic": logistic,
    "shape error": one_less("fidelity.shape_train"),
    "trend error": one_less("fidelity.trend_train"),
    "quality, SDMetrics": inner("sdmetrics", "quality"),
    "shape error, SDMetrics": lambda r: None if r.score is None else 1 - float(r.score["sdmetrics"]["shape"]),
    "trend error, SDMetrics": lambda r: None if r.score is None else 1 - float(r.score["sdmetrics"]["trend"]),
    "XGBoost score, SDMetrics": inner("sdmetrics", "xgboost_detection"),
    "DCR share": score("copying.dcr_share"),
    "attack AUC": inner("attack", "auc"),
    "rows breaking a rule": score("fidelity.rule_violations"),
    "peak memory, MiB": lambda r: float(r.cell["first_sample"]["peak_mib"]) if r.cell["finished"] else None,
}


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest over seeds."""

    middle: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Spread | None:
        """None if there is no value.

        Example:
            >>> Spread.of([3.0, 1.0, None, 2.0])
            Spread(middle=2.0, least=1.0, most=3.0, count=3)
        """
        known = [v for v in values if v is not None]
        return cls(median(known), min(known), max(known), len(known)) if known else None


def figure(results: Sequence[Result], name: str) -> Spread | None:
    """A figure over the seeds; scores do not depend on machine or threads, but the fewest threads have all seeds."""
    by_seed: dict[int, float] = {}
    for result in sorted(results, key=lambda r: -int(r.cell["threads"])):
        value = FIGURES[name](result)
        if value is not None:
            by_seed[int(result.cell["seed"])] = value
    return Spread.of(by_seed.values())


def took(results: Sequence[Result], phase: str, *, clock: str) -> Spread | None:
    """Seconds of a fit, or seconds a row of a sample, over the seeds.

    Args:
        results: of one machine and number of threads.
        phase: fit or sample.
        clock: wall or cpu.
    """
    cells = [r.cell[phase] for r in results if r.cell["finished"]]
    return Spread.of(c[clock] / (c["rows"] if phase == "sample" else 1) for c in cells)
