"""How many real rows synthetic ones are worth, several draws, and verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.metrics.stats.several_draws import mean_of_draws, one_fresh_draw, standard_error
from synthkit.metrics.utility.learning_curve import size_at_quality
from synthkit.metrics.utility.non_inferiority import DEFAULT_MARGIN, loss, verdict
from synthkit.metrics.utility.train_synthetic_test_real import utility

RNG = np.random.default_rng
ONE = ("gradient boosting", "dummy")


def measure(comparison, k=0, *, quick=False):
    scores, panels = utility(comparison, RNG(0), target=comparison.schema.targets[k], learners=ONE, quick=quick)
    return {s.metric.split(".")[-1]: s for s in scores}, panels


def test_the_curve_is_read_on_a_logarithmic_scale():
    sizes, curve = np.array([100, 1000, 10_000]), np.array([0.6, 0.7, 0.7])
    assert [size_at_quality(q, sizes, curve) for q in (0.5, 0.6, 0.7, 0.8)] == [100, 100, 1000, 10_000]
    assert size_at_quality(0.65, sizes, curve) == pytest.approx(10**2.5)
    assert np.isnan(size_at_quality(np.nan, sizes, curve))
    assert np.isnan(size_at_quality(0.6, sizes, np.array([np.nan, 0.7, 0.8])))


@given(st.floats(0, 1), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_worth_grows_with_quality_and_stays_on_the_scale(quality, curve):
    sizes, curve = np.array([10, 100, 1000]), np.maximum.accumulate(curve)
    found = size_at_quality(quality, sizes, curve)
    assert 10 <= found <= 1000
    assert size_at_quality(quality + 0.1, sizes, curve) >= found


def test_fresh_rows_are_worth_many_and_independent_ones_few(law, shuffled, compare):
    many, panels = measure(compare(law(1900, 3)))
    few, _ = measure(compare(shuffled(1900, 3)))
    assert few["equivalent_sample_size"].value == 50
    assert "at most 50 real rows" in few["equivalent_sample_size"].note
    assert many["equivalent_sample_size"].value > 400
    assert many["equivalent_sample_size"].high == many["equivalent_sample_size"].reference == 1500
    (panel,) = panels["learning_curves"]
    assert panel["sizes"][0] == 50
    assert panel["sizes"][-1] == 1500
    assert len(panel["sizes"]) == 5
    assert panel["quality"] == sorted(panel["quality"])
    assert panel["quality"][-1] >= many["trtr"].value - 1e-6


def test_a_small_sample_is_worth_its_size(law, compare):
    """Two hundred rows of the law, repeated: not the number of rows counts but what they say."""
    worth = [
        measure(compare(law(2000, s).head(200).sample(1500, replace=True, random_state=s)))[0][
            "equivalent_sample_size"
        ].value
        for s in (3, 4)
    ]
    assert np.mean(worth) < 800


def test_the_curve_is_not_part_of_a_quick_evaluation(law, compare):
    scores, panels = measure(compare(law(400, 3)), quick=True)
    assert "equivalent_sample_size" not in scores
    assert "learning_curves" not in panels


def test_few_training_rows_have_no_curve(law, compare):
    scores, _ = measure(compare(law(400, 3), train=law(80, 1)))
    assert scores["equivalent_sample_size"].reason.startswith("a learning curve needs 100 training rows; however: 80")


@pytest.mark.parametrize("k", [1, 2])
def test_other_tasks_have_curves_too(law, compare, k):
    scores, _ = measure(compare(law(600, 3), train=law(600, 1), holdout=law(500, 2)), k)
    worth = scores["equivalent_sample_size"]
    assert 50 <= worth.low <= worth.value <= worth.high <= 600


def test_retention_is_what_is_kept_above_a_guess(law, compare):
    scores, panels = measure(compare((law(600, 3), law(600, 4))), quick=True)
    kept = (scores["tstr"].value - 0.5) / (scores["trtr"].value - 0.5)
    gap = scores["gap"]
    assert gap.parts["retention"] == pytest.approx(kept)
    assert gap.parts["one fresh draw, low"] <= gap.low
    assert gap.parts["one fresh draw, high"] >= gap.high
    assert panels["utility"][0]["non_inferiority"]["margin"] == DEFAULT_MARGIN == 0.05


def test_a_model_no_better_than_a_guess_has_no_retention():
    real = (0.5, np.full(10, 0.5))
    score, panel = loss(
        "utility.x", "a model", real, [(0.4, np.full(10, 0.4))], floor=0.5, tested="rows", hidden=1_000, noise=0.0
    )
    assert "retention" not in score.parts
    assert score.value == pytest.approx(0.1)
    assert panel["non_inferiority"]["verdict"] == "FAIL"
    assert "one draw" in score.note


def test_the_error_of_a_mean_of_draws_by_simulation():
    """Score = error of the test rows, shared, + own error: Var = s² + B / m, of one fresh draw s² + (1 + 1/m) B."""
    rng = RNG(0)
    shared, between, m, worlds = 0.3, 0.8, 5, 4000
    own = rng.normal(0, between, (worlds, m))
    values = rng.normal(0, shared, (worlds, 1)) + own
    errors = []
    for row in values[:400]:
        replicates = rng.normal(0, shared, 300)  # the bootstrap moves all draws together
        errors.append([standard_error(row, [v + replicates for v in row], fresh=k) ** 2 for k in (0, 1)])
    fresh = rng.normal(0, between, worlds) - own.mean(axis=1)
    assert np.mean(errors, axis=0)[0] == pytest.approx(values.mean(axis=1).var(), rel=0.1)
    assert np.mean(errors, axis=0)[1] == pytest.approx(shared**2 + fresh.var(), rel=0.1)


def test_one_draw_has_percentiles_and_no_variation_between_draws():
    replicates = np.linspace(0, 1, 1001)
    at = mean_of_draws([0.5], [replicates])
    assert (at.value, at.low, at.high) == pytest.approx((0.5, 0.025, 0.975))
    assert one_fresh_draw([0.5], [replicates]).low == pytest.approx(0.5 - 1.96 * replicates.std(ddof=1), abs=1e-3)
    assert standard_error([1.0, 2.0], [np.full(5, np.nan)] * 2) == np.inf


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.02, 0.049, "PASS"),
        (-0.02, 0.05, "INCONCLUSIVE"),
        (0.01, 0.04, "PASS"),  # a loss that is surely there, and surely small
        (0.04, 0.06, "INCONCLUSIVE"),
        (0.05, 0.06, "INCONCLUSIVE"),
        (0.0501, 0.06, "FAIL"),
        (-np.inf, np.inf, "INCONCLUSIVE"),
    ],
)
def test_the_verdict_is_the_margins(low, high, said):
    assert verdict(low, high, 0.05) == verdict(low, high) == said


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.001, 1))
def test_a_wider_interval_never_decides_more(low, width, margin):
    narrow, wide = verdict(low, low + width, margin), verdict(low - 0.1, low + width + 0.1, margin)
    assert wide in (narrow, "INCONCLUSIVE") or narrow == "WEAK REFERENCE"  # which is no decision


def test_margins_and_intervals_that_make_no_sense_are_refused():
    for margin in (0, -0.1, np.nan):
        with pytest.raises(ValueError, match=r"margin must be positive; however: .*State the largest loss"):
            verdict(0, 1, margin)
    with pytest.raises(ValueError, match=r"low <= high; however: 1 > 0\. Exchange its ends"):
        verdict(1, 0, 0.05)
