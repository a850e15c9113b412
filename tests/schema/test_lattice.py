"""Numbers on a lattice: held against numpy's own half and single precision, bit patterns, and closed forms."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from synthkit.schema import Numeric, Schema
from synthkit.schema.clamp import clamp
from synthkit.schema.domain_mapping import into_domain
from synthkit.schema.lattice import Lattice, stored

WAYS = st.sampled_from([None, "half", "single", "sas3", "sas4", "sas5", "sas6", "sas7"])
LATTICES = st.builds(
    Lattice,
    step=st.sampled_from([0.001, 0.01, 0.1, 0.25, 0.5, 1.0, 5.0, 12.0]),
    stored_as=WAYS,
    significant_digits=st.none() | st.integers(5, 12),
    written_decimals=st.none() | st.integers(4, 12),
)
NUMBERS = st.lists(st.floats(-3000, 3000, allow_nan=False), min_size=1, max_size=40).map(np.array)
forever = settings(deadline=None)


@forever
@given(LATTICES, NUMBERS)
def test_what_is_written_lies_on_the_lattice_and_comes_back(lattice, x):
    written = lattice.written(x)
    assert lattice.holds(written).all()
    assert np.allclose(lattice.written(lattice.plain(written)), written, rtol=1e-12, atol=1e-12)


@forever
@given(LATTICES, NUMBERS)
def test_writing_keeps_the_order(lattice, x):
    assert (np.diff(lattice.written(np.sort(x))) >= 0).all()


@forever
@given(LATTICES, st.floats(-300, 300, allow_nan=False))
def test_ends_are_the_nearest_multiples_that_are_written_inside(lattice, bound):
    for end, sign in ((lattice.first_from(bound), 1), (lattice.last_until(bound), -1)):
        here, beyond = lattice.written(np.array([end, end - sign * lattice.step]))
        assert sign * here >= sign * bound
        assert sign * beyond < sign * bound


@forever
@given(st.floats(-60000, 60000), st.sampled_from(["half", "single"]))
def test_half_and_single_precision_are_those_of_numpy(x, how):
    kind = {"half": np.float16, "single": np.float32}[how]
    assert stored(np.array([x]), how)[0] == float(kind(x))


@forever
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(3, 7))
def test_a_number_of_sas_keeps_the_first_bytes_of_a_float(x, n):
    first = struct.pack(">d", x)[:n] + bytes(8 - n)
    assert stored(np.array([x]), f"sas{n}")[0] == struct.unpack(">d", first)[0]


@forever
@given(st.integers(-(10**6), 10**6), st.sampled_from(["0.001", "0.1", "0.25", "5"]))
def test_multiples_are_the_floats_nearest_to_them(k, step):
    exact = Fraction(step) * k
    assert Lattice(step=float(step)).written(np.array([float(exact)]))[0] == float(exact)


def test_numbers_that_are_not_there_stay_away():
    lattice = Lattice(step=0.1, stored_as="sas3", significant_digits=9, written_decimals=8)
    x = np.array([np.nan, 0.39996338, 0.4])
    assert np.isnan(lattice.plain(x)).tolist() == [True, False, False]
    assert lattice.holds(x)[1:].tolist() == [True, False]
    assert lattice.plain(x)[1] == 0.4


def test_a_column_admits_its_lattice_within_its_bounds():
    column = Numeric(step=0.1, stored_as="half", min=0.2, max=1)
    cells = pd.Series([float(np.float16(0.3)), 0.3, 1.0, float(np.float16(1.1)), None])
    assert column.admits(cells).tolist() == [True, False, True, False, True]
    assert Numeric(step=5, decimals=0).admits(pd.Series([5, 10, 12])).tolist() == [True, True, False]


@forever
@given(NUMBERS)
def test_clamped_and_mapped_cells_are_admitted(x):
    column = {"kind": "numeric", "step": 0.1, "stored_as": "sas3", "min": 0.25, "max": 70.1}
    schema = Schema(columns={"x": column})
    for mapped in (clamp(pd.DataFrame({"x": x}), schema)[0], into_domain(pd.DataFrame({"x": x}), schema)):
        assert schema.columns["x"].admits(mapped["x"]).all()
        inside = np.clip(x, 0.25, 70.1)
        assert (np.abs(mapped["x"].to_numpy() - inside) <= 0.11 + 2.0**-12 * np.abs(inside)).all()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"stored_as": "half"}, "there is no `step`"),
        ({"written_decimals": 3}, "there is no `step`"),
        ({"stored_as": "half", "step": 0.1, "decimals": 1}, "Take `decimals` out"),
        ({"step": 0.25, "decimals": 1}, "at most 1 `decimals`"),
        ({"step": 5, "min": 1, "max": 4}, "multiple of `step`"),
        ({"step": 0}, "greater than"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys, said):
    with pytest.raises(ValidationError, match=said):
        Numeric(**keys)


def test_only_numbers_that_are_shortened_alike_are_compared():
    half, plain = {"kind": "numeric", "step": 0.1, "stored_as": "half"}, {"kind": "numeric", "step": 0.1}
    rules = [{"rule": "comparison", "left": "a", "op": "<=", "right": "b"}]
    Schema(columns={"a": half, "b": half}, rules=rules)
    Schema(columns={"a": plain, "b": {"kind": "numeric"}}, rules=rules)
    with pytest.raises(ValueError, match="shortened alike"):
        Schema(columns={"a": half, "b": plain}, rules=rules)


def test_what_is_computed_has_no_step():
    columns = {"a": {"kind": "numeric"}, "b": {"kind": "numeric", "step": 5}}
    with pytest.raises(ValueError, match="has a `step`"):
        Schema(columns=columns, derived={"b": "a * 2"})


def test_a_schema_with_steps_is_read_and_written():
    schema = Schema(columns={"x": {"kind": "numeric", "step": 0.1, "stored_as": "sas3", "significant_digits": 9}})
    assert Schema.loads(schema.dumps()) == schema
    assert "step: 0.1, stored_as: sas3, significant_digits: 9" in schema.dumps()
    assert math.isclose(schema.columns["x"].lattice.step, 0.1)
