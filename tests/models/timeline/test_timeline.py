"""The timeline model: finite loss, the same by another route, short and long units, what cannot be kept is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.errors import ConfigError, SchemaError, UnsupportedError
from synthkit.models.timeline.config import TimelineConfig, default_classes
from synthkit.models.timeline.unit_loss import BatchSteps, UnitLoss
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables.linked_tables import LinkedTables

SMALL = {"steps": 3, "root_steps": 3, "width": 16, "hidden": 8, "mixed": 8}


def tables(lengths: list[int], seed: int = 0) -> dict[str, pd.DataFrame]:
    """Patients with so many visits."""
    rng = np.random.default_rng(seed)
    n = len(lengths)
    patients = pd.DataFrame({"id": [f"p{k}" for k in range(n)], "sex": rng.choice(["f", "m"], n)})
    owner = np.repeat(np.arange(n), lengths)
    visits = pd.DataFrame(
        {
            "id": patients["id"].to_numpy()[owner],
            "day": np.concatenate([np.sort(rng.integers(0, 900, k)) for k in lengths]),
            "kind": rng.choice(["a", "b", "c"], len(owner)),
            "value": rng.normal(size=len(owner)).round(2),
        }
    )
    return {"patients": patients, "visits": visits}


def schema(**more: object) -> LinkedSchema:
    """What they mean."""
    patients = {
        "key": ["id"],
        "columns": {"id": {"kind": "identifier"}, "sex": {"kind": "categorical", "levels": ["f", "m"]}},
    }
    visits = {
        "links": [{"columns": ["id"], "to": "patients", "kind": "owner"}],
        "order": {"from": "day"},
        "series": "kind",
        "columns": {
            "id": {"kind": "identifier"},
            "day": {"kind": "numeric", "decimals": 0},
            "kind": {"kind": "categorical", "levels": ["a", "b", "c"]},
            "value": {"kind": "numeric", "decimals": 2},
        },
    }
    return LinkedSchema.parse({"unit": "patients", "tables": {"patients": patients, "visits": visits}, **more})


def fitted(lengths: list[int], model: str = "timeline", **settings: object) -> LinkedSynthesizer:
    """A model that was hardly trained."""
    chosen = {**SMALL, **settings} if model == "timeline" else {}
    return LinkedSynthesizer(schema(), model, seed=1, device="cpu", settings=chosen).fit(tables(lengths))


@pytest.mark.parametrize("model", ["timeline", "independent"])
def test_units_without_rows_with_one_and_with_a_thousand(model: str) -> None:
    """They are learned, drawn, and told apart; the same seed draws the same tables."""
    synthesizer = fitted([0, 1, 1000, 3, 2, 0, 5, 8], model)
    first, again = synthesizer.sample(3, seed=5), synthesizer.sample(3, seed=5)
    for name in first:
        pd.testing.assert_frame_equal(first[name], again[name])
    assert list(first["patients"].columns) == ["id", "sex"]
    assert set(first["visits"]["id"]) <= set(first["patients"]["id"])
    assert synthesizer.sample(0, seed=1)["visits"].empty
    assert np.isfinite(synthesizer.log_prob(tables([0, 1, 4], seed=3))).all()


def test_losses_add_up_and_reach_every_weight() -> None:
    """A unit costs what its rows cost, alone or among others; each weight that is used has a gradient."""
    synthesizer = fitted([4, 0, 7, 2, 30])
    assert synthesizer._encoder is not None
    typed = LinkedTables.of(tables([4, 0, 7, 2, 30]), schema())
    frames = UnitFrames.of(typed, synthesizer._encoder.learned, synthesizer._encoder.clock)
    sequences = synthesizer._encoder.encode(frames)
    network = synthesizer._model._network  # type: ignore[union-attr]
    loss = UnitLoss(network, sequences, None)
    together = loss.of(np.arange(5))
    alone = torch.cat([loss.of(np.array([k])) for k in (4, 2, 0, 1, 3)])
    assert torch.allclose(together[[4, 2, 0, 1, 3]], alone, atol=1e-3)
    assert float(together[1].detach()) == 0
    torch.autograd.backward(together.sum())
    missing = [name for name, p in network.named_parameters() if p.grad is None]
    assert not missing


def test_windows_stand_for_whole_units() -> None:
    """Of a long unit so many steps are judged, with weights that make up for the others."""
    synthesizer = fitted([4, 40])
    assert synthesizer._encoder is not None
    typed = LinkedTables.of(tables([4, 40]), schema())
    sequences = synthesizer._encoder.encode(synthesizer._encoder.frames(typed))
    batch = BatchSteps.of(sequences, np.array([1, 0]), 10)
    assert len(batch.judged) == 14
    assert np.isclose(batch.weight.sum(), 44)
    assert np.all(np.diff(batch.step[batch.judged[:10]]) == 1)


def test_log_prob_of_a_unit_is_that_of_its_rows_and_its_root() -> None:
    """What rows cost adds up to what the unit costs."""
    synthesizer = fitted([4, 3, 7, 2, 30])
    given = tables([5, 0, 2], seed=9)
    encoder, model = synthesizer._fitted()
    sequences = encoder.encode(synthesizer._told(LinkedTables.of(given, schema())))
    root, rows = model.root.log_prob(sequences.roots).double().numpy(), model.row_log_prob(sequences)
    wanted = [root[0] + rows[:5].sum(), root[1], root[2] + rows[5:].sum()]
    assert len(rows) == 7
    np.testing.assert_allclose(synthesizer.log_prob(given), wanted, rtol=1e-9)


def test_a_stranger_value_is_odder() -> None:
    """A row with one scores higher than all rows without."""
    synthesizer = fitted([4, 3, 7, 2, 30])
    given = tables([5, 2], seed=9)
    scores = synthesizer.anomaly_score(given)
    assert len(scores["visits"]) == 7
    assert len(scores["patients"]) == 2
    odd = {**given, "visits": given["visits"].assign(value=[1e6, *given["visits"]["value"].iloc[1:]])}
    assert synthesizer.anomaly_score(odd)["visits"].max() > scores["visits"].max() + 5


@pytest.mark.parametrize("wrong", [{"dropout": 2.0}, {"width": 0}, {"learning_rate": 0.0}])
def test_settings_outside_their_ranges(wrong: dict[str, float]) -> None:
    """They are refused."""
    with pytest.raises(ValueError, match="settings must lie in their ranges"):
        TimelineConfig(**wrong)  # type: ignore[arg-type]


def test_few_rows_are_learned_in_smaller_steps() -> None:
    """What is asked for stands; a million rows are learned from five times."""
    few, many = TimelineConfig().settled(5_000), TimelineConfig().settled(1_000_000)
    assert (few.batch_rows or 0) < (many.batch_rows or 0)
    assert TimelineConfig(batch_rows=64).settled(5_000).batch_rows == 64
    assert (many.steps or 0) * (many.batch_rows or 0) == pytest.approx(5_000_000, rel=0.01)


def test_classes_grow_with_units() -> None:
    """Few units have none."""
    assert [default_classes(n) for n in (100, 600, 1e6)] == [1, 10, 32]


def test_what_cannot_be_kept_is_refused() -> None:
    """A number cannot happen once."""
    once = schema(rules=[{"rule": "once", "table": "visits", "columns": ["value"]}])
    with pytest.raises(UnsupportedError, match="columns with levels"):
        LinkedSynthesizer(once, seed=1, device="cpu", settings=SMALL).fit(tables([4, 3, 7]))


def test_rules_that_no_row_obeys_are_told() -> None:
    """After so many rounds of redraws, with the number of rows and no value of them."""
    content = schema().model_dump(by_alias=True, exclude_none=True)
    pairs = [("value", "day"), ("day", "value")]
    rules = [{"rule": "comparison", "left": low, "op": "<", "right": high} for low, high in pairs]
    content["tables"]["visits"]["rules"] = rules
    synthesizer = LinkedSynthesizer(LinkedSchema.parse(content), "independent", seed=1, device="cpu")
    synthesizer.fit(tables([4, 3, 7]))
    with pytest.raises(SchemaError, match=r"after 40 rounds \d+ of \d+ still break one"):
        synthesizer.sample(20, seed=1)


def test_unknown_models_and_settings() -> None:
    """They are refused by name."""
    with pytest.raises(ConfigError, match="for linked tables"):
        LinkedSynthesizer(schema(), "ctgan")
    with pytest.raises(ConfigError, match="among"):
        LinkedSynthesizer(schema(), settings={"depth": 3})


def test_swap_noise_changes_what_is_learned_and_not_how_it_is_asked() -> None:
    """Histories are swapped while training alone: the probability of a unit is the same each time."""
    lengths = [4, 0, 7, 2, 30]
    plain, noisy = fitted(lengths, swap_noise=0.0), fitted(lengths, swap_noise=0.9)
    asked = tables([1, 4], seed=3)
    assert not np.allclose(plain.log_prob(asked), noisy.log_prob(asked))
    np.testing.assert_array_equal(noisy.log_prob(asked), noisy.log_prob(asked))
