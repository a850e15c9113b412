"""Files of synthetic rows say so, and are read back as the same rows."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from synthkit._version import __version__
from synthkit.errors import TableError
from synthkit.io.provenance_marks import provenance_mark, read_mark, sidecar_path
from synthkit.tables import table_files

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]})


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.feather", "t.csv", "t.csv.gz"])
@pytest.mark.parametrize("content", ["synthetic", "partially synthetic"])
def test_a_mark_is_read_back_and_changes_no_row(tmp_path, name, content):
    table_files.write(FRAME, tmp_path / name, mark=provenance_mark(content, date="2026-01-31"))
    table_files.write(FRAME, tmp_path / f"plain_{name}")
    said = {"content": content, "generator": "synthkit", "version": __version__, "date": "2026-01-31"}
    assert read_mark(tmp_path / name) == said
    assert read_mark(tmp_path / f"plain_{name}") is None
    assert table_files.read(tmp_path / name).frame().equals(table_files.read(tmp_path / f"plain_{name}").frame())


def test_a_mark_beside_other_rows_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    table_files.write(FRAME, path, mark=provenance_mark())
    path.write_text("a,b\n1,y\n", encoding="utf-8")
    with pytest.raises(TableError, match="the rows have changed since"):
        read_mark(path)
    sidecar_path(path).write_text("{", encoding="utf-8")
    with pytest.raises(TableError, match="it is not JSON"):
        read_mark(path)


def test_a_mark_names_no_time_unless_asked():
    assert "date" not in provenance_mark()
    assert json.dumps(provenance_mark(), sort_keys=True) == json.dumps(provenance_mark(), sort_keys=True)


def test_rows_in_text_never_stand_without_their_mark(tmp_path, monkeypatch):
    """A process that is killed while it puts the rows in their place leaves no rows that do not say what they are."""
    path, seen = tmp_path / "t.csv", []
    replace = Path.replace

    def watched(self, target):
        seen.append((Path(target).name, sidecar_path(path).exists()))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    table_files.write(pd.DataFrame({"x": [1]}), path, mark={"content": "synthetic"})
    assert seen == [(sidecar_path(path).name, False), (path.name, True)]
    assert read_mark(path) == {"content": "synthetic"}
