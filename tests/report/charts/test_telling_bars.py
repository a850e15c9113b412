"""Bars of what gives rows away: readable, in order, with the real rows beside."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from synthkit.report.charts.telling_bars import SHOWN_BARS, TELLING_CHARTS
from synthkit.report.charts.vega import REAL_COLOUR, SYNTHETIC_COLOUR

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [(t.text or "", t) for t in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("chart", TELLING_CHARTS)
def test_labels_are_readable(evaluation, chart):
    found = texts(TELLING_CHARTS[chart](evaluation.panels[chart]))
    assert all(float(t.get("font-size")[:-2]) >= 12 for _, t in found)
    assert all("DejaVu Sans" in t.get("font-family") for _, t in found)


@pytest.mark.parametrize("chart", TELLING_CHARTS)
def test_the_most_telling_stand_first_and_real_rows_beside(evaluation, chart):
    """A bar and two marks a line: a square of synthetic rows, a circle of training rows, and one of each in the key."""
    panel = evaluation.panels[chart]
    shown = (panel.get("pairs") or panel["columns"])[:SHOWN_BARS]
    names = [" × ".join(each["columns"]) if "columns" in each else each["column"] for each in shown]
    svg = TELLING_CHARTS[chart](panel)
    placed = {
        text: float(re.search(r"translate\(-?[\d.]+, ?(-?[\d.]+)\)", t.get("transform"))[1]) for text, t in texts(svg)
    }
    heights = [placed[name] for name in names]
    assert heights == sorted(heights)
    fills = [p.get("fill") for p in ET.fromstring(svg).iter(f"{SVG}path")]
    assert fills.count(REAL_COLOUR) == len(shown) + 1
    assert fills.count(SYNTHETIC_COLOUR) == 2 * len(shown) + 1


def test_one_pair_is_a_chart_too():
    pair = {"auc": 0.9, "single": 0.5, "gain": 0.4, "low": 0.3, "high": 0.5, "reference": 0.01}
    svg = TELLING_CHARTS["telling_pairs"]({"pairs": [{"columns": ["adls", "adlsc"], **pair}], "of": 1})
    assert "adls × adlsc" in svg
