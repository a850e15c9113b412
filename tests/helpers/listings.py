"""The listings of docs/extending, as modules."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from places import ROOT


def listing(name: str) -> ModuleType:
    """The module in the listing `name`."""
    module_name = f"listing_{name}"
    spec = importlib.util.spec_from_file_location(module_name, ROOT / "docs" / "extending" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module
