"""Exactly one of a group is true in whatever is drawn: the group is one slot."""

import numpy as np
import pandas as pd
import torch
from hypothesis import given
from hypothesis import strategies as st

from synthkit.encoding import Rows, TableEncoder
from synthkit.encoding.encoder import histograms_of
from synthkit.privacy.access.encoder_budget import encoder_queries
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.public_domain import declared_domain
from synthkit.synthesizer.synthesizer import Synthesizer

BY = "A. Lee: the form"


def made(levels, k, *, nullable=False, n=200, seed=0, extra=()):
    names = [f"x_{j}" for j in range(k)]
    flag = {"kind": "boolean", "levels": levels, "nullable": nullable}
    columns = {name: flag for name in names} | {"age": {"kind": "numeric", "min": 0, "max": 99, "decimals": 0}}
    rules = [{"rule": "exactly_one", "columns": names}, *extra]
    rng = np.random.default_rng(seed)
    answer = rng.integers(0, k, n)
    no, yes = levels
    frame = pd.DataFrame({name: np.where(answer == j, yes, no) for j, name in enumerate(names)}, dtype=object)
    if nullable:
        frame[rng.random(n) < 0.2] = None
    schema = Schema(columns=columns, rules=rules, declared_by=BY)
    return conform(frame.assign(age=rng.integers(0, 99, n)), schema), schema


@given(st.sampled_from([(0, 1), (False, True)]), st.integers(2, 6), st.booleans(), st.integers(0, 50))
def test_what_is_encoded_is_decoded(levels, k, nullable, seed):
    frame, schema = made(levels, k, nullable=nullable, seed=seed)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    decoded = conform(encoder.decode(encoder.encode(frame), np.random.default_rng(0)), schema)
    pd.testing.assert_frame_equal(decoded, frame)
    assert [slot.size for slot in encoder.layout.slots[:1]] == [k + nullable]


@given(st.integers(2, 6), st.booleans(), st.integers(0, 50))
def test_any_row_at_all_keeps_the_rule(k, nullable, seed):
    frame, schema = made((0, 1), k, nullable=nullable, seed=seed)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    rng = np.random.default_rng(seed)
    cat = np.stack([rng.integers(0, size, 100) for size in encoder.layout.sizes], axis=1)
    rows = Rows(torch.from_numpy(cat), torch.from_numpy(rng.random((100, 1)).astype(np.float32)))
    assert schema.rules[0].holds(encoder.decode(rows, rng)).all()


def test_a_choice_nobody_made_stays_possible():
    frame, schema = made((0, 1), 3)
    frame = frame[frame["x_2"] == 0]
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    assert encoder.codecs["x_0+x_1+x_2"].counts.tolist()[2] == 0
    assert encoder.codecs["x_0+x_1+x_2"].combinations == ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def test_samples_given_and_imputed_rows_keep_it():
    frame, schema = made((0, 1), 4, n=400)
    fitted = Synthesizer(schema, "independent").fit(frame, seed=1)
    assert schema.rules[0].holds(fitted.sample(500, seed=2)).all()
    drawn = fitted.sample(50, given={"x_1": 1}, seed=3)
    assert (drawn["x_1"] == 1).all()
    assert (drawn["x_0"] == 0).all()
    known = fitted.sample(50, given={"x_1": 0}, seed=3)
    assert schema.rules[0].holds(known).all()
    assert (known["x_1"] == 0).all()


def test_under_a_budget_the_group_is_public_and_nothing_is_bought_for_it():
    _, schema = made((0, 1), 4)
    assert [q.kind for q in encoder_queries(declared_domain(schema)) if q.column == "x_0+x_1+x_2+x_3"] == []
    asked = encoder_queries(declared_domain(schema), counted=True)
    assert [q.kind for q in asked if q.column == "x_0+x_1+x_2+x_3"] == ["counts"]


def test_a_fit_under_a_budget_keeps_it(tmp_path):
    frame, schema = made((0, 1), 4, n=300)
    ledger = Ledger.new(tmp_path / "ledger.json", Budget(epsilon=1, delta=1e-6, unit=None))
    fitted = Synthesizer(schema, "marginal").fit(frame, seed=1, ledger=ledger)
    assert schema.rules[0].holds(fitted.sample(300, seed=2)).all()


def test_other_rules_on_the_same_columns_hold_too():
    then = {"rule": "implication", "if": {"x_0": {"in": [1]}}, "then": {"age": {"max": 50}}}
    frame, schema = made((0, 1), 3, n=300, extra=[then])
    frame = frame[schema.rules[1].holds(frame)]
    drawn = Synthesizer(schema, "independent").fit(frame, seed=1).sample(400, seed=2)
    assert all(rule.holds(drawn).all() for rule in schema.rules)
