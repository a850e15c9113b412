"""What a piece of work takes, on which machine, with which code."""

from __future__ import annotations

import doctest
import importlib
import platform
import re
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmarks.load import scaling
from benchmarks.measure import machine, meter, sources
from benchmarks.places import ROOT
from synthkit.models.registry import MODELS

SPIN = "import time\nwhile time.process_time() < {}: pass"


def test_cpu_seconds_are_those_of_the_process():
    start = time.process_time()
    with meter.measured() as took:
        while time.process_time() - start < 0.3:
            pass
    assert took["cpu"] == pytest.approx(0.3, abs=0.1)
    assert took["wall"] >= took["cpu"] * 0.9
    assert 0 <= took["others"] <= 1
    assert took["peak_mib"] > 10


def test_children_that_were_waited_for_are_counted():
    with meter.measured() as took:
        subprocess.run([sys.executable, "-c", SPIN.format(0.4)], check=True)
    assert took["cpu"] >= 0.39


def test_what_others_use_is_the_rest_of_what_the_machine_was_busy():
    """By hand: two cores for 10 s are 20 CPU seconds, 12 were used, 5 of them ours: 7 of 20."""
    assert meter.others(12.0, 5.0, 10.0, 2) == pytest.approx(0.35)
    assert meter.others(4.0, 5.0, 10.0, 2) == 0.0
    assert meter.others(1.0, 0.0, 0.0, 2) == 0.0


def test_idle_and_waiting_are_not_busy():
    """The fields of /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice."""
    assert meter.busy("cpu 1 1 1 999 999 1 1 1 0 0") == meter.busy("cpu 6 0 0 0 0 0 0 0 6 0")


def test_a_machine_is_told_by_its_parts_and_not_by_its_name():
    found = machine.fingerprint()
    assert found["python"] == platform.python_version()
    assert not platform.node() or platform.node() not in str(found)
    text = "processor\t: 0\nmodel name\t: One\nmodel\t\t: 5\n\nprocessor\t: 1\nmodel name\t: One\nmodel\t\t: 5\n"
    assert machine.processor(text) == "One, model 5"
    assert machine.processor("") == platform.machine()


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "synthkit" / "models"
    folder.mkdir(parents=True)
    (tmp_path / "synthkit" / "used.py").write_text("ONE = 1\n")
    (folder / "__init__.py").write_text("from synthkit.models.a import A\nfrom synthkit.models.b import B\n")
    (folder / "a.py").write_text('"""A."""\nfrom synthkit import used\n')
    (folder / "b.py").write_text("import synthkit.models.a\n")
    return tmp_path


def test_code_of_a_model_is_what_it_imports_and_not_other_models(package):
    ends = ["synthkit.models"]
    assert sorted(sources.reached(["synthkit.models.a"], package, ends)) == ["synthkit.models.a", "synthkit.used"]
    assert sorted(sources.reached(["synthkit.models.b"], package, ends)) == [
        "synthkit.models.a",
        "synthkit.models.b",
        "synthkit.used",
    ]


def test_a_comment_is_no_change_and_a_number_is():
    assert sources.bare('"""Says."""\nX = 1  # one\n') == sources.bare("X = 1\n")
    assert sources.bare("class A:\n    '''Says.'''\n    x = 1") == sources.bare("class A:\n    x = 1")
    assert sources.bare("X = 1\n") != sources.bare("X = 2\n")


def test_the_exponent_is_the_slope_in_logarithms():
    rows = np.array([1e4, 1e5, 1e6])
    assert scaling.exponent(rows, 3e-4 * rows) == pytest.approx(1.0)
    assert scaling.exponent(rows, 1e-9 * rows**1.5) == pytest.approx(1.5)


def test_exponents_are_of_the_whole_and_need_two_sizes():
    def line(rows, seconds):
        return {"table": "t", "model": "m", "rows": rows, "encode": seconds, "epoch": seconds, "sample": seconds}

    assert scaling.exponents([line(100, 2.0)]) == []
    assert scaling.exponents([line(1000, 200.0), line(100, 2.0)]) == [
        {"table": "t", "model": "m", "sizes": 2, "exponent": 2.0}
    ]


def test_a_module_that_is_not_there_is_refused(package):
    """Else the digest of a model would not change with code that was moved."""
    with pytest.raises(ValueError, match=r"must be those of a package under .*; however: synthkit.gone. Name where"):
        sources.reached(["synthkit.models.a", "synthkit.gone"], package)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_code_of_a_model_is_what_a_fit_and_a_sample_run_through(name):
    """Every module of the package that is loaded by its class or by what the synthesizer runs for all models."""
    files = sources.reached([MODELS[name].__module__, *sources.ROOTS, *sources.ENDS])
    wanted = {"encoding.encoder", "privacy.access.curator", "synthesizer.conditional", "synthesizer.rule_sampling"}
    assert sources.PRIVATE not in files
    assert sources.RAKED not in files
    assert {MODELS[name].__module__, *(f"synthkit.{each}" for each in wanted)} <= set(files)
    others = {kind.__module__ for kind in MODELS.values()} - {MODELS[name].__module__}
    assert not others & set(files)


def test_a_version_names_package_and_code():
    assert re.fullmatch(r"synthkit \d+\.\d+\.\d+ [0-9a-f]{12}", sources.version_of("synthkit.models.independent"))


EXAMPLES = [path for path in sorted((ROOT / "benchmarks").rglob("*.py")) if ">>>" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0
