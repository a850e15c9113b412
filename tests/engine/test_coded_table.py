"""Encoded rows on disk are the encoder's own, in less room, for their owner alone, and refused when cut short."""

from __future__ import annotations

import json
import stat
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.data import support2, support2_schema
from synthkit.encoding.encoder import TableEncoder, histograms_of
from synthkit.engine.coded_table import CARD, CodedTable, survives_half, write_coded
from synthkit.engine.source import FrameSource
from synthkit.errors import ArtefactError, TableError
from synthkit.schema import Schema
from synthkit.schema.conform import conform


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    frame, schema = conform(support2(), support2_schema()), support2_schema()
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    folder, seen = tmp_path_factory.mktemp("coded"), []
    table = write_coded(FrameSource(frame), encoder, folder, also=lambda rows: seen.append(len(rows)))
    return frame, encoder, folder, table, seen


def test_rows_come_back_in_any_order(made):
    frame, encoder, _, table, seen = made
    rows = encoder.encode(frame)
    index = np.random.default_rng(0).permutation(len(frame))[:777]
    found, wanted = table.take(index), rows[torch.from_numpy(index)]
    assert torch.equal(found.cat, wanted.cat)
    assert found.cat.dtype == wanted.cat.dtype
    assert (found.num - wanted.num).abs().max() <= 2.0**-12
    assert sum(len(part) for part in table.parts(1000)) == len(frame) == sum(seen)
    assert torch.equal(torch.cat([part.cat for part in table.parts(1000)]), rows.cat)


def test_what_is_decoded_is_the_same_number(made):
    frame, encoder, _, table, _ = made
    short = {encoder.layout.residuals[k] for k in table.places["short"]}
    assert len(short) > 5
    kept = encoder.decode(table.take(np.arange(len(frame))), np.random.default_rng(0))
    plain = encoder.decode(encoder.encode(frame), np.random.default_rng(0))
    pd.testing.assert_frame_equal(kept, plain)


def test_a_row_takes_less_room_and_others_may_not_read_it(made):
    frame, encoder, folder, table, _ = made
    size = sum(path.stat().st_size for path in folder.iterdir())
    today = encoder.encode(frame)
    in_memory = today.cat.element_size() * today.cat.shape[1] + 4 * today.num.shape[1]
    assert size / len(frame) <= 0.7 * in_memory
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in folder.glob("*.npy"))
    assert CodedTable.open(folder).rows == table.rows


def test_half_precision_is_for_columns_whose_decimals_survive():
    coarse = pd.DataFrame({"x": np.arange(0, 4000.0)})
    fine = pd.DataFrame({"x": np.random.default_rng(0).normal(size=4000)})
    for frame, column, survives in (
        (coarse, {"kind": "numeric", "decimals": 0}, True),
        (fine, {"kind": "numeric"}, False),
        (pd.DataFrame({"x": np.arange(0, 4e9, 1e6)}), {"kind": "numeric", "decimals": 0}, False),
    ):
        schema = Schema(columns={"x": column})
        codec = TableEncoder.fit(schema, histograms_of(schema, conform(frame, schema))).codecs["x"]
        assert survives_half(codec) is survives


def test_units_lie_beside_the_rows(tmp_path):
    schema = Schema(columns={"x": {"kind": "numeric", "decimals": 0}})
    frame = conform(pd.DataFrame({"x": [3, 1, 2] * 5}), schema)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    table = write_coded(FrameSource(frame), encoder, tmp_path, units=lambda batch: batch["x"].to_numpy(dtype=np.uint64))
    assert table.units is not None
    assert table.units.tolist() == frame["x"].tolist()


def test_a_folder_that_is_none_is_refused(made, tmp_path):
    with pytest.raises(ArtefactError, match="missing or cut short"):
        CodedTable.open(tmp_path)
    _, _, folder, _, _ = made
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps({**card, "format": "synthkit-coded/9"}))
    with pytest.raises(ArtefactError, match="synthkit-coded/1"):
        CodedTable.open(tmp_path)
    (tmp_path / CARD).write_text(json.dumps({**card, "rows": card["rows"] + 1}))
    with pytest.raises(ArtefactError, match="as many rows as they say"):
        CodedTable.open(tmp_path)
    (tmp_path / CARD).write_text(json.dumps(card))
    (tmp_path / "small.npy").write_bytes((tmp_path / "small.npy").read_bytes()[:2000])
    with pytest.raises(ArtefactError, match="cut short"):
        CodedTable.open(tmp_path)


def test_a_source_that_says_other_rows_than_it_has_is_refused(tmp_path):
    schema = Schema(columns={"x": {"kind": "numeric", "decimals": 0}})
    frame = conform(pd.DataFrame({"x": range(9)}), schema)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))

    class Lying(FrameSource):
        @property
        def rows(self):
            return 10

    with pytest.raises(TableError, match="as many rows as its files say"):
        write_coded(Lying(frame), encoder, tmp_path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sizes of files are bounded there")
def test_a_full_disk_is_said_so(tmp_path):
    import resource

    schema = Schema(columns={"x": {"kind": "numeric", "decimals": 0}})
    frame = conform(pd.DataFrame({"x": range(90_000)}), schema)
    encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(TableError, match="need room on the disk"):
            write_coded(FrameSource(frame), encoder, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
