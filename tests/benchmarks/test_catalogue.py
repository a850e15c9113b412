"""The one entry of the benchmarks: what it lists is there, says what it does, and loads no more than it needs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from benchmarks import catalogue
from benchmarks.places import PAGE, ROOT

COMMANDS = sorted(catalogue.MODULES)
HEAVY = ("torch", "pandas", "numpy", "sklearn", "synthkit")


def test_every_module_with_a_main_is_a_command_and_every_command_has_one():
    """But for what runs a cell in a process of its own, which is given a job and no flags."""
    found = set()
    for room in catalogue.ROOMS:
        for path in (ROOT / "benchmarks" / room).glob("*.py"):
            if re.search(r"^def main\(words", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
                found.add(f"benchmarks.{room}.{path.stem}")
    assert found == set(catalogue.MODULES.values())


def test_the_list_has_a_sentence_for_each_command_and_room(capsys):
    assert catalogue.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, module in catalogue.MODULES.items():
        (line,) = [line for line in lines if line.startswith(f"  {name} ")]
        assert catalogue.sentence(module).startswith(line.removeprefix(f"  {name} ").strip())
        assert catalogue.sentence(module).endswith(".")
    for room in catalogue.ROOMS:
        assert catalogue.sentence(f"benchmarks.{room}").rstrip(".") in lines
    assert max(map(len, lines)) <= 120


def test_no_word_at_all_is_answered_with_the_list(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmarks"])
    assert catalogue.main() == 0
    assert capsys.readouterr().out.startswith(catalogue.USAGE)


def test_a_command_that_there_is_not_is_refused_in_words(capsys):
    assert catalogue.main(["tabel"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("COMMAND must be one that there is, such as table; however: tabel. `python -m benchmarks")
    assert catalogue.main(["zzz"]) == 2
    assert "there is; however: zzz" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_it_does(name, capsys):
    """Its help is the whole text that its module opens with."""
    with pytest.raises(SystemExit) as end:
        catalogue.main([name, "--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert said.startswith(f"usage: python -m benchmarks {name} ")
    assert catalogue.sentence(catalogue.MODULES[name]) in said


def test_the_page_shows_every_command():
    shown = re.findall(r"^python -m benchmarks (\w+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(shown) == set(COMMANDS)


def test_commands_in_the_makefile_are_there():
    named = re.findall(r"-m benchmarks (\w+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert named
    assert set(named) <= set(COMMANDS)


@pytest.mark.parametrize("words", [["--help"], ["structure", "--help"], ["nothing"]])
def test_what_is_not_needed_is_not_loaded(words):
    program = (
        "import sys\nfrom benchmarks.catalogue import main\n"
        f"try: main({words})\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_peer_in_an_environment_of_its_own_needs_nothing_of_ours():
    program = "import sys, benchmarks.measure.job\nprint([n for n in sys.modules if n.split('.')[0] == 'synthkit'])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_runs_as_a_module():
    words = [sys.executable, "-m", "benchmarks", "structure", "--package", "benchmarks", "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '"files"' in done.stdout
