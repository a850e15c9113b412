"""The generative models, by name: those of synthkit, and those that installed distributions add."""

from __future__ import annotations

from synthkit.errors import ConfigError
from synthkit.models.autoregressive.model import Autoregressive
from synthkit.models.base import RowModel
from synthkit.models.ctgan.model import CTGAN
from synthkit.models.diffusion.model import Diffusion
from synthkit.models.independent import Independent
from synthkit.models.marginal.model import Marginal
from synthkit.models.tvae.model import TVAE
from synthkit.runtime.plugins import plugins

MODEL_PLUGINS = "synthkit.models"  # group of entry points

MODELS: dict[str, type[RowModel]] = {
    "autoregressive": Autoregressive,
    "ctgan": CTGAN,
    "diffusion": Diffusion,
    "independent": Independent,
    "marginal": Marginal,
    "tvae": TVAE,
}


def models() -> dict[str, type[RowModel]]:
    """All models by name; those of other distributions are looked up whenever this is asked.

    Raises:
        ConfigError: a name is taken, or what a distribution offers is no model.

    Example:
        >>> sorted(models())[:2]
        ['autoregressive', 'ctgan']
    """
    found = dict(MODELS)
    for name, kind in plugins(MODEL_PLUGINS, MODELS).items():
        if not (isinstance(kind, type) and issubclass(kind, RowModel)):
            msg = f"a model must be a subclass of RowModel; however: `{name}` is none. Repair it, or uninstall it"
            raise ConfigError(msg)
        found[name] = kind
    return found
