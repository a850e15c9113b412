"""Who is measured on which table, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.contest.ours import PROGRAM, RAKE
from benchmarks.measure.cells import Cell, Contestant
from benchmarks.measure.sources import RAKED, version_of
from synthkit.models.registry import MODELS

PEERS: Mapping[str, Contestant] = {
    name: Contestant(name=name, program=("-m", f"benchmarks.peers.{module}"), environment=environment, version=version)
    for name, module, environment, version in (
        ("mostlyai", "mostlyai", "mostlyai", "mostlyai-engine 2.7.3"),
        ("peer-ctgan", "ctgan", "sdv", "ctgan 0.12.1"),
        ("peer-tvae", "ctgan", "sdv", "ctgan 0.12.1"),
        ("peer-copula", "copula", "sdv", "sdv 2.0.0"),
        ("peer-arf", "arf", "arfpy", "arfpy 0.1.1"),
        ("peer-nrgboost", "nrg", "nrgboost", "nrgboost 0.0.3"),
        ("peer-forest-diffusion", "forest_diffusion", "forestdiffusion", "ForestDiffusion 1.0.6"),
        ("peer-seqtrees", "seq_trees", "seqtrees", "seqtrees 0.3.0"),
    )
}
# the longest stand last, so that a night that ends early has most of the table
PEER_CELLS: Sequence[tuple[str, str]] = (
    ("mostlyai", "adult"),
    ("mostlyai", "default_credit"),
    ("mostlyai", "support2"),
    ("mostlyai", "diabetes130"),
    ("peer-tvae", "adult"),
    ("peer-ctgan", "support2"),
    ("peer-tvae", "support2"),
    ("peer-ctgan", "adult"),
    ("peer-copula", "adult"),
    ("peer-copula", "support2"),
    ("peer-seqtrees", "breast_cancer"),
    ("peer-seqtrees", "support2"),
    ("peer-seqtrees", "adult"),
    ("peer-arf", "breast_cancer"),
    ("peer-arf", "support2"),
    ("peer-arf", "adult"),
    ("peer-forest-diffusion", "breast_cancer"),
    ("peer-nrgboost", "breast_cancer"),
    ("peer-nrgboost", "adult"),
    ("peer-nrgboost", "support2"),
    ("peer-forest-diffusion", "adult"),
    ("peer-forest-diffusion", "support2"),
)
ONCE = ("peer-copula",)  # a closed form that always draws the same rows: further seeds say nothing
PLAIN: Sequence[tuple[str, str]] = (
    ("autoregressive", "adult"),
    ("autoregressive", "default_credit"),
    ("autoregressive", "support2"),
    ("autoregressive", "diabetes130"),
    ("autoregressive", "breast_cancer"),
    ("ctgan", "adult"),
    ("ctgan", "support2"),
    ("tvae", "adult"),
    ("tvae", "support2"),
    ("diffusion", "adult"),
    ("diffusion", "default_credit"),
    ("diffusion", "breast_cancer"),
    ("diffusion", "support2"),
)


def contestant(name: str) -> Contestant:
    """One of ours, with the code its fit and sample run through."""
    model = MODELS[name.removesuffix(RAKE)].__module__
    more = [RAKED] if name.endswith(RAKE) else []
    return Contestant(name=name, program=PROGRAM, version=version_of(model, *more))


def peers(seeds: Sequence[int], threads: int) -> Iterator[Cell]:
    """Cells of the peers, seed by seed."""
    for seed in seeds:
        for name, table in PEER_CELLS:
            if seed == seeds[0] or name not in ONCE:
                yield Cell(who=PEERS[name], table=table, seed=seed, threads=threads)


def ours(seeds: Sequence[int], threads: int) -> Iterator[Cell]:
    """Our cells, seed by seed; a raked sample comes after its plain fit."""
    for seed in seeds:
        for name, table in PLAIN:
            for suffix in ("", RAKE):
                yield Cell(who=contestant(name + suffix), table=table, seed=seed, threads=threads)
