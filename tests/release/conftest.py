"""A run that bundles and gates have in common."""

from __future__ import annotations

import pytest
from narrow_table import narrow_schema, narrow_table

from synthkit import RunConfig, synthesize


@pytest.fixture(scope="session")
def patients_run():
    """A run without a budget on 700 patients of SUPPORT2, with its evaluation and page; to be saved, not changed."""
    asked = RunConfig(model="independent", quick=True)
    return synthesize(narrow_table(700), narrow_schema(), seed=1, config=asked)
