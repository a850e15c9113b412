"""A schema's name is part of a file's name: it leads nowhere else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from synthkit.errors import SchemaError
from synthkit.schema import Schema
from synthkit.schema.infer.draft import draft, infer_schema

COLUMNS = {"x": {"kind": "numeric"}}


@pytest.mark.parametrize(
    "name", ["", "../../x", "/etc/x", "a/b", "a\\b", ".x", "..", "a\0b", "a\nb", "x" * 101, "\ud800"]
)
def test_a_name_that_is_a_path_is_refused(name):
    with pytest.raises(ValidationError, match="`name` must be a short name"):
        Schema(name=name, columns=COLUMNS)


@pytest.mark.parametrize("name", ["", "../x", ".x", "x" * 101, "\ud800"])
def test_a_draft_under_such_a_name_is_refused(name):
    frame = pd.DataFrame({"x": [1, 2]})
    for drafts in (infer_schema, draft):
        with pytest.raises(SchemaError, match="a table is called by a short name; however"):
            drafts(frame, name=name)


@pytest.mark.parametrize("file", [".x.csv", "x" * 101 + ".csv"])
def test_a_file_whose_name_no_table_may_have_is_drafted_as_table(command, tmp_path, file):
    path = tmp_path / file
    path.write_text("x\n1\n2\n")
    assert command("init", path, "--out", tmp_path / "s.yaml").code == 0
    assert Schema.load(tmp_path / "s.yaml").name == "table"


@given(st.text(max_size=110))
@settings(deadline=None, max_examples=300)
def test_a_name_that_is_taken_names_a_file_in_the_folder_at_hand(name):
    try:
        taken = Schema(name=name, columns=COLUMNS).name
    except ValidationError:
        return
    path = Path("folder") / f"{taken}.ledger.json"
    assert path.parent == Path("folder")
    assert path.name == f"{name}.ledger.json"
    assert name.encode()
