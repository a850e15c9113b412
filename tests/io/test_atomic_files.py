"""Files and folders appear whole or not at all, whatever ends the writing."""

from __future__ import annotations

import os

import pytest

from synthkit.errors import ArtefactError, TableError
from synthkit.io.atomic_files import check_file, check_folder, replacing, replacing_folder

MARKS = ("run.json",)


@pytest.fixture
def older(tmp_path):
    """A folder of ours with one file."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text("old")
    return folder


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_whatever_stops_the_writing_leaves_what_was_there(stop, older, tmp_path):
    def stopped(folder):
        with replacing_folder(folder, overwrite=True, marks=MARKS) as temporary:
            (temporary / "run.json").write_text("new")
            raise stop

    for folder in (older, tmp_path / "fresh"):
        with pytest.raises(stop):
            stopped(folder)
    assert (older / "run.json").read_text() == "old"
    assert list(tmp_path.iterdir()) == [older]


def test_the_new_folder_takes_the_place_of_the_old(older, tmp_path):
    (older / "left over").touch()
    with replacing_folder(older, overwrite=True, marks=MARKS) as temporary:
        (temporary / "run.json").write_text("new")
    assert [p.name for p in older.iterdir()] == ["run.json"]
    assert (older / "run.json").read_text() == "new"
    assert list(tmp_path.iterdir()) == [older]


def test_if_the_exchange_is_stopped_the_old_folder_comes_back(older, tmp_path, monkeypatch):
    """Between the two renames: the second one is made to fail."""
    rename = os.rename
    monkeypatch.setattr(
        "pathlib.Path.rename",
        lambda self, to: (_ for _ in ()).throw(KeyboardInterrupt) if "partial" in self.name else rename(self, to),
    )
    with (
        pytest.raises(KeyboardInterrupt),
        replacing_folder(older, overwrite=True, marks=MARKS) as temporary,
    ):
        (temporary / "run.json").write_text("new")
    assert (older / "run.json").read_text() == "old"
    assert list(tmp_path.iterdir()) == [older]


def test_a_failure_inside_keeps_its_own_message(tmp_path):
    """Only what the disk says is put into words here."""
    msg = "a column is written with one type; however: mixed"
    with (
        pytest.raises(TableError, match=msg),
        replacing_folder(tmp_path / "run", overwrite=False, marks=MARKS),
    ):
        raise TableError(msg)
    with (
        pytest.raises(ArtefactError, match=r"run must be writable; however: .*Nothing was written"),
        replacing_folder(tmp_path / "run", overwrite=False, marks=MARKS) as temporary,
        replacing(temporary / "no" / "rows.csv"),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_missing_parents_are_made(tmp_path):
    with replacing_folder(tmp_path / "a" / "b" / "run", overwrite=False, marks=MARKS) as temporary:
        (temporary / "run.json").write_text("new")
    assert (tmp_path / "a" / "b" / "run" / "run.json").exists()


def test_places_are_refused_before_any_work(older, tmp_path):
    check_folder(tmp_path / "new", overwrite=False, marks=MARKS)
    check_folder(older, overwrite=True, marks=MARKS)
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty", overwrite=True, marks=MARKS)
    with pytest.raises(ArtefactError, match="must not exist yet"):
        check_folder(tmp_path / "empty", overwrite=False, marks=MARKS)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    with pytest.raises(ArtefactError, match=r"only a folder that synthkit wrote is replaced; .* none of run\.json"):
        check_folder(tmp_path / "mine", overwrite=True, marks=MARKS)
    with pytest.raises(ArtefactError, match="it is a file"):
        check_folder(tmp_path / "mine" / "notes.txt", overwrite=True, marks=MARKS)
    with pytest.raises(ArtefactError, match="is not a folder you may write to"):
        check_folder(tmp_path / "mine" / "notes.txt" / "run", overwrite=True, marks=MARKS)


def test_files_are_refused_before_any_work(tmp_path):
    (tmp_path / "a.csv").touch()
    check_file(tmp_path / "b.csv", overwrite=False)
    check_file(tmp_path / "a.csv", overwrite=True)
    for path, overwrite in ((tmp_path / "a.csv", False), (tmp_path, True)):
        with pytest.raises(ArtefactError, match="must not exist yet"):
            check_file(path, overwrite=overwrite)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_nobody_may_write_to(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ArtefactError, match="is not a folder you may write to"):
        check_folder(tmp_path / "run", overwrite=False, marks=MARKS)
    tmp_path.chmod(0o700)
