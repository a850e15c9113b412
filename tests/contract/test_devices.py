"""Every model on a device that is not there: nothing is computed from tensors of both sides, and all ends there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_hospital import PATIENT, SMALL, small_hospital
from stand_in_device import STAND_IN, Carried, stand_in

from synthkit.models.base import Capability
from synthkit.models.registry import MODELS
from synthkit.models.unit_registry import UNIT_MODELS
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema import Schema
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer import linked_synthesizer, synthesizer
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.synthesizer.synthesizer import Synthesizer

FEW = {
    "autoregressive": {"width": 16, "hidden": 8, "steps": 6, "batch_size": 64},
    "ctgan": {"noise": 8, "width": 16, "critic_width": 16, "steps": 6, "batch_size": 64, "odds_batch": 64},
    "diffusion": {"width": 16, "hidden": 16, "blocks": 1, "steps": 6, "batch_size": 64, "draws": 4},
    "independent": {},
    "marginal": {"components": 20},
    "tvae": {"width": 16, "hidden": 8, "latent": 2, "blocks": 1, "couplings": 2, "steps": 6, "batch_size": 64},
}
FEW_UNITS = {
    "independent": {},
    "marginal": {"components": 6, "rounds": 1, "first": 4, "between": 2, "last": 4},
    "timeline": {"steps": 3, "root_steps": 2, "width": 8, "hidden": 4, "mixed": 4},
}
PUBLIC_LABS = {**SMALL["tables"]["labs"], "links": [{**PATIENT, "max_rows_per_owner": 4}]}
PUBLIC = LinkedSchema.parse(
    {**SMALL, "declared_by": "A. Lee: made up", "tables": {**SMALL["tables"], "labs": PUBLIC_LABS}}
)
SCHEMA = Schema(
    declared_by="A. Lee: made up",
    columns={
        "dose": {"kind": "numeric", "min": -6, "max": 6, "decimals": 2, "nullable": True},
        "cost": {"kind": "numeric", "min": 0, "max": 200, "decimals": 1},
        "ward": {"kind": "categorical", "levels": ["a", "b", "c"], "nullable": True},
        "died": {"kind": "categorical", "levels": ["no", "yes"]},
    },
)
WITHOUT_BUDGET = "independent"  # which learns from exact answers only


def ways(models: dict[str, dict[str, object]]) -> pytest.MarkDecorator:
    """Every model without a budget, and under one if it can be."""
    pairs = [(name, private) for name in sorted(models) for private in (False, True)]
    pairs.remove((WITHOUT_BUDGET, True))
    names = [f"{name}-{'private' if private else 'exact'}" for name, private in pairs]
    return pytest.mark.parametrize(("name", "private"), pairs, ids=names)


def table(rows: int = 400) -> pd.DataFrame:
    """Doses with gaps and a value that many share, costs with a tail, wards with gaps."""
    rng = np.random.default_rng(0)
    dose = rng.normal(size=rows).clip(-5, 5).round(2)
    dose[::9], dose[::4] = np.nan, 0.5
    ward = rng.choice(["a", "b", "c"], rows).astype(object)
    ward[::11] = None
    cost = rng.exponential(10, rows).clip(0, 200).round(1)
    return pd.DataFrame({"dose": dose, "cost": cost, "ward": ward, "died": rng.choice(["no", "yes"], rows)})


@pytest.fixture
def elsewhere(monkeypatch):
    """Synthesizers choose the stand-in."""
    for module in (synthesizer, linked_synthesizer):
        monkeypatch.setattr(module, "choose_device", lambda name: STAND_IN)


def ledger_of(folder: Path, unit: str | None = None) -> Ledger:
    return Ledger.new(folder / "ledger.json", Budget(epsilon=5.0, delta=1e-4, unit=unit))


def used(model: Synthesizer, name: str, *, private: bool) -> pd.DataFrame:
    """All that a fitted model can be asked for."""
    drawn = model.sample(30, seed=1)
    if not private:
        model.sample(30, seed=1, rake=True)
    if MODELS[name].can(Capability.GIVEN):
        model.impute(table().assign(ward=None).head(20), seed=0)
    if MODELS[name].can(Capability.LOG_PROB):
        model.log_prob(table().head(20))
    if MODELS[name].can(Capability.NEGATIVE_LOG_PROB):
        model.anomaly_score(table().head(20))
    return drawn


@ways(FEW)
def test_a_table_is_fitted_and_drawn_on_one_side(name, private, tmp_path, elsewhere):
    with stand_in() as record:
        model = Synthesizer(SCHEMA, name, settings=FEW[name], margins=not private)
        model.fit(table(), seed=0, ledger=ledger_of(tmp_path) if private else None)
        drawn = used(model, name, private=private)
        model.save(tmp_path / "model")
        again = Synthesizer.load(tmp_path / "model").sample(30, seed=1)
    assert record.faults == {}
    assert drawn.equals(again)
    if name != "independent":  # which draws from tables of the processor
        assert any(side == "device" for side, _, _ in record.made)
        assert any(way == "to" for way, _ in record.passages)


@ways(FEW_UNITS)
def test_linked_tables_are_fitted_and_drawn_on_one_side(name, private, tmp_path, elsewhere):
    settings = FEW_UNITS[name] | ({"sampling_rate": 0.5} if private and name == "timeline" else {})
    with stand_in() as record:
        model = LinkedSynthesizer(PUBLIC, name, settings=settings)
        model.fit(small_hospital(40), seed=3, ledger=ledger_of(tmp_path, "patients") if private else None)
        model.sample(12, seed=1)
        model.save(tmp_path / "model")
        LinkedSynthesizer.load(tmp_path / "model").sample(5, seed=1)
    assert record.faults == {}
    if name != "independent":
        assert any(side == "device" for side, _, _ in record.made)


def test_every_model_is_tried():
    assert set(FEW) == set(MODELS)
    assert set(FEW_UNITS) == set(UNIT_MODELS)


def test_it_draws_what_the_processor_draws(monkeypatch):
    """A fit without dropout goes the same way on both sides, number by number."""
    ours = (
        Synthesizer(SCHEMA, "marginal", settings=FEW["marginal"], device="cpu").fit(table(), seed=0).sample(50, seed=1)
    )
    monkeypatch.setattr(synthesizer, "choose_device", lambda name: STAND_IN)
    with stand_in():
        theirs = Synthesizer(SCHEMA, "marginal", settings=FEW["marginal"]).fit(table(), seed=0).sample(50, seed=1)
    pd.testing.assert_frame_equal(ours, theirs)


def one() -> torch.Tensor:
    return torch.arange(6.0).reshape(2, 3)


PLANTED = {
    "sum": lambda there, here: there + here,
    "product": lambda there, here: there @ here.T,
    "mask": lambda there, here: torch.where(here > 2, there, 0.0),
    "written": lambda there, here: there.index_add_(0, torch.tensor([0, 1]), here.to(STAND_IN)),
    "embedding": lambda there, here: torch.nn.functional.embedding(here.long() % 2, there),
    "joined": lambda there, here: torch.cat([there, here]),
    "draw": lambda there, here: torch.rand(2, device=STAND_IN, generator=torch.Generator()),
    "their draw": lambda there, here: torch.rand(2, generator=torch.Generator(STAND_IN)),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_a_gpu_refuses_is_found(name):
    with stand_in() as record:
        PLANTED[name](one().to(STAND_IN), one())
    assert sum(record.faults.values()) == 1, record.faults


def test_what_a_gpu_takes_is_no_fault():
    """Single numbers and positions of the processor; passages that are asked for, each written down."""
    with stand_in() as record:
        there = one().to(STAND_IN)
        there = there * torch.tensor(2.0) + 1
        there[[1]] = 0.0
        there = there[torch.tensor([1, 0])]
        assert isinstance(there, Carried)
        assert there.device == STAND_IN
        assert float(there.sum()) == 9.0
        assert there.tolist() == [[0.0, 0.0, 0.0], [1.0, 3.0, 5.0]]
        assert there.cpu().numpy().sum() == 9.0
        drawn = torch.rand(2, device=STAND_IN, generator=torch.Generator(STAND_IN).manual_seed(0))
        assert torch.equal(drawn.cpu(), torch.rand(2, generator=torch.Generator().manual_seed(0)))
    assert record.faults == {}
    assert record.passages == {("to", "elsewhere"): 2, ("read", "elsewhere"): 2, ("from", "elsewhere"): 2}


def test_numbers_are_not_taken_from_the_device_unasked():
    with stand_in(), pytest.raises(RuntimeError, match="numpy"):
        one().to(STAND_IN).numpy()


def test_gradients_are_those_of_the_processor():
    def gradient(device: torch.device) -> torch.Tensor:
        layer = torch.nn.Linear(3, 2)
        with torch.no_grad():
            layer.weight.copy_(one()), layer.bias.zero_()
        layer.to(device)
        optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)
        torch.autograd.backward(layer(one().to(device)).square().sum())
        optimizer.step()
        return layer.weight.detach().cpu()

    with stand_in():
        found = gradient(STAND_IN)
    assert torch.equal(found, gradient(torch.device("cpu")))
