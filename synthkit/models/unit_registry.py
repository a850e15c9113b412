"""The models of linked tables, by name."""

from __future__ import annotations

from synthkit.models.timeline.model import Timeline
from synthkit.models.unit_base import UnitModel
from synthkit.models.unit_independent import UnitIndependent

UNIT_MODELS: dict[str, type[UnitModel]] = {"independent": UnitIndependent, "timeline": Timeline}


def unit_models() -> dict[str, type[UnitModel]]:
    """All models of linked tables by name.

    Example:
        >>> sorted(unit_models())
        ['independent', 'timeline']
    """
    return dict(UNIT_MODELS)
