"""What was measured of cohorts, in the mean over seeds, and as the evidence that `auto` chooses by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.json_files import read
from benchmarks.places import CELLS, SCORES
from benchmarks.risk.cohort_cells import CONTESTANTS, TABLES
from benchmarks.tables.real_tables import schema
from synthkit.models.auto import safest
from synthkit.models.auto_evidence import AutoEvidence

FIGURES = {  # of a cell: how the evidence calls what is measured
    "likeness": lambda cell: cell["similarity"] - cell["floor"],
    "told_apart": lambda cell: cell["c2st"],
    "membership": lambda cell: cell["auc"],
    "loss": lambda cell: cell["loss"],
    "seconds": lambda cell: cell["fit_cpu"],
}
CANDIDATES = {  # contestants that `auto` may choose, and how their size is told
    "autoregressive": "",
    "half width": "at half its usual width",
    "firm": "at half its width with a firm hand",
    "firmest": "at half its width with the firmest hand",
    "diffusion": "",
}
PRIVATE_TABLES = ("adult", "support2", "diabetes130_dp46")
PRIVATE_MODELS, PRIVATE_EPSILON = ("marginal", "autoregressive", "tvae"), 3.0
Means = Mapping[tuple[str, int], Mapping[str, Mapping[str, float]]]


def means(cells: Sequence[Mapping[str, Any]]) -> Means:
    """Figures by table and people fitted, then by contestant, in the mean over seeds; with the number of seeds.

    Of the loss, fits without one are left out; where no fit has one, there is none.
    """
    out: dict[tuple[str, int], dict[str, dict[str, float]]] = {}
    names = [contestant.name for contestant in CONTESTANTS]
    for table in TABLES:
        for n in sorted({cell["n"] for cell in cells if cell["table"] == table}):
            here = [cell for cell in cells if (cell["table"], cell["n"]) == (table, n)]
            for name in names:
                mine = [cell for cell in here if cell["who"] == name]
                if mine:
                    out.setdefault((table, n), {})[name] = {**_mean(mine), "seeds": len(mine)}
    return out


def _mean(mine: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    told = {}
    for key, figure in FIGURES.items():
        values = [value for value in map(figure, mine) if value is not None]
        if values:
            told[key] = sum(values) / len(values)
    return told


def numeric_share(table: str) -> float:
    """Of numbers and dates among the learned columns of a table."""
    meaning = schema(table)
    kinds = [meaning.columns[name].kind for name in meaning.learned]
    return sum(kind in ("numeric", "datetime") for kind in kinds) / len(kinds)


def private_fits() -> list[dict[str, Any]]:
    """Fits at epsilon 3 that are recorded: fidelity against the holdout and CPU seconds, seed 0."""
    found = []
    for table in PRIVATE_TABLES:
        for model in PRIVATE_MODELS:
            key = f"{table}/{model}@{PRIVATE_EPSILON:g}-s0-1t.json"
            if not (SCORES / key).exists():
                continue
            score = read(SCORES / key)
            scores = score["scores"]
            told = {"table": table, "numeric": round(numeric_share(table), 3), "rows": score["rows"]}
            told |= {"epsilon": PRIVATE_EPSILON, "model": model, "likeness": round(scores["fidelity.tv3"]["value"], 4)}
            loss = max(each["value"] for name, each in scores.items() if name.endswith(".gap"))
            told |= {"told_apart": round(scores["fidelity.c2st"]["value"], 4), "loss": round(loss, 4)}
            found.append(told | {"seconds": round(read(CELLS / key)["fit"]["cpu"], 1)})
    return found


def evidence(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `auto` knows, as plain data: candidates, what they gave in each cohort, and fits under a budget."""
    by_name = {contestant.name: contestant for contestant in CONTESTANTS}
    cohorts = []
    for (table, n), found in means(cells).items():
        figures = {
            name: {key: round(found[name][key], 4) for key in FIGURES}
            for name in CANDIDATES
            if "loss" in found.get(name, ())
        }
        if "autoregressive" in figures:
            told = {"table": table, "numeric": round(numeric_share(table), 3), "rows": n, "figures": figures}
            cohorts.append(told)
    return {
        "candidates": {
            name: {"model": by_name[name].model, "settings": dict(by_name[name].settings), "words": words}
            for name, words in CANDIDATES.items()
        },
        "cohorts": cohorts,
        "private": private_fits(),
    }


def picked(known: AutoEvidence, table: str, n: int) -> str:
    """The contestant that `auto` takes for so many people of a table."""
    return safest(known.expected(n, numeric_share(table)))
