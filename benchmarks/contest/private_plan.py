"""Who is measured under which privacy budget on which table, in which order; delta is 1e-5 for everybody.

AIM and MST of smartnoise take codes: they get our private bins and decoder for nothing, and their whole epsilon for
tables. Those of dpmm, and its PrivBayes, buy their bins themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.contest.ours import BY_ROW, PROGRAM
from benchmarks.measure.cells import Cell, Contestant
from benchmarks.measure.sources import PRIVATE, version_of
from synthkit.models.registry import MODELS

DELTA = 1e-5
EPSILONS = (0.5, 1.0, 3.0, 10.0)
TABLES = ("adult", "diabetes130_dp46")
SMARTNOISE = Contestant(
    name="smartnoise",
    program=("-m", "benchmarks.peers.smartnoise"),
    environment="smartnoise",
    version="smartnoise-synth 1.0.8",
    coded=True,
)
MOSTLYAI = Contestant(
    name="mostlyai",
    program=("-m", "benchmarks.peers.mostlyai"),
    environment="mostlyai",
    version="mostlyai-engine 2.7.3",
)
DPMM = Contestant(
    name="dpmm", program=("-m", "benchmarks.peers.dpmm_graphical"), environment="dpmm", version="dpmm 0.1.9"
)
REDUCED = {"rounds": 32, "max_model_size": 4}  # an AIM that ends within minutes
GRADIENTS = ("autoregressive", "ctgan", "tvae", "diffusion")
LARGE = ("autoregressive", "tvae")  # those of them that a table of 100,000 rows is measured with, once
# who, table, epsilon; the longest stand last
PEER_CELLS: Sequence[tuple[str, str, float]] = (
    *(("mst", "adult", epsilon) for epsilon in (1.0, 3.0)),
    ("aim-reduced", "adult", 1.0),
    *(("mostlyai", "adult", epsilon) for epsilon in (1.0, 3.0)),
    ("aim-reduced", "adult", 3.0),
    ("mst", "diabetes130_dp46", 1.0),
    ("aim", "adult", 1.0),
    *((f"dpmm-{who}", "adult", epsilon) for who in ("mst", "privbayes", "aim") for epsilon in (1.0, 3.0)),
)


def contestant(who: str, epsilon: float) -> Contestant:
    """Somebody with a budget; its name tells which."""
    settings: dict[str, Any] = {"epsilon": epsilon, "delta": DELTA}
    if who == "mostlyai":
        return replace(MOSTLYAI, name=f"{who}@{epsilon:g}", settings=settings)
    if who.startswith("dpmm-"):
        return replace(DPMM, name=f"peer-{who}@{epsilon:g}", settings=settings)
    if who in {"aim", "aim-reduced", "mst"}:
        settings |= REDUCED if who == "aim-reduced" else {}
        return replace(SMARTNOISE, name=f"peer-{who}@{epsilon:g}", settings=settings)
    if who.endswith(BY_ROW):
        settings["unit"] = None
    version = version_of(MODELS[who.removesuffix(BY_ROW)].__module__, PRIVATE)
    name = f"{who}@{epsilon:g}"
    return Contestant(name=name, program=PROGRAM, version=version, settings=settings)


def peers(seeds: Sequence[int]) -> Iterator[Cell]:
    """Cells of the peers, seed by seed; AIM at its defaults once, for the two hours it may take."""
    for seed in seeds:
        for who, table, epsilon in PEER_CELLS:
            if who != "aim" or seed == seeds[0]:
                yield Cell(who=contestant(who, epsilon), table=table, seed=seed)


def ours(seeds: Sequence[int]) -> Iterator[Cell]:
    """Our cells, seed by seed: `marginal` on all tables, the models of noisy gradients on Adult; these once elsewhere.

    Of support2 the attackers' gains are wanted too (`python -m benchmarks risks`): it is too small for a small budget.
    Of the large table `auto` learns which model to take (`synthkit.models.auto`).
    """
    for seed in seeds:
        for table in TABLES:
            for epsilon in EPSILONS:
                yield Cell(who=contestant("marginal", epsilon), table=table, seed=seed)
        for who in ("marginal", f"marginal{BY_ROW}"):  # of a person all rows, or each by itself
            yield Cell(who=contestant(who, 3.0), table="diabetes130", seed=seed)
        for who in GRADIENTS:
            for epsilon in (1.0, 3.0):
                yield Cell(who=contestant(who, epsilon), table="adult", seed=seed)
        for epsilon in (1.0, 3.0):
            yield Cell(who=contestant("marginal", epsilon), table="support2", seed=seed)
    once = (("support2", GRADIENTS), ("diabetes130_dp46", LARGE))
    yield from (Cell(who=contestant(who, 3.0), table=table, seed=seeds[0]) for table, those in once for who in those)
