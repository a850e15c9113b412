"""The book of a table: on disk before anything is drawn, refused before it is exceeded, added to by later runs."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.errors import ArtefactError, BudgetExceededError, ConfigError, TableError
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian, Gaussian, Laplace, NonPrivate
from synthkit.privacy.accounting.ledger import Ledger, _rest
from synthkit.privacy.accounting.ledger_file import LedgerFile, recompute
from synthkit.privacy.accounting.noise_calibration import smallest_noise

BUDGET = Budget(epsilon=1.0, delta=1e-5, unit="patient", max_rows_per_unit=4)
HALF = Charge(what="histogram of age", spent=Laplace(sensitivity=1, scale=2.01))
EXACT = Charge(what="histogram of sex", spent=NonPrivate())
RESERVE = Charge(what="pairs", spent=Concentrated(rho=0.02))
STEP = Charge(what="age by sex", spent=DiscreteGaussian(sigma=10))  # a quarter of the reserve


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.json"


def test_a_plan_is_on_disk_when_it_is_charged(path):
    book = Ledger.new(path, BUDGET)
    assert recompute(path) == (0.0, 0.0)
    cost = book.charge([HALF])
    assert cost == pytest.approx(0.4975, abs=1e-3)
    assert recompute(path) == (book.epsilon(), book.delta()) == (cost, 1e-5)
    assert book.charges == LedgerFile.read(path).parts[0].charges == (HALF,)
    assert json.loads(path.read_text()) == book.to_dict()
    assert book.to_json() == path.read_text()
    assert (book.unit, book.budget) == ("patient", BUDGET)


def test_what_is_charged_to_disk_is_synced_first(path, monkeypatch):
    """The file, then its place in the folder: both before `charge` returns."""
    book = Ledger.new(path, BUDGET)
    seen = []
    sync = os.fsync

    def noted(handle):
        seen.append((os.readlink(f"/proc/self/fd/{handle}"), "histogram of age" in path.read_text()))
        sync(handle)

    if not Path("/proc/self/fd").exists():
        pytest.skip("names of open files are looked up in /proc")
    monkeypatch.setattr(os, "fsync", noted)
    book.charge([HALF])
    assert [there for _, there in seen] == [False, True]
    assert seen[0][0].startswith(str(path.parent / ".ledger.json."))
    assert seen[1][0] == str(path.parent)


@pytest.mark.parametrize("failing", [1, 2])
def test_a_disk_that_fails_lets_nothing_be_drawn(path, monkeypatch, failing):
    book = Ledger.new(path, BUDGET)
    calls = []

    def full(_):
        calls.append(1)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TableError, match=r"however: No space left on device"):
            book.charge([HALF])
    assert book.charges == ()
    assert recompute(path)[0] == (0.0 if failing == 1 else pytest.approx(0.4975, abs=1e-3))
    if failing == 2:  # it may have reached the disk: then it has been spent, whether or not it was drawn
        with pytest.raises(BudgetExceededError, match="must fit what is left of delta, 0"):
            book.charge([HALF])


def test_a_plan_that_exceeds_the_budget_is_refused_before_it_is_written(path):
    book = Ledger.new(path, BUDGET)
    before = path.read_text()
    with pytest.raises(
        BudgetExceededError,
        match=r"budget of epsilon 1, of which 1 is left; however: histogram of age and 2 more would cost 1\.49",
    ):
        book.charge([HALF, HALF, HALF])
    with pytest.raises(BudgetExceededError, match=r"epsilon 1; however: histogram of sex would be answered exactly"):
        book.charge([HALF, EXACT])
    assert path.read_text() == before
    assert (book.charges, book.epsilon()) == ((), 0.0)


@pytest.mark.parametrize("delta", [0.0, -1e-6, 1.1e-5, math.nan])
def test_delta_is_a_budget_too(path, delta):
    book = Ledger.new(path, BUDGET)
    with pytest.raises(BudgetExceededError, match=r"must fit what is left of delta, 1e-05; however: .* is asked"):
        book.charge([HALF], delta=delta)
    book.charge([HALF], delta=4e-6)
    assert book.left().delta == pytest.approx(6e-6)
    book.charge([Charge(what="count", spent=Laplace(sensitivity=1, scale=9))])
    assert (book.left().delta, book.delta()) == (pytest.approx(0.0, abs=1e-20), pytest.approx(1e-5))
    assert book.left().epsilon == pytest.approx(1.0 - book.epsilon())
    with pytest.raises(BudgetExceededError, match="every plan must fit"):
        book.charge([Charge(what="count", spent=Laplace(sensitivity=1, scale=999))])


def test_an_empty_plan_is_a_mistake(path):
    with pytest.raises(ConfigError, match="a plan must hold a charge; however: it is empty"):
        Ledger.new(path, BUDGET).charge([])


def test_a_calibrated_plan_is_paid_and_a_little_more_is_not(path):
    book = Ledger.new(path, BUDGET)

    def plan(noise):
        return [HALF, Charge(what="pairs", spent=Gaussian(sensitivity=1, sigma=noise), times=4)]

    noise = smallest_noise(plan, epsilon=book.left().epsilon, delta=book.left().delta)
    with pytest.raises(BudgetExceededError):
        book.charge(plan(noise * 0.999))
    assert 0.999 < book.charge(plan(noise)) <= 1


@settings(max_examples=15, deadline=None)
@given(scales=st.lists(st.floats(0.5, 20), min_size=1, max_size=6))
def test_whatever_is_asked_the_total_never_exceeds_the_budget(tmp_path_factory, scales):
    path = tmp_path_factory.mktemp("book") / "ledger.json"
    book = Ledger.new(path, BUDGET)
    for scale in scales:
        before = recompute(path)
        try:
            cost = book.charge([Charge(what="count", spent=Laplace(sensitivity=1, scale=scale))], delta=1e-6)
        except BudgetExceededError:
            assert recompute(path) == before
        else:
            assert recompute(path)[0] == pytest.approx(before[0] + cost)
        assert recompute(path)[0] <= 1
        assert recompute(path)[1] <= 1e-5


@given(spent=st.lists(st.floats(1e-9, 1), max_size=8), cap=st.floats(1e-9, 5))
def test_what_is_left_never_takes_the_sum_above_its_cap(spent, cap):
    rest = _rest(cap, spent)
    assert rest >= 0
    assert rest == 0 or math.fsum([*spent, rest]) <= cap
    assert rest == pytest.approx(max(0.0, cap - sum(spent)), abs=1e-14)


def test_a_second_run_adds(path):
    Ledger.new(path, BUDGET).charge([HALF])
    again = Ledger.open(path, replace(BUDGET, epsilon=1.0, delta=2e-5))
    assert (again.left().epsilon, again.left().delta) == (pytest.approx(0.5025, abs=1e-3), 1e-5)
    assert again.charges == (HALF,)
    with pytest.raises(BudgetExceededError, match=r"of which 0\.50.* is left; however: histogram of age and 1 more"):
        again.charge([HALF, HALF])
    again.charge([HALF])
    assert recompute(path) == (pytest.approx(0.995, abs=1e-3), 2e-5)
    third = Ledger.open(path, replace(BUDGET, epsilon=0.5))  # a cap below what is spent pays for nothing
    assert (third.left().epsilon, third.left().delta) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (Budget(epsilon=2, delta=1e-5, unit="visit", max_rows_per_unit=4), "unit"),
        (Budget(epsilon=2, delta=1e-5), "unit"),
        (Budget(epsilon=2, delta=1e-5, unit="patient", max_rows_per_unit=5), "max_rows_per_unit"),
        (Budget(epsilon=2, delta=1e-5, unit="patient"), "max_rows_per_unit"),
    ],
)
def test_a_second_run_for_another_promise_is_refused(path, other, name):
    Ledger.new(path, BUDGET).charge([HALF])
    with pytest.raises(ConfigError, match=f"a prior ledger must have the same {name} for its spending to be added"):
        Ledger.open(path, other)


def test_a_prior_ledger_of_another_adjacency_is_refused(path):
    Ledger.new(path, BUDGET)
    path.write_text(path.read_text().replace("add-remove", "replace-one"))
    with pytest.raises(ArtefactError, match=r"adjacency must be `add-remove`, .*; however: 'replace-one'"):
        Ledger.open(path, BUDGET)


def test_a_prior_ledger_without_a_budget_is_refused(path):
    book = Ledger.unlimited(unit="patient")
    book.charge([EXACT])
    path.write_text(book.to_json())
    with pytest.raises(BudgetExceededError, match=r"a prior ledger must have a budget; however: .* holds 1 parts"):
        Ledger.open(path, BUDGET)


def test_a_ledger_is_never_written_anew(path):
    Ledger.new(path, BUDGET).charge([HALF])
    with pytest.raises(ArtefactError, match=r"ledger.json must not exist yet; however: it does"):
        Ledger.new(path, BUDGET)
    assert recompute(path)[0] > 0


def test_a_ledger_needs_a_folder(tmp_path):
    with pytest.raises(ArtefactError, match=r"the folder of a ledger must exist; however: .*no: No such file"):
        Ledger.new(tmp_path / "no" / "ledger.json", BUDGET)
    with pytest.raises(ConfigError, match="a ledger under a budget must live in a file"):
        Ledger(LedgerFile(budget=BUDGET, unit="patient"), None).charge([HALF])


def test_two_runs_at_once_do_not_spend_the_same_epsilon(path):
    one = Ledger.new(path, replace(BUDGET, delta=1e-4))
    other = Ledger.open(path, replace(BUDGET, delta=1e-4))
    one.charge([HALF], delta=1e-5)
    other.charge([HALF], delta=1e-5)  # sees what the other has charged meanwhile
    assert len(other.parts) == 2
    with pytest.raises(BudgetExceededError, match="is left; however: histogram of age would cost"):
        one.charge([HALF], delta=1e-5)
    assert len(LedgerFile.read(path).parts) == 2


def test_a_file_put_back_to_an_older_state_is_refused(path):
    book = Ledger.new(path, BUDGET)
    older = path.read_text()
    book.charge([HALF], delta=5e-6)
    path.write_text(older)
    with pytest.raises(ArtefactError, match="must hold what was charged to it; however: it was changed"):
        book.charge([HALF])
    path.unlink()
    with pytest.raises(ArtefactError, match="must be a ledger; however: No such file"):
        book.charge([HALF])


def test_adaptive_steps_are_paid_by_their_reserve_and_no_more(path):
    book = Ledger.new(path, BUDGET)
    with pytest.raises(
        ConfigError, match="adaptive steps need a reserve that this run charged; however: it charged none"
    ):
        book.draw_inside([STEP])
    cost = book.charge([RESERVE])
    for drawn in range(1, 5):
        book.draw_inside([STEP])
        assert len(LedgerFile.read(path).parts[0].inside) == drawn
    assert recompute(path) == (cost, 1e-5)
    with pytest.raises(BudgetExceededError, match="adaptive steps must fit their reserve"):
        book.draw_inside([STEP])
    assert len(LedgerFile.read(path).parts[0].inside) == 4


def test_a_plan_without_a_reserve_pays_for_no_adaptive_steps(path):
    book = Ledger.new(path, BUDGET)
    book.charge([HALF])
    with pytest.raises(ConfigError, match="adaptive steps need a reserve in their plan; however: age by sex has none"):
        book.draw_inside([STEP])


def test_the_reserve_of_an_earlier_run_is_lost(path):
    Ledger.new(path, BUDGET).charge([RESERVE])
    with pytest.raises(ConfigError, match="adaptive steps need a reserve that this run charged"):
        Ledger.open(path, BUDGET).draw_inside([STEP])


def test_without_a_budget_everything_may_be_charged_and_nothing_is_promised():
    book = Ledger.unlimited(unit=None)
    assert (book.epsilon(), book.budget, book.unit) == (0.0, None, None)
    assert (book.left().epsilon, book.left().delta) == (math.inf, 1.0)
    assert book.charge([EXACT]) == book.charge([HALF]) == book.epsilon() == math.inf
    assert book.charges == (EXACT, HALF)
    book.charge([RESERVE])
    book.draw_inside([STEP])
    assert book.parts[2].inside == (STEP,)
    assert LedgerFile.from_json(book.to_json()).parts == book.parts


KILLED = """
import os, signal, sys
from pathlib import Path
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Laplace

path, when = Path(sys.argv[1]), sys.argv[2]
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
book = Ledger.new(path, Budget(epsilon=1.0, delta=1e-5))
book.charge([Charge(what="first", spent=Laplace(sensitivity=1, scale=4))], delta=5e-6)
if when == "writing":
    Path.replace = die
book.charge([Charge(what="second", spent=Laplace(sensitivity=1, scale=4))])
print("drawn", flush=True)
die()
"""


@pytest.mark.parametrize(("when", "held"), [("writing", ["first"]), ("drawn", ["first", "second"])])
def test_a_killed_run_has_spent_what_it_charged(path, when, held):
    """Killed before a charge is whole on disk it has drawn nothing of it; killed after, the charge is there."""
    done = subprocess.run([sys.executable, "-c", KILLED, path, when], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert ("drawn" in done.stdout) == (when == "drawn")
    again = Ledger.open(path, Budget(epsilon=1.0, delta=3e-5))
    assert [charge.what for charge in again.charges] == held
    assert again.epsilon() == pytest.approx(0.25 * len(held), abs=1e-2)
    again.charge([Charge(what="third", spent=Laplace(sensitivity=1, scale=4))])
    assert [charge.what for charge in LedgerFile.read(path).parts[-1].charges] == ["third"]
