"""Charts show what they are given: marks are counted, and places are held against the numbers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from made_up import make_evaluation

from synthkit.report.charts import vega
from synthkit.report.charts.column_bars import AXIS_WIDTH, CHART_WIDTH, MAX_SHOWN_LEVELS, PLOT_HEIGHT, distribution

SVG = "{http://www.w3.org/2000/svg}"


def rects(svg, fill):
    return [p for p in ET.fromstring(svg).iter(f"{SVG}path") if p.get("fill") == fill]


def test_embed_adds_a_title_a_description_and_ids_of_its_own():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10" viewBox="0 0 20 10"><defs>'
        '<linearGradient id="gradient_0"/></defs><rect fill="url(#gradient_0)"/></svg>'
    )
    one, two = (vega.embed(svg, "A < B", 'it\'s "so"', key) for key in ("c1", "c2"))
    assert 'role="img"' in one
    assert 'aria-labelledby="c1-t c1-d"' in one
    assert '<title id="c1-t">A &lt; B</title>' in one
    assert "url(#c1-gradient_0)" in one
    assert 'id="c2-gradient_0"' in two
    assert not set(re.findall(r' id="([^"]+)"', one)) & set(re.findall(r' id="([^"]+)"', two))
    assert ' width="20"' not in one
    assert 'viewBox="0 0 20 10"' in one


def test_embed_refuses_a_chart_without_a_size():
    with pytest.raises(ValueError, match="width and height"):
        vega.embed("<svg></svg>", "t", "d", "k")


@pytest.mark.parametrize(
    "chart", ["pair_errors", "correlations", "missingness", "roc", "giveaways", "sample_size", "training"]
)
def test_every_chart_is_well_formed_with_readable_labels(evaluation, chart):
    """Labels of at least 12 pixels, in the fonts of the page, and no word for a screen reader beside the title."""
    panel = {"pair_errors": "pairs", "correlations": "correlation", "roc": "detection", "giveaways": "detection"}
    svg = vega.CHARTS[chart](evaluation.panels[panel.get(chart, chart)])
    texts = list(ET.fromstring(svg).iter(f"{SVG}text"))
    assert texts
    assert all(float(t.get("font-size")[:-2]) >= 12 for t in texts)
    assert all("DejaVu Sans" in t.get("font-family") for t in texts)
    assert re.findall(r"aria-\w+", vega.embed(svg, "t", "d", "k")) == ["aria-labelledby"]


@pytest.mark.parametrize(("validation", "height"), [([9.0, 4.0, 6.0], 4.0), (None, 5.0)])
def test_the_loss_curve_marks_the_step_that_was_kept(validation, height):
    """A diamond on the curve of the rows held back, on the other if there are none; none if the step is not known."""
    panel = {"steps": [10, 20, 30], "train": [8.0, 5.0, 3.0], "validation": validation, "best_step": 20}
    found = ET.fromstring(vega.training(panel))
    assert [t.text for t in found.iter(f"{SVG}text") if "kept" in (t.text or "") and "step" in t.text] == [
        "kept: step 20"
    ]
    marks = [p for p in found.iter(f"{SVG}path") if p.get("fill") == "#ffffff" and p.get("stroke") == vega.INK]
    assert len(marks) == 1
    label = marks[0].get("aria-label") or ""
    assert f"Loss, nats a row: {height:g}" in label or not label
    assert "kept: step" not in vega.training({**panel, "best_step": 0})
    assert ("Rows kept back" in vega.training(panel)) == (validation is not None)
    last = ET.fromstring(vega.training({**panel, "best_step": 30}))
    assert [t.get("text-anchor") for t in last.iter(f"{SVG}text") if t.text == "kept: step 30"] == ["end"]
    assert "kept: step" not in vega.training({k: v for k, v in panel.items() if k != "best_step"})
    assert "nan" not in vega.training({**panel, "train": [8.0, None, 3.0]}).lower()


def test_the_map_of_pairs_has_one_square_a_pair_and_the_worst_in_the_last_shade():
    error = [[None, 0.1, 0.2], [0.1, None, 0.6], [0.2, 0.6, None]]
    svg = vega.pair_errors({"columns": ["a", "b", "c"], "error": error, "reference": None})
    cells = [p for p in ET.fromstring(svg).iter(f"{SVG}path") if p.get("stroke") == "#ffffff"]
    assert len(cells) == 3
    assert [p.get("fill") for p in cells].count(vega.ERROR_COLOURS[-1]) == 1


def test_a_wide_table_keeps_only_the_worst_columns():
    panel = make_evaluation(60).panels["pairs"]
    svg = vega.pair_errors(panel)
    named = {t.text for t in ET.fromstring(svg).iter(f"{SVG}text")} & set(panel["columns"])
    assert len(named) == vega.WIDEST_ERRORS


def test_negative_correlations_are_hollow_and_positive_ones_filled():
    """The sign reads without colour."""
    zero = [[1, 0.0, 0.0], [0.0, 1, 0.0], [0.0, 0.0, 1]]
    real = [[1, 0.9, -0.8], [0.9, 1, 0.0], [-0.8, 0.0, 1]]
    svg = vega.correlations({"columns": ["a", "b", "c"], "real": real, "synthetic": zero})
    marks = [
        p for p in ET.fromstring(svg).iter(f"{SVG}path") if p.get("stroke") in (vega.REAL_COLOUR, vega.SYNTHETIC_COLOUR)
    ]
    hollow = {p.get("fill") for p in marks if p.get("stroke") == vega.SYNTHETIC_COLOUR}
    filled = {p.get("fill") for p in marks if p.get("stroke") == vega.REAL_COLOUR}
    assert hollow == {None}  # which inherits from the root
    assert ET.fromstring(svg).find(f"{SVG}g").get("fill") == "none"
    assert filled == {vega.REAL_COLOUR}


def test_the_ladder_draws_every_learner_but_the_guess(evaluation):
    entry = {**evaluation.panels["utility"][0], "metric": "AUROC"}
    svg = vega.ladder(entry)
    named = [t.text for t in ET.fromstring(svg).iter(f"{SVG}text")]
    assert {"logistic", "linear SVM", "RBF SVM", "boosting", "AUROC"} <= set(named)
    assert "dummy" not in named
    assert named.count("synthetic → real") == 4


def test_long_names_are_cut_and_stay_different():
    long = "a" * 40
    names = vega.labels([long + "1", long + "2", "b"])
    assert len(set(names)) == 3
    assert max(map(len, names)) < 30


def test_bars_are_as_high_as_their_shares():
    """Heights relate like shares; the bars of all rows stand on one base."""
    entry = {"kind": "numeric", "bins": ["1", "2"], "train": [0.2, 0.8], "holdout": [0.3, 0.7], "synthetic": [0.4, 0.6]}
    d = distribution(entry)
    real = [b["real"] for b in d["bars"]]
    assert d["upright"]
    assert real[1]["height"] / real[0]["height"] == pytest.approx(4, rel=0.01)
    assert real[1]["height"] == pytest.approx(PLOT_HEIGHT, abs=0.1)
    assert {round(r["y"] + r["height"]) for r in real} == {6 + PLOT_HEIGHT}
    assert d["bars"][0]["synthetic"]["height"] == pytest.approx(2 * real[0]["height"], abs=0.2)
    assert "training 20.0 %, holdout 30.0 %, synthetic 40.0 %" in d["bars"][0]["tip"]


def test_many_bins_make_a_stepped_line_through_every_share():
    shares = [0.02 * (i + 1) for i in range(20)]
    entry = {
        "kind": "numeric",
        "bins": list(map(str, range(20))),
        "train": shares,
        "holdout": None,
        "synthetic": shares,
    }
    d = distribution(entry)
    heights = [float(y) for y in re.findall(r"V([\d.]+)", d["path"])]
    assert heights[:-1] == [b["real"]["y"] for b in d["bars"]]
    assert float(re.findall(r"H([\d.]+)", d["path"])[-1]) == CHART_WIDTH
    assert all(b["synthetic"] is None and b["holdout"] is None for b in d["bars"])


def test_bins_behind_the_values_are_dropped_if_no_row_is_in_them():
    entry = {"kind": "numeric", "bins": ["< 1", "≥ 1", "other", "missing"], "holdout": [0.5, 0.4, 0, 0.1]}
    d = distribution({**entry, "train": [0.5, 0.5, 0, 0], "synthetic": [0.5, 0.5, 0, 0]})
    assert len(d["bars"]) == 3
    assert [t["text"] for t in d["labels"]] == ["< 1", "≥ 1", "missing"]
    assert d["labels"][0]["x"] == AXIS_WIDTH


def test_levels_that_do_not_fit_are_counted():
    k = MAX_SHOWN_LEVELS + 3
    shares = [1 / k] * k
    d = distribution({"kind": "categorical", "bins": [f"l{i}" for i in range(k)], "train": shares, "synthetic": shares})
    assert len(d["bars"]) == MAX_SHOWN_LEVELS
    assert d["labels"][-1]["text"] == "and 3 more in Numbers"
    assert not d["upright"]


def test_nothing_in_a_column_draws_nothing_and_does_not_divide_by_zero():
    d = distribution({"kind": "numeric", "bins": ["any"], "train": [0.0], "holdout": [0.0], "synthetic": [0.0]})
    assert d["bars"][0]["real"]["height"] == 0
