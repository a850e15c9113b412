"""The table of published attacks is the one that was measured, and the share found is read off the curve."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.risk import mt_mia, mt_mia_tables

CONTENT = json.loads(mt_mia.FILE.read_text(encoding="utf-8"))
KEPT = CONTENT["cells"]


def test_the_page_shows_what_is_recorded():
    text = mt_mia.PAGE.read_text(encoding="utf-8")
    assert text.split(mt_mia.START)[1].split(mt_mia.END)[0].strip() == mt_mia.markdown(KEPT)
    assert text.split(mt_mia.OURS_START)[1].split(mt_mia.OURS_END)[0].strip() == mt_mia.our_markdown(CONTENT)


def test_ours_is_nearer_to_held_out_units_than_the_published_one_by_every_measure_of_rows():
    for key, each in CONTENT["ours"].items():
        who, name = key.rsplit(", ", 1)
        assert who in mt_mia.VARIANTS
        ours = mt_mia.over_seeds(each)["likeness"]
        theirs = mt_mia.means_of(list(CONTENT["likeness"][f"rtf, {name}"].values()))
        for shown in ("C2ST units", "C2ST row", "owner x row TV"):
            assert ours[shown][0] < theirs[shown][0]


def test_means_are_over_the_seeds_that_were_measured():
    one = {"attacks": {"a": (0.6, 0.1), "b": (0.5, 0.3)}, "likeness": {"c": (1.0, 0.5)}}
    other = {"attacks": {"a": (0.8, 0.1), "b": (0.5, 0.1)}, "likeness": {"c": (0.5, 0.5)}}
    found = mt_mia.over_seeds({"42": one, "43": other})
    assert found["attacks"] == {"a": (0.7, 0.1), "b": (0.5, 0.2)}
    assert (found["auc"], found["found"], found["by"], found["seeds"]) == (0.7, 0.2, ["a", "b"], 2)
    assert found["likeness"] == {"c": (0.75, 0.5)}


def test_every_cell_reaches_what_is_published():
    assert {tuple(key.split(", ")) for key in KEPT} == set(mt_mia.PUBLISHED)
    for each in KEPT.values():
        assert each["auc"] >= each["published"][0] - mt_mia.AUC_SLACK
        assert each["found"] >= mt_mia.FOUND_SHARE * each["published"][1]
        assert each["reached"]


def test_the_share_found_is_read_off_the_curve():
    member = np.arange(200) < 100
    scores = np.where(member, 0.0, 1.0)
    scores[:30] = 2.0  # thirty members above everybody
    assert mt_mia.found_at(scores, member) == pytest.approx(0.3)
    assert mt_mia.found_at(np.zeros(200), member) == pytest.approx(0.01)


def test_columns_of_few_whole_numbers_are_codes_and_others_keep_their_decimals():
    user = pd.DataFrame({"user_id": ["1", "2"], "age": [31.0, 40.0], "paid": [0.25, 3.5]})
    session = pd.DataFrame({"session_id": ["1"], "user_id": ["1"], "device": [6.0]})
    found = mt_mia_tables.meaning("airbnb", [{"user": user, "session": session}])
    kinds = {c: k for t in found.tables.values() for c, k in t.columns.items()}
    assert {c: k.kind for c, k in kinds.items()} == {
        "user_id": "identifier", "age": "code", "paid": "numeric", "session_id": "identifier", "device": "code",
    }  # fmt: skip
    assert kinds["paid"].decimals == 2
    drawn = {"user": user.assign(age=[31.4, 39.6], paid=[0.251, 3.4999]), "session": session}
    typed = mt_mia_tables.linked(drawn, found)
    assert typed.frames["user"]["age"].tolist() == ["31", "40"]
    assert typed.frames["user"]["paid"].tolist() == [0.25, 3.5]
