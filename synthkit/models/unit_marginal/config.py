"""Settings of the marginal model of linked tables."""

from __future__ import annotations

from dataclasses import dataclass

from synthkit.models.marginal.config import MarginalConfig


@dataclass(frozen=True, kw_only=True)
class UnitMarginalConfig(MarginalConfig):
    """Settings of every mixture, that of units and those below them; see `MarginalConfig`.

    Args:
        components: of each mixture.
        outcomes: share of the budget that counts each slot with the same one of the row before, of the series and of
            the event before.
        root_share: share of what the coding of the tables leaves, that counts the units' own rows;
            that of their slots among all if not given.
    """

    components: int = 800
    singles: float = 0.2
    outcomes: float = 0.5
    shrinkage: bool = False
    root_share: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.root_share is not None and not 0 < self.root_share < 1:
            msg = f"settings must lie in their ranges; however: root_share {self.root_share:g} (above 0 and below 1)"
            raise ValueError(msg)
