"""Access to linked tables under a budget: what is charged, what is drawn inside it, and what is refused."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from bounded_hospital import BOUNDED, hospital
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from synthkit.encoding.slot_counts import AskedCounts
from synthkit.encoding.units.step_contexts import EVENTS, StepContexts
from synthkit.encoding.units.unit_steps import EVERY_TABLE, UnitSteps
from synthkit.errors import BudgetExceededError, ConfigError, SchemaError, UnsupportedError
from synthkit.models.marginal.model import Marginal
from synthkit.models.timeline.model import Timeline
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_marginal.model import UnitMarginal
from synthkit.privacy.access.encoder_budget import encoder_queries
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.access.unit_access import UnitFitPlan
from synthkit.privacy.access.unit_budget import PLACED, UnitBudget
from synthkit.privacy.accounting.accountant import epsilon
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.budget_plan import FAILING, affordable
from synthkit.privacy.accounting.events import (
    Concentrated,
    PoissonSubsampledGaussian,
    ReportNoisyMax,
    SparseHistogram,
    StackedGaussian,
)
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta
from synthkit.privacy.accounting.zcdp import cost
from synthkit.privacy.dpsgd.dpsgd_plan import DPSGDPlan
from synthkit.schema.linked import LinkedSchema

SCHEMA = LinkedSchema.parse(BOUNDED)
FRAMES = hospital([(k % 4, k % 9, k % 6) for k in range(25)])
PLAN = UnitFitPlan(coding=UnitMarginal.coding, root=UnitMarginal.root_coding)
EXACT = 1 + 1e-9


class Account(Ledger):
    """A ledger that remembers what was drawn inside its reserve."""

    def draw_inside(self, steps):
        self.__dict__.setdefault("steps", []).extend(steps)
        super().draw_inside(steps)


def account(folder, epsilon=5.0, delta=1e-4, name="ledger") -> Any:
    return Account.new(folder / f"{name}.json", Budget(epsilon=epsilon, delta=delta, unit="patients"))


def reserve(ledger) -> Concentrated:
    (charge,) = ledger.charges
    assert isinstance(charge.spent, Concentrated)
    return charge.spent


def spent(ledger) -> float:
    return math.fsum(charge.times * cost(charge.spent).rho for charge in ledger.steps)


def everything(access, part=1.0):
    """All of what is left spent on single tables of units and of steps."""
    encoder = access.fit_encoder()
    root = access.root().counts()
    root.measure([(j,) for j in range(len(root.sizes))], part * root.rho / len(root.sizes))
    counting = access.below(StepContexts(layout=UnitLayout.of(encoder)))
    asked = [
        AskedCounts(counting=c, scopes=[(j,) for j in range(len(c.sizes))], rho=part * c.rho / len(c.sizes))
        for c in counting.parts.values()
    ]
    counting.measure(asked)
    return counting


def test_the_whole_fit_is_charged_before_anything_is_looked_at(tmp_path):
    """One reserve, which takes all of what is left; what is drawn is drawn inside it."""
    ledger = account(tmp_path)
    access = PrivateUnitAccess(FRAMES, SCHEMA, ledger)
    assert not ledger.charges
    access.reserve(PLAN)
    assert ledger.epsilon() == pytest.approx(5.0, rel=1e-3)
    assert ledger.epsilon() <= 5.0
    assert "steps" not in ledger.__dict__
    everything(access)
    assert spent(ledger) == pytest.approx(reserve(ledger).rho, rel=1e-4)
    assert spent(ledger) <= reserve(ledger).rho * EXACT
    assert len(ledger.charges) == 1


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    epsilon=st.sampled_from([0.01, 0.3, 2.0, 30.0]),
    delta=st.sampled_from([1e-9, 1e-5, 1e-2]),
    gone=st.sets(st.sampled_from(["labs", "notes"])),
    bought=st.booleans(),
    share=st.sampled_from([None, 0.05, 0.9]),
)
def test_what_is_drawn_never_exceeds_what_was_charged(tmp_path_factory, epsilon, delta, gone, bought, share):
    """Whatever the budget, the schema, and what of it is bought."""
    schema = deepcopy(BOUNDED)
    schema["tables"] = {n: t for n, t in schema["tables"].items() if n not in gone}
    schema["rules"] = [] if "labs" in gone else schema["rules"]
    if not bought:
        schema["tables"]["visits"]["columns"]["ward"] = {"kind": "categorical", "levels": ["north", "south"]}
    ledger = account(tmp_path_factory.mktemp("ledger"), epsilon, delta)
    frames = {n: f for n, f in FRAMES.items() if n in schema["tables"]}
    access = PrivateUnitAccess(frames, LinkedSchema.parse(schema), ledger)
    access.reserve(
        UnitFitPlan(coding=PLAN.coding, root=PLAN.root, copies=bought, root_share=share),
    )
    everything(access)
    assert ledger.epsilon() <= epsilon
    assert spent(ledger) <= reserve(ledger).rho * EXACT
    failing = math.fsum(c.times * cost(c.spent).delta for c in ledger.steps if isinstance(c.spent, SparseHistogram))
    assert failing <= reserve(ledger).delta
    assert (failing > 0) == bought


def test_a_fit_that_asks_for_more_than_is_left_is_stopped(tmp_path):
    access = PrivateUnitAccess(FRAMES, SCHEMA, account(tmp_path))
    access.reserve(PLAN)
    with pytest.raises(BudgetExceededError):
        everything(access, part=1.2)


def test_noise_is_that_of_the_price(tmp_path):
    """Every norm is bought, and clipped counts have noise in proportion to it; so all tables of steps, told once."""
    ledger = account(tmp_path)
    access = PrivateUnitAccess(FRAMES, SCHEMA, ledger)
    access.reserve(PLAN)
    counting = everything(access)
    stacked = [k for k, charge in enumerate(ledger.steps) if isinstance(charge.spent, StackedGaussian)]
    assert len(stacked) == 1 + len(counting.parts) + 1
    for k in stacked:
        assert isinstance(ledger.steps[k - 1].spent, ReportNoisyMax)
        assert "quantile" in ledger.steps[k - 1].what
    assert set(counting.parts) == {EVENTS, "visits", "labs", "notes"}


def test_a_budget_is_shared_out_by_public_numbers_alone(tmp_path):
    found = []
    for frames in (FRAMES, hospital([(3, 20, 5)] * 2, seed=5)):
        access = PrivateUnitAccess(frames, SCHEMA, account(tmp_path, name=f"{len(found)}"))
        access.reserve(PLAN)
        found.append(access._budget)
    assert found[0] == found[1]


def test_the_parts_of_a_budget_are_the_whole():
    """Two tables, three columns, one of them with levels that are sought."""
    access = PrivateUnitAccess(FRAMES, SCHEMA, Ledger.unlimited(unit=None))
    asked = {
        n: tuple(q for q in encoder_queries(d, counted=True) if q.kind != "rows") for n, d in access._declared.items()
    }
    budget = UnitBudget.of(asked, 2.0, 1e-6)
    coding = math.fsum(each.rho for each in budget.coding.values())
    assert coding + budget.placed + budget.counts == pytest.approx(2.0, rel=1e-5)
    assert coding + budget.placed + budget.counts < 2.0
    assert budget.placed / (coding + budget.placed) == pytest.approx(PLACED, rel=1e-5)
    assert math.fsum(each.delta for each in budget.coding.values()) <= 1e-6


def test_what_is_learned_follows_the_rows_where_it_is_paid_well(tmp_path):
    frames = hospital([(2, 6, 4)] * 400)
    access = PrivateUnitAccess(frames, SCHEMA, account(tmp_path, epsilon=200.0, delta=1e-2))
    access.reserve(PLAN)
    encoder = access.fit_encoder()
    assert access.encoder is encoder
    assert encoder.schema.tables["visits"].columns["ward"].levels == ("north", "south")
    many = dict(zip(encoder.events.tables, encoder.events.types.tolist(), strict=True))
    assert [many[n] / 400 for n in ("visits", "labs", "notes")] == pytest.approx([2, 6, 4], rel=0.15)
    root = access.root().counts()
    assert root.measure([(0,)], 0.5 * root.rho)[0].counts.sum() == pytest.approx(400, rel=0.05)
    assert access.root().encoder is encoder.root


def test_nothing_is_answered_before_it_is_charged(tmp_path):
    access = PrivateUnitAccess(FRAMES, SCHEMA, account(tmp_path))
    with pytest.raises(ConfigError, match="an encoder must be fitted before units are encoded; however: none is"):
        _ = access.encoder
    for ask in (access.fit_encoder, access.root, lambda: access.below(None)):  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="answers under a budget must be charged before they are drawn"):
            ask()
    assert access.private
    assert access.units() is None
    assert access.shared() == {}


def test_units_to_whom_nothing_happens_have_no_steps_to_count(tmp_path):
    schema = LinkedSchema.parse({**BOUNDED, "tables": {"patients": BOUNDED["tables"]["patients"]}, "rules": []})
    access = PrivateUnitAccess({"patients": FRAMES["patients"]}, schema, account(tmp_path))
    access.reserve(PLAN)
    encoder = access.fit_encoder()
    assert access.root().counts().rho > 0
    assert access.below(StepContexts(layout=UnitLayout.of(encoder))).parts == {}
    with pytest.raises(ConfigError, match="answers under a budget must be charged"):
        access.root()


def test_what_is_spent_on_what_is_known_once_it_is_charged(tmp_path):
    access = PrivateUnitAccess(FRAMES, SCHEMA, account(tmp_path))
    with pytest.raises(ConfigError, match="answers under a budget must be charged"):
        _ = access.budget
    access.reserve(PLAN)
    assert set(access.budget.coding) == {"patients", "visits", "labs", "notes"}


def test_the_last_look_is_the_last(tmp_path):
    access = PrivateUnitAccess(FRAMES, SCHEMA, account(tmp_path))
    access.reserve(PLAN)
    everything(access, part=0.1)
    for ask in (access.fit_encoder, access.root):
        with pytest.raises(ConfigError, match="answers under a budget must be charged"):
            ask()


def test_rows_are_not_handed_out(tmp_path):
    access = PrivateUnitAccess(FRAMES, SCHEMA, account(tmp_path))
    access.reserve(PLAN)
    access.fit_encoder()
    for ask in (access.batches, access.root().batches):
        with pytest.raises(
            UnsupportedError, match="rows of units stay behind the access; however: batches are asked for"
        ):
            ask()


def test_latent_classes_are_refused_before_anything_is_charged(tmp_path):
    ledger = account(tmp_path)
    access = PrivateUnitAccess(FRAMES, SCHEMA, ledger)
    with pytest.raises(UnsupportedError, match="units have no latent classes; however: some are asked for"):
        access.reserve(UnitFitPlan(coding=PLAN.coding, root=PLAN.root, classes=2))
    assert not ledger.charges


def trained(**changes) -> UnitFitPlan:
    """A plan of steps on a tenth of the units, which are not public."""
    plan = DPSGDPlan(sampling_rate=0.1, steps=4, clip_norm=1.0)
    said = {"coding": Timeline.coding, "root": Marginal.coding, "dpsgd": lambda n: plan}
    return UnitFitPlan(**{**said, **changes})


def counted(access) -> None:
    """All that is bought beside the steps: the coding, and all of the root's share."""
    access.fit_encoder()
    root = access.root().counts()
    root.measure([(j,) for j in range(len(root.sizes))], root.rho / len(root.sizes))


def test_a_training_is_one_plan_with_what_is_counted(tmp_path):
    """A reserve and the steps, composed: together they cost the budget, by themselves less, and added up more."""
    ledger = account(tmp_path, epsilon=3.0, delta=1e-5)
    access = PrivateUnitAccess(FRAMES, SCHEMA, ledger)
    access.reserve(trained())
    held, steps = ledger.charges
    assert isinstance(held.spent, Concentrated)
    assert isinstance(steps.spent, PoissonSubsampledGaussian)
    assert (steps.spent.rate, steps.spent.steps) == (0.1, 4)
    assert ledger.epsilon() == pytest.approx(3.0, rel=1e-3)
    assert ledger.epsilon() <= 3.0
    alone = [epsilon([charge], 1e-5) for charge in (held, steps)]
    assert max(alone) < 3.0 < sum(alone)
    assert "steps" not in ledger.__dict__
    counted(access)
    assert spent(ledger) == pytest.approx(held.spent.rho, rel=1e-4)
    assert spent(ledger) <= held.spent.rho * EXACT


@pytest.mark.parametrize("share", [0.05, 0.6])
def test_the_root_has_its_share_of_what_the_coding_leaves(tmp_path, share):
    access = PrivateUnitAccess(FRAMES, SCHEMA, account(tmp_path))
    access.reserve(trained(root_share=share))
    left = EpsilonDelta(epsilon=5.0, delta=1e-4)
    budget, whole = access._budget, affordable(left, FAILING * left.delta)
    assert budget is not None
    coding = math.fsum(each.rho for each in budget.coding.values()) + budget.placed
    assert budget.counts == pytest.approx(share * (whole - coding), rel=1e-5)
    assert coding + budget.counts <= budget.reserve.rho
    access.fit_encoder()
    assert access.root().counts().rho == pytest.approx(budget.counts)


def test_a_public_number_of_units_is_what_the_rate_is_made_of(tmp_path):
    seen = []

    def plan(n):
        seen.append(n)
        return DPSGDPlan(sampling_rate=0.5, steps=1, clip_norm=1.0)

    budget = Budget(epsilon=5.0, delta=1e-6, unit="patients", public_n=500)
    PrivateUnitAccess(FRAMES, SCHEMA, Ledger.new(tmp_path / "l.json", budget)).reserve(trained(dpsgd=plan))
    PrivateUnitAccess(FRAMES, SCHEMA, account(tmp_path)).reserve(trained(dpsgd=plan))
    assert seen == [500.0, None]


def test_batches_are_poisson_samples_of_whole_units(tmp_path):
    """Each batch has all rows of those that take part; how many do, varies as coins do."""
    units, rate, steps = 60, 0.3, 300
    frames = hospital([(2, 6, 4), (1, 0, 2), (0, 0, 1)] * (units // 3))
    access = PrivateUnitAccess(frames, SCHEMA, account(tmp_path))
    plan = DPSGDPlan(sampling_rate=rate, steps=steps, clip_norm=1.0)
    access.reserve(trained(dpsgd=lambda n: plan))
    counted(access)
    loader, seen, sizes = access.training(60.0), list[UnitSteps](), list[int]()

    def loss(net, rows):
        seen.append(rows)
        return net(rows.cat.float()).squeeze(1)

    net = torch.nn.Linear(1, 1)
    step = loader.stepping(net, loss, torch.optim.SGD(net.parameters()))
    assert all((rows.sequences.table == EVERY_TABLE).all() for rows in seen)  # so far nobody's
    for _ in range(steps):
        seen.clear()
        assert step() is None
        for rows in seen:
            lengths = rows.sequences.lengths[rows.units]
            assert len(set(rows.units.tolist())) == len(rows.units)
            assert len(rows) == lengths.sum()
        sizes.append(sum(len(rows.units) for rows in seen))
    assert abs(np.mean(sizes) - units * rate) < 5 * math.sqrt(units * rate * (1 - rate) / steps)
    spread = (steps - 1) * np.var(sizes, ddof=1) / (units * rate * (1 - rate))
    assert 1e-6 < stats.chi2.cdf(spread, steps - 1) < 1 - 1e-6
    with pytest.raises(BudgetExceededError, match="steps that were charged; however: there is one more"):
        step()
    with pytest.raises(ConfigError, match="must be charged before they are drawn"):  # the last look was the last
        access.fit_encoder()


def test_steps_that_were_not_charged_are_refused(tmp_path):
    access = PrivateUnitAccess(FRAMES, SCHEMA, account(tmp_path))
    with pytest.raises(ConfigError, match="must be charged before they are drawn"):
        access.training(25.0)
    access.reserve(PLAN)
    access.fit_encoder()
    with pytest.raises(ConfigError, match="a training must be charged before its first step; however: counts were"):
        access.training(25.0)


def test_a_budget_that_is_spent_is_refused_and_nothing_is_drawn(tmp_path):
    ledger = account(tmp_path)
    PrivateUnitAccess(FRAMES, SCHEMA, ledger).reserve(PLAN)
    again = PrivateUnitAccess(FRAMES, SCHEMA, ledger)
    with pytest.raises(BudgetExceededError, match="a fit needs a budget"):
        again.reserve(PLAN)
    with pytest.raises(ConfigError, match="must be charged before they are drawn"):
        again.fit_encoder()


def test_tables_that_are_not_declared_are_refused_before_anything_is_charged(tmp_path):
    ledger = account(tmp_path)
    with pytest.raises(SchemaError, match="`labs` is not given"):
        PrivateUnitAccess({n: f for n, f in FRAMES.items() if n != "labs"}, SCHEMA, ledger).reserve(PLAN)
    assert not ledger.charges


@pytest.mark.parametrize("units", [0, 1])
def test_hardly_anybody_and_nobody_is_answered_too(tmp_path, units):
    access = PrivateUnitAccess(hospital([(2, 5, 3)] * units) if units else none(), SCHEMA, account(tmp_path))
    access.reserve(PLAN)
    for part in everything(access).parts.values():
        assert np.isfinite(part.rows)


def none():
    return {n: f.head(0) if n != "tests" else f for n, f in FRAMES.items()}
