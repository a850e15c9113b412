"""A folder is held by one process at a time, with the locks of any system, and let go of by those that die."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthkit.errors import ArtefactError
from synthkit.io.folder_lock import LOCK, held, sync_folder

# Adds one to a number in a file, slowly, so that two that do not wait for each other lose additions.
ADD = """
import sys, time
if sys.argv[2] == "without":
    sys.modules["fcntl"] = None
from pathlib import Path
from synthkit.io.folder_lock import held

path = Path(sys.argv[1])
for _ in range(20):
    with held(path, what="a number"):
        number = int(path.read_text())
        time.sleep(0.001)
        path.write_text(str(number + 1))
"""
DIE = """
import os, sys
from pathlib import Path
from synthkit.io.folder_lock import held

with held(Path(sys.argv[1]), what="a number"):
    os._exit(7)
"""
systems = pytest.mark.parametrize("system", ["with", "without"], ids=["fcntl", "no fcntl"])


@pytest.fixture
def number(tmp_path) -> Path:
    path = tmp_path / "number.txt"
    path.write_text("0")
    return path


@systems
def test_of_several_processes_each_waits_for_the_others(number, system):
    runs = [
        subprocess.Popen([sys.executable, "-W", "ignore", "-c", ADD, number, system], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [(run.communicate()[1], run.returncode) for run in runs] == [("", 0)] * 3
    assert number.read_text() == "60"


def test_a_process_that_dies_lets_go(number):
    assert subprocess.run([sys.executable, "-c", DIE, number], check=False).returncode == 7
    with held(number, what="a number"):
        assert number.read_text() == "0"


@pytest.mark.filterwarnings("ignore::UserWarning")  # the library's, that such locks are soft where there is no fcntl
@systems
def test_an_error_inside_lets_go_and_leaves_no_file(number, system, monkeypatch):
    if system == "without":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    for _ in range(2):
        with pytest.raises(KeyError), held(number, what="a number"):
            raise KeyError
    assert {path.name for path in number.parent.iterdir()} - {LOCK} == {"number.txt"}


@systems
def test_a_folder_that_is_not_there_is_refused_and_not_made(tmp_path, system, monkeypatch):
    if system == "without":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    with (
        pytest.raises(ArtefactError, match=r"the folder of a ledger must exist; however: .*no: No such file"),
        held(tmp_path / "no" / "ledger.json", what="a ledger"),
    ):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot be asked to bring a folder to the disk")
def test_a_folder_that_cannot_reach_the_disk_says_so(tmp_path):
    sync_folder(tmp_path)
    with pytest.raises(OSError, match="No such file"):
        sync_folder(tmp_path / "no")
