"""Who is measured on which table, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cells import Cell, Contestant
from ours import CALIBRATED
from sources import code_of

from synthkit._version import __version__
from synthkit.models.registry import MODELS

PEERS: Mapping[str, Contestant] = {
    who.name: who
    for who in (
        Contestant(
            name="mostlyai", script="peers/mostlyai.py", environment="mostlyai", version="mostlyai-engine 2.7.3"
        ),
        Contestant(name="peer-ctgan", script="peers/ctgan.py", environment="sdv", version="ctgan 0.12.1"),
        Contestant(name="peer-tvae", script="peers/ctgan.py", environment="sdv", version="ctgan 0.12.1"),
        Contestant(name="peer-copula", script="peers/copula.py", environment="sdv", version="sdv 2.0.0"),
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
    model = MODELS[name.removesuffix(CALIBRATED)].__module__
    code = code_of(model, *(["synthkit.synthesizer.raking"] if name.endswith(CALIBRATED) else []))
    return Contestant(name=name, script="ours.py", version=f"synthkit {__version__} {code}")


def peers(seeds: Sequence[int], threads: int) -> Iterator[Cell]:
    """Cells of the peers, seed by seed."""
    for seed in seeds:
        for name, table in PEER_CELLS:
            if seed == seeds[0] or name not in ONCE:
                yield Cell(who=PEERS[name], table=table, seed=seed, threads=threads)


def ours(seeds: Sequence[int], threads: int) -> Iterator[Cell]:
    """Our cells, seed by seed; a calibrated sample comes after its plain fit."""
    for seed in seeds:
        for name, table in PLAIN:
            for suffix in ("", CALIBRATED):
                yield Cell(who=contestant(name + suffix), table=table, seed=seed, threads=threads)
