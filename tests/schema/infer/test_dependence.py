"""Cramér's V without its bias, held against a chi-square of scipy; numbers and levels as few integers."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from synthkit.schema.columns import Boolean, Categorical, Code, Datetime, Identifier, Numeric
from synthkit.schema.infer.dependence import code_column, cramers_v, dependence_shares


def bergsma(table):
    """The published formula on a chi-square computed elsewhere."""
    n, (r, k) = table.sum(), table.shape
    phi = chi2_contingency(table, correction=False).statistic / n
    over = max(0, phi - (r - 1) * (k - 1) / (n - 1))
    return np.sqrt(over / min(r - (r - 1) ** 2 / (n - 1) - 1, k - (k - 1) ** 2 / (n - 1) - 1))


@pytest.mark.parametrize("seed", range(5))
def test_the_corrected_v_is_the_published_one(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 3, 400)
    b = np.where(rng.random(400) < 0.3, a, rng.integers(0, 4, 400))
    assert cramers_v(a, b) == pytest.approx(bergsma(pd.crosstab(a, b).to_numpy()))
    assert cramers_v(a, b) == pytest.approx(cramers_v(b, a))


def test_cells_as_few_integers():
    assert code_column(pd.Series([1.0, np.nan, 9.0] * 20), Numeric()).tolist()[:3] == [0, 5, 1]
    assert code_column(pd.Series(["a", "b", None]), Categorical(levels=("a", "b"))).tolist() == [0, 1, 2]
    assert code_column(pd.Series(["a"] * 3), Categorical(levels=("a",))) is None
    assert code_column(pd.Series([5.0] * 3), Numeric()) is None
    assert code_column(pd.Series([np.nan] * 3), Numeric()) is None
    assert code_column(pd.Series(["a", "b"]), Identifier()) is None
    assert code_column(pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"])), Datetime()) is None
    assert code_column(pd.Series([f"c{k}" for k in range(60)]), Code()) is None


def test_shares_of_columns_that_say_something():
    rng = np.random.default_rng(1)
    died = rng.integers(0, 2, 1000)
    frame = pd.DataFrame({"died": died, "dose": died + rng.normal(0, 1, 1000), "noise": rng.normal(0, 1, 1000)})
    columns = {"died": Boolean(levels=(0, 1)), "dose": Numeric(), "noise": Numeric()}
    assert dependence_shares(frame, columns, ["died", "noise"]) == {"died": 0.5, "noise": 0.0}
    assert dependence_shares(frame[["died"]], {"died": columns["died"]}, ["died"]) == {"died": 0.0}
