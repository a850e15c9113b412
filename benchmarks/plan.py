"""Who is measured on which table, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cells import Cell, Contestant

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


def peers(seeds: Sequence[int], threads: int) -> Iterator[Cell]:
    """Cells of the peers, seed by seed."""
    for seed in seeds:
        for name, table in PEER_CELLS:
            yield Cell(who=PEERS[name], table=table, seed=seed, threads=threads)
