"""Which keys name which rows: numbers however they are stored, texts of them, and codes that only look like numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.row_keys import RowKeys, key_texts
from synthkit.schema.linked.validate_linked import validate_linked

SCHEMA = LinkedSchema.loads(
    """
unit: people
tables:
  people: {key: [pid], columns: {pid: {kind: identifier}}}
  labs:
    links: [{columns: [pid], to: people, kind: owner}]
    columns: {pid: {kind: identifier}, value: {kind: numeric}}
"""
)


def named(keys, rows):
    return RowKeys.of(pd.DataFrame({"k": pd.Series(keys, dtype=object)}), ["k"]).positions_in(
        RowKeys.of(pd.DataFrame({"k": pd.Series(rows, dtype=object)}), ["k"])
    )


def test_a_text_with_the_point_of_a_float_names_the_row_of_the_whole_number_and_the_other_way_round():
    assert named(["201006.0", "-3.0", "7.0", "07.0"], [201006, -3, "7"]).tolist() == [0, 1, 2, -1]
    assert named([7, "8"], ["8.0", "7.0"]).tolist() == [1, 0]


def test_codes_that_look_like_numbers_keep_their_own_rows():
    assert named(["250.0", "250", "250.1", "1.0.0"], ["250", "250.0", "250.1"]).tolist() == [1, 0, 2, -1]


@given(
    st.lists(st.sampled_from([1, 1.0, "1", "1.0", "2", "2.0", "x", None]), max_size=8),
    st.lists(st.sampled_from([1, "1.0", "2", "2.0", "x", None]), max_size=6),
)
def test_keys_name_the_first_row_of_the_same_text_or_else_of_the_same_number(keys, rows):
    def text(cell):
        return None if cell is None else str(int(cell)) if isinstance(cell, float) else str(cell)

    def first(want, of):
        return next(
            (k for k, row in enumerate(rows) if row is not None and want is not None and of(text(row)) == want), -1
        )

    for cell, found in zip(keys, named(keys, rows), strict=True):
        exact = first(text(cell), str)
        loose = -1 if cell is None else first(text(cell).removesuffix(".0"), lambda t: t.removesuffix(".0"))
        assert found == (exact if exact >= 0 else loose)


@pytest.mark.parametrize("spelled", ["{}.0", "{}"])
def test_tables_pass_whether_or_not_a_file_wrote_their_keys_as_floats(spelled):
    frames = {
        "people": pd.DataFrame({"pid": [str(k) for k in range(1, 21)]}),
        "labs": pd.DataFrame({"pid": [spelled.format(k) for k in range(1, 21)], "value": np.arange(20.0)}),
    }
    found = validate_linked(frames, SCHEMA, orphans="drop")
    assert found.success
    assert not found.orphans
    assert found.links[0].dangling == 0


def test_cells_of_any_type_are_keys_by_themselves():
    """Cells that no table of hashes takes, or that have no truth, beside such as are keys: each is a text by itself."""
    cells = [bytearray(b"\xff"), np.arange(3), [7], {"a": 1}, {7}, b"\xfe", 7, 7.0, "7", "", None, pd.NA, True]
    told = key_texts(pd.Series(cells, dtype=object))
    assert told[6:9].tolist() == ["7", "7", "7"]
    assert told[9:12].tolist() == [None, None, None]
    assert told[12] == "1"
    assert None not in told[:6].tolist()
    alone = [key_texts(pd.Series([cell], dtype=object))[0] for cell in cells]
    assert alone == told.tolist()
