"""What a piece of work takes, on which machine, with which code."""

from __future__ import annotations

import doctest
import platform
import subprocess
import sys
import time

import numpy as np
import pytest

SPIN = "import time\nwhile time.process_time() < {}: pass"


def test_cpu_seconds_are_those_of_the_process(script):
    start = time.process_time()
    with script("meter").measured() as took:
        while time.process_time() - start < 0.3:
            pass
    assert took["cpu"] == pytest.approx(0.3, abs=0.1)
    assert took["wall"] >= took["cpu"] * 0.9
    assert 0 <= took["others"] <= 1
    assert took["peak_mib"] > 10


def test_children_that_were_waited_for_are_counted(script):
    with script("meter").measured() as took:
        subprocess.run([sys.executable, "-c", SPIN.format(0.4)], check=True)
    assert took["cpu"] >= 0.39


def test_what_others_use_is_the_rest_of_what_the_machine_was_busy(script):
    """By hand: two cores for 10 s are 20 CPU seconds, 12 were used, 5 of them ours: 7 of 20."""
    others = script("meter").others
    assert others(12.0, 5.0, 10.0, 2) == pytest.approx(0.35)
    assert others(4.0, 5.0, 10.0, 2) == 0.0
    assert others(1.0, 0.0, 0.0, 2) == 0.0


def test_idle_and_waiting_are_not_busy(script):
    """The fields of /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice."""
    busy = script("meter").busy
    assert busy("cpu 1 1 1 999 999 1 1 1 0 0") == busy("cpu 6 0 0 0 0 0 0 0 6 0")


def test_a_machine_is_told_by_its_parts_and_not_by_its_name(script):
    machine = script("machine")
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


def test_code_of_a_model_is_what_it_imports_and_not_other_models(script, package):
    reached = script("sources").reached
    ends = ["synthkit.models"]
    assert sorted(reached(["synthkit.models.a"], package, ends)) == ["synthkit.models.a", "synthkit.used"]
    assert sorted(reached(["synthkit.models.b"], package, ends)) == [
        "synthkit.models.a",
        "synthkit.models.b",
        "synthkit.used",
    ]


def test_a_comment_is_no_change_and_a_number_is(script):
    bare = script("sources").bare
    assert bare('"""Says."""\nX = 1  # one\n') == bare("X = 1\n")
    assert bare("class A:\n    '''Says.'''\n    x = 1") == bare("class A:\n    x = 1")
    assert bare("X = 1\n") != bare("X = 2\n")


def test_the_exponent_is_the_slope_in_logarithms(script):
    exponent = script("scaling").exponent
    rows = np.array([1e4, 1e5, 1e6])
    assert exponent(rows, 3e-4 * rows) == pytest.approx(1.0)
    assert exponent(rows, 1e-9 * rows**1.5) == pytest.approx(1.5)


def test_exponents_are_of_the_whole_and_need_two_sizes(script):
    def line(rows, seconds):
        return {"table": "t", "model": "m", "rows": rows, "encode": seconds, "epoch": seconds, "sample": seconds}

    exponents = script("scaling").exponents
    assert exponents([line(100, 2.0)]) == []
    assert exponents([line(1000, 200.0), line(100, 2.0)]) == [{"table": "t", "model": "m", "sizes": 2, "exponent": 2.0}]


@pytest.mark.parametrize(
    "name",
    ["job", "machine", "meter", "ratios", "results", "scaling", "scoring", "sections", "sources", "table", "targets"],
)
def test_examples_of_the_scripts_run(script, name):
    outcome = doctest.testmod(script(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0
