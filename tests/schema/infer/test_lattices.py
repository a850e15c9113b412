"""Lattices found in numbers: planted ones come back, of every storage; continuous numbers have none."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthkit.encoding.plain_numbers import plain_numbers
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Numeric, Schema
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.infer.lattices import find_lattice, found_keys, shortened_alike
from synthkit.schema.lattice import Lattice
from synthkit.schema.rules import Comparison
from synthkit.synthesizer.synthesizer import Synthesizer

REAL = Path(os.environ.get("SYNTHKIT_DATA", ".")) / "support2" / "support2.parquet"


def planted(lattice, n=2000, seed=0):
    return lattice.written(np.random.default_rng(seed).gamma(3, 8, n))


@pytest.mark.parametrize("how", ["half", "single", "sas3", "sas4", "sas5"])
@pytest.mark.parametrize("decimals", [1, 2])
def test_a_planted_storage_is_found(how, decimals):
    lattice = Lattice(step=10.0**-decimals, stored_as=how)
    found = find_lattice(np.unique(planted(lattice)))
    assert (found.step, found.stored_as) == (lattice.step, how)
    written = Lattice(step=10.0**-decimals, stored_as=how, significant_digits=9, written_decimals=8)
    again = find_lattice(np.unique(planted(written)))
    assert again.holds(planted(written, seed=1)).mean() > 0.999


@pytest.mark.parametrize("step", [5.0, 0.25, 0.5, 20.0])
def test_a_planted_step_is_found(step):
    x = np.arange(0, 60) * step
    assert find_lattice(x) == Lattice(step=step)


def test_numbers_without_a_lattice_have_none():
    rng = np.random.default_rng(0)
    for x in (rng.normal(size=3000), rng.normal(size=3000).astype(np.float32).astype(float), rng.random(3000) * 1e6):
        assert find_lattice(np.unique(x)) is None
    assert find_lattice(np.arange(5.0)) is None  # too few to tell
    assert find_lattice(np.arange(40) * 1e11) is None  # beyond what floats tell apart


def test_single_rows_may_lie_elsewhere_at_a_fit_and_not_in_a_draft():
    x = np.r_[np.tile(np.arange(40.0, 140), 100), 71.3]
    assert found_keys(pd.Series(x), Numeric()) == {"step": 1.0}
    assert found_keys(pd.Series(np.r_[x, [71.3] * 5]), Numeric()) == {"step": 0.1}  # so many are no mistake
    assert found_keys(pd.Series(np.tile(np.arange(40.0, 140), 9)), Numeric(decimals=0)) == {}
    drafted = infer_schema(pd.DataFrame({"x": x})).columns["x"]
    assert (drafted.decimals, drafted.step) == (1, None)


def test_a_draft_says_how_numbers_were_kept_and_admits_them_all():
    x = planted(Lattice(step=0.1, stored_as="sas3", significant_digits=9, written_decimals=8))
    schema = infer_schema(pd.DataFrame({"x": x}))
    column = schema.columns["x"]
    assert (column.step, column.stored_as, column.decimals) == (0.1, "sas3", None)
    assert {"step", "stored_as"} <= set(column.observed)
    assert column.admits(pd.Series(x)).all()
    assert Schema.loads(schema.dumps()) == schema


def test_numbers_that_are_compared_lose_a_storage_that_the_other_has_not():
    half, step = Numeric(step=0.1, stored_as="half", observed=("step", "stored_as")), Numeric(step=0.1)
    columns = {"a": half, "b": half, "c": step, "d": half, "e": half}
    pairs = [("a", "b"), ("b", "c"), ("d", "e")]  # what b loses, a loses too
    rules = [Comparison(left=left, op="<=", right=right) for left, right in pairs]
    out = shortened_alike(columns, rules)
    assert out == {"a": Numeric(), "b": Numeric(), "c": step, "d": half, "e": half}
    assert Schema(columns=out, rules=rules).rules == tuple(rules)


@pytest.mark.parametrize("model", ["independent", "marginal"])
def test_what_is_drawn_lies_on_the_lattice_that_was_found(model, tmp_path):
    lattice = Lattice(step=0.1, stored_as="sas3", significant_digits=9, written_decimals=8)
    frame = pd.DataFrame({"x": planted(lattice), "y": planted(Lattice(step=5.0), seed=1)})
    schema = Schema(columns={"x": {"kind": "numeric"}, "y": {"kind": "numeric", "decimals": 0}})
    made = Synthesizer(schema, model)
    made.fit(frame, seed=1)
    made.save(tmp_path / "model")
    drawn = made.sample(1000, seed=2)
    assert lattice.holds(drawn.x.to_numpy()).all()
    assert (drawn.y % 5 == 0).all()
    again = Synthesizer.load(tmp_path / "model").sample(1000, seed=2)
    pd.testing.assert_frame_equal(again, drawn)


def test_looking_for_a_lattice_is_charged_and_a_declared_one_is_not_looked_for():
    frame = pd.DataFrame({"x": planted(Lattice(step=0.5))})
    for keys, looked in (({}, True), ({"step": 0.5}, False)):
        ledger = Ledger.unlimited(unit="row")
        schema = Schema(columns={"x": {"kind": "numeric", **keys}})
        encoder = Curator(frame, schema, ledger, Seeds(1)).access().fit_encoder()
        assert ("steps of the numbers of one column" in {charge.what for charge in ledger.charges}) == looked
        assert encoder.recoding.schema.columns["x"].step == 0.5
        assert encoder.schema == schema


@pytest.mark.skipif(not REAL.exists(), reason="needs SYNTHKIT_DATA")
def test_probabilities_of_support2_are_three_decimals_in_three_bytes():
    real = pd.read_parquet(REAL)["surv2m"].dropna()
    keys = found_keys(real, Numeric(min=0, max=1))
    assert (keys["step"], keys["stored_as"]) == (0.001, "sas3")
    column = Numeric(min=0, max=1, **keys)
    assert column.admits(real).all()
    plain = np.unique(plain_numbers(real.to_numpy(), column))
    assert len(plain) == real.nunique()
    assert np.allclose(plain, np.round(plain, 3), atol=1e-12)
