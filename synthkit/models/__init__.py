"""The generative models, by name."""

from synthkit.models.autoregressive import Autoregressive
from synthkit.models.base import HasGiven, HasLogProb, HasLogProbGiven, HasSurprise, RowModel, TrainingLog
from synthkit.models.ctgan import CTGAN
from synthkit.models.diffusion import Diffusion
from synthkit.models.independent import Independent
from synthkit.models.tvae import TVAE

MODELS: dict[str, type[RowModel]] = {
    "autoregressive": Autoregressive,
    "ctgan": CTGAN,
    "diffusion": Diffusion,
    "independent": Independent,
    "tvae": TVAE,
}

__all__ = [
    "CTGAN",
    "MODELS",
    "TVAE",
    "Autoregressive",
    "Diffusion",
    "HasGiven",
    "HasLogProb",
    "HasLogProbGiven",
    "HasSurprise",
    "Independent",
    "RowModel",
    "TrainingLog",
]
