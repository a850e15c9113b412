"""Typed dicts of what charts are drawn from, where it is no panel of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from synthkit.report.compared_models import ModelPoint

if TYPE_CHECKING:
    import altair as alt


NameSide = Literal["left", "right"]


class PrivacyCurve(TypedDict):
    """Pairs of epsilon and delta, the stated one last."""

    curve: Sequence[tuple[float, float]]


class ContendersData(TypedDict):
    """Models by one score, and what real rows score."""

    points: Sequence[ModelPoint]
    real: float | None


class PlacedPoint(ModelPoint):
    """A model, and the side on which its name stands."""

    align: NameSide


class TradeoffData(TypedDict):
    """Models by time and one score."""

    points: Sequence[PlacedPoint]


class MakerEncoding(TypedDict):
    """Colour and shape by who made a model."""

    color: alt.Color
    shape: alt.Shape


_BothEpsilons = TypedDict("_BothEpsilons", {"promised at most": float, "shown at least": float})  # keys with spaces


class EpsilonsData(_BothEpsilons):
    """The epsilon of the privacy terms, and what attacks prove lost."""
