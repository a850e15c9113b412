"""docs/privacy.md names tests that exist and every key of a statement; its known figures are those of the code."""

from __future__ import annotations

import re

import pytest
from places import ROOT

from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.accounting.tradeoff import Tradeoff
from synthkit.privacy.statement import Statement

TESTS = ROOT / "tests"
PAGE = (TESTS.parent / "docs" / "privacy.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> list[str]:
    """First cells of the table whose first heading is this."""
    body = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, flags=re.MULTILINE)[1]
    return [line.split(" | ")[0].strip("| ") for line in body.splitlines()]


def test_every_test_that_is_named_exists():
    code = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 30
    assert named <= set(re.findall(r"^def (test_\w+)", code, flags=re.MULTILINE))


def test_every_failure_has_a_test():
    rows = re.search(r"^\| failure \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, flags=re.MULTILINE)[1].splitlines()
    assert all("`test_" in row.split(" | ")[1] for row in rows)


def test_every_key_of_a_statement_is_explained_and_no_other():
    data = Statement(archive=LedgerFile(budget=None, unit=None), table="icu", model="tvae").to_dict()
    explained = [name for cell in first_cells("key") for name in re.findall(r"`([\w.]+)`", cell)]
    assert {name for name in explained if name in data} | {"format"} == set(data)
    for name in set(explained) - set(data):
        section, _, key = name.rpartition(".")
        assert key in data[section or "privacy_loss"], name


@pytest.mark.parametrize(("epsilon", "share"), [(1.0, "2.7 %"), (3.0, "20 %")])
def test_figures_of_an_attacker_are_those_of_the_code(epsilon, share):
    found = Tradeoff(epsilons=(epsilon,), deltas=(0.0,)).found(0.01)
    assert f"{100 * found:.2g} %" == share
    assert share in PAGE
