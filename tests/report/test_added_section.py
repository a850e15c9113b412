"""What one more section costs, by doing it: the section of docs/extending, installed as a distribution."""

from __future__ import annotations

import ast
import importlib
import sys

import pytest
from installed import install
from page_reader import Page
from places import ROOT

from synthkit.report import build
from synthkit.report.section_registry import SECTIONS_GROUP, section_registry

LISTING = ROOT / "docs" / "extending" / "section.py"
TEMPLATE = ROOT / "docs" / "extending" / "section.html"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    templates = tmp_path / "weakest_report" / "templates" / "sections"
    templates.mkdir(parents=True)
    (templates / "weakest.html").write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    modules = {"weakest_report/__init__": LISTING.read_text(encoding="utf-8")}
    points = {SECTIONS_GROUP: {"weakest": "weakest_report:SECTION"}}
    install(tmp_path, "weakest-report", modules=modules, entry_points=points)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    section_registry.cache_clear()
    yield
    sys.modules.pop("weakest_report", None)
    section_registry.cache_clear()


def test_the_worked_section_shows_the_scores_farthest_from_real_rows(installed, evaluation):
    shown = Page(build(evaluation).html).all("data-test-score")
    metrics = [e.attributes["data-test-score"] for e in shown if e.section == "weakest"]
    distance = {
        s.metric: abs(s.value - s.reference) / max(abs(s.reference), 1e-9)
        for s in evaluation.scores
        if s.metric.startswith("fidelity.") and s.reference is not None
    }
    assert metrics == sorted(distance, key=lambda metric: -distance[metric])[:5]


def test_it_costs_one_file_and_a_template():
    """One function and one record: what is not mathematics is a page at most."""
    tree = ast.parse(LISTING.read_text(encoding="utf-8"))
    assert [type(node).__name__ for node in tree.body if not isinstance(node, ast.Expr | ast.ImportFrom)] == [
        "FunctionDef",
        "Assign",
    ]
    assert len(LISTING.read_text(encoding="utf-8").splitlines()) <= 25
    assert len(TEMPLATE.read_text(encoding="utf-8").splitlines()) <= 5
