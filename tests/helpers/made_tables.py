"""The made tables of the benchmarks, for tests outside of them."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache

import pandas as pd
from places import ROOT

PATH = ROOT / "benchmarks" / "stand_ins.py"


@cache
def _script():
    spec = importlib.util.spec_from_file_location("made_stand_ins", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_stand_ins"] = module
    spec.loader.exec_module(module)
    return module


@cache
def made(name: str, seed: int = 7) -> pd.DataFrame:
    """One of the four made tables."""
    return _script().table(name, seed)


def schema(name: str):
    """Its schema, declared by hand."""
    return _script().schema(name)
