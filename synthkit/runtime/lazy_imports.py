"""Libraries that are imported when something of them is first used, so that what needs none of them answers at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """Stands for a module until it is needed.

    Args:
        name: of the module.

    Example:
        >>> Later("math").floor(2.5)
        2
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """What the module has by that name; kept, so that it is looked up once."""
        value = getattr(import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value
