"""The generative models, by name."""

from synthkit.models.autoregressive import Autoregressive
from synthkit.models.base import HasGiven, HasLogProb, RowModel, TrainingLog
from synthkit.models.independent import Independent

MODELS: dict[str, type[RowModel]] = {"autoregressive": Autoregressive, "independent": Independent}

__all__ = ["MODELS", "Autoregressive", "HasGiven", "HasLogProb", "Independent", "RowModel", "TrainingLog"]
