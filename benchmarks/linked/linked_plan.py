"""Who is measured on which linked tables, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.linked.linked_cells import PUBLISHED, PUBLISHED_BASEBALL, LinkedCell
from benchmarks.linked.linked_ours import LINKED_PROGRAM
from benchmarks.linked.linked_sources import SOURCES
from benchmarks.measure.cells import Contestant
from benchmarks.measure.sources import version_of
from synthkit.models.unit_registry import UNIT_MODELS

LINKED_SYNTHESIZER = "synthkit.synthesizer.linked_synthesizer"
SUBMISSIONS = ("sequ1",)  # of the prize, that are published: the winner's
ENGINE_LIMIT = {"max_training_time": 5.0}  # CPU minutes a table: more than ours takes for all of them
BUDGET_LIMIT = {"max_training_time": 3.0}  # the same under a budget, where epochs cost
BUDGET = {"epsilon": 3.0, "delta": 1e-5}  # of a person, in all tables
LINKED_PEERS: Mapping[str, Contestant] = {
    name: Contestant(
        name=name,
        program=("-m", f"benchmarks.peers.{module}"),
        environment=environment,
        version=version,
        settings=settings,
    )
    for name, module, environment, version, settings in (
        ("peer-mostlyai", "mostlyai_sequential", "mostlyai", "mostlyai-engine 2.7.3", ENGINE_LIMIT),
        ("peer-mostlyai@3", "mostlyai_sequential", "mostlyai", "mostlyai-engine 2.7.3", BUDGET_LIMIT | BUDGET),
        ("peer-hma", "hma", "sdv", "sdv 2.0.0", {}),
        ("peer-par", "par", "sdv", "sdv 2.0.0", {}),
    )
}
# the longest stand last; baseball has the published tables of four, and PAR takes one table of rows
LINKED_PEER_CELLS: Sequence[tuple[str, str]] = (
    ("peer-mostlyai", "made_hospital"),
    ("peer-mostlyai", "diabetes130"),
    ("peer-mostlyai", "prize_sequential"),
    ("peer-mostlyai@3", "diabetes130"),
    ("peer-mostlyai@3", "made_hospital"),
    ("peer-hma", "baseball"),
    ("peer-hma", "made_hospital"),
    ("peer-hma", "diabetes130"),
    ("peer-par", "diabetes130"),
    ("peer-par", "prize_sequential"),
)
OUR_MODELS = ("timeline", "independent")
BUDGETS: Mapping[str, Mapping[str, float]] = {"marginal@3": BUDGET, "timeline@3": BUDGET}
OUR_PRIVATE_TABLES = ("diabetes130", "made_hospital")


def of_published(name: str) -> Contestant:
    """Somebody who published tables; there is nothing to run."""
    return Contestant(name=PUBLISHED + name, program=(), version="as published")


def of_ours(name: str) -> Contestant:
    """One of ours, with the code its fit and draw run through; `marginal@3` and `timeline@3` have a budget."""
    module = UNIT_MODELS[name.partition("@")[0]].__module__
    version = version_of(module, LINKED_SYNTHESIZER)
    return Contestant(name=name, program=LINKED_PROGRAM, version=version, settings=BUDGETS.get(name, {}))


def linked_peers(seeds: Sequence[int], threads: int = 1, units: int | None = None) -> Iterator[LinkedCell]:
    """Cells of others: what was published, once; then what is fitted here, seed by seed."""
    for table, names in (("baseball", tuple(PUBLISHED_BASEBALL)), ("prize_sequential", SUBMISSIONS)):
        for name in names if seeds and units is None else ():
            yield LinkedCell(who=of_published(name), table=table, seed=seeds[0], threads=threads)
    for seed in seeds:
        for name, table in LINKED_PEER_CELLS:
            yield LinkedCell(who=LINKED_PEERS[name], table=table, seed=seed, threads=threads, rows=units)


def linked_ours(seeds: Sequence[int], threads: int = 1, units: int | None = None) -> Iterator[LinkedCell]:
    """Our cells, seed by seed."""
    for seed in seeds:
        for table in SOURCES:
            for name in OUR_MODELS:
                yield LinkedCell(who=of_ours(name), table=table, seed=seed, threads=threads, rows=units)
        for table in OUR_PRIVATE_TABLES:
            for name in BUDGETS:
                yield LinkedCell(who=of_ours(name), table=table, seed=seed, threads=threads, rows=units)
