"""The encoder on real tables: everything comes back, a JSON copy codes alike, what has no code is named."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from places import ROOT

from synthkit.encoding import Rows, TableEncoder
from synthkit.encoding.constraints import Recoding, cuts
from synthkit.encoding.encoder import count, histograms_of
from synthkit.encoding.histogram_query import Query
from synthkit.errors import EncodingError
from synthkit.schema import Code, Identifier, Numeric, Schema
from synthkit.schema.conform import conform

SCHEMAS = ROOT / "schemas"
DATA = os.environ.get("SYNTHKIT_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="SYNTHKIT_DATA does not name the folder of the real tables")
TABLES = {"support2": "support2/support2", "adult": "adult/train", "diabetes130": "diabetes130/diabetic_data"}
tables = pytest.mark.parametrize("name", sorted(TABLES))


@cache
def fitted(name: str) -> tuple[Schema, pd.DataFrame, TableEncoder]:
    schema = Schema.load(SCHEMAS / f"{name}.yaml")
    frame = conform(pd.read_parquet(Path(str(DATA)) / f"{TABLES[name]}.parquet"), schema)
    return schema, frame, TableEncoder.fit(schema, histograms_of(schema, frame))


def rng():
    return np.random.default_rng(0)


@needs_data
@tables
def test_a_whole_table_comes_back(name):
    """Levels and common codes exactly, numbers within 2^-23 of their range but for a lone few, missing as missing."""
    schema, frame, encoder = fitted(name)
    back = conform(encoder.decode(encoder.encode(frame), rng()), schema)
    assert list(back) == list(frame)
    rough = []
    for column in schema.learned:
        kind, was, now = schema.columns[column], frame[column], back[column]
        assert now.dtype == was.dtype, column
        assert (now.isna() == was.isna()).all(), column
        if isinstance(kind, Numeric):  # single precision in the source: 0.02 reads 0.01999999955
            grid = kind.decimals is not None
            slack = 10.0 ** -(kind.decimals + 4) if grid else float(was.max() - was.min()) * 2.0**-23
            lone = int(((now - was).abs().dropna() > slack).sum())
            assert lone < 5 * (1 + len(cuts(schema, column))), column  # on either side of a cut fewer than five rows
        elif isinstance(kind, Code):
            common = was.map(was.value_counts()) >= 5
            assert (now[common] == was[common]).all(), column
            rough.append(column)
        else:
            assert (now.dropna() == was.dropna()).all(), column
    assert bool(rough) == (name == "diabetes130")


@needs_data
@tables
def test_a_table_that_came_back_codes_alike(name):
    """What was decoded is coded and decoded to itself: nothing drifts with repetition."""
    schema, frame, encoder = fitted(name)
    once = conform(encoder.decode(encoder.encode(frame[:5000].reset_index(drop=True)), rng()), schema)
    twice = conform(encoder.decode(encoder.encode(once), rng()), schema)
    learned = list(schema.learned)
    pd.testing.assert_frame_equal(twice[learned], once[learned], rtol=1e-7)


@needs_data
@tables
def test_codes_are_in_range_and_fine_slots_zero_where_they_do_not_apply(name):
    _, frame, encoder = fitted(name)
    rows = encoder.encode(frame)
    sizes = torch.tensor(encoder.layout.sizes)
    assert rows.cat.shape == (len(frame), len(sizes))
    assert bool(((rows.cat >= 0) & (rows.cat < sizes)).all())
    assert rows.num.shape == (len(frame), len(encoder.layout.residuals))
    assert rows.num.dtype == torch.float32
    assert bool(((rows.num >= 0) & (rows.num < 1)).all())
    applies = encoder.layout.applicable(rows.cat)
    assert bool((rows.cat[~applies] == 0).all())
    for k, slot in enumerate(encoder.layout.slots):
        if slot.parent is not None:
            assert slot.parent == k - 1


@needs_data
@tables
def test_priors_are_the_tables_own_shares(name):
    """The first slot of every column: smoothed by a tenth of a row a level, otherwise the counts of the codes."""
    _, frame, encoder = fitted(name)
    rows = encoder.encode(frame)
    for k, slot in enumerate(encoder.layout.slots):
        if slot.parent is None:
            counts = np.bincount(rows.cat[:, k].numpy(), minlength=slot.size) + 0.1
            assert np.allclose(np.exp(slot.prior), counts / counts.sum(), rtol=1e-4)


@needs_data
@tables
def test_no_real_row_is_forbidden(name):
    """The clauses never forbid a row of a table that obeys the rules."""
    _, frame, encoder = fitted(name)
    cat = encoder.encode(frame).cat.long().numpy()
    assert len(encoder.layout.clauses) >= 1
    for clause in encoder.layout.clauses:
        assert not np.logical_and.reduce([marked[cat[:, slot]] for slot, marked in clause.literals]).any()


@needs_data
@tables
def test_a_json_copy_codes_alike(name):
    schema, frame, encoder = fitted(name)
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False)), schema)
    part = frame[:3000].reset_index(drop=True)
    one, two = encoder.encode(part), again.encode(part)
    assert torch.equal(one.cat, two.cat)
    assert torch.equal(one.num, two.num)
    assert again.layout.columns == encoder.layout.columns
    for a, b in zip(again.layout.slots, encoder.layout.slots, strict=True):
        assert (a.name, a.size, a.ordinal, a.missing, a.parent) == (b.name, b.size, b.ordinal, b.missing, b.parent)
        assert np.array_equal(a.prior, b.prior)
    assert len(again.layout.clauses) == len(encoder.layout.clauses)
    pd.testing.assert_frame_equal(again.decode(one, rng()), encoder.decode(one, rng()))


@needs_data
def test_identifiers_are_fresh_and_never_those_of_the_table():
    schema, frame, encoder = fitted("support2")
    back = encoder.decode(encoder.encode(frame), rng())
    assert isinstance(schema.columns["id"], Identifier)
    assert back["id"].is_unique
    assert not set(back["id"]) & set(frame["id"].astype(str))


@needs_data
def test_the_published_dictionary_holds_no_rare_code():
    """What is saved names codes held by fewer than five rows only as rare ones, which are never drawn."""
    _, frame, encoder = fitted("diabetes130")
    drawn = encoder.codecs["diag_1"].levels
    held = frame["diag_1"].value_counts()
    assert held[list(drawn)].min() >= 5
    assert len(drawn) > 400


@needs_data
@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("education", "Kindergarten", "`education\\+education_num`: every row must have a known combination"),
        ("sex", "Unknown", "`sex`: every value must be a level the encoder was fitted on; however: 1 rows are not"),
        ("race", None, "`race`: every value must be a level.*1 of them missing"),
        ("age", None, "`age`: every value must be present; however: 1 are missing"),
    ],
)
def test_cells_without_a_code_are_refused_by_column_and_not_shown(column, cell, message):
    _, frame, encoder = fitted("adult")
    part = frame[:3].astype(object)
    part.loc[1, column] = cell
    with pytest.raises(EncodingError, match=message) as refused:
        encoder.encode(part)
    assert "Unknown" not in str(refused.value)


def test_histograms_count_every_combination_and_missing_cells():
    schema = Schema(
        columns={
            "a": {"kind": "categorical", "levels": ["u", "v"], "nullable": True},
            "b": {"kind": "numeric", "nullable": True},
        }
    )
    frame = pd.DataFrame({"a": ["u", None, "u", None], "b": [1.0, np.nan, 1.0, 2.0]})
    answer = count(Recoding.of(schema).forward(frame), Query(columns=("a", "b")))
    got = {
        tuple(None if pd.isna(v) else v for v in row): int(c)
        for row, c in zip(answer.cells.itertuples(index=False), answer.counts, strict=True)
    }
    assert got == {("u", 1.0): 2, (None, None): 1, (None, 2.0): 1}


def test_a_table_of_identifiers_only_has_no_slots():
    schema = Schema(columns={"id": {"kind": "identifier"}})
    frame = pd.DataFrame({"id": ["a", "b"]})
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    rows = encoder.encode(frame)
    assert rows.cat.shape == (2, 0)
    assert encoder.decode(rows, rng())["id"].nunique() == 2


def test_columns_without_values_are_coded():
    """All missing, whatever the kind; the slot has the one level "missing"."""
    schema = Schema(
        columns={
            "x": {"kind": "numeric", "nullable": True},
            "c": {"kind": "code", "nullable": True},
            "t": {"kind": "datetime", "nullable": True},
        }
    )
    frame = conform(pd.DataFrame({c: pd.Series([None, None], dtype=object) for c in "xct"}), schema)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    assert encoder.layout.sizes == (1, 1, 1)
    assert encoder.decode(encoder.encode(frame), rng()).isna().all(axis=None)


def test_what_is_known_of_a_row_becomes_levels_and_sets():
    """A full combination is a level, half of one a set; a gap is known where its anchor is."""
    schema = Schema(
        columns={
            "g": {"kind": "categorical", "levels": ["p", "q"]},
            "c": {"kind": "categorical", "levels": ["x", "y"], "nullable": True},
            "stay": {"kind": "numeric", "decimals": 0},
            "follow": {"kind": "numeric", "decimals": 0},
        },
        rules=[
            {"rule": "fixed_combination", "columns": ["g", "c"], "combinations": [["p", "x"], ["p", "y"], ["q", None]]},
            {"rule": "comparison", "left": "stay", "op": "<=", "right": "follow"},
        ],
    )
    frame = pd.DataFrame({"g": ["p", "p", "q"], "c": ["x", "y", None], "stay": [1, 2, 3], "follow": [4, 4, 4]})
    frame = pd.concat([frame] * 6, ignore_index=True)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    known = pd.DataFrame(
        [
            [True, True, True, True],
            [True, False, False, True],
            [False, False, True, False],
        ],
        columns=list(frame),
    )
    given = encoder.given(frame[:3].reset_index(drop=True), known, present=False)
    full = encoder.encode(frame[:3].reset_index(drop=True)).cat.long()
    assert given.cat[0].tolist() == full[0].tolist()
    assert given.cat[1, 1:].tolist() == [-1, -1]
    assert given.cat[2].tolist() == [-1, int(full[2, 1]), -1]
    table, which = given.allowed[0]
    assert table[which[1]].tolist() == [True, True, False]
    assert encoder.unanchored(known)["follow"].tolist() == [False, True, False]
    present = encoder.given(frame[:3].reset_index(drop=True), known, present=True)
    table, which = present.allowed[0]
    assert table[which].tolist()[1:] == [[True, True, False], [True, True, False]]


def test_a_cell_that_only_combinations_without_it_leave_stays_missing():
    """To be imputed, q has only (q, missing): that combination is taken instead of refused."""
    schema = Schema(
        columns={
            "g": {"kind": "categorical", "levels": ["p", "q"]},
            "c": {"kind": "categorical", "levels": ["x"], "nullable": True},
        },
        rules=[{"rule": "fixed_combination", "columns": ["g", "c"], "combinations": [["p", "x"], ["q", None]]}],
    )
    frame = pd.DataFrame({"g": ["p", "q"], "c": ["x", None]})
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    known = pd.DataFrame({"g": [True, True], "c": [False, False]})
    assert encoder.given(frame, known, present=True).cat.ravel().tolist() == [0, 1]


def test_a_combination_nobody_declared_cannot_be_given():
    schema = Schema(
        columns={c: {"kind": "categorical", "levels": ["x", "y"]} for c in "ab"},
        rules=[{"rule": "fixed_combination", "columns": ["a", "b"], "combinations": [["x", "x"]]}],
    )
    encoder = TableEncoder.fit(schema, histograms_of(schema, pd.DataFrame({"a": ["x"], "b": ["x"]})))
    frame = pd.DataFrame({"a": ["y"], "b": [None]})
    with pytest.raises(EncodingError, match="must be a known combination; however: 1 rows"):
        encoder.given(frame, pd.DataFrame({"a": [True], "b": [False]}), present=False)


@pytest.mark.parametrize("n", [0, 1])
def test_no_row_and_one_row_are_rows(n):
    schema = Schema(columns={"x": {"kind": "numeric"}, "t": {"kind": "datetime"}, "i": {"kind": "identifier"}})
    frame = conform(pd.DataFrame({"x": [1.5], "t": ["2020-01-01"], "i": ["a"]}), schema)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    rows = encoder.encode(frame[:n])
    assert len(rows) == n
    back = encoder.decode(Rows(rows.cat, rows.num), rng())
    assert (len(back), list(back)) == (n, ["x", "t", "i"])
