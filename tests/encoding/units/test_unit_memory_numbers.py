"""What rows of a unit were like so far, held against loops over rows, and what is drawn against what is encoded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.encoding.units.row_ranks import RowRanks, TableRanks
from synthkit.encoding.units.running_means import RunningMeans
from synthkit.encoding.units.sequences import twins
from synthkit.models.timeline.network_laws import NetworkLaws
from synthkit.models.timeline.unit_sampler import UnitChunk
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables.linked_tables import LinkedTables

SMALL = {"steps": 3, "root_steps": 3, "width": 16, "hidden": 8, "mixed": 8}


def followed() -> RunningMeans:
    """Two numbers and a level of one table."""
    return RunningMeans(numbers=np.array([[0, 0, 0], [0, 1, 0]]), levels=np.array([[0, 1, 2]]), shares=np.array([0.25]))


def test_means_are_those_of_loops() -> None:
    """Sums over what stood before in the unit, drawn towards 0; the last value there was."""
    rng, means = np.random.default_rng(1), followed()
    lengths = [3, 0, 1, 7]
    begin = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths)
    n = len(begin)
    cat = rng.integers(0, 3, (n, 2))
    ranks = np.where(rng.random((n, 1)) < 0.3, np.nan, rng.normal(size=(n, 1)))
    group = rng.integers(0, 2, n)
    found = means.before(*means.told(0, cat, ranks, group), begin)
    for k in range(n):
        here = np.arange(begin[k], k)
        for g in range(2):
            x = ranks[here[group[here] == g], 0]
            x = x[~np.isnan(x)]
            assert np.isclose(found[k, g], x.sum() / (len(x) + 1))
            assert np.isclose(found[k, 3 + g], x[-1] if len(x) else 0)
        assert np.isclose(found[k, 2], ((cat[here, 1] == 2) - 0.25).sum() / (len(here) + 1))


def test_other_tables_say_nothing() -> None:
    """Rows of a table none of whose values is followed leave the means as they are."""
    x, some = followed().told(1, np.zeros((4, 2), dtype=np.int64), np.zeros((4, 1)), np.zeros(4, dtype=np.int64))
    assert not x.any()
    assert not some.any()


def test_echoes_are_those_of_loops() -> None:
    """The last value of the series, and its mean so far."""
    rng = np.random.default_rng(2)
    unit = np.repeat([0, 1, 2], [6, 1, 9])
    offsets = np.array([0, 6, 7, 16])
    series = rng.integers(0, 3, len(unit))
    twin, place, _ = twins(unit, series, offsets)
    ranks = np.where(rng.random((len(unit), 1)) < 0.2, np.nan, rng.normal(size=(len(unit), 1)))
    none = TableRanks(
        slots=np.array([0]), series=None, group=np.zeros(1, int), rows=np.ones(1, int), ranks=np.zeros((1, 1, 2))
    )
    found = RowRanks(tables=(none,)).echoes(ranks, twin, place + offsets[unit])
    for k in range(len(unit)):
        before = [j for j in range(k) if unit[j] == unit[k] and series[j] == series[k]]
        x = ranks[before, 0]
        assert np.isclose(found[k, 0], np.nan_to_num(x[-1]) if before else 0)
        x = x[~np.isnan(x)]
        assert np.isclose(found[k, 1], x.sum() / (len(x) + 1))


def hospital(n: int) -> dict[str, pd.DataFrame]:
    """People with readings of two kinds at moments of their own."""
    rng = np.random.default_rng(3)
    people = pd.DataFrame({"id": [f"p{k}" for k in range(n)], "sex": rng.choice(["f", "m"], n)})
    owner = np.repeat(np.arange(n), rng.integers(0, 9, n))
    rows = pd.DataFrame(
        {
            "id": people["id"].to_numpy()[owner],
            "day": np.concatenate(
                [np.sort(rng.choice(9000, k, replace=False)) for k in np.bincount(owner, minlength=n)]
            ),
            "kind": rng.choice(["a", "b"], len(owner)),
            "ward": rng.choice(["x", "y", "z"], len(owner)),
            "value": np.where(rng.random(len(owner)) < 0.2, np.nan, rng.integers(0, 9, len(owner)) * 1.5),
        }
    )
    return {"people": people, "rows": rows}


def meaning() -> LinkedSchema:
    """What the tables mean."""
    rows = {
        "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
        "order": {"from": "day"},
        "series": "kind",
        "columns": {
            "id": {"kind": "identifier"},
            "day": {"kind": "numeric", "decimals": 0},
            "kind": {"kind": "categorical", "levels": ["a", "b"]},
            "ward": {"kind": "categorical", "levels": ["x", "y", "z"]},
            "value": {"kind": "numeric", "decimals": 1, "nullable": True},
        },
    }
    people = {
        "key": ["id"],
        "columns": {"id": {"kind": "identifier"}, "sex": {"kind": "categorical", "levels": ["f", "m"]}},
    }
    return LinkedSchema.parse({"unit": "people", "tables": {"people": people, "rows": rows}})


def test_what_is_drawn_knows_what_would_be_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The means a sampler has before each row are those of its own tables encoded anew."""
    synthesizer = LinkedSynthesizer(meaning(), seed=1, device="cpu", settings=SMALL).fit(hospital(60))
    seen: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    laws = NetworkLaws.round

    def noted(self: NetworkLaws, active: np.ndarray, roots: torch.Tensor, chunk: UnitChunk) -> object:
        seen.append((chunk.units[active], chunk.memory.index[active].copy(), chunk.memory.means_of(active)))
        return laws(self, active, roots, chunk)

    monkeypatch.setattr(NetworkLaws, "round", noted)
    drawn = synthesizer.sample(40, seed=2)
    encoder = synthesizer._encoder
    assert encoder is not None
    sequences = encoder.encode(encoder.frames(LinkedTables.of(drawn, synthesizer.schema)))
    width = encoder.means.width
    assert width
    assert len(seen) > 3
    for units, index, means in seen:
        again = sequences.state[sequences.offsets[units] + index][:, -width:].double().numpy()
        np.testing.assert_allclose(means, again, atol=2e-3)
