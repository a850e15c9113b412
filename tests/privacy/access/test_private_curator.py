"""The keeper under a budget: with hardly any noise it answers what is there, and no row counts more than once."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.encoding import Rows, TableEncoder
from synthkit.encoding.coding import Coding
from synthkit.models.marginal.model import Marginal
from synthkit.privacy.access.counts import NoisyCounting
from synthkit.privacy.access.encoder_budget import EncoderBudget, encoder_queries
from synthkit.privacy.access.private_curator import PrivateCurator
from synthkit.schema import Schema
from synthkit.schema.public_domain import NOT_STATED, declared_domain

SCHEMA = Schema(
    declared_by="the test: made-up people",
    unit="who",
    columns={
        "who": {"kind": "identifier"},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 99, "nullable": True},
        "pay": {"kind": "numeric", "decimals": 0, "min": 0, "max": 5_000},
        "open": {"kind": "numeric"},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "town": {"kind": "categorical", "levels": ["north", "south", "east"], "observed": ["levels"]},
        "icd": {"kind": "code", "nullable": True},
        "a": {"kind": "categorical", "levels": ["x", "y"]},
        "b": {"kind": "categorical", "levels": ["u", "v"], "nullable": True},
        "came": {"kind": "datetime", "min": "2020-01-01", "max": "2020-12-31", "precision": "day"},
        "left": {"kind": "datetime", "min": "2020-01-01", "max": "2020-12-31", "precision": "day"},
    },
    rules=[
        {"rule": "fixed_combination", "of": ["a", "b"]},
        {"rule": "comparison", "left": "came", "op": "<=", "right": "left"},
    ],
)


def table(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    came = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    kind = rng.integers(0, 2, n)
    return pd.DataFrame(
        {
            "who": np.arange(n).astype(str),
            "age": pd.Series(rng.integers(20, 90, n)).astype("Int64").mask(rng.random(n) < 0.1),
            "pay": np.where(rng.random(n) < 0.4, 0, rng.integers(0, 5_001, n)),
            "open": rng.normal(0, 3, n),
            "sex": rng.choice(["f", "m"], n),
            "town": rng.choice(["north", "south"], n),
            "icd": rng.choice(["250", "401", None], n),
            "a": np.array(["x", "y"])[kind],
            "b": np.array(["u", None], dtype=object)[kind],
            "came": came,
            "left": came + pd.to_timedelta(rng.integers(0, 100, n), unit="D"),
        }
    )


def encoder(frame, rho=1e6, counted=True):
    """An encoder with hardly any noise, and what was paid for it."""
    public = declared_domain(SCHEMA)
    paid = []
    plan = EncoderBudget(queries=encoder_queries(public, counted=counted), rho=rho, delta=1e-6)
    curator = PrivateCurator.of(frame, public)
    n = curator.rows(plan, paid.append) if counted else None
    return curator, curator.encoder(plan, Coding(coarse=14, fine=256), paid.append), paid, plan, n


@pytest.fixture(scope="module")
def plain():
    """The encoder of the table as it is, which nobody changes."""
    return encoder(table())


def test_every_question_is_paid_for_once_in_order(plain):
    _, _, paid, plan, n = plain
    assert paid == plan.charges()
    assert n == 4000


def test_with_hardly_any_noise_the_coding_fits_the_table(plain):
    _, made, _, _, _ = plain
    assert made.codecs["sex"].counts.sum() == 4000
    assert made.codecs["town"].levels == ("north", "south")
    assert set(made.codecs["icd"].levels) == {"250", "401"}
    assert set(made.codecs["a+b"].combinations) == {("x", "u"), ("y", None)}
    assert 0.0 in made.codecs["pay"].low[made.codecs["pay"].low == made.codecs["pay"].high]  # a spike
    assert made.codecs["age"].missing == pytest.approx(400, rel=0.2)
    open_ = made.schema.columns["open"]
    assert open_.min in (-16.0, -8.0, -32.0)
    assert open_.paid == ("max", "min")
    assert made.schema.columns["town"].levels == ("north", "south")
    assert made.schema.columns["town"].paid == ("levels",)
    assert made.schema.columns["age"].paid == ()


def test_rows_come_back_inside_the_published_schema(plain):
    frame = table()
    _, made, _, _, _ = plain
    back = made.decode(made.encode(frame), np.random.default_rng(0))
    for name in SCHEMA.learned:
        assert made.schema.columns[name].admits(back[name]).all(), name
    assert (back["sex"] == frame["sex"]).all()
    assert (pd.to_datetime(back["left"]) >= pd.to_datetime(back["came"])).all()


def test_levels_that_are_not_told_stand_for_nobody():
    """A town of one person is coded as the commonest, a code of one person as the nearest that is told."""
    frame = table()
    frame.loc[0, "town"], frame.loc[0, "icd"] = "east", "250.53"
    frame.loc[1, "icd"] = None
    _, made, _, _, _ = encoder(frame, rho=1.0)
    assert "east" not in made.codecs["town"].levels
    assert "250.53" not in json.dumps(made.to_dict())
    back = made.decode(made.encode(frame), np.random.default_rng(0))
    assert back.loc[0, "town"] in ("north", "south")
    assert back.loc[0, "icd"] == "250"
    assert back.loc[1, "icd"] is None


def test_a_person_with_many_rows_counts_once():
    frame = table(2000)
    heavy = pd.concat([frame, frame.iloc[[0]].loc[np.zeros(500, dtype=int)].assign(sex="f")], ignore_index=True)
    curator, made, _, _, n = encoder(heavy)
    assert n == 2000
    assert made.codecs["sex"].counts.sum() == 2000
    slots = list(made.layout.coarse)
    counting = curator.counting(made, slots, 1e6, lambda charge: None)
    assert isinstance(counting, NoisyCounting)
    assert counting.measure([(0,)], 1e5)[0].counts.sum() == 2000


def test_rows_without_a_person_are_dropped():
    frame = table(2000)
    frame.loc[:99, "who"] = None
    assert encoder(frame)[4] == 1900


def test_levels_nobody_shares_are_not_told_and_end_nothing():
    """A public level stands in, or nothing where cells may be missing: what was charged comes to its end."""
    frame = table(60)
    _, made, _, _, _ = encoder(frame, rho=1e-3)
    assert made.codecs["town"].levels == made.schema.columns["town"].levels == (NOT_STATED,)
    assert made.codecs["icd"].levels == (NOT_STATED,)
    assert made.codecs["a+b"].combinations == (("x", None),)
    back = made.decode(made.encode(frame), np.random.default_rng(0))
    assert back["icd"].isna().all()
    assert set(back["town"]) == {NOT_STATED}
    assert Schema.loads(made.schema.dumps()) == made.schema


def extremes():
    """Tables that a fit must survive: no rows, one, nothing in them, always the same."""
    frame = table(30)
    empty = frame.astype(object).mask(np.ones(frame.shape, dtype=bool)).assign(who=frame["who"])
    return {
        "no rows": frame.head(0),
        "one row": frame.head(1),
        "all missing": empty,
        "constant": frame.iloc[[3] * 30].assign(who=frame["who"]),
        "huge": frame.assign(open=1e300, pay=1e300),
    }


@pytest.mark.parametrize("name", extremes())
@pytest.mark.parametrize("rho", [1e-6, 1e-2, 1e6], ids=str)
def test_every_table_comes_to_a_coding_that_can_be_saved_and_drawn_from(name, rho):
    frame = extremes()[name]
    _, made, _, _, n = encoder(frame, rho=rho)
    assert n >= 1
    assert Schema.loads(made.schema.dumps()) == made.schema
    assert TableEncoder.from_dict(json.loads(json.dumps(made.to_dict())), made.schema).to_dict() == made.to_dict()
    drawn = made.decode(uniform(made), np.random.default_rng(0))
    for column in SCHEMA.learned:
        assert made.schema.columns[column].admits(drawn[column]).all(), column


def uniform(made, n=200):
    """Rows that hold every level of every slot with equal chances."""
    rng = np.random.default_rng(0)
    cat = np.stack([rng.integers(0, size, n) for size in made.layout.sizes], axis=1)
    return Rows(torch.from_numpy(cat), torch.from_numpy(rng.random((n, len(made.layout.residuals)), dtype=np.float32)))


@pytest.mark.parametrize("extra", [[], ["x"], ["0"], [" 1"]], ids=str)
def test_bought_levels_are_texts_in_an_order_that_follows_from_them_alone(extra):
    """Codes 1, 2, 10 came as 1, 10, 2 where one more row held a text."""
    ward = {"kind": "categorical", "levels": ["10", "2", "1", *extra], "observed": ["levels"]}
    stage = {"kind": "ordinal", "levels": ["III", "I", "II"], "observed": ["levels"]}
    schema = Schema(columns={"ward": ward, "stage": stage}, declared_by="the test: made-up people")
    public = declared_domain(schema)
    cells = [10, 2, 1] if not extra else ["10", "2", "1"]
    rng = np.random.default_rng(1)
    order = rng.permutation(np.repeat([0, 1, 2], 200))
    frame = pd.DataFrame({"ward": np.array(cells, dtype=object)[order], "stage": np.array(["III", "I", "II"])[order]})
    frame = pd.concat([frame, pd.DataFrame({"ward": extra, "stage": ["I"] * len(extra)})], ignore_index=True)
    plan = EncoderBudget(queries=encoder_queries(public), rho=1.0, delta=1e-6)
    made = PrivateCurator.of(frame, public).encoder(plan, Coding(), lambda charge: None)
    assert made.schema.columns["ward"].levels == ("1", "2", "10")
    assert made.schema.columns["stage"].levels == ("I", "II", "III")
    assert "observed" not in made.schema.dumps()


def test_columns_of_combinations_tell_no_level_that_was_not_told():
    ward = {"kind": "categorical", "levels": ["a", "b", "secret"], "observed": ["levels"]}
    rule = {"rule": "fixed_combination", "columns": ["ward", "floor"]}
    columns = {"ward": ward, "floor": {"kind": "categorical", "levels": ["1", "2"]}}
    public = declared_domain(Schema(columns=columns, rules=[rule], declared_by="the test: made-up people"))
    frame = pd.DataFrame({"ward": ["b", "a"] * 300 + ["secret"], "floor": ["1", "2"] * 300 + ["1"]})
    plan = EncoderBudget(queries=encoder_queries(public), rho=1.0, delta=1e-6)
    made = PrivateCurator.of(frame, public).encoder(plan, Coding(), lambda charge: None)
    assert made.codecs["ward+floor"].combinations == (("a", "2"), ("b", "1"))
    assert made.schema.columns["ward"].levels == ("a", "b")
    assert made.schema.columns["ward"].paid == ("levels",)
    assert "secret" not in made.schema.dumps() + json.dumps(made.to_dict())


def test_levels_and_numbers_that_rules_and_targets_name_are_there_whatever_was_told():
    columns = {
        "ward": {"kind": "categorical", "levels": [1, 2], "observed": ["levels"]},
        "cost": {"kind": "numeric", "decimals": 0, "atoms": [99_999]},
    }
    rule = {"rule": "implication", "if": {"ward": {"in": [2]}}, "then": {"cost": {"min": 50_000}}}
    target = {"column": "ward", "task": "binary", "positive": 2}
    schema = Schema(columns=columns, rules=[rule], targets=[target], declared_by="the test: made-up people")
    public = declared_domain(schema)
    frame = pd.DataFrame({"ward": [1] * 300, "cost": [5] * 300})
    plan = EncoderBudget(queries=encoder_queries(public), rho=1.0, delta=1e-6)
    made = PrivateCurator.of(frame, public).encoder(plan, Coding(), lambda charge: None)
    assert made.schema.columns["ward"].levels == ("1", "2")
    assert made.schema.columns["cost"].max >= 99_999
    assert made.schema.targets[0].positive == "2"
    assert Schema.loads(made.schema.dumps()) == made.schema


def test_bounds_that_were_bought_never_cross_what_is_declared():
    columns = {
        "low": {"kind": "numeric", "min": 100, "decimals": 2},
        "high": {"kind": "numeric", "max": -3, "decimals": 0},
        "seen": {"kind": "datetime", "precision": "microsecond"},
        "day": {"kind": "datetime", "min": "2020-01-01", "precision": "day"},
    }
    public = declared_domain(Schema(columns=columns, declared_by="the test: made-up people"))
    moments = pd.Series(np.array(["2021-05-01", "9999-12-31T23:59:59.999999"], dtype="datetime64[us]"))
    frame = pd.DataFrame({"low": [100.0, 7.0], "high": [-3, 900], "seen": moments, "day": moments})
    for rho in (1e-6, 1e-3, 1.0, 1e6):
        plan = EncoderBudget(queries=encoder_queries(public), rho=rho)
        made = PrivateCurator.of(frame, public).encoder(plan, Coding(), lambda charge: None)
        assert Schema.loads(made.schema.dumps()) == made.schema
        drawn = made.decode(uniform(made), np.random.default_rng(0))
        for name in columns:
            assert made.schema.columns[name].admits(drawn[name]).all(), name


def test_the_coding_is_random_although_nothing_was_seeded():
    one, two = (encoder(table(500), rho=0.01)[1].codecs["sex"].counts.tolist() for _ in range(2))
    assert one != two


def test_nothing_public_gives_rows_away(plain):
    curator, made, *_ = plain
    methods = {n for n, _ in inspect.getmembers(PrivateCurator, inspect.isfunction) if not n.startswith("_")}
    assert methods >= {"counting", "encoder", "rows"}
    assert {n for n in vars(curator) if not n.startswith("_")} == {"public"}
    assert isinstance(made, TableEncoder)


def test_a_model_learns_from_it():
    curator, made, _, _, _ = encoder(table(), rho=1.0, counted=False)
    model = Marginal(made.layout, Marginal.Config(components=50))
    model.fit_counts(curator.counting(made, list(made.layout.coarse), 1.0, lambda charge: None), seed=1)
    assert model.rows == pytest.approx(4000, rel=0.05)
