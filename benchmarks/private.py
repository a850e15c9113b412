"""Ours and theirs under the same budgets, delta 1e-5: cells and their scores, as benchmarks/bench.py makes them.

AIM and MST take codes: they get our private bins and decoder for nothing, and their whole epsilon for tables. What is
there from the same machine, versions and settings is not made again. Run: python benchmarks/private.py
[--peers | --ours] [--only WHO ...] [--tables NAME ...] [--seeds 0 1 2] [--again] [--list]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import budgets
import scoring
from bench import line, scored
from cells import Cell, Contestant, run
from ours import BY_ROW
from sources import code_of

from synthkit._version import __version__
from synthkit.models.registry import MODELS

DELTA = 1e-5
EPSILONS = (0.5, 1.0, 3.0, 10.0)
TABLES = ("adult", "diabetes130_dp46")
SMARTNOISE = Contestant(
    name="smartnoise",
    script="peers/private.py",
    environment="smartnoise",
    version="smartnoise-synth 1.0.8",
    coded=True,
)
MOSTLYAI = Contestant(
    name="mostlyai", script="peers/mostlyai.py", environment="mostlyai", version="mostlyai-engine 2.7.3"
)
REDUCED = {"rounds": 32, "max_model_size": 4}  # an AIM that ends within minutes
GRADIENTS = ("autoregressive", "ctgan", "tvae", "diffusion")
# who, table, epsilon; the longest stand last
PEER_CELLS: Sequence[tuple[str, str, float]] = (
    *(("mst", "adult", epsilon) for epsilon in (1.0, 3.0)),
    ("aim-reduced", "adult", 1.0),
    *(("mostlyai", "adult", epsilon) for epsilon in (1.0, 3.0)),
    ("aim-reduced", "adult", 3.0),
    ("mst", "diabetes130_dp46", 1.0),
    ("aim", "adult", 1.0),
)


def contestant(who: str, epsilon: float) -> Contestant:
    """Somebody with a budget; its name tells which."""
    settings: dict[str, Any] = {"epsilon": epsilon, "delta": DELTA}
    if who == "mostlyai":
        return replace(MOSTLYAI, name=f"{who}@{epsilon:g}", settings=settings)
    if who in {"aim", "aim-reduced", "mst"}:
        settings |= REDUCED if who == "aim-reduced" else {}
        return replace(SMARTNOISE, name=f"peer-{who}@{epsilon:g}", settings=settings)
    if who.endswith(BY_ROW):
        settings["unit"] = None
    code = code_of(
        MODELS[who.removesuffix(BY_ROW)].__module__,
        "synthkit.synthesizer.private_fit",
        "synthkit.privacy.access.private_curator",
    )
    name = f"{who}@{epsilon:g}"
    return Contestant(name=name, script="ours.py", version=f"synthkit {__version__} {code}", settings=settings)


def peers(seeds: Sequence[int]) -> Iterator[Cell]:
    """Cells of the peers, seed by seed; AIM at its defaults once, for the two hours it may take."""
    for seed in seeds:
        for who, table, epsilon in PEER_CELLS:
            if who != "aim" or seed == seeds[0]:
                yield Cell(who=contestant(who, epsilon), table=table, seed=seed)


def ours(seeds: Sequence[int]) -> Iterator[Cell]:
    """Our cells, seed by seed: `marginal` on all tables, the models of noisy gradients on Adult; all on support2 once.

    Of support2 the attackers' gains are wanted (benchmarks/risks.py), on a table too small for a small budget.
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
        for who, epsilon in (("marginal", 1.0), *((who, 3.0) for who in ("marginal", *GRADIENTS))):
            if seed == seeds[0]:
                yield Cell(who=contestant(who, epsilon), table="support2", seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--peers", action="store_true", help="the peers' cells only")
    whose.add_argument("--ours", action="store_true", help="our cells only")
    parser.add_argument("--only", nargs="+", help="these contestants only, such as marginal@1")
    parser.add_argument("--tables", nargs="+", help="these tables only")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--again", action="store_true", help="make cells again that are there")
    parser.add_argument("--list", action="store_true", help="say which cells there are, and make none")
    asked = parser.parse_args()
    cells = [*([] if asked.ours else peers(asked.seeds)), *([] if asked.peers else ours(asked.seeds))]
    for cell in cells:
        if (asked.only and cell.who.name not in asked.only) or (asked.tables and cell.table not in asked.tables):
            continue
        if asked.list:
            print(f"{cell.table} {cell.key}{': made' if cell.done() else ''}")
            continue
        if asked.again or not cell.done():
            print(line(run(cell)), flush=True)
        if cell.synthetic.exists() and not scoring.done(cell):
            print(scored(scoring.score(cell)), flush=True)
    if not asked.list:
        budgets.main()


if __name__ == "__main__":
    main()
