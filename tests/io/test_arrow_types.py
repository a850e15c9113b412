"""Tables are brought to the types that their files had."""

from __future__ import annotations

import pyarrow as pa
import pytest

from synthkit.io.arrow_types import retyped


@pytest.mark.parametrize(("kind", "cells"), [("string_view", ["a", None, "b"]), ("binary_view", [b"a", None, b"b"])])
def test_views_hold_their_data(kind, cells):
    """A cast leaves the buffer out where all texts are short: pyarrow before 25 ends the process when it is written."""
    made = retyped(pa.table({"x": cells}), {"x": kind}).column("x")
    assert str(made.type) == kind
    assert made.to_pylist() == cells
    assert all(buffer is not None for buffer in made.chunk(0).buffers())


def test_a_column_whose_cells_have_no_place_in_a_type_stays():
    table = pa.table({"x": ["a", "b"]})
    assert retyped(table, {"x": "int8", "no": "int8"}) == table
