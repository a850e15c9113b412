"""The table of published attacks is the one that was measured, and the share found is read off the curve."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.risk import mt_mia

KEPT = json.loads(mt_mia.FILE.read_text(encoding="utf-8"))["cells"]


def test_the_page_shows_what_is_recorded():
    text = mt_mia.PAGE.read_text(encoding="utf-8")
    assert text.split(mt_mia.START)[1].split(mt_mia.END)[0].strip() == mt_mia.markdown(KEPT)


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
    found = mt_mia.meaning("airbnb", [{"user": user, "session": session}])
    kinds = {c: k for t in found.tables.values() for c, k in t.columns.items()}
    assert {c: k.kind for c, k in kinds.items()} == {
        "user_id": "identifier", "age": "code", "paid": "numeric", "session_id": "identifier", "device": "code",
    }  # fmt: skip
    assert kinds["paid"].decimals == 2
    drawn = {"user": user.assign(age=[31.4, 39.6], paid=[0.251, 3.4999]), "session": session}
    typed = mt_mia.linked(drawn, found)
    assert typed.frames["user"]["age"].tolist() == ["31", "40"]
    assert typed.frames["user"]["paid"].tolist() == [0.25, 3.5]
