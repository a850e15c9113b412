"""A schema's name is part of a file's name: it leads nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from synthkit.schema import Schema

COLUMNS = {"x": {"kind": "numeric"}}


@pytest.mark.parametrize(
    "name", ["", "../../x", "/etc/x", "a/b", "a\\b", ".x", "..", "a\0b", "a\nb", "x" * 101, "\ud800"]
)
def test_a_name_that_is_a_path_is_refused(name):
    with pytest.raises(ValidationError, match="`name` must be a short name"):
        Schema(name=name, columns=COLUMNS)


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
