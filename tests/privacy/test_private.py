"""The keeper under a budget: with hardly any noise it answers what is there, and no row counts more than once."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pandas as pd
import pytest

from synthkit.encode import TableEncoder
from synthkit.encode.numeric import Coding
from synthkit.errors import TableError
from synthkit.models import Marginal
from synthkit.privacy import PrivateCurator
from synthkit.privacy.counting import NoisyCounting
from synthkit.privacy.preparation import Preparation, questions
from synthkit.schema import Schema
from synthkit.schema.declared import declared

SCHEMA = Schema(
    unit="who",
    columns={
        "who": {"kind": "identifier"},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 99, "nullable": True},
        "pay": {"kind": "numeric", "decimals": 0, "min": 0, "max": 50_000},
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
            "pay": np.where(rng.random(n) < 0.4, 0, rng.integers(0, 50_001, n)),
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
    public = declared(SCHEMA)
    paid = []
    plan = Preparation(questions=questions(public, counted=counted), rho=rho, delta=1e-6)
    curator = PrivateCurator(frame, public)
    n = curator.rows(plan, paid.append) if counted else None
    return curator, curator.encoder(plan, Coding(coarse=14, fine=256), paid.append), paid, plan, n


def test_every_question_is_paid_for_once_in_order():
    _, _, paid, plan, n = encoder(table())
    assert paid == plan.charges()
    assert n == 4000


def test_with_hardly_any_noise_the_coding_fits_the_table():
    _, made, _, _, _ = encoder(table())
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


def test_rows_come_back_inside_the_published_schema():
    frame = table()
    _, made, _, _, _ = encoder(frame)
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
    _, made, _, _, n = encoder(heavy)
    assert n == 2000
    assert made.codecs["sex"].counts.sum() == 2000
    curator, made, *_ = encoder(heavy)
    slots = list(made.layout.coarse)
    counting = curator.counting(made, slots, 1e6, lambda charge: None)
    assert isinstance(counting, NoisyCounting)
    assert counting.measure([(0,)], 1e5)[0].counts.sum() == 2000


def test_rows_without_a_person_are_dropped():
    frame = table(2000)
    frame.loc[:99, "who"] = None
    assert encoder(frame)[4] == 1900


def test_levels_nobody_shares_are_refused():
    frame = table(60)
    with pytest.raises(TableError, match=r"`town` must have a level that enough units share; however: none reached"):
        encoder(frame, rho=1e-3)


def test_the_coding_is_random_although_nothing_was_seeded():
    one, two = (encoder(table(), rho=0.01)[1].codecs["sex"].counts.tolist() for _ in range(2))
    assert one != two


def test_nothing_public_gives_rows_away():
    curator, made, *_ = encoder(table())
    methods = {n for n, _ in inspect.getmembers(PrivateCurator, inspect.isfunction) if not n.startswith("_")}
    assert methods >= {"counting", "encoder", "rows"}
    assert {n for n in vars(curator) if not n.startswith("_")} == {"public"}
    assert isinstance(made, TableEncoder)


def test_a_model_learns_from_it():
    curator, made, _, _, _ = encoder(table(), rho=1.0, counted=False)
    model = Marginal(made.layout, Marginal.Config(components=50))
    model.fit_counts(curator.counting(made, list(made.layout.coarse), 1.0, lambda charge: None), seed=1)
    assert model.rows == pytest.approx(4000, rel=0.05)
