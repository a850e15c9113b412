"""Several runs share a ledger: what each adds is added up, and only what is taken away is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from synthkit.errors import ArtefactError, BudgetExceededError, ConfigError
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian, Laplace
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.accounting.ledger_file import LedgerFile, recompute

BUDGET = Budget(epsilon=20.0, delta=1e-3, unit="patient")
DELTA = 1e-6
RESERVE = Charge(what="pairs", spent=Concentrated(rho=0.02))
STEP = Charge(what="age by sex", spent=DiscreteGaussian(sigma=10))  # a quarter of the reserve
COUNT = Charge(what="count", spent=Laplace(sensitivity=1, scale=4))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.json"


class SharedLedger(RuleBasedStateMachine):
    """Up to four runs charge, draw and leave in any order; none may be refused, and the file is the sum."""

    @initialize(folder=st.just(None))
    def begin(self, folder):
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = f"{self.folder.name}/ledger.json"
        self.runs, self.plans = [], []

    @precondition(lambda self: len(self.runs) < 4)
    @rule(epsilon=st.sampled_from([20.0, 30.0]))
    def join(self, epsilon):
        self.runs.append([Ledger.at(self.path, replace(BUDGET, epsilon=epsilon)), None])

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), plan=st.sampled_from([(RESERVE,), (COUNT,), (COUNT, RESERVE)]))
    def charge(self, data, plan):
        run = data.draw(st.sampled_from(self.runs))
        with run[0].alone():
            run[0].charge(plan, delta=DELTA)
        self.plans.append([plan, 0])
        run[1] = len(self.plans) - 1 if RESERVE in plan else None

    @precondition(lambda self: any(number is not None for _, number in self.runs))
    @rule(data=st.data())
    def draw(self, data):
        ledger, number = data.draw(st.sampled_from([run for run in self.runs if run[1] is not None]))
        if self.plans[number][1] < 4:
            ledger.draw_inside([STEP])
            self.plans[number][1] += 1
        else:
            with pytest.raises(BudgetExceededError, match="adaptive steps must fit their reserve"):
                ledger.draw_inside([STEP])

    @precondition(lambda self: len(self.runs) > 1)
    @rule(data=st.data())
    def leave(self, data):
        self.runs.remove(data.draw(st.sampled_from(self.runs)))

    @invariant()
    def the_file_holds_every_plan_and_every_step(self):
        if not getattr(self, "runs", None):
            return
        found = LedgerFile.read(self.path)
        assert [(part.charges, len(part.inside), part.delta) for part in found.parts] == [
            (plan, steps, DELTA) for plan, steps in self.plans
        ]
        assert found.spent()[1] == pytest.approx(DELTA * len(self.plans))
        assert found.spent()[0] == math.fsum(part.epsilon() for part in found.parts) <= found.budget.epsilon

    def teardown(self):
        self.folder.cleanup()


SharedLedger.TestCase.settings = settings(
    max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSharedLedger = SharedLedger.TestCase

RUN = """
import sys
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian
from synthkit.privacy.accounting.ledger import Ledger

book = Ledger.at(sys.argv[1], Budget(epsilon=20.0, delta=1e-3, unit="patient"))
for _ in range(3):
    with book.alone():
        book.left()
        book.charge([Charge(what=sys.argv[2], spent=Concentrated(rho=0.02))], delta=1e-6)
    for _ in range(4):
        book.draw_inside([Charge(what="age by sex", spent=DiscreteGaussian(sigma=10))])
"""


def test_processes_that_begin_one_ledger_at_the_same_time_all_end_well(path):
    """Each charges three plans and draws all of their reserves, while the others do the same."""
    runs = [
        subprocess.Popen([sys.executable, "-c", RUN, path, f"run {k}"], stderr=subprocess.PIPE, text=True)
        for k in range(3)
    ]
    assert [(run.communicate()[1], run.returncode) for run in runs] == [("", 0)] * 3
    found = LedgerFile.read(path)
    assert sorted(part.charges[0].what for part in found.parts) == [f"run {k}" for k in (0, 1, 2) for _ in range(3)]
    assert [len(part.inside) for part in found.parts] == [4] * 9
    assert all(part.drawn for part in found.parts)
    assert recompute(path) == (pytest.approx(9 * found.parts[0].epsilon()), pytest.approx(9e-6))


def test_a_run_goes_on_while_another_draws_inside_its_reserve(path):
    """The fault: what another drew meanwhile was taken for tampering, after the charge."""
    one = Ledger.new(path, BUDGET)
    one.charge([RESERVE], delta=DELTA)
    other = Ledger.open(path, BUDGET)
    one.draw_inside([STEP])
    other.charge([RESERVE], delta=DELTA)
    one.draw_inside([STEP])
    other.draw_inside([STEP])
    assert [len(part.inside) for part in LedgerFile.read(path).parts] == [2, 1]


def removed(data):
    data["charges"], data["parts"] = [c for c in data["charges"] if c["part"] == 1], data["parts"][1:]
    for charge in data["charges"]:
        charge["part"] = 0


def lowered(data):
    data["charges"][0]["detail"]["rho"] /= 2
    data["charges"] = [c for c in data["charges"] if not c["inside"]]


def cheaper_delta(data):
    data["parts"][0]["delta"] /= 2


def steps_forgotten(data):
    data["charges"] = [c for c in data["charges"] if not c["inside"]]


def never_drawn(data):
    steps_forgotten(data)
    data["parts"][0]["drawn"] = False


def another_unit(data):
    data["unit"] = data["budget"]["unit"] = "visit"


def other_words(data):
    data["charges"][0]["what"] = "nothing to speak of"


TAMPERINGS = [removed, lowered, cheaper_delta, steps_forgotten, never_drawn, another_unit, other_words]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("whose", ["mine", "another's"])
@pytest.mark.parametrize("act", ["charge", "draw"])
def test_what_is_taken_away_is_refused(path, tampering, whose, act):
    book = Ledger.new(path, BUDGET)
    book.charge([RESERVE], delta=DELTA)
    book.draw_inside([STEP])
    if whose == "another's":
        book = Ledger.open(path, BUDGET)
    book.charge([RESERVE], delta=DELTA)
    data = json.loads(path.read_text())
    tampering(data)
    path.write_text(json.dumps(data))
    before = path.read_text()
    with pytest.raises(ArtefactError, match="must hold what was charged to it; however: it was changed or put back"):
        book.draw_inside([STEP]) if act == "draw" else book.charge([COUNT], delta=DELTA)
    assert path.read_text() == before


def test_a_wider_cap_is_kept_for_all_and_each_run_keeps_its_own(path):
    """The cap in the file covers what was charged, whoever writes last."""
    narrow = Ledger.new(path, replace(BUDGET, epsilon=1.0))
    narrow.charge([COUNT], delta=DELTA)
    wide = Ledger.open(path, replace(BUDGET, epsilon=3.0))
    wide.charge([Charge(what="counts", spent=Laplace(sensitivity=1, scale=1))], delta=DELTA)
    with pytest.raises(BudgetExceededError, match="the budget of epsilon 1, of which 0 is left"):
        narrow.charge([COUNT], delta=DELTA)
    assert narrow.budget.epsilon == 1.0
    wide.charge([COUNT], delta=DELTA)
    assert LedgerFile.read(path).budget.epsilon == 3.0


def test_what_was_charged_and_not_drawn_is_taken_up_at_no_further_cost(path):
    """By an equal plan alone, and once."""
    Ledger.new(path, BUDGET).charge([RESERVE, COUNT])
    before = recompute(path)
    for other in ([RESERVE], [RESERVE, STEP], [COUNT]):
        with pytest.raises(ConfigError, match="must be what was charged; however: another model, setting or budget"):
            Ledger.resuming(path, BUDGET).charge(other)
    one, twin = (Ledger.resuming(path, BUDGET) for _ in range(2))
    assert (one.left().epsilon, one.left().delta) == (20.0, 1e-3)
    assert one.charge([RESERVE, COUNT]) == before[0]
    one.draw_inside([STEP])
    with pytest.raises(ConfigError, match="must be what was charged; however: another run has drawn it meanwhile"):
        twin.charge([RESERVE, COUNT])
    assert recompute(path) == before
    assert [(len(part.inside), part.drawn) for part in LedgerFile.read(path).parts] == [(1, True)]
    with pytest.raises(
        ConfigError, match=r"what is taken up was charged and not drawn; however: .* holds no such plan"
    ):
        Ledger.resuming(path, BUDGET)


def test_of_two_runs_that_take_up_the_same_plan_one_draws(path):
    Ledger.new(path, BUDGET).charge([COUNT])
    one, twin = (Ledger.resuming(path, BUDGET) for _ in range(2))
    for run in (one, twin):
        run.charge([COUNT])
    twin.begin()
    with pytest.raises(ArtefactError, match="or another run took this one's plan up"):
        one.begin()


def test_a_plan_is_taken_up_though_others_have_charged_since(path):
    first = Ledger.new(path, BUDGET)
    first.charge([COUNT], delta=DELTA)
    first.begin()
    Ledger.open(path, BUDGET).charge([RESERVE], delta=DELTA)
    left = Ledger.resuming(path, BUDGET).left()
    first.charge([COUNT], delta=DELTA)
    first.begin()
    again = Ledger.resuming(path, BUDGET)
    assert again.left() == left
    again.charge([RESERVE], delta=DELTA)
    again.draw_inside([STEP])
    assert [len(part.inside) for part in LedgerFile.read(path).parts] == [0, 1, 0]


def test_nothing_is_begun_that_was_not_charged(path):
    with pytest.raises(ConfigError, match="what is drawn must be charged; however: this run charged nothing"):
        Ledger.new(path, BUDGET).begin()


@pytest.mark.parametrize(("drawn", "becomes"), [(False, "--resume draws it at no further cost"), (True, "stay spent")])
def test_a_refusal_after_a_charge_says_what_becomes_of_it(path, drawn, becomes):
    book = Ledger.new(path, BUDGET)
    with pytest.raises(ConfigError) as early, book.accounting():
        book.begin()
    assert not hasattr(early.value, "__notes__")

    def refused():
        with book.accounting():
            book.charge([COUNT], delta=DELTA)
            if drawn:
                book.begin()
            book.charge([])

    with pytest.raises(ConfigError) as late:
        refused()
    (note,) = late.value.__notes__
    assert note.startswith(f"epsilon {book.epsilon():.6g} and delta 1e-06 were charged to {path} before")
    assert note.endswith(becomes)


def test_older_ledgers_do_not_say_what_was_drawn_and_nothing_of_them_is_taken_up(path):
    Ledger.new(path, BUDGET).charge([COUNT])
    data = json.loads(path.read_text())
    assert data["parts"][0].pop("drawn") is False
    path.write_text(json.dumps(data))
    assert LedgerFile.read(path).parts[0].drawn
    with pytest.raises(ConfigError, match="holds no such plan"):
        Ledger.resuming(path, BUDGET)
    data["parts"][0]["drawn"] = "perhaps"
    path.write_text(json.dumps(data))
    with pytest.raises(
        ArtefactError, match="`drawn` of a part of the ledger must be true or false; however: 'perhaps'"
    ):
        LedgerFile.read(path)


def test_a_plan_that_was_not_drawn_has_no_steps(path):
    book = Ledger.new(path, BUDGET)
    book.charge([RESERVE])
    book.draw_inside([STEP])
    data = json.loads(path.read_text())
    data["parts"][0]["drawn"] = False
    path.write_text(json.dumps(data))
    with pytest.raises(ArtefactError, match="a plan with steps was drawn from; however: age by sex"):
        LedgerFile.read(path)
