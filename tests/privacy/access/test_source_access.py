"""A fit of files learns what a fit of a frame learns: the same encoder, margins and counts, and batches of all rows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.data import support2, support2_schema
from synthkit.engine.large_table import LargeTable
from synthkit.engine.parquet_source import ParquetSource
from synthkit.engine.workplace import open_workplace
from synthkit.errors import ConfigError, TableError
from synthkit.models.registry import MODELS
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.access.data_access import FitPlan
from synthkit.privacy.access.exact_access import ExactAccess
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.schema.spreads import with_differences
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.training.loader import Batching

SCHEMA = with_differences(support2_schema())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("support2")
    for k, piece in enumerate(np.array_split(np.arange(9105), 3)):
        support2().iloc[piece].to_parquet(made / f"{k}.parquet")
    return made


@pytest.fixture
def place(tmp_path):
    with open_workplace(2**28, beside=tmp_path) as made:
        yield made


def both(folder, place):
    plan = FitPlan(coding=MODELS["autoregressive"].coding)
    seeds, frame = Seeds(3), conform(support2(), SCHEMA)
    here = Curator(ParquetSource.of(folder, SCHEMA), SCHEMA, Ledger.unlimited(unit=None), seeds, place).access()
    there = ExactAccess(frame, SCHEMA, Ledger.unlimited(unit=None), seeds)
    for access in (here, there):
        access.reserve(plan)
        access.fit_encoder()
    return here, there


def test_encoder_margins_and_counts_are_those_of_a_frame(folder, place):
    here, there = both(folder, place)
    assert json.dumps(here.encoder.to_dict()) == json.dumps(there.encoder.to_dict())
    ours, theirs = here.margins(), there.margins()
    assert np.array_equal(ours.shares, theirs.shares, equal_nan=True)
    counted, wanted = here.counts(), there.counts()
    groups = [np.arange(size) // 2 for size in counted.sizes]
    for one, other in ((counted, wanted), (counted.pooled(groups), wanted.pooled(groups))):
        assert one.sizes == other.sizes
        for scope in ((0,), (1, 4), (2, 3, 7)):
            ours, theirs = (each.measure([scope], 1.0)[0].counts for each in (one, other))
            assert np.array_equal(ours, theirs)
    assert here.rows() == there.rows() == 9105
    assert [c.what for c in here.ledger.charges][:3] == [c.what for c in there.ledger.charges][:3]


def test_an_epoch_is_all_rows_but_those_held_back(folder, place):
    here, there = both(folder, place)
    loader = here.batches()
    assert loader is here.batches()
    weights = [torch.nn.Parameter(torch.zeros(1))]
    batching = Batching(batch_size=100, steps=90, generator=torch.Generator().manual_seed(1))
    numbers = np.concatenate(list(loader.order(batching, 100)))
    held = 9105 - len(np.unique(numbers[:8600]))
    assert len(loader.validation()) == pytest.approx(9105 * 0.05, rel=0.3)
    assert len(np.unique(numbers[: 9105 - len(loader.validation())])) == 9105 - len(loader.validation())
    assert held >= len(loader.validation())
    again = Batching(batch_size=100, steps=90, generator=torch.Generator().manual_seed(1), start=80)
    rest = list(loader.batches(torch.optim.SGD(weights, 0.1), again))
    assert len(rest) == 10
    assert torch.equal(rest[0][0].cat, loader.table.take(numbers[8000:8100]).cat)
    everything = there.encoder.encode(conform(support2(), SCHEMA)).cat
    assert torch.equal(loader.table.take(np.arange(9105)).cat, everything)


def test_units_are_held_back_with_all_their_rows(tmp_path, place):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"who": rng.integers(0, 300, 3000).astype(str), "x": rng.integers(0, 5, 3000)})
    frame["y"] = frame["who"].astype(int) % 7
    schema = Schema(
        columns={
            "who": {"kind": "identifier"},
            "x": {"kind": "numeric", "decimals": 0},
            "y": {"kind": "numeric", "decimals": 0},
        },
        unit="who",
    )
    frame.to_parquet(tmp_path / "t.parquet")
    access = Curator(
        ParquetSource.of(tmp_path / "t.parquet", schema), schema, Ledger.unlimited(unit="who"), Seeds(1), place
    ).access()
    access.fit_encoder()
    loader = access.batches()
    learned = set(np.concatenate(list(loader.order(Batching(64, 200, torch.Generator().manual_seed(0)), 64))).tolist())
    names = frame["who"].to_numpy()
    inside, outside = {names[k] for k in learned}, {names[k] for k in set(range(3000)) - learned}
    assert outside
    assert not inside & outside


def test_a_row_without_a_unit_is_refused(tmp_path, place):
    pd.DataFrame({"who": ["a", None], "x": [1, 2]}).to_parquet(tmp_path / "t.parquet")
    schema = Schema(columns={"who": {"kind": "identifier", "nullable": True}, "x": {"kind": "numeric"}}, unit="who")
    access = Curator(
        ParquetSource.of(tmp_path / "t.parquet", schema), schema, Ledger.unlimited(unit="who"), Seeds(1), place
    ).access()
    access.fit_encoder()
    with pytest.raises(TableError, match="every row must name its unit in `who`"):
        access.batches()


def test_a_source_needs_a_place(folder):
    with pytest.raises(ConfigError, match="place for files"):
        Curator(ParquetSource.of(folder, SCHEMA), SCHEMA, Ledger.unlimited(unit=None), Seeds(1)).access()


@pytest.mark.parametrize("model", ["autoregressive", "ctgan", "tvae", "diffusion", "independent"])
def test_every_model_learns_from_files(model, folder, place):
    settings = {} if model == "independent" else {"steps": 4}
    large = LargeTable(source=ParquetSource.of(folder, support2_schema()), place=place)
    synthesizer = Synthesizer(support2_schema(), model, settings=settings).fit(large, seed=1)
    again = Synthesizer(support2_schema(), model, settings=settings).fit(large, seed=1)
    drawn = synthesizer.sample(50, seed=2)
    pd.testing.assert_frame_equal(drawn, again.sample(50, seed=2))
    assert not list(place.folder.glob("*.parquet"))
