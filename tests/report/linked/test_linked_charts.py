"""Charts of linked tables: what stands where, that nothing of the data is markup, and what cannot be drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from synthkit.report.charts.event_lines import graph_data, table_graph, timelines
from synthkit.report.charts.linked_curves import LINKED_CHARTS
from synthkit.report.html import draw
from synthkit.report.records import figure

PANEL = {
    "clock": "days",
    "tables": ["visits", "<labs> & more"],
    "not drawn": [],
    "units": [
        {"events": [[0.0, 0], [100.0, 1], [200.0, 0]], "rows": 3, "end": 400.0},
        {"events": [], "rows": 0, "end": None},
        {"events": [[0.0, 1]], "rows": 500, "end": None},
    ],
}


def marks(svg: str, unit: int) -> list[float]:
    """Horizontal places of the marks of a unit, in their order."""
    found = re.search(rf'<g data-test-unit="{unit}">(.*?)</g>', svg, flags=re.DOTALL)
    return [float(x) for x in re.findall(r'd="M([\d.]+) ', found[1])]


def test_marks_stand_where_their_time_says():
    svg = timelines(PANEL)
    ElementTree.fromstring(svg)
    at = marks(svg, 1)
    assert len(at) == 3
    assert at[2] - at[1] == pytest.approx(at[1] - at[0], abs=0.2)
    assert marks(svg, 2) == []
    bar = re.search(r'x1="([\d.]+)" x2="\1" y1="[\d.]+" y2="[\d.]+" stroke="#1c2430"', svg)
    assert float(bar[1]) - at[0] == pytest.approx(2 * (at[2] - at[0]), abs=0.3)
    assert "the first 1 drawn" in svg
    assert "Days since the first event" in svg
    assert "&lt;labs&gt; &amp; more" in svg


def test_long_histories_are_in_years():
    panel = {**PANEL, "units": [{"events": [[0.0, 0], [3652.5, 0]], "rows": 2, "end": None}]}
    svg = timelines(panel)
    assert "Years since the first event" in svg
    assert re.findall(r'text-anchor="middle"[^>]*>(\d+)<', svg) == ["0", "2", "4", "6", "8", "10"]


def test_more_tables_than_marks_share_the_last_one():
    many = [f"t{k}" for k in range(12)]
    events = [[float(k), k] for k in range(12) for _ in range(12 - k)]
    svg = timelines({**PANEL, "tables": many, "units": [{"events": events, "rows": len(events), "end": None}]})
    assert "other tables" in svg
    assert "t6" in svg
    assert "t7<" not in svg
    assert len(marks(svg, 1)) == len(events)


def test_the_timelines_of_an_evaluation(hospital_evaluation, hospital_sides):
    panel = hospital_evaluation.panels["timelines"]
    assert len(panel["units"]) == 20
    counts = sum(hospital_sides.synthetic.counts(n).sum() for n in ("visits", "labs", "events"))
    assert max(u["rows"] for u in panel["units"]) <= counts
    svg = timelines(panel)
    assert len(re.findall("data-test-unit", svg)) == 20
    assert sum(len(marks(svg, k)) for k in range(1, 21)) == sum(len(u["events"]) for u in panel["units"])


def test_the_graph_has_a_box_a_table_and_no_level(hospital_schema):
    data = graph_data(hospital_schema, {"labs": 1234, "visits": 20}, {"visits": 1907})
    svg = table_graph(data)
    assert svg.count("<rect") == len(hospital_schema.tables)
    assert "1,234 rows" in svg
    assert "20 synthetic, 1,907 real" in svg
    assert "geriatrics" not in str(data)
    drawn = str(draw(figure("table_graph", data, title="a & b", description="<i>")))
    assert drawn.count('role="img"') == 1
    assert "<i>" not in drawn


def test_what_is_no_graph_is_refused():
    with pytest.raises(ValueError, match="must be drawn from linked tables"):
        table_graph({"schema": {"tables": {}}, "rows": {}})


@pytest.mark.parametrize("name", ["fan_out", "gap_curve"])
def test_both_lines_are_drawn_and_told_apart_without_colour(name):
    panel = {"x": "x", "y": "y", "real": [[0, 0.2], [400, 0.8]], "synthetic": [[0, 0.4], [500, 0.6]]}
    svg = LINKED_CHARTS[name](panel)
    assert "held-out" in svg
    assert "stroke-dasharray" in svg


def test_ticks_are_fractions_of_days_where_gaps_are_short():
    panel = {"x": "x", "y": "y", "real": [[0, 0.2], [3, 0.8]], "synthetic": [[0, 0.4], [2, 0.6]]}
    assert ">0.5<" in LINKED_CHARTS["gap_curve"](panel)


def test_ticks_are_whole_numbers_and_stand_on_both_sides_of_nought():
    """Rows that begin before the one before them ended have gaps below nought."""
    panel = {"x": "x", "y": "y", "real": [[-400, 0.2], [3, 0.8]], "synthetic": [[0, 0.4], [20_000, 0.6]]}
    svg = LINKED_CHARTS["gap_curve"](panel)
    assert ">10,000<" in svg
    assert ">30<" in svg
    assert ">−365<" in svg or ">−90<" in svg  # those that stand too close are left out
    assert "e+" not in svg


def test_a_line_straight_up_stands_beside_the_axis_not_on_it():
    panel = {"x": "x", "y": "y", "real": [[3, 0.1], [3, 0.9]], "synthetic": [[0, 0.1], [0, 0.9]]}
    svg = LINKED_CHARTS["gap_curve"](panel)
    lines = sorted(float(x) for x in re.findall(r'<path d="M(-?[\d.]+),[^>]*stroke-width="2.2"', svg))
    assert len(lines) == 2
    assert lines[0] >= 5
    assert lines[-1] <= 295
    assert ">0.25<" not in svg
