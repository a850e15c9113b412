"""Values a column of gaps keeps: what is coded comes back, rules hold, and a planted value is found in real counts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.encoding.codecs.numeric import NumericCodec
from synthkit.encoding.found_forms import FoundForms, recoding_of
from synthkit.encoding.own_values import FIRST_OWN_CODE, OwnValues, find_own_values
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer

WHOLE = {"kind": "numeric", "decimals": 0, "min": 0, "max": 1000}
STAYS = Schema(
    columns={"day": WHOLE, "stay": WHOLE},
    rules=[{"rule": "comparison", "left": "day", "op": "<=", "right": "stay", "difference": "left"}],
)


def stays(n=4000, seed=0):
    """Stays of any length; a third of the orders on day 1, a third at the end, the others in the twelve days before."""
    rng = np.random.default_rng(seed)
    stay = 20 + rng.geometric(0.02, n).clip(max=900)
    day = np.select([rng.random(n) < 1 / 3, rng.random(n) < 0.5], [1, stay], stay - rng.integers(1, 13, n))
    return pd.DataFrame({"day": day, "stay": stay})


def pairs(frame):
    (x, gap), counts = np.unique([frame.day, frame.stay - frame.day], axis=1, return_counts=True)
    return x.astype(float), gap.astype(float), counts


def test_a_day_that_is_frequent_whatever_the_stay_is_kept_and_nothing_else():
    frame = stays()
    own = find_own_values(*pairs(frame), len(frame), 5)
    assert own is not None
    assert own.values == (1.0,)
    assert own.weights[0] == pytest.approx((frame.day == 1).sum(), rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_of_independent_gaps_no_value_is_kept(seed):
    rng = np.random.default_rng(seed)
    stay, gap = rng.integers(300, 1000, 4000), rng.integers(0, 12, 4000)
    frame = pd.DataFrame({"day": stay - gap, "stay": stay})
    assert find_own_values(*pairs(frame), len(frame), 5) is None
    assert find_own_values(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), 10, 5) is None


VALUES = st.lists(st.integers(0, 20), min_size=1, max_size=6, unique=True).map(sorted)


@settings(deadline=None)
@given(VALUES, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=30), st.data())
def test_a_row_comes_back_whichever_way_it_is_coded(values, rows, data):
    weights = st.lists(st.floats(1, 50), min_size=len(values), max_size=len(values))
    own = OwnValues(
        values=tuple(map(float, values)), weights=tuple(data.draw(weights)), gaps=(0.0,), gap_weights=(25.0,)
    )
    frame = pd.DataFrame([(min(row), max(row)) for row in rows], columns=["day", "stay"])
    forms = FoundForms(own={"day": own})
    recoding = recoding_of(STAYS, forms)
    coded = recoding.forward(frame)
    kept = coded.day <= FIRST_OWN_CODE
    assert not (kept & ~frame.day.isin(values)).any()
    back = recoding.backward({c: coded[c].to_numpy() for c in coded})
    assert back.day.tolist() == frame.day.tolist()
    assert back.stay.tolist() == frame.stay.tolist()
    assert FoundForms.from_dict(json.loads(json.dumps(forms.to_dict()))) == forms


@settings(deadline=None)
@given(VALUES, st.lists(st.integers(0, 40), min_size=1, max_size=30), st.data())
def test_whatever_is_drawn_keeps_the_order(values, days, data):
    own = OwnValues(values=tuple(map(float, values)), weights=(1.0,) * len(values), gaps=(), gap_weights=())
    codes = data.draw(st.lists(st.sampled_from([*own.codes, 0.0, 3.0]), min_size=len(days), max_size=len(days)))
    back = recoding_of(STAYS, FoundForms(own={"day": own})).backward(
        {"day": np.array(codes), "stay": np.array(days, dtype=float)}
    )
    assert (back.day <= back.stay).all()
    meant = np.array([dict(zip(own.codes, own.values, strict=True)).get(code, np.nan) for code in codes])
    assert (back.day[meant <= back.stay] == meant[meant <= back.stay]).all()


def test_a_synthetic_table_has_the_day_as_often_and_the_rule_holds():
    frame = stays()
    made = Synthesizer(STAYS, "independent")
    made.fit(frame, seed=1)
    drawn = made.sample(4000, seed=2)
    assert (drawn.day <= drawn.stay).all()
    assert abs((drawn.day == 1).mean() - (frame.day == 1).mean()) < 0.05


def test_it_is_charged_and_a_codec_holds_its_codes_alone():
    ledger = Ledger.unlimited(unit="row")
    encoder = Curator(stays(), STAYS, ledger, Seeds(1)).access().fit_encoder()
    codec = encoder.codecs["day"]
    assert isinstance(codec, NumericCodec)
    assert codec.low[codec.low <= FIRST_OWN_CODE].tolist() == [FIRST_OWN_CODE]
    assert codec.span[0] == 0
    assert "values of a column beside its gaps" in {charge.what for charge in ledger.charges}
    assert "own" in encoder.to_dict()
