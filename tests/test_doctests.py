"""The Examples of docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest
from places import ROOT

PACKAGE = ROOT / "synthkit"
SLOW = {"synthkit.pipeline.synthesize"}  # its example is a whole run


def modules() -> list:
    """Modules that hold an example."""
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(PACKAGE.rglob("*.py"))
        if ">>>" in path.read_text(encoding="utf-8")
    ]
    return [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in names]


@pytest.mark.parametrize("name", modules())
def test_examples_of(name):
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0
