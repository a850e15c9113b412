"""`synthkit epsilon`: a ledger is counted again, and one that errs is exit 1."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian, Laplace
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.accounting.ledger_file import LedgerFile

AGES = Charge(what="histogram of age", spent=DiscreteGaussian(sigma=9), times=3)
RESERVE = Charge(what="tables of counts", spent=Concentrated(rho=0.01))
STEP = Charge(what="age by sex", spent=DiscreteGaussian(sigma=20))


@pytest.fixture
def ledger(tmp_path):
    """The ledger of a table after two plans, the second with a step from its reserve."""
    path = tmp_path / "icu.ledger.json"
    book = Ledger.new(path, Budget(epsilon=4, delta=1e-5, unit="patient", max_rows_per_unit=4))
    book.charge([AGES, Charge(what="rows", spent=Laplace(sensitivity=1, scale=20))], delta=5e-6)
    book.charge([RESERVE])
    book.draw_inside([STEP])
    return path


def changed(path, **figures):
    path.write_text(json.dumps({**json.loads(path.read_text()), **figures}))
    return path


def test_plans_total_and_meaning_are_printed(command, ledger):
    said = command("epsilon", ledger)
    assert said.code == 0, said.err
    epsilon, _ = LedgerFile.read(ledger).spent()
    lines = said.out.splitlines()
    assert lines[0] == "one patient more or less, at most 4 rows of each"
    assert "  3 x discrete-gaussian (sigma 9, change 1, cells 1): histogram of age" in lines
    assert "  1 x laplace (sensitivity 1, scale 20): rows" in lines
    assert "  of its reserve 1 steps were drawn, at no further cost" in lines
    assert f"total: epsilon {epsilon:.6g}, delta 1e-05, of 4 and 1e-05" in lines
    assert len(lines[lines.index(f"total: epsilon {epsilon:.6g}, delta 1e-05, of 4 and 1e-05") + 2 :]) == 3
    assert "differentially private" in said.out


def test_figures_are_written_as_json(command, ledger, tmp_path):
    out = tmp_path / "counted.json"
    assert command("epsilon", ledger, "--json", out, "--quiet").out == ""
    told = json.loads(out.read_text())
    epsilon, delta = LedgerFile.read(ledger).spent()
    assert (told["format"], told["epsilon"], told["delta"]) == ("synthkit-recount/1", epsilon, delta)
    assert [(part["charges"], part["inside"]) for part in told["parts"]] == [(2, 0), (1, 1)]
    assert told["faults"] == []
    assert len(told["sentences"]) == 3


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"epsilon": 0.5}, "epsilon must be that of the charges; however: 0.5 is written, 1."),
        ({"epsilon": None}, "epsilon must be that of the charges; however: infinity is written"),
        ({"epsilon": "1.2"}, "epsilon must be that of the charges; however: '1.2' is written"),
        ({"epsilon": True}, "epsilon must be that of the charges; however: True is written"),
        ({"delta": 1e-6}, "delta must be that of the charges; however: 1e-06 is written, 1e-05 is what they cost"),
    ],
)
def test_a_figure_that_is_not_that_of_the_charges_is_exit_1(command, ledger, figures, said):
    found = command("epsilon", changed(ledger, **figures), "--quiet")
    assert found.code == 1
    assert said in found.err


def test_a_plan_that_is_said_to_cost_less_is_exit_1(command, ledger):
    parts = json.loads(ledger.read_text())["parts"]
    parts[1]["epsilon"] /= 2
    found = command("epsilon", changed(ledger, parts=parts), "--quiet")
    assert found.code == 1
    assert "epsilon of plan 2 must be that of the charges" in found.err


def test_a_difference_in_the_last_digits_is_none(command, ledger):
    """Another machine may round otherwise."""
    epsilon = json.loads(ledger.read_text())["epsilon"]
    assert command("epsilon", changed(ledger, epsilon=epsilon * (1 + 1e-9)), "--quiet").code == 0


def test_charges_beyond_the_budget_are_exit_1(command, ledger):
    """However consistent the figures are."""
    budget = {**json.loads(ledger.read_text())["budget"], "epsilon": 1}
    found = command("epsilon", changed(ledger, budget=budget), "--quiet")
    assert found.code == 1
    assert "epsilon must stay within its budget of 1; however: the charges cost 1." in found.err


def test_a_ledger_without_a_budget_is_counted_too(command, tmp_path):
    from synthkit.privacy.accounting.events import NonPrivate

    book = Ledger.unlimited(unit=None)
    book.charge([Charge(what="training rows", spent=NonPrivate())])
    path = tmp_path / "ledger.json"
    path.write_text(book.to_json())
    said = command("epsilon", path)
    assert said.code == 0
    assert "total: epsilon infinite, delta 0" in said.out
    assert "  1 x non-private: training rows" in said.out
    assert "Not differentially private" in said.out


def test_a_ledger_of_the_first_format_is_counted_too(command, tmp_path):
    path = tmp_path / "ledger.json"
    charge = {"what": "rows", "mechanism": "non-private", "times": 1, "detail": "exact, no noise"}
    first = {"format": "synthkit-ledger/1", "unit": None, "budget": None, "epsilon": None, "charges": [charge]}
    path.write_text(json.dumps(first))
    assert command("epsilon", path, "--quiet").code == 0
    assert command("epsilon", changed(path, epsilon=1.0), "--quiet").code == 1


def test_what_is_no_ledger_is_refused(refused, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    assert "a ledger must have format" in refused("epsilon", tmp_path / "x.json")
    assert "must be a ledger" in refused("epsilon", tmp_path / "none.json")


def test_counting_needs_no_tensors(ledger):
    """Nor tables: anybody can check a ledger with little installed."""
    heavy = ("torch", "pandas", "sklearn", "great_expectations", "altair")
    code = "import sys; from synthkit.cli.app import main\n"
    code += f"sys.argv = ['synthkit', 'epsilon', {str(ledger)!r}, '--quiet']\n"
    code += f"try: main()\nexcept SystemExit: pass\nprint(*[m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
