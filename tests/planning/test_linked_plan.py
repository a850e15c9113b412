"""The plan of linked tables: the split of a real run, closed forms against real noise, refusals of a run, warnings."""

from __future__ import annotations

import itertools
import json
import math
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from bounded_hospital import BOUNDED, hospital

from synthkit.cli.arguments import means_by_table
from synthkit.encoding.slot_counts import AskedCounts
from synthkit.encoding.units.step_contexts import EVENTS, OWNER, UNIT, StepContexts
from synthkit.errors import ConfigError, SchemaError, UnsupportedError
from synthkit.models.marginal.budget_schedule import Rounds
from synthkit.models.marginal.pooled_levels import Pooled
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_marginal.config import UnitMarginalConfig
from synthkit.models.unit_marginal.model import UnitMarginal, told_pairs
from synthkit.pipeline.linked.private_linked_run import release_linked
from synthkit.pipeline.run_config import RunConfig
from synthkit.planning import plan_linked
from synthkit.planning.expected_steps import ALONE, BESIDE, FOLLOWING, expected_steps, off_target
from synthkit.planning.imagined_access import ImaginedAccess, imagined_frames
from synthkit.planning.linked_outlook import EVENT_WORDS
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.access.unit_access import UnitFitPlan
from synthkit.privacy.access.unit_counts import SETTLED_SHARE
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.events import Concentrated
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta
from synthkit.privacy.accounting.zcdp import cost
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.public_tables import declared_tables

PLAN = UnitFitPlan(coding=UnitMarginal.coding, root=UnitMarginal.root_coding)


def declared(**wards: Any) -> LinkedSchema:
    """The hospital with wards that somebody lists."""
    said = deepcopy(BOUNDED)
    said["tables"]["visits"]["columns"]["ward"] = {"kind": "categorical", "levels": ["north", "south"], **wards}
    return LinkedSchema.parse(said)


BOUGHT, LISTED = LinkedSchema.parse(BOUNDED), declared()


def look(schema=LISTED, *, units=10_000, epsilon=1.0, **more):
    return plan_linked(schema, units=units, epsilon=epsilon, **more)


def real_access(folder, frames, schema, *, epsilon, delta):
    """What a run has: a budget in a file, and real tables."""
    ledger = Ledger.new(folder / "ledger.json", Budget(epsilon=epsilon, delta=delta, unit="patients"))
    access = PrivateUnitAccess(frames, schema, ledger)
    access.reserve(PLAN)
    return access, ledger


def test_a_run_is_charged_what_was_planned(tmp_path):
    """The reserve, the prices of all queries, of what is placed, of the units' rows and of every part below them.

    A column that rows repeat has a slot more, if noisy counts say so: here the budget is large enough for none to err.
    """
    frames = hospital([(k % 4, k % 9, k % 6) for k in range(400)])
    access, ledger = real_access(tmp_path, frames, BOUGHT, epsilon=300.0, delta=1e-6)
    outlook = look(BOUGHT, units=5_000, epsilon=300.0, delta=1e-6)
    (charged,) = [charge.spent for charge in ledger.charges]
    assert isinstance(charged, Concentrated)
    assert outlook.rho == charged.rho
    prices = {each.what: each.rho for each in outlook.purchases}
    budget = access.budget
    assert [prices[f"coding of {name}"] for name in budget.coding] == [each.rho for each in budget.coding.values()]
    assert prices["types, gaps and repeats of rows"] == budget.placed
    encoder = access.fit_encoder()
    steps = ledger.parts[-1].inside
    assert [charge.what for charge in steps[:-2]] == [c.what for b in budget.coding.values() for c in b.charges()]
    assert math.fsum(c.times * cost(c.spent).rho for c in steps[-2:]) == pytest.approx(budget.placed, rel=1e-4)
    assert outlook.bought == tuple(
        f"{q.words} ({name})" for name, b in budget.coding.items() for q in b.queries if q.kind in ("levels", "bounds")
    )
    words = "counts of patients, how many rows they own among them"
    assert prices[words] == pytest.approx(access.root().counts().rho, rel=1e-4)
    for name, part in access.below(StepContexts(layout=UnitLayout.of(encoder))).parts.items():
        told = EVENT_WORDS if name == EVENTS else f"rows of {name}"
        assert prices[f"counts of {told}"] == pytest.approx(part.rho / (1 - SETTLED_SHARE), rel=1e-4)
    assert math.fsum(prices.values()) == pytest.approx(outlook.rho, rel=1e-4)
    assert math.fsum(each.share for each in outlook.purchases) == pytest.approx(1, rel=1e-4)


def near(flat):
    """Own columns beside those of unit and owner."""
    beside = [len(flat.own) + k for k, c in enumerate(flat.contexts) if c.source == UNIT or c.source.startswith(OWNER)]
    return list(itertools.product(range(len(flat.own)), beside))


def apart(told, part, pools):
    """Total variation between a table as it was told, over all levels, and as it is."""
    table = told.counts[np.ix_(*(pools[j].group for j in told.scope))].astype(float)
    for axis, j in enumerate(told.scope):
        table = table * pools[j].within.reshape([-1 if k == axis else 1 for k in range(table.ndim)])
    exact = np.bincount(part.tables.cells(told.scope), minlength=table.size) / len(part.owner)
    return 0.5 * float(np.abs(table.ravel() / part.rows - exact).sum())


class Whole:
    """A level by itself."""

    def __init__(self, size):
        self.group, self.within = np.arange(size), np.ones(size)


def measured(access):
    """Mean errors of tables as the model asks for them, with the noise of a run."""
    encoder = access.fit_encoder()
    contexts = StepContexts(layout=UnitLayout.of(encoder))
    counting = access.below(contexts)
    flats = {n: contexts.events() if n == EVENTS else contexts.rows(n) for n in counting.parts}
    pairs = {n: told_pairs(flat, first=n == EVENTS) for n, flat in flats.items()}
    split = UnitMarginalConfig().split()
    plans = {n: Rounds.of(flats[n].mixed_sizes, p.rho, split, pairs[n]) for n, p in counting.parts.items()}
    names, out = list(counting.parts), {}
    asked = [
        AskedCounts(counting=p, scopes=[(j,) for j in range(flats[n].mixed)], rho=plans[n].single)
        for n, p in counting.parts.items()
    ]
    singles = dict(zip(names, counting.measure(asked), strict=True))
    change = {n: singles[n][0].sigma * math.sqrt(2 * plans[n].single) / p.rows for n, p in counting.parts.items()}
    plans = {n: plan.affordable(change[n]) for n, plan in plans.items()}
    pools = {
        n: [*(Pooled.of(t) for t in told), *map(Whole, flats[n].sizes[flats[n].mixed :])] for n, told in singles.items()
    }
    pooled = {n: p.pooled([pool.group for pool in pools[n]]) for n, p in counting.parts.items()}
    known = [AskedCounts(counting=pooled[n], scopes=pairs[n], rho=plans[n].pair) for n in names]
    beside = []
    for n in names:
        price = 1 / float(np.mean([r.told**-0.5 for r in plans[n].rounds])) ** 2
        every, many = near(flats[n]), plans[n].rounds[0].many
        some = [every[k * len(every) // many] for k in range(many)]
        beside.append(AskedCounts(counting=pooled[n], scopes=some, rho=price))
    told = {FOLLOWING: counting.measure(known), BESIDE: counting.measure(beside)}
    for n, part in counting.parts.items():
        single = [Whole(size) for size in part.sizes]
        out[n, ALONE] = np.mean([apart(t, part, single) for t in singles[n] if t.scope[0] < len(flats[n].own)])
    for kind, tables in told.items():
        for n, found in zip(names, tables, strict=True):
            out[n, kind] = np.mean([apart(t, counting.parts[n], pools[n]) for t in found])
    return out


@pytest.mark.parametrize("epsilon", [25.0, 80.0])
def test_errors_are_those_of_a_noisy_run(tmp_path, epsilon):
    """Within a factor of 2 of what real noise does to made tables that nobody planned with; mean of three runs.

    Errors of a few hundredths may differ by as much: their levels are rarer there than was imagined.
    """
    rng = np.random.default_rng(5)
    rows = np.stack([rng.integers(0, 4, 600), rng.integers(0, 13, 600), rng.integers(0, 6, 600)], axis=1)
    frames = hospital(rows.tolist(), seed=2)
    runs = []
    for k in range(3):
        folder = tmp_path / str(k)
        folder.mkdir()
        runs.append(measured(real_access(folder, frames, LISTED, epsilon=epsilon, delta=1e-5)[0]))
    labs = len(frames["labs"]) / 600
    outlook = look(units=600, epsilon=epsilon, delta=1e-5, rows_per_unit={"labs": labs})
    predicted = {(t.part, t.kind): t.errors[1] for t in outlook.tables}
    for (name, kind), _ in runs[0].items():
        found = float(np.mean([run[name, kind] for run in runs]))
        told = predicted[EVENT_WORDS if name == EVENTS else name, kind]
        assert 0.5 < told / found < 2 or abs(told - found) < 0.03, (name, kind, told, found)


@pytest.mark.parametrize("sigma", [0.001, 0.02])
def test_the_closed_form_is_what_bias_and_noise_do(sigma):
    rng = np.random.default_rng(4)
    bias = rng.normal(0, 0.01, 40)
    drawn = 0.5 * np.abs(bias + sigma * rng.standard_normal((20_000, 40))).sum(axis=1)
    assert off_target(bias, np.full(40, sigma)) == pytest.approx(drawn.mean(), rel=0.01)
    assert off_target(bias, np.zeros(40)) == pytest.approx(0.5 * np.abs(bias).sum())


def test_errors_fall_with_units_and_with_epsilon():
    outlooks = [look(units=n) for n in (1_000, 10_000, 100_000)]
    for kind in (ALONE, FOLLOWING, BESIDE):
        for part in (EVENT_WORDS, "labs"):
            errors = [next(t.errors[1] for t in o.tables if (t.part, t.kind) == (part, kind)) for o in outlooks]
            assert errors == sorted(errors, reverse=True)
            assert errors[-1] < 0.4 * errors[0]
    for each in outlooks[1].tables:
        assert each.errors[0] > each.errors[1] > each.errors[3]
    assert outlooks[1].epsilons == (0.3, 1.0, 3.0, 10.0)


def test_noise_on_a_cell_is_that_of_clip_and_price():
    """Of tables of one column: rho of all parts' singles together, C in rows of each part."""
    terms = EpsilonDelta(epsilon=1.0, delta=1e-6)
    public = declared_tables(LISTED)
    access = ImaginedAccess.of(LISTED, 10_000, terms, imagined_frames(public, 10_000, {}, 0.4, 40_000))
    flats = {name: access.flat(name) for name in access.parts}
    split = UnitMarginalConfig().split()
    singles = math.fsum(
        flats[n].mixed * Rounds.of(flats[n].mixed_sizes, p.rho, split, told_pairs(flats[n], first=n == EVENTS)).single
        for n, p in access.parts.items()
    )
    found = [each for each in expected_steps(access) if each.kind == ALONE]  # on this coding: another's noise differs
    assert len(found) == len(access.parts)
    for each in found:
        assert each.sigma == pytest.approx(each.clip * math.sqrt(1 / (2 * 0.98 * singles)), rel=1e-6)


def test_bounds_are_the_products_on_the_way_down_or_those_of_the_unit():
    bounds = {each.table: each for each in look().bounds}
    assert {n: (b.by_owner, b.by_unit) for n, b in bounds.items()} == {
        "visits": (3, 3),
        "labs": (6, 12),
        "notes": (5, 5),
    }
    assert bounds["visits"].rows == pytest.approx(1.5, rel=0.1)
    assert not bounds["visits"].stated
    stated = {each.table: each for each in look(rows_per_unit={"visits": 1.0}).bounds}
    assert stated["visits"].stated
    assert stated["visits"].rows == pytest.approx(0.9, abs=0.1)  # the bound of 3 cuts some


def test_what_was_assumed_of_rows_is_said():
    said = deepcopy(BOUNDED)
    del said["tables"]["labs"]["links"][0]["max_rows_per_owner"]
    outlook = look(LinkedSchema.parse(said), rows_per_unit={"visits": 1.0})
    assert {each.table: each.by_owner for each in outlook.bounds} == {"visits": 3, "labs": None, "notes": 5}
    assert (
        "Rows a unit has are taken as you state it of visits; of notes any number up to an owner's bound, each as "
        "likely; of labs geometric about half the bound of a unit (--rows-per-unit states a mean)."
    ) in str(outlook)


def test_a_larger_bound_is_more_noise():
    said = deepcopy(BOUNDED)
    said["tables"]["notes"]["links"][0]["max_rows_per_owner"] = 50
    few, many = look(BOUGHT), look(LinkedSchema.parse(said))
    sigma = [next(t.sigma for t in o.tables if (t.part, t.kind) == ("notes", ALONE)) for o in (few, many)]
    assert sigma[1] > 5 * sigma[0]


def test_a_bound_that_the_budget_cannot_find_is_warned_of():
    said = deepcopy(BOUNDED)
    said["tables"]["notes"]["links"][0]["max_rows_per_owner"] = 400
    schema = LinkedSchema.parse(said)
    (warning,) = [w for w in look(schema, units=500, rows_per_unit={"notes": 2.0}).warnings if "the bound of" in w]
    assert warning.startswith("the bound of 400 rows of notes is ")
    assert "Lower it, or raise epsilon" in warning
    assert not [w for w in look(schema, units=500_000, rows_per_unit={"notes": 2.0}).warnings if "the bound of" in w]


def test_warnings_name_tables_and_what_would_be_enough():
    outlook = look(units=1_000)
    alone, two = outlook.warnings[:2]
    assert alone.startswith("meaningless: noise and clipping alone move tables of one column of ")
    assert two.startswith("columns will come out nearly independent: tables of two are moved of ")
    assert (
        "raise epsilon, leave out columns or whole tables, declare coarser codes, or lower the bounds on rows" in alone
    )
    enough = int(alone.split("About ")[1].split(" units")[0].replace(",", ""))
    assert max(t.errors[1] for t in look(units=enough).tables if t.kind == ALONE) == pytest.approx(0.1, rel=0.25)
    assert not look(units=1_000_000).warnings


def test_a_column_of_too_many_levels_is_named():
    schema = declared(levels=[f"ward {k}" for k in range(400)])
    warnings = look(schema, units=60_000, epsilon=2.0).warnings
    assert any("noise moves ward of visits by " in w and "Group their levels, or leave them out" in w for w in warnings)


def test_a_schema_of_people_alone_has_no_bounds():
    schema = LinkedSchema.parse({**BOUNDED, "tables": {"patients": BOUNDED["tables"]["patients"]}, "rules": []})
    outlook = look(schema)
    assert outlook.bounds == ()
    assert {t.part for t in outlook.tables if t.tables} >= {"patients"}
    assert "Rows a unit has" not in str(outlook)


def changed(how):
    said = deepcopy(BOUNDED)
    how(said)
    return LinkedSchema.parse(said)


def no_bound(said):
    del said["tables"]["notes"]["links"][0]["max_rows_per_owner"]


def nobody(said):
    del said["declared_by"]


def read_off(said):
    said["tables"]["labs"]["columns"]["value"]["observed"] = ["decimals"]


def shared(said):
    key = {"kind": "identifier"}
    said["tables"]["doctors"] = {"role": "shared", "key": ["doctor"], "columns": {"doctor": key}}
    said["tables"]["visits"]["columns"]["doctor"] = key
    said["tables"]["visits"]["links"].append({"columns": ["doctor"], "to": "doctors", "kind": "shared"})


def peer(said):
    said["tables"]["notes"]["columns"]["other"] = {"kind": "identifier", "nullable": True}
    said["tables"]["notes"]["links"].append({"columns": ["other"], "to": "patients", "kind": "peer"})


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [
        (no_bound, SchemaError, "nobody bounds the rows of an owner"),
        (nobody, SchemaError, "nobody answers for"),
        (read_off, SchemaError, "noise cannot buy them"),
        (shared, UnsupportedError, "`doctors` is shared by units"),
        (peer, UnsupportedError, "links of kind peer of `notes` are not"),
    ],
)
def test_what_a_run_refuses_is_refused_in_the_same_words(tmp_path, how, kind, said):
    schema = changed(how)
    with pytest.raises(kind, match=said) as planned:
        look(schema)
    config = RunConfig(epsilon=1.0, delta=1e-6, ledger=tmp_path / "l.json", model="marginal")
    with pytest.raises(kind) as ran:
        release_linked(tmp_path / "no such tables", schema, config=config)
    assert str(planned.value) == str(ran.value)


def test_a_schema_of_keys_alone_is_refused():
    key = {"kind": "identifier"}
    tables = {"people": {"key": ["id"], "columns": {"id": key}}}
    with pytest.raises(SchemaError, match="a schema must declare a column to learn"):
        look(LinkedSchema.parse({"unit": "people", "tables": tables, "declared_by": "A. Lee: made up"}))


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"units": 1}, ConfigError, "rows must be a whole number of 2 or more; however: 1"),
        ({"units": 10.5}, ConfigError, "rows must be a whole number of 2 or more; however: 10.5"),
        ({"model": "x"}, ConfigError, "`model` must be one of"),
        ({"model": "independent"}, UnsupportedError, "under a privacy budget the model must be marginal"),
        ({"epsilon": 0.0}, ConfigError, "epsilon must be a finite number above 0"),
        ({"delta": 0.01}, ConfigError, "delta must be below 1 / n"),
        ({"rows_per_unit": {"lab": 3.0}}, ConfigError, "can be stated of visits, notes, labs; however: `lab` came"),
        ({"rows_per_unit": {"patients": 1.0}}, ConfigError, "however: `patients` came"),
        ({"rows_per_unit": {"labs": 13.0}}, ConfigError, "within the bounds of the schema; however: 13 of `labs`"),
        ({"rows_per_unit": {"labs": 0.0}}, ConfigError, "must be above 0 and within the bounds"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked, kind, said):
    with pytest.raises(kind, match=said):
        look(**asked)


def test_the_outlook_is_plain_data_and_plain_words():
    outlook = look(BOUGHT)
    told = json.loads(json.dumps(outlook.to_dict()))
    assert (told["format"], told["units"], told["unit"]) == ("synthkit-linked-plan/1", 10_000, "patients")
    assert told["purchases"][0]["mu"] == pytest.approx(math.sqrt(2 * told["purchases"][0]["rho"]))
    text = str(outlook)
    assert text.startswith("10,000 units, rows of patients, at epsilon 1, delta 1e-06\nNothing was read")
    assert "Protected is one row of patients with all rows that belong to it." in text
    assert "levels of ward (visits)" in text
    assert "Rows of tests, which are public, were made up as well" in text
    assert "labs: beside its unit and owner" in text


def test_the_command_prints_and_writes(command, tmp_path):
    BOUGHT.save(tmp_path / "s.yaml")
    out = tmp_path / "plan.json"
    words = ["plan", "--schema", tmp_path / "s.yaml", "--units", 500, "--epsilon", 0.5, "--json", out]
    said = command(*words, "--rows-per-unit", "labs=4", "--rows-per-unit", "visits=1.5")
    assert said.code == 0, said.err
    assert "500 units, rows of patients" in said.out
    assert "warning: meaningless" in said.err
    assert [b["stated"] for b in json.loads(out.read_text())["bounds"]] == [True, False, True]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan.json", "s.yaml"]


def test_the_command_refuses(refused, tmp_path):
    BOUGHT.save(tmp_path / "s.yaml")
    words = ["plan", "--schema", tmp_path / "s.yaml", "--rows", 500, "--epsilon", 1]
    assert "`max_rows_per_unit`" in refused(*words, "--max-rows-per-unit", 3)
    assert "TABLE=MEAN" in refused(*words, "--rows-per-unit", "labs")
    changed(no_bound).save(tmp_path / "t.yaml")
    assert "nobody bounds the rows" in refused("plan", "--schema", tmp_path / "t.yaml", "--rows", 500, "--epsilon", 1)


def test_rows_of_tables_are_refused_of_one_table(refused, tmp_path):
    from synthkit.schema import Schema

    Schema(columns={"dead": {"kind": "boolean"}}, declared_by="the test: made up").save(tmp_path / "s.yaml")
    words = ["plan", "--schema", tmp_path / "s.yaml", "--rows", 500, "--epsilon", 1]
    assert "`--rows-per-unit` is about linked tables" in refused(*words, "--rows-per-unit", "labs=3")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["labs"], "must be followed by TABLE=MEAN; however: `labs`"),
        (["=3"], "must be followed by TABLE=MEAN"),
        (["labs=many"], "must be followed by TABLE=MEAN"),
        (["labs=inf"], "must be followed by TABLE=MEAN"),
        (["labs=3", "labs=4"], "must be stated once; however: `labs` is named twice"),
    ],
)
def test_means_that_cannot_be_meant_are_refused(words, said):
    with pytest.raises(ConfigError, match=said):
        means_by_table(words)
