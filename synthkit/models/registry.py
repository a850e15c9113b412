"""The generative models, by name."""

from synthkit.models.autoregressive.model import Autoregressive
from synthkit.models.base import RowModel
from synthkit.models.ctgan.model import CTGAN
from synthkit.models.diffusion.model import Diffusion
from synthkit.models.independent import Independent
from synthkit.models.marginal.model import Marginal
from synthkit.models.tvae.model import TVAE

MODELS: dict[str, type[RowModel]] = {
    "autoregressive": Autoregressive,
    "ctgan": CTGAN,
    "diffusion": Diffusion,
    "independent": Independent,
    "marginal": Marginal,
    "tvae": TVAE,
}
