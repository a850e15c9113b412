"""The planner: closed forms against draws, what must fall when rows or epsilon rise, warnings, and no table at all."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from synthkit.errors import ConfigError, SchemaError
from synthkit.models.marginal.budget_schedule import Rounds
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.marginal.model import Marginal
from synthkit.planning import plan
from synthkit.planning.expected_error import expected, off
from synthkit.planning.imagined_domain import ImaginedSlot, imagined, slots
from synthkit.planning.simulation import simulate
from synthkit.privacy.access.encoder_budget import EncoderBudget, encoder_queries
from synthkit.privacy.accounting.events import DiscreteGaussian
from synthkit.privacy.mechanisms.noise import add_noise
from synthkit.schema import Schema
from synthkit.schema.public_domain import declared_domain

COLUMNS = {
    "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
    "children": {"kind": "numeric", "min": 0, "max": 9, "decimals": 0, "nullable": True},
    "crea": {"kind": "numeric", "min": 0, "max": 20, "atoms": [0, 20]},
    "sex": {"kind": "categorical", "levels": ["f", "m"]},
    "stage": {"kind": "ordinal", "levels": ["i", "ii", "iii", "iv"], "nullable": True},
    "admitted": {"kind": "datetime", "min": "2019-01-01", "max": "2021-12-31"},
    "dead": {"kind": "boolean"},
}
SCHEMA = Schema(declared_by="the test: made-up people", columns=COLUMNS)
PERSONS = Schema(declared_by="the test: made-up people", columns={"id": {"kind": "identifier"}, **COLUMNS}, unit="id")


def look(schema=SCHEMA, *, rows=20_000, epsilon=1.0, simulated=False, **more):
    return plan(schema, rows=rows, epsilon=epsilon, simulated=simulated, **more)


def laid(schema=SCHEMA, units=20_000.0, rho=0.002):
    public = declared_domain(schema)
    bought = EncoderBudget(queries=encoder_queries(public), rho=rho, delta=1e-7)
    return slots(public, Marginal.coding, bought, units)


@pytest.mark.parametrize(("cells", "sigma"), [(4, 30.0), (200, 12.0), (1000, 100.0)])
def test_the_closed_form_is_what_noise_does(cells, sigma):
    """Draws of the shipped noise on a table of zeros of 50,000 rows."""
    drawn = add_noise(np.zeros(200 * cells, np.int64), DiscreteGaussian(sigma=sigma)).values.reshape(200, cells)
    found = 0.5 * np.abs(drawn).sum(axis=1).mean() / 50_000
    assert found == pytest.approx(off(cells, sigma, 50_000), rel=6 * 0.76 / math.sqrt(200 * cells))


def test_errors_fall_with_rows_and_with_epsilon():
    for outlooks in (
        [look(rows=n) for n in (500, 5_000, 50_000)],
        [look(epsilon=e) for e in (0.1, 1.0, 10.0)],
    ):
        for of in ("one", "two"):
            errors = [getattr(outlook, of).error for outlook in outlooks]
            assert errors == sorted(errors, reverse=True)
            assert errors[-1] < 0.3 * errors[0]
        assert [len(outlook.warnings) for outlook in outlooks][-1] == 0


def test_more_columns_and_more_levels_cost():
    wide = Schema(declared_by="the test: made-up people", columns={f"x{k}": COLUMNS["age"] for k in range(20)})
    assert (
        look(wide).one.error
        > look(Schema(declared_by="the test: made-up people", columns={"x": COLUMNS["age"]})).one.error
    )
    many = Schema(
        declared_by="the test: made-up people",
        columns={"a": {"kind": "categorical", "levels": list(range(500))}, "sex": COLUMNS["sex"]},
    )
    assert (
        look(many).one.largest
        > 10
        * look(
            Schema(declared_by="the test: made-up people", columns={"sex": COLUMNS["sex"], "dead": COLUMNS["dead"]})
        ).one.error
    )


def test_the_mean_over_pairs_is_that_of_all_pairs():
    sizes = (2, 5, 11)
    rounds = Rounds.of(sizes, 0.03, MarginalConfig().split())
    one, two = expected(sizes, 1000, rounds)
    assert two.cells == pytest.approx((10 + 22 + 55) / 3)
    assert two.tables == sum(r.many for r in rounds.rounds)
    assert two.largest / two.error == pytest.approx(55 / two.cells)
    assert one.largest == pytest.approx(off(11, math.sqrt(1 / (2 * rounds.single)), 1000))


def test_a_single_column_has_no_pairs():
    outlook = look(Schema(declared_by="the test: made-up people", columns={"sex": COLUMNS["sex"]}))
    assert (outlook.two.tables, outlook.two.error) == (0, 0.0)


def test_slots_follow_the_schema():
    sizes = {slot.name: slot.size for slot in laid()}
    assert sizes == {"age": 14, "children": 11, "crea": 16, "sex": 2, "stage": 5, "admitted": 14, "dead": 2}
    for slot in laid():
        assert slot.law.sum() == pytest.approx(1)


def test_of_levels_nobody_listed_those_are_left_that_enough_units_have():
    codes = Schema(declared_by="the test: made-up people", columns={"icd": {"kind": "code"}, "sex": COLUMNS["sex"]})
    few, many = (laid(codes, units)[0].size for units in (2_000, 2_000_000))
    assert 1 <= few < many <= 200
    assert look(codes).bought == ("levels of icd",)


@pytest.mark.parametrize("tie", [0.0, 0.4])
def test_imagined_columns_keep_their_laws_and_lean_on_each_other_as_told(tie):
    slots_ = [
        ImaginedSlot("a", np.full(4, 0.25)),
        ImaginedSlot("b", np.full(4, 0.25)),
        ImaginedSlot("c", np.array([0.9, 0.1])),
    ]
    cat = imagined(slots_, 200_000, tie, np.random.default_rng(3))
    for j, slot in enumerate(slots_):
        assert np.abs(np.bincount(cat[:, j]) / len(cat) - slot.law).max() < 0.005
    joint = np.histogram2d(cat[:, 0], cat[:, 1], bins=4)[0] / len(cat)
    assert 0.5 * np.abs(joint - 1 / 16).sum() == pytest.approx(0.75 * tie**2, abs=0.01)


def test_simulated_noise_is_the_closed_form():
    found = laid()
    one, two = expected(
        [s.size for s in found], 20_000, Rounds.of([s.size for s in found], 0.03, MarginalConfig().split())
    )
    fit = simulate(found, 20_000, 0.03, tie=0.4)
    assert fit.noise_one == pytest.approx(one.error, rel=0.3)
    assert fit.noise_two == pytest.approx(two.error, rel=0.1)
    assert fit.one < 0.02
    assert fit.two < fit.dependence


def test_a_table_too_small_keeps_nothing():
    fit = simulate(laid(), 200, 0.0005, tie=0.4)
    assert fit.two > fit.dependence
    assert look(rows=200, epsilon=0.1).warnings


def test_warnings_name_what_would_be_enough():
    outlook = look(rows=300, epsilon=0.2)
    assert "meaningless: noise alone moves tables of one column" in outlook.warnings[0]
    assert "columns will come out nearly independent" in outlook.warnings[1]
    enough = int(outlook.warnings[0].split("About ")[1].split(" units")[0].replace(",", ""))
    assert outlook.one.error * 300 / enough == pytest.approx(0.1, rel=0.06)


def test_a_column_of_too_many_levels_is_named():
    listed = {"kind": "categorical", "levels": list(range(3000))}
    warnings = look(Schema(declared_by="the test: made-up people", columns={"postcode": listed, **COLUMNS})).warnings
    assert any("postcode" in warning and "Group their levels" in warning for warning in warnings)


def test_rows_of_persons_count_once():
    assert look(PERSONS, max_rows_per_unit=4).units == 5_000
    assert look(PERSONS, max_rows_per_unit=4).one.error > look(SCHEMA).one.error
    unknown = look(PERSONS)
    assert unknown.units == 20_000
    assert "one row of each `id` is counted" in unknown.warnings[0]


def test_the_model_is_marginal_and_the_reason_is_told():
    assert look().model == "marginal"
    assert "autoregressive may be worth a trial" in look(rows=200_000, epsilon=3.0).why
    assert "autoregressive" not in look(rows=200_000, epsilon=0.5).why
    assert "`ctgan` was thought of" in look(model="ctgan").why
    assert "thought of" not in look(model="marginal").why


def test_delta_follows_from_the_units_or_is_taken():
    assert look().delta == pytest.approx(20_000**-1.5)
    assert look(delta=1e-6).delta == 1e-6


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rows": 1}, "rows must be a whole number of 2 or more; however: 1"),
        ({"rows": 10.5}, "rows must be a whole number of 2 or more; however: 10.5"),
        ({"model": "x"}, "`model` must be one of"),
        ({"epsilon": 0.0}, "epsilon must be a finite number above 0"),
        ({"delta": 0.01}, "delta must be below 1 / n"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked, said):
    with pytest.raises(ConfigError, match=said):
        look(**asked)


def test_lines_that_a_run_would_refuse_are_refused_here():
    seen = {"kind": "numeric", "min": 0, "max": 9, "decimals": 0, "observed": ["decimals"]}
    with pytest.raises(SchemaError, match="noise cannot buy them"):
        look(Schema(declared_by="the test: made-up people", columns={"x": seen}))


def test_the_outlook_is_plain_data_and_plain_words():
    outlook = look()
    told = json.loads(json.dumps(outlook.to_dict()))
    assert (told["format"], told["units"], told["dependent"]) == ("synthkit-plan/1", 20_000, None)
    text = str(outlook)
    assert text.startswith("20,000 units of 7 columns at epsilon 1, delta 3.5e-07\nNothing was read")
    assert "two columns" in text
    assert "fitted" not in text


def test_the_command_prints_and_writes(command, tmp_path):
    SCHEMA.save(tmp_path / "s.yaml")
    out = tmp_path / "plan.json"
    said = command("plan", "--schema", tmp_path / "s.yaml", "--rows", 300, "--epsilon", 0.2, "--quick", "--json", out)
    assert said.code == 0
    assert "300 units of 7 columns" in said.out
    assert "warning: meaningless" in said.err
    assert json.loads(out.read_text())["warnings"]


def test_the_command_fits_imagined_rows(command, tmp_path):
    small = Schema(
        declared_by="the test: made-up people", columns={name: COLUMNS[name] for name in ("sex", "dead", "stage")}
    )
    small.save(tmp_path / "s.yaml")
    said = command("plan", "--schema", tmp_path / "s.yaml", "--rows", 2000, "--epsilon", 1)
    assert said.code == 0
    assert "fitted, dependent" in said.out
    assert "two, if columns were taken for independent" in said.out


def test_the_command_refuses(refused, tmp_path):
    assert "rows must be" in refused("plan", "--schema", write(tmp_path), "--rows", 0, "--epsilon", 1)


def write(folder):
    SCHEMA.save(folder / "s.yaml")
    return folder / "s.yaml"
