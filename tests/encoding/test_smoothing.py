"""Prior mass: what levels that nobody has weigh together does not grow with how many are declared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.encoding.smoothing import log_shares
from synthkit.schema import Schema
from synthkit.synthesizer.synthesizer import Synthesizer


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30), st.integers(0, 2_000))
def test_levels_that_nobody_has_share_at_most_one_count(counts, unused):
    shares = np.exp(log_shares(np.array([*counts, *[0] * unused])).astype(float))
    assert shares.sum() == pytest.approx(1, abs=1e-4)
    assert (shares > 0).all()
    assert shares[len(counts) :].sum() <= 1.001 / (sum(counts) + 1)
    alone = np.exp(log_shares(np.array(counts)).astype(float))
    assert shares[: len(counts)] == pytest.approx(alone, abs=1.1 * (0.1 * len(counts) + 1) / sum(counts))


def test_a_tenth_of_a_count_where_few_levels_are_unused():
    counts = np.array([30, 0, 0, 6])
    assert np.exp(log_shares(counts)) == pytest.approx((counts + 0.1) / 36.4)


@pytest.mark.parametrize(("model", "declared"), [("independent", 10_000), ("marginal", 200), ("autoregressive", 400)])
def test_a_large_catalogue_leaves_rows_on_the_levels_that_are_used(model, declared):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"code": rng.integers(0, 20, 500).astype(str), "dead": rng.random(500) < 0.3})
    levels = [str(k) for k in range(declared)]
    schema = Schema(columns={"code": {"kind": "categorical", "levels": levels}, "dead": {"kind": "boolean"}})
    settings = {"autoregressive": {"steps": 20}}.get(model, {})
    fitted = Synthesizer(schema, model, settings=settings).fit(frame, seed=1)
    drawn = fitted.sample(2000, seed=2)["code"]
    assert (~drawn.isin(frame["code"])).mean() < 0.01
