"""Fixtures of the report: a made-up evaluation and the page made from it."""

from __future__ import annotations

import pytest
from made_up import LEDGER, RUN, VALIDATION, make_evaluation

from synthkit.evaluate.result import Evaluation
from synthkit.report import build


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    return make_evaluation()


@pytest.fixture(scope="session")
def full() -> dict:
    """Everything else a report may be given, but the schema."""
    return {"ledger": LEDGER, "validation": VALIDATION, "run": RUN}


@pytest.fixture(scope="session")
def html(evaluation, full) -> str:
    return build(evaluation, **full).html
