"""The scores of linked tables that say most: shown after a run, and first where models are compared."""

from __future__ import annotations

from collections.abc import Iterable

LINKED_HEADLINES = (  # by the last part of their names
    *("integrity", "unit_c2st", "row_c2st", "fan_out_ks", "length_ks", "gap_ks", "transitions_tv", "lag_one"),
    *("alignment_ks", "gap", "nearer_units"),
)


def linked_headlines(metrics: Iterable[str]) -> list[str]:
    """Those among some metrics that say most, in this order, those of several tables by name.

    Example:
        >>> linked_headlines(["fidelity.gap_ks", "fidelity.labs.tv1", "fidelity.labs.row_c2st"])
        ['fidelity.labs.row_c2st', 'fidelity.gap_ks']
    """
    last = {metric: metric.rpartition(".")[2] for metric in metrics}
    chosen = [metric for metric in last if last[metric] in LINKED_HEADLINES]
    return sorted(chosen, key=lambda metric: (LINKED_HEADLINES.index(last[metric]), metric))
