"""The page on provenance shows what was measured, and what was measured keeps what the page promises."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from benchmarks.places import MEASURED
from benchmarks.risk import watermark, watermark_curves, watermark_damage, watermark_page, watermark_trials

KEPT = json.loads((MEASURED / "watermark.json").read_text(encoding="utf-8"))


def test_the_page_and_its_picture_show_what_is_recorded():
    text = watermark.PAGE.read_text(encoding="utf-8")
    shown = text.split(watermark.START)[1].split(watermark.END)[0]
    assert shown.strip() == watermark_page.markdown(KEPT).strip()
    picture = watermark.PICTURE.read_text(encoding="utf-8")
    parts = [(element.tag.rpartition("}")[2], element.text) for element in ElementTree.fromstring(picture).iter()]
    names = {name for name, _ in parts}
    assert {"title", "desc"} <= names
    assert not names & {"image", "script", "use"}
    (data,) = [json.loads(text) for name, text in parts if name == "metadata"]
    assert data == watermark_page.drawn(KEPT)
    words = {text for name, text in parts if name == "text"}
    assert {point[key] for point in data["found"] for key in ("table", "damage")} | {"false alarms"} <= words


def test_a_picture_has_a_line_for_each_damage_of_each_table_and_two_of_false_alarms():
    points = watermark_page.drawn(KEPT)
    drawn = ElementTree.fromstring(watermark_curves.picture(**points, title="a < b", said="c"))
    lines = [each for each in drawn.iter() if each.get("class", "").startswith("mark-line")]
    paths = sum(len(list(each.iter())) - 1 for each in lines if "symbol" not in each.get("class", ""))
    assert paths == len({(p["table"], p["damage"]) for p in points["found"]}) + 2
    assert [each.text for each in drawn.iter() if each.tag.endswith("title")] == ["a < b"]


def test_a_thousand_tables_raised_no_more_false_alarms_than_p_allows():
    every = KEPT["alarms"]["all"]
    assert every["tables"] == 1_000
    for alpha, many in every["at_most"].items():
        assert many <= binom.ppf(0.999, 1_000, float(alpha))
    assert every["ks"] > 0.001


def test_no_fidelity_was_lost_that_could_be_measured():
    for found in KEPT["fidelity"].values():
        for name in ("change.tv2", "change.c2st"):
            _, low, high = found[name]
            assert low < 0.01
            assert high > -0.01
            assert high - low < 0.1


@pytest.mark.parametrize("name", ["none", "half the rows lost", "a third of the columns lost", "both lost"])
def test_damages_take_away_what_they_say(name):
    frame = pd.DataFrame(np.arange(600).reshape(100, 6), columns=list("abcdef"))
    out = watermark_damage.DAMAGES[name](frame, np.random.default_rng(0))
    rows = 50 if name in ("half the rows lost", "both lost") else 100
    columns = 4 if name in ("a third of the columns lost", "both lost") else 6
    assert out.shape == (rows, columns)
    assert set(out.iloc[:, 0]) <= set(frame[out.columns[0]])


def test_altered_and_rounded_cells():
    frame = pd.DataFrame({"a": np.arange(2_000) + 1000.0, "b": ["x", "y"] * 1_000})
    changed = watermark_damage.altered(frame, np.random.default_rng(0))
    assert 0.08 < (changed["a"] != frame["a"]).mean() < 0.12
    assert sorted(changed["a"]) == sorted(frame["a"])
    assert set(watermark_damage.rounded(frame, np.random.default_rng(0))["a"]) <= {1e3 + 100 * k for k in range(21)}


def test_intervals_are_students():
    mean, low, high = watermark_trials.interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert (high - low) / 2 == pytest.approx(4.302653 / 3**0.5, rel=1e-5)  # t of 2 degrees, from a printed table
