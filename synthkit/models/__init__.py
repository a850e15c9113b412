"""The generative models, by name."""

from synthkit.models.autoregressive import Autoregressive
from synthkit.models.base import HasGiven, HasLogProb, HasSurprise, RowModel, TrainingLog
from synthkit.models.ctgan import CTGAN
from synthkit.models.independent import Independent
from synthkit.models.tvae import TVAE

MODELS: dict[str, type[RowModel]] = {
    "autoregressive": Autoregressive,
    "ctgan": CTGAN,
    "independent": Independent,
    "tvae": TVAE,
}

__all__ = [
    "CTGAN",
    "MODELS",
    "TVAE",
    "Autoregressive",
    "HasGiven",
    "HasLogProb",
    "HasSurprise",
    "Independent",
    "RowModel",
    "TrainingLog",
]
