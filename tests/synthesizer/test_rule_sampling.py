"""Rows that obey are joined without those that do not."""

import pandas as pd

from synthkit.synthesizer.rule_sampling import _joined


def test_parts_without_rows_have_no_say_in_dtypes():
    """pandas warns of them, and warnings are errors here."""
    rows = pd.DataFrame({"x": [1.0, 2.0], "y": pd.array([1, 2], dtype="Int64")})
    none = pd.DataFrame({"x": pd.Series([], dtype=object), "y": pd.Series([], dtype=object)})
    assert _joined([rows, none]).dtypes.equals(rows.dtypes)
    assert _joined([none, rows, none]).equals(rows)
    assert len(_joined([none, none])) == 0
