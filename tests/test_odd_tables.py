"""Random tables in every storage: checks agree with plain Python, coding loses nothing, drafts look at values alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_tables import STORAGES, columns

from synthkit.encoding import TableEncoder
from synthkit.encoding.coding import Coding
from synthkit.errors import TableError
from synthkit.privacy.access.exact_access import ExactAccess
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.validation import validate
from synthkit.schema.written_numbers import as_written
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files
from synthkit.tables.storage import restore, storages

FEW = settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def drawn_table(data, *, good, most=4):
    """A schema, the table stored at random, and the columns it was made from."""
    made = {f"c{k}": data.draw(columns(good=good)) for k in range(data.draw(st.integers(1, most)))}
    chosen = {name: data.draw(st.sampled_from(sorted(STORAGES[family]))) for name, (family, _) in made.items()}
    frame = pd.DataFrame({name: STORAGES[family][chosen[name]](c.cells) for name, (family, c) in made.items()})
    return Schema(columns={name: c.declared for name, (_, c) in made.items()}), frame, made


def to_write(frame, path):
    """The frame as files can hold it: columns of numbers and texts are refused in words, and written as texts."""
    mixed = [c for c in frame if frame[c].dtype == object and len({isinstance(x, str) for x in frame[c].dropna()}) > 1]
    if mixed:
        with pytest.raises(TableError, match=f"written with one type; however: mixed in {', '.join(mixed)}"):
            table_files.write(frame, path / "mixed.parquet")
    return frame.assign(**{c: frame[c].map(str, na_action="ignore") for c in mixed})


def rows_of(validation):
    """Rows that break something, by column."""
    out = {}
    for violation in validation.violations:
        out.setdefault(violation.columns[0], set()).update(violation.rows)
    return out


@FEW
@given(data=st.data())
def test_validation_agrees_with_a_check_of_each_cell_in_plain_python(data):
    schema, frame, made = drawn_table(data, good=False)
    found = rows_of(validate(frame, schema, rows_shown=len(frame)))
    wrong = {name: {k + 1 for k, bad in enumerate(column.broken()) if bad} for name, (_, column) in made.items()}
    assert found == {name: rows for name, rows in wrong.items() if rows}


@FEW
@given(data=st.data())
def test_what_is_encoded_is_decoded_and_goes_out_as_it_came(data):
    schema, frame, _ = drawn_table(data, good=True)
    typed = conform(frame, schema)
    access = ExactAccess(typed, schema, Ledger.unlimited(unit=None), Seeds(0))
    encoder = TableEncoder.fit(schema, access.ask, Coding(rare=1))  # else what few have is hidden in intervals
    back = conform(encoder.decode(encoder.encode(typed), np.random.default_rng(0)), schema)
    pd.testing.assert_frame_equal(back, typed)
    stored = storages(frame, schema)
    given_back = restore(as_written(back, schema, stored), stored, schema)
    assert [d.name for d in given_back.dtypes] == [d.name for d in frame.dtypes]  # categories gain declared levels
    pd.testing.assert_frame_equal(conform(given_back, schema), typed)


@FEW
@given(data=st.data())
def test_drafts_do_not_depend_on_the_storage(data, tmp_path_factory):
    _, frame, made = drawn_table(data, good=True)
    stored = {name: STORAGES[family][next(iter(STORAGES[family]))] for name, (family, _) in made.items()}
    plain = pd.DataFrame({name: stored[name](column.cells) for name, (_, column) in made.items()})
    assert infer_schema(frame).dumps() == infer_schema(plain).dumps()
    path = tmp_path_factory.mktemp("drafts")
    frame = to_write(frame, path)
    for name in ("t.csv", "t.parquet", "t.arrow"):
        table_files.write(frame, path / name)
        assert infer_schema(table_files.read(path / name).frame()).dumps() == infer_schema(plain).dumps()


@FEW
@given(data=st.data())
def test_what_is_written_is_read_back_equal(data, tmp_path_factory):
    schema, frame, _ = drawn_table(data, good=True)
    path = tmp_path_factory.mktemp("files")
    frame = to_write(frame, path)
    for name in ("t.csv", "t.parquet", "t.arrow"):
        table_files.write(frame, path / name, schema=schema)
        pd.testing.assert_frame_equal(conform(table_files.read_cells(path / name), schema), conform(frame, schema))
        assert validate(table_files.read_cells(path / name), schema).success


@settings(FEW, max_examples=3)
@given(data=st.data())
def test_what_is_drawn_passes_the_check_of_each_cell_at_the_exit(data):
    schema, frame, made = drawn_table(data, good=True, most=3)
    fitted = Synthesizer(schema, "independent").fit(frame, seed=1)
    drawn = fitted.sample(30, seed=2)
    assert [d.name for d in drawn.dtypes] == [d.name for d in frame.dtypes]
    assert validate(drawn, schema).success
    for name, (_, column) in made.items():
        cells = [None if pd.isna(cell) else cell for cell in conform(drawn, schema)[name]]
        plain = [cell.date() if isinstance(cell, pd.Timestamp) else cell for cell in cells]
        assert not any(type(column)(column.declared, tuple(plain)).broken())
