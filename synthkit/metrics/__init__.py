"""How good, how risky: frames go in, scores with intervals come out. Never imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthkit.metrics.result import Comparison, Evaluation, Failure, MetricError, Score
    from synthkit.metrics.runner import METRICS, evaluate, metrics_of

__all__ = ["METRICS", "Comparison", "Evaluation", "Failure", "MetricError", "Score", "evaluate", "metrics_of"]

_HOMES = {"METRICS": "runner", "evaluate": "runner", "metrics_of": "runner"}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that the report can read results without numpy."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(f"synthkit.metrics.{_HOMES.get(name, 'result')}"), name)
