"""Windows and macOS: what only Unix, or only Linux, has is imported where it is used, and done without elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ABSENT = ("fcntl", "resource", "pwd", "grp", "termios")  # modules that Windows does not have
BLOCK = f"""
import sys
for name in {ABSENT}:
    sys.modules[name] = None
"""
IMPORT_ALL = (
    BLOCK
    + """
import importlib, pkgutil
import synthkit

for module in pkgutil.walk_packages(synthkit.__path__, "synthkit."):
    importlib.import_module(module.name)
    print(module.name)
"""
)
CHARGE = (
    BLOCK
    + """
import warnings
warnings.filterwarnings("ignore", message="only soft file lock")
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, DiscreteGaussian
from synthkit.privacy.accounting.ledger import Ledger

book = Ledger.at(sys.argv[1], Budget(epsilon=20.0, delta=1e-3, unit="patient"))
with book.alone():
    book.charge([Charge(what=sys.argv[2], spent=Concentrated(rho=0.02))], delta=1e-6)
book.draw_inside([Charge(what="age by sex", spent=DiscreteGaussian(sigma=10))])
"""
)


def python(code: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_every_module_is_imported_without_what_only_unix_has():
    out, err = (run := python(IMPORT_ALL)).communicate()
    assert run.returncode == 0, err
    assert len(out.splitlines()) > 300


def test_runs_charge_one_ledger_at_the_same_time_without_what_only_unix_has(tmp_path):
    from synthkit.privacy.accounting.ledger_file import LedgerFile, recompute

    path = tmp_path / "ledger.json"
    runs = [python(CHARGE, path, f"run {k}") for k in range(3)]
    assert [(run.communicate()[1], run.returncode) for run in runs] == [("", 0)] * 3
    found = LedgerFile.read(path)
    assert sorted(part.charges[0].what for part in found.parts) == ["run 0", "run 1", "run 2"]
    assert recompute(path) == (pytest.approx(3 * found.parts[0].epsilon()), pytest.approx(3e-6))
    assert json.loads(path.read_text(encoding="utf-8"))["format"].startswith("synthkit-ledger/")
