"""Outputs that exist, full disks, Ctrl-C: what was there stays, and nothing is half-written."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

# ---- outputs ----


def test_an_output_folder_that_exists(toy, tmp_path, refused):
    (tmp_path / "out").mkdir()
    for verb in ("run", "fit"):
        said = refused(verb, toy.csv, "--schema", toy.yaml, "--out", tmp_path / "out")
        assert "must not exist yet" in said
        assert "--overwrite" in said


def test_overwrite_never_replaces_a_folder_that_is_not_ours(toy, tmp_path, refused):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    words = ["--schema", toy.yaml, "--out", tmp_path / "thesis", "--overwrite"]
    assert "only a folder that synthkit wrote is replaced" in refused("run", toy.csv, *words)
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "years of work"


def test_an_output_that_is_a_file_or_lies_under_one(toy, tmp_path, refused):
    (tmp_path / "out").write_text("x")
    assert "it is a file" in refused("run", toy.csv, "--schema", toy.yaml, "--out", tmp_path / "out", "--overwrite")
    under = tmp_path / "out" / "deeper"
    assert "is not a folder you may write to" in refused("run", toy.csv, "--schema", toy.yaml, "--out", under)


def test_output_files_that_exist(toy, fitted, tmp_path, refused):
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")
    assert "must not exist yet" in refused("sample", fitted, "--rows", 3, "--out", taken)
    assert "must not exist yet" in refused("impute", fitted, toy.csv, "--out", taken)
    assert "must not exist yet" in refused("init", toy.csv, "-o", taken)
    assert taken.read_text() == "mine"


def test_an_output_folder_of_a_file_that_is_not_there(fitted, tmp_path, refused):
    assert "must be writable" in refused("sample", fitted, "--rows", 3, "--out", tmp_path / "no" / "rows.csv")


# ---- a disk that is full ----


@contextmanager
def files_of_at_most(size: int):
    """The kernel refuses to let any file of this process grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [100, 8_000], ids=["first file", "tensors"])
def test_no_room_for_a_model(size, toy, tmp_path, refused):
    """Wherever in the folder the writing stops, the folder does not appear."""
    words = ["--schema", toy.yaml, "--out", tmp_path / "out", "--steps", 2, "--set", "width=64"]
    with files_of_at_most(size):
        said = refused("fit", toy.csv, *words)
    assert f"{tmp_path / 'out'} must be writable" in said
    assert "Nothing was written" in said


def test_no_room_for_a_report(toy, tmp_path, refused):
    words = ["--schema", toy.yaml, "--out", tmp_path / "out", "--model", "independent", "--quick"]
    with files_of_at_most(40_000):
        assert "Nothing was written" in refused("run", toy.csv, *words)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".arrow"])
def test_no_room_for_rows(ending, fitted, tmp_path, refused):
    with files_of_at_most(4_000):
        said = refused("sample", fitted, "--rows", 3000, "--out", tmp_path / f"rows{ending}")
    assert "Nothing was written" in said


def test_no_room_leaves_what_was_there(toy, fitted, tmp_path, refused):
    shutil.copytree(fitted, tmp_path / "out")
    before = (tmp_path / "out" / "run.json").read_bytes()
    words = ["--schema", toy.yaml, "--out", tmp_path / "out", "--overwrite", "--model", "independent"]
    with files_of_at_most(100):
        refused("fit", toy.csv, *words)
    assert (tmp_path / "out" / "run.json").read_bytes() == before


def test_a_disk_that_is_really_full(fitted, tmp_path, command):
    """A file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("mounting a small file system needs rights this user has not")
    try:
        said = command("sample", fitted, "--rows", 5000, "--out", disk / "rows.csv")
        assert said.code == 2
        assert "No space left on device. Nothing was written" in said.err
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# ---- Ctrl-C ----


@pytest.mark.parametrize("when", ["load libraries ...", "read and validate ...", "fit ..."])
def test_ctrl_c_in_the_middle(when, toy, tmp_path):
    """A real signal to a real process, while it loads, reads and trains."""
    words = ["run", str(toy.csv), "--schema", str(toy.yaml), "--out", str(tmp_path / "out"), "--steps", "1000000"]
    program = "import sys; from synthkit.cli.app import main; sys.argv[0] = 'synthkit'; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip() == when:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=500)
    assert process.returncode == 130
    assert err.strip().endswith("stopped; nothing was written")
    assert "Traceback" not in err
    assert out == ""
    assert not list(tmp_path.iterdir())


def test_a_reader_who_goes_away():
    """`synthkit --help | head -1` ends without a traceback."""
    read, written = os.pipe()
    os.close(read)
    words = [sys.executable, "-c", "from synthkit.cli.app import main; main()", "--help"]
    done = subprocess.run(words, stdout=written, stderr=subprocess.PIPE, text=True, check=False)
    os.close(written)
    assert done.stderr == ""
