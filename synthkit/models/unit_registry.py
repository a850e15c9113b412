"""The models of linked tables, by name."""

from __future__ import annotations

from synthkit.models.timeline.model import Timeline
from synthkit.models.unit_base import UnitModel
from synthkit.models.unit_independent import UnitIndependent
from synthkit.models.unit_marginal.model import UnitMarginal

UNIT_MODELS: dict[str, type[UnitModel]] = {
    "independent": UnitIndependent,
    "marginal": UnitMarginal,
    "timeline": Timeline,
}


def unit_models() -> dict[str, type[UnitModel]]:
    """All models of linked tables by name.

    Example:
        >>> sorted(unit_models())
        ['independent', 'marginal', 'timeline']
    """
    return dict(UNIT_MODELS)
