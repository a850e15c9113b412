"""How good, how risky: frames go in, scores with intervals come out. Never imports torch."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthkit.evaluate.result import Comparison, Evaluation, Failure, MetricError, Score
    from synthkit.evaluate.run import METRICS, evaluate, metrics_of

__all__ = ["METRICS", "Comparison", "Evaluation", "Failure", "MetricError", "Score", "evaluate", "metrics_of"]

_HOMES = {"METRICS": "run", "evaluate": "run", "metrics_of": "run"}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that the report can read results without numpy."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(f"synthkit.evaluate.{_HOMES.get(name, 'result')}"), name)


class _Room(ModuleType):
    """Importing this package puts it in the place of the function `synthkit.evaluate`: so it can be called like it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See `synthkit.evaluate.run.evaluate`."""
        return __getattr__("evaluate")(*args, **kwargs)


sys.modules[__name__].__class__ = _Room
