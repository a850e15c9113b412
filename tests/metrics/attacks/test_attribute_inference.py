"""Attribute disclosure: copies are found, fresh rows are not, and what a table is called changes nothing."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as distributions

from synthkit.errors import MetricError
from synthkit.metrics.attacks import secret_inference
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.attacks.attribute_inference import attribute, attributes, known_columns
from synthkit.metrics.attacks.risk_difference import RiskDifference, coin_p_value
from synthkit.metrics.attacks.secrets import Knowledge, Secret, only
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.runner import one_thread
from synthkit.metrics.stats.precision_recall import anonymity_loss, best_prc, prc
from synthkit.schema import Schema

RNG = np.random.default_rng
ATTACKS = ("gradient boosting", "look-up", "most similar row")
SCHEMA = Schema(
    columns={
        "age": {"kind": "numeric", "decimals": 0},
        "weight": {"kind": "numeric", "nullable": True},
        "ward": {"kind": "categorical", "levels": list("ABCD")},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "cost": {"kind": "numeric"},
        "ill": {"kind": "boolean", "levels": [0, 1], "nullable": True},
    },
    quasi_identifiers=["age", "ward", "sex"],
    secrets=["ill", "cost"],
)


@pytest.fixture(autouse=True)
def _calm():
    with one_thread():
        yield


def people(n: int, seed: int) -> pd.DataFrame:
    rng = RNG(seed)
    age = rng.normal(60, 15, n).round()
    ward = rng.choice(list("ABCD"), n, p=[0.4, 0.3, 0.2, 0.1])
    return pd.DataFrame(
        {
            "age": age,
            "weight": np.where(rng.random(n) < 0.1, np.nan, rng.normal(75, 12, n).round(1)),
            "ward": ward,
            "sex": rng.choice(["f", "m"], n),
            "cost": 5 * age + 100 * (ward == "C") + rng.normal(0, 60, n) - 300,
            "ill": pd.array((rng.random(n) < 1 / (1 + np.exp(-(age - 60) / 8))).astype(int), dtype="Int64"),
        }
    )


def coined(
    frame: pd.DataFrame, seed: int = 0, *, schema: Schema = SCHEMA, known: int = 400, pairs=False
) -> EvaluationData:
    """A comparison in which coins decided who is a member; nothing is synthetic yet."""
    rng = RNG(seed)
    reference, attacked = frame[:known].reset_index(drop=True), frame[known:].reset_index(drop=True)
    n = len(attacked)
    member = rng.random(n) < 0.5
    pair = None
    if pairs:
        first = rng.random(n // 2) < 0.5
        member, pair = np.concatenate([first, ~first]), np.tile(np.arange(n // 2), 2)
    pool = AttackTargets(
        frame=attacked,
        unit=np.arange(n),
        member=member,
        isolated=np.arange(n) % 2 == 0,
        reference=reference,
        pair=pair,
    )
    train = attacked[member].reset_index(drop=True)
    return EvaluationData(train=train, holdout=attacked[~member], synthetic=(train,), schema=schema, pool=pool)


def released(comparison: EvaluationData, *draws: pd.DataFrame) -> EvaluationData:
    return EvaluationData(
        train=comparison.train,
        holdout=comparison.holdout,
        synthetic=draws,
        schema=comparison.schema,
        pool=comparison.pool,
    )


def run(comparison, secret="ill", knowledge="all", seed=0):
    scores, panels = attribute(comparison, RNG(seed), secret=secret, knowledge=knowledge, prefix="a")
    return {score.metric: score for score in scores}, panels["attribute"][0]


# Precision and recall


@pytest.mark.parametrize(
    ("recall", "value"), [(1, 0.9), (0.1, 0.8859375), (0.01, 0.7875), (1e-4, 0), (1e-6, 0), (0, 0)]
)
def test_prc_at_a_precision_of_nine_tenths(recall, value):
    assert prc(0.9, recall) == pytest.approx(value)


@given(st.lists(st.tuples(st.booleans(), st.integers(-1, 3)), min_size=1, max_size=15))
def test_the_best_precision_is_the_best_of_all_thresholds(guesses):
    """-1 stands for no guess."""
    right = np.array([hit for hit, _ in guesses])
    sure = np.array([float(s) if s >= 0 else -np.inf for _, s in guesses])
    tried = [0.0]
    for threshold in {s for s in sure if s > -np.inf}:
        made = sure >= threshold
        tried.append(float(prc(right[made].mean(), made.mean())))
    assert best_prc(right, sure) == pytest.approx(max(tried))


def test_anonymity_loss_is_the_way_to_certainty():
    assert anonymity_loss(0.75, 0.5) == 0.5
    assert anonymity_loss(0.5, 0.5) == 0
    assert anonymity_loss(0.25, 0.5) == -0.5
    assert anonymity_loss(1, 1) == 0


@pytest.mark.parametrize("shares", [(1.1, 0.5), (0.5, -0.1)])
def test_shares_lie_between_0_and_1(shares):
    with pytest.raises(ValueError, match="shares from 0 to 1; however"):
        prc(*shares)
    with pytest.raises(ValueError, match="between 0 and 1; however"):
        anonymity_loss(*shares)


# Excess and its exact probability


def test_newcombe_by_the_book():
    holds = np.repeat([True, False, True, False], [56, 14, 48, 32])
    excess = RiskDifference.of(holds, np.repeat([True, False], [70, 80]))
    assert excess.at == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert (excess.members, excess.non_members, excess.counts) == (0.8, 0.6, (70, 80))
    assert excess.normalised == pytest.approx(0.5)
    wider = RiskDifference.of(holds, np.repeat([True, False], [70, 80]), looks=3).at
    assert wider.low < excess.at.low < excess.at.high < wider.high


def test_nothing_is_left_to_gain_where_everything_is_known():
    assert RiskDifference.of(np.ones(10, dtype=bool), np.arange(10) < 5).normalised == 0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_chance_of_single_coins_is_the_test_of_fisher(rows):
    holds, member = (np.array(column) for column in zip(*rows, strict=True))
    table = [[(holds & member).sum(), (~holds & member).sum()], [(holds & ~member).sum(), (~holds & ~member).sum()]]
    assert coin_p_value(holds, member) == pytest.approx(distributions.fisher_exact(table, alternative="greater").pvalue)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_chance_of_pairs_is_the_sign_test(pairs):
    """First of a pair is the member; someone whose partner is missing cannot be here."""
    holds = np.array([pair[0] for pair in pairs] + [pair[1] for pair in pairs])
    member, pair = np.repeat([True, False], len(pairs)), np.tile(np.arange(len(pairs)), 2)
    wins, losses = sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
    expected = distributions.binom.sf(wins - 1, wins + losses, 0.5)
    assert coin_p_value(holds, member, pair) == pytest.approx(expected)


def test_chance_with_pairs_and_single_people_by_brute_force():
    holds = np.array([True, False, False, True, True, False, True])
    pair = np.array([0, 0, 1, 1, 2, 3, 4])
    member = np.array([True, False, False, True, True, False, False])
    seen, as_many, worlds = (holds & member).sum(), 0, 0
    for bits in range(4):
        first, second = bits & 1 == 1, bits & 2 == 2
        for lone in range(3):  # exactly one of the three single people is a member, as seen
            again = np.array([first, not first, second, not second, lone == 0, lone == 1, lone == 2])
            worlds += 1
            as_many += (holds & again).sum() >= seen
    assert coin_p_value(holds, member, pair) == pytest.approx(as_many / worlds)


# Secrets and guesses


def test_a_quantity_is_right_within_a_twentieth_of_the_spread_of_others():
    reference = pd.DataFrame({"cost": np.linspace(-1000, 1000, 2001)})
    secret = Secret.of("cost", SCHEMA, reference, [])
    assert secret.tolerance == pytest.approx(0.05 * 1800)
    guesses, truth = np.array([-1.0, -5.0, 190.0, np.nan]), np.array([100.0, 3.0, 100.0, 0.0])
    assert secret.right(guesses, truth).tolist() == [False, True, True, False]
    assert (secret.right(-guesses, -truth) == secret.right(guesses, truth)).all()


def simple(
    frame: pd.DataFrame, rows: pd.DataFrame, secret: str, names: list[str], attack
) -> secret_inference.SecretGuesses:
    columns = {name: {"kind": "categorical", "levels": list("abc")} for name in frame if name not in ("x", "y")}
    columns |= {name: {"kind": "numeric"} for name in frame if name in ("x", "y")}
    schema = Schema(columns=columns)
    knowledge = Knowledge.of(names, schema, frame, frame)
    return attack(knowledge, Secret.of(secret, schema, frame, [rows]), [rows], RNG(0))


def test_equally_similar_rows_vote():
    """Two rows like the first person's say a and one b; those like the second's agree; the third's do not at all."""
    frame = pd.DataFrame({"k": ["a", "b", "c"], "s": ["a", "a", "b"]})
    rows = pd.DataFrame({"k": list("aaabcc"), "s": list("aabbab")})
    guesses = simple(frame, rows, "s", ["k"], secret_inference.most_similar)
    assert guesses.value[:2].tolist() == [0, 1]
    assert guesses.value[2] in (0, 1)
    assert guesses.sure[1] > guesses.sure[0] > guesses.sure[2]


def test_a_tied_quantity_is_their_median():
    frame = pd.DataFrame({"k": ["a", "b"], "y": [0.0, 100.0]})
    rows = pd.DataFrame({"k": list("aaabb"), "y": [1.0, 2.0, 90.0, 4.0, 8.0]})
    assert simple(frame, rows, "y", ["k"], secret_inference.most_similar).value.tolist() == [2, 6]


def test_each_draw_has_one_vote():
    frame = pd.DataFrame({"k": ["a"] * 2, "s": ["a", "b"]})
    schema = Schema(columns={name: {"kind": "categorical", "levels": list("abc")} for name in "ks"})
    draws = [pd.DataFrame({"k": ["a"] * len(s), "s": list(s)}) for s in ("aaaaa", "b", "b")]
    knowledge, secret = Knowledge.of(["k"], schema, frame, frame), Secret.of("s", schema, frame, draws)
    assert secret_inference.most_similar(knowledge, secret, draws, RNG(0)).value.tolist() == [1, 1]


def test_the_look_up_is_silent_unless_all_rows_agree():
    frame = pd.DataFrame({"k": ["a", "b", "c"], "s": ["a", "a", "b"]})
    rows = pd.DataFrame({"k": list("aabb"), "s": list("aaab")})
    guesses = simple(frame, rows, "s", ["k"], secret_inference.look_up)
    assert guesses.value[0] == 0
    assert np.isnan(guesses.value[1:]).all()
    assert guesses.sure.tolist() == [2, -np.inf, -np.inf]


def test_a_model_of_one_level_guesses_it():
    frame = pd.DataFrame({"k": ["a", "b", "c"], "s": ["a", "a", "b"]})
    rows = pd.DataFrame({"k": list("abc"), "s": list("bbb")})
    assert simple(frame, rows, "s", ["k"], secret_inference.predicted_by_model).value.tolist() == [1, 1, 1]


def test_a_schema_of_some_columns_has_no_roles():
    part = only(SCHEMA, ["ill", "age"])
    assert part.learned == ("age", "ill")
    assert part.secrets == part.quasi_identifiers == ()


# The metric


def test_copies_of_members_are_found():
    comparison = coined(people(1600, 1))
    for secret in ("ill", "cost"):
        scores, panel = run(comparison, secret)
        best = scores["a.excess"]
        assert best.value > 0.7
        assert best.low > 0.6
        assert best.parts["p"] < 1e-6
        assert best.parts["anonymity loss"] > 0.9
        assert best.parts["normalised"] == pytest.approx(best.value / (1 - best.parts["non-members"]))
        assert scores["a.isolated.excess"].low > 0.5
        assert scores["a.worst_level.excess"].low > 0.5
        assert panel["attack"] in ("look-up", "most similar row")
        assert panel["people"]["members"] == comparison.pool.member.sum()


def test_copies_of_non_members_are_the_opposite():
    comparison = coined(people(1600, 1))
    scores, panel = run(released(comparison, comparison.holdout.reset_index(drop=True)))
    assert scores["a.excess"].high < 0
    assert all(each["high"] < 0 for each in panel["attacks"])
    assert scores["a.excess"].parts["p"] == pytest.approx(1)


def test_fresh_rows_disclose_nothing():
    """At least 95 % of 16 intervals cover 0; fewer than 13 would, if that is so, in one of 140 runs."""
    covered, rejected = 0, 0
    for seed in range(8):
        comparison = coined(people(1000, 100 + seed), seed)
        comparison = released(comparison, people(600, 900 + seed))
        for secret, knowledge in (("ill", "quasi_identifiers"), ("cost", "all")):
            score = run(comparison, secret, knowledge)[0]["a.excess"]
            covered += score.low <= 0 <= score.high
            rejected += score.parts["p"] < 0.05
    assert covered >= 13
    assert rejected <= 3


def test_a_secret_that_has_nothing_to_do_with_the_keys():
    """98 of 100 have the same secret: guesses are 98 % right, and nothing is disclosed."""
    frame, fresh = people(2000, 5), people(1000, 6)
    for each, seed in ((frame, 7), (fresh, 8)):
        each["ill"] = (RNG(seed).random(len(each)) < 0.02).astype(int)
    scores, panel = run(released(coined(frame), fresh), "ill", "quasi_identifiers")
    assert scores["a.excess"].low <= 0 <= scores["a.excess"].high
    assert panel["majority"] == pytest.approx(0.98, abs=0.01)
    assert panel["population_model"] == pytest.approx(0.98, abs=0.01)
    assert panel["alc"] < 0.3


def test_science_is_not_disclosure():
    """A secret that follows from what is known is guessed of anybody, from synthetic rows or others."""
    frame, fresh = people(1600, 1), people(1200, 2)
    for each in (frame, fresh):
        each["ill"] = (each["age"] > 60).astype(int)
    scores, panel = run(released(coined(frame), fresh), "ill", "quasi_identifiers")
    assert panel["members"] > 0.9
    assert panel["population_model"] > 0.95
    assert scores["a.excess"].low <= 0 <= scores["a.excess"].high
    assert abs(panel["alc"]) <= 1
    assert "science, not disclosure" in scores["a.excess"].note


def figures(found) -> dict[str, float]:
    return {each["attack"]: each["excess"] for each in found[1]["attacks"]}


@pytest.mark.parametrize("knowledge", ["quasi_identifiers", "all"])
def test_the_sign_of_a_quantity_does_not_matter(knowledge):
    comparison = coined(people(1400, 3))

    def flipped(frame):
        return frame.assign(cost=-frame["cost"])

    pool = comparison.pool
    mirrored = EvaluationData(
        train=flipped(comparison.train),
        holdout=flipped(comparison.holdout),
        synthetic=tuple(map(flipped, comparison.synthetic)),
        schema=SCHEMA,
        pool=AttackTargets(
            frame=flipped(pool.frame),
            unit=pool.unit,
            member=pool.member,
            isolated=pool.isolated,
            reference=flipped(pool.reference),
        ),
    )
    assert figures(run(mirrored, "cost", knowledge)) == pytest.approx(
        figures(run(comparison, "cost", knowledge)), abs=1e-12
    )


def test_names_order_and_index_do_not_matter():
    comparison = coined(people(1200, 4))
    before = run(comparison)
    names = {name: f"column {k}" for k, name in enumerate(SCHEMA.columns)}
    data = SCHEMA.model_dump(by_alias=True)
    renamed = Schema(
        columns={names[name]: column for name, column in data["columns"].items()},
        quasi_identifiers=[names[name] for name in SCHEMA.quasi_identifiers],
        secrets=[names[name] for name in SCHEMA.secrets],
    )

    def other(frame, order=None):
        frame = frame.rename(columns=names)
        frame = frame if order is None else frame.iloc[order]
        return frame.set_index(pd.Index([f"row {k}" for k in range(len(frame))]))

    pool, synthetic = comparison.pool, comparison.synthetic[0]
    order = RNG(1).permutation(len(synthetic))
    again = EvaluationData(
        train=other(comparison.train),
        holdout=other(comparison.holdout),
        synthetic=(other(synthetic, order),),
        schema=renamed,
        pool=AttackTargets(
            frame=other(pool.frame),
            unit=pool.unit,
            member=pool.member,
            isolated=pool.isolated,
            reference=other(pool.reference, RNG(2).permutation(len(pool.reference))),
        ),
    )
    after = run(again, names["ill"])
    assert figures(after) == pytest.approx(figures(before), abs=0.004)
    assert after[1]["majority"] == before[1]["majority"]


def test_pairs_are_people_too():
    comparison = coined(people(1200, 1), pairs=True)
    assert run(comparison)[0]["a.excess"].parts["p"] < 1e-6
    fresh = run(released(comparison, people(800, 2)))[0]["a.excess"]
    assert fresh.low <= 0 <= fresh.high
    assert fresh.parts["p"] > 0.01


def test_people_whose_secret_is_missing_are_not_attacked():
    frame = people(1200, 1)
    frame.loc[::4, "ill"] = pd.NA
    comparison = coined(frame)
    known = comparison.pool.frame["ill"].notna().to_numpy()
    _, panel = run(comparison)
    assert panel["people"]["members"] == (comparison.pool.member & known).sum()
    assert panel["people"]["non_members"] == (~comparison.pool.member & known).sum()
    assert panel["excess"] > 0.7


def test_copies_spread_over_several_draws_are_found():
    comparison = coined(people(1600, 1))
    half = len(comparison.train) // 2
    draws = comparison.train[:half], comparison.train[half:]
    for secret in ("ill", "cost"):
        score = run(released(comparison, *draws), secret)[0]["a.excess"]
        assert score.low > 0.3


def test_one_row_stands_for_a_unit():
    """Five equal rows a person are no five people: nothing changes, and intervals stay as wide."""
    frame = people(600, 1)
    comparison = coined(frame, known=300)
    pool = comparison.pool
    often = AttackTargets(
        frame=pd.concat([pool.frame] * 5, ignore_index=True),
        unit=np.tile(pool.unit, 5),
        member=pool.member,
        isolated=pool.isolated,
        reference=pool.reference,
    )
    many = EvaluationData(
        train=comparison.train, holdout=comparison.holdout, synthetic=comparison.synthetic, schema=SCHEMA, pool=often
    )
    assert figures(run(many)) == figures(run(comparison))


def test_levels_with_few_people_are_not_looked_at_alone():
    frame = people(1200, 1)
    frame["ill"] = np.where(np.arange(1200) % 100 == 0, 1, 0)
    _, panel = run(coined(frame))
    assert [level["label"] for level in panel["classes"]] == ["0"]


def test_levels_are_shown_with_their_own_interval():
    _, panel = run(coined(people(1600, 1)))
    assert {level["label"] for level in panel["classes"]} == {"0", "1"}
    for level in panel["classes"]:
        assert level["attack"] in ATTACKS
        assert min(level["count_members"], level["count_non_members"]) >= 10
        assert level["low"] < level["excess"] < level["high"]


def test_the_headline_is_the_strongest_attack_and_its_interval_holds_for_all():
    comparison = coined(people(1600, 1))
    scores, panel = run(comparison)
    strongest = max(panel["attacks"], key=lambda each: each["excess"])
    assert strongest["attack"] == panel["attack"]
    assert sorted(each["attack"] for each in panel["attacks"]) == sorted(ATTACKS)
    n = [panel["people"][side] for side in ("members", "non_members")]
    hits = [round(strongest[side] * size) for side, size in zip(("members", "non_members"), n, strict=True)]
    from synthkit.metrics.stats.intervals import newcombe

    z = distributions.norm.isf(0.025 / 3)
    assert (panel["excess"], panel["low"], panel["high"]) == pytest.approx(newcombe(hits[0], n[0], hits[1], n[1], z=z))
    assert scores["a.excess"].parts["p"] == pytest.approx(min(1, 3 * min(each["p"] for each in panel["attacks"])))


# What is run


def test_one_metric_a_secret_and_set_of_known_columns():
    assert list(attributes(SCHEMA, MetricOptions())) == [
        "attribute.ill.quasi_identifiers",
        "attribute.ill.all_columns",
        "attribute.cost.quasi_identifiers",
        "attribute.cost.all_columns",
    ]
    assert list(attributes(SCHEMA.model_copy(update={"quasi_identifiers": ()}), MetricOptions())) == [
        "attribute.ill.all_columns",
        "attribute.cost.all_columns",
    ]
    only_key = SCHEMA.model_copy(update={"quasi_identifiers": ("ill",), "secrets": ("ill",)})
    assert list(attributes(only_key, MetricOptions())) == ["attribute.ill.all_columns"]
    metric = attributes(SCHEMA, MetricOptions())["attribute.ill.quasi_identifiers"]
    assert isinstance(metric, partial)
    scores, _ = metric(coined(people(900, 1)), RNG(0))
    assert scores[0].metric == "attribute.ill.quasi_identifiers.excess"


def test_the_secret_is_never_known():
    schema = SCHEMA.model_copy(update={"quasi_identifiers": ("ill", "sex", "age")})
    assert known_columns(schema, "ill", "quasi_identifiers") == ("age", "sex")
    assert "ill" not in known_columns(schema, "ill", "all")


# What is refused


def test_guesses_need_a_known_column():
    comparison = coined(people(900, 1), schema=SCHEMA.model_copy(update={"quasi_identifiers": ()}))
    with pytest.raises(MetricError, match="need a column that is known; however: there is none"):
        run(comparison, knowledge="quasi_identifiers")


def test_guesses_need_people():
    frame = people(900, 1)
    frame.loc[430:, "ill"] = pd.NA
    with pytest.raises(MetricError, match="need 20 people on either side whose `ill` is known; however"):
        run(coined(frame))


@pytest.mark.parametrize("whose", ["synthetic", "reference"])
def test_guesses_need_rows_in_which_the_secret_is_known(whose):
    frame = people(900, 1)
    if whose == "reference":
        frame.loc[:399, "ill"] = pd.NA
    comparison = coined(frame)
    if whose == "synthetic":
        comparison = released(comparison, people(300, 2).assign(ill=pd.array([pd.NA] * 300, dtype="Int64")))
    with pytest.raises(MetricError, match=f"however: none of the {whose} rows has one"):
        run(comparison)


def test_a_secret_has_two_values():
    frame = people(900, 1)
    frame["ill"] = 1
    with pytest.raises(MetricError, match="two different values to be a secret; however"):
        run(coined(frame))


def test_a_tolerance_needs_somebody():
    with pytest.raises(MetricError, match="no reference row has one"):
        Secret.of("cost", SCHEMA, pd.DataFrame({"cost": [np.nan]}), [])
