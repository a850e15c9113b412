"""Histograms by one scan are those of a frame, so the encoder fitted to them is the same to the last number."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthkit.data import shipped_files, support2, support2_schema
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.encoder import TableEncoder, count, histograms_of
from synthkit.encoding.histogram_query import Histogram, Query
from synthkit.engine import source_histograms
from synthkit.engine.duck import open_duck
from synthkit.engine.parquet_source import ParquetSource
from synthkit.engine.source import FrameSource
from synthkit.engine.source_histograms import SourceHistograms
from synthkit.schema import Schema
from synthkit.schema.conform import conform

DATA = os.environ.get("SYNTHKIT_DATA")
TABLES = {"adult": "adult/test.parquet", "breast_cancer": "breast_cancer/wdbc.parquet"}


def written(frame: pd.DataFrame, folder: Path, parts: int = 3) -> Path:
    folder.mkdir(exist_ok=True)
    for k, piece in enumerate(np.array_split(np.arange(len(frame)), parts)):
        frame.iloc[piece].to_parquet(folder / f"part-{k}.parquet", index=False)
    return folder


def same_encoder(frame: pd.DataFrame, schema: Schema, folder: Path) -> None:
    with open_duck() as duck:
        told = SourceHistograms(source=ParquetSource.of(written(frame, folder), schema), duck=duck, seed=0)
        recoding = Recoding.of(schema)
        found = TableEncoder.fit(schema, lambda queries: [told.count(recoding, query) for query in queries])
    wanted = TableEncoder.fit(schema, histograms_of(schema, conform(frame, schema)))
    assert found.to_dict() == wanted.to_dict()


def test_the_table_of_the_package(tmp_path):
    same_encoder(support2(), support2_schema(), tmp_path / "t")


@pytest.mark.skipif(DATA is None, reason="real tables lie where SYNTHKIT_DATA says")
@pytest.mark.parametrize(("name", "file"), TABLES.items())
def test_real_tables(name, file, tmp_path):
    frame = pd.read_parquet(Path(str(DATA)) / file)
    same_encoder(frame, Schema.load(shipped_files.find(name)), tmp_path / "t")


def test_texts_that_the_schema_types_are_counted_as_what_they_are(tmp_path):
    frame = support2().head(800).astype(object)
    frame = frame.where(frame.isna(), frame.astype(str))
    same_encoder(frame, support2_schema(), tmp_path / "t")


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_two_columns_of_numbers_one_below_the_other(data, tmp_path_factory):
    n = data.draw(st.integers(2, 60))
    cell = st.one_of(st.none(), st.integers(-5, 5).map(float), st.sampled_from([0.5, 1.25, 1e9, -0.0]))
    low = pd.Series(data.draw(st.lists(cell, min_size=n, max_size=n)), dtype=float)
    gap = pd.Series(data.draw(st.lists(st.integers(0, 9).map(float), min_size=n, max_size=n)))
    frame = pd.DataFrame({"low": low, "high": low.fillna(0) + gap, "group": pd.Series(["a", None] * n).head(n)})
    columns = {"low": {"kind": "numeric", "nullable": True}, "high": {"kind": "numeric"}}
    columns["group"] = {"kind": "code", "nullable": True}
    rules = [{"rule": "comparison", "left": "low", "op": "<=", "right": "high"}]
    schema = Schema.model_validate({"columns": columns, "rules": rules})
    typed, recoding = conform(frame, schema), Recoding.of(schema)
    folder = written(frame, tmp_path_factory.mktemp("t") / "t", parts=2)
    with open_duck() as duck:
        sources = (ParquetSource.of(folder, schema), FrameSource(typed))
        for source in sources:
            told = SourceHistograms(source=source, duck=duck, seed=0)
            for query in (Query(columns=("low",)), Query(columns=("high",)), Query(columns=("group",))):
                here, there = told.count(recoding, query), count(recoding.forward(typed), query)
                assert by_cell(here, query.columns[0]) == by_cell(there, query.columns[0])


def by_cell(histogram: Histogram, name: str) -> dict[object, int]:
    cells = histogram.cells[name].astype(object)
    return dict(zip(cells.where(cells.notna(), None), histogram.counts.tolist(), strict=True))


def test_a_column_of_too_many_values_is_told_by_some_rows_and_its_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(source_histograms, "MOST_VALUES", 2_000)
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": np.concatenate([rng.normal(size=30_000), np.zeros(10_000)])})
    schema = Schema(columns={"x": {"kind": "numeric"}})
    with open_duck() as duck:
        told = SourceHistograms(source=ParquetSource.of(written(frame, tmp_path / "t"), schema), duck=duck, seed=0)
        found = told.count(Recoding.of(schema), Query(columns=("x",)))
    values = found.cells["x"].to_numpy()
    assert found.counts.sum() == 2_002
    assert (values.min(), values.max()) == (frame["x"].min(), frame["x"].max())
    assert abs(found.counts[values == 0].sum() / 2_002 - 0.25) < 0.05
