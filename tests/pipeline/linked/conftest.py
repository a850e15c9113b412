"""One run of the small hospital, shared by many tests."""

from __future__ import annotations

import pytest
from small_hospital import SMALL, small_hospital

from synthkit.pipeline.linked.linked_results import LinkedRun
from synthkit.pipeline.linked.synthesize_linked import synthesize_linked
from synthkit.schema.linked import LinkedSchema


@pytest.fixture(scope="session")
def linked_run() -> LinkedRun:
    """Two draws of thirty units from the baseline, measured quickly."""
    schema = LinkedSchema.parse(SMALL)
    asked = {"model": "independent", "units": 30, "draws": 2, "quick": True, "seed": 1, "device": "cpu"}
    return synthesize_linked(small_hospital(), schema, **asked)
