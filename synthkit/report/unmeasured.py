"""Kinds of measurement that an evaluation left out: no score of theirs is there, and none failed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from synthkit.report.coin_toss import is_classifier_test
from synthkit.report.records import Fact

ATTACKS = {
    "membership": "Disclosure attacks: who was in the data",
    "attribute": "Disclosure attacks: secrets guessed",
    "identity": "Disclosure attacks: people found again",
}
NO_TARGET = "not run: the schema names no target, or a library is absent"


def left_out(metrics: Collection[str], *, linked: bool, quick: bool) -> list[Fact]:
    """What was not measured, and why as far as it is known.

    Args:
        metrics: every score and every measurement that failed, by name.
        linked: whether linked tables were measured.
        quick: whether the evaluation was quick.

    Example:
        >>> left_out(["membership.auc", "attribute.a", "identity.a", "utility.a.gap"], linked=False, quick=True)
        [('Copying diagnostics', 'not run')]
    """
    kinds = {metric.split(".")[0] for metric in metrics}
    found = [(title, "not run") for kind, title in ATTACKS.items() if kind not in kinds]
    found += [("Prediction", NO_TARGET)] * ("utility" not in kinds)
    found += [("Copying diagnostics", "not run")] * ("copying" not in kinds)
    return found + list(_of_linked(metrics, quick=quick)) * linked


def _of_linked(metrics: Collection[str], *, quick: bool) -> Iterator[Fact]:
    """What linked tables alone are measured by."""
    if not any(is_classifier_test(metric) for metric in metrics):
        yield "Classifiers that tell synthetic from real", "not run"
    if not any(metric.startswith("fidelity.sdmetrics") for metric in metrics):
        yield "SDMetrics' multi-table report", "a quick evaluation leaves it out" if quick else "not made"
