"""Fixtures of the report: a made-up evaluation and the page made from it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from synthkit.metrics.result import Evaluation
from synthkit.report import build

sys.path.append(str(Path(__file__).parent))  # the tests import `made_up` and `page_reader`, which stand beside them


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    """A made-up evaluation of 24 columns with every panel."""
    from made_up import RUN, make_evaluation, with_facts

    return with_facts(make_evaluation(), **RUN)


@pytest.fixture(scope="session")
def full() -> dict:
    """Everything else a report may be given, but the schema."""
    from made_up import LEDGER, VALIDATION

    return {"ledger": LEDGER, "validation": VALIDATION}


@pytest.fixture(scope="session")
def html(evaluation, full) -> str:
    """The page of all that."""
    return build(evaluation, **full).html
