"""One contract for every model of linked tables: seeds, folders, units of any length, probabilities, other devices."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_hospital import PATIENT, SMALL, broken, small_hospital

from synthkit.errors import ConfigError, UnsupportedError
from synthkit.models.base import Capability
from synthkit.models.unit_registry import UNIT_MODELS
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

FEW = {
    "independent": {},
    "marginal": {"components": 6, "rounds": 1, "first": 4, "between": 2, "last": 4},
    "timeline": {"steps": 4, "root_steps": 4, "width": 16, "hidden": 8, "mixed": 8},
}
PAID = {
    "marginal": FEW["marginal"],
    "timeline": {"steps": 3, "root_steps": 2, "width": 8, "hidden": 4, "mixed": 4, "sampling_rate": 0.5},
}
LONG = {"marginal": 60}  # most rows of a unit: it draws from what it has learned to set it right, row by row
SCHEMA = LinkedSchema.parse(SMALL)
PUBLIC = LinkedSchema.parse(
    {
        **SMALL,
        "declared_by": "A. Lee: made up",
        "tables": {
            **SMALL["tables"],
            "labs": {**SMALL["tables"]["labs"], "links": [{**PATIENT, "max_rows_per_owner": 4}]},
        },
    }
)
models = pytest.mark.parametrize("name", sorted(UNIT_MODELS))
trained = pytest.mark.parametrize("name", sorted(name for name, settings in FEW.items() if "steps" in settings))
PROBABLE = sorted(name for name, kind in UNIT_MODELS.items() if kind.can(Capability.LOG_PROB))
LOG_PROBS = ("log_prob", "row_log_prob")
UNTOLD = sorted(set(UNIT_MODELS) - set(PROBABLE))
paid = pytest.mark.parametrize("name", sorted(PAID))
probable = pytest.mark.parametrize("name", PROBABLE)
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


def learned(name: str, device: str = "cpu", seed: int = 3) -> LinkedSynthesizer:
    return LinkedSynthesizer(SCHEMA, name, device=device, settings=FEW[name]).fit(small_hospital(), seed=seed)


@cache
def once(name: str) -> LinkedSynthesizer:
    return learned(name)


def bought(
    name: str, folder: Path, seed: int = 3, frames: dict[str, pd.DataFrame] | None = None, **more: object
) -> LinkedSynthesizer:
    """The model fitted under a budget of epsilon 5, with all of it spent and no more."""
    ledger = Ledger.new(folder / "ledger.json", Budget(epsilon=5.0, delta=1e-4, unit="patients"))
    model = LinkedSynthesizer(PUBLIC, name, device="cpu", settings=PAID[name])
    model.fit(small_hospital() if frames is None else frames, seed=seed, ledger=ledger, **more)  # type: ignore[arg-type]
    assert 4.9 < ledger.epsilon() <= 5.0
    return model


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LinkedSynthesizer]:
    """Each model under a budget, fitted once."""
    return cache(lambda name: bought(name, tmp_path_factory.mktemp(name)))


def same(one: dict[str, pd.DataFrame], two: dict[str, pd.DataFrame]) -> bool:
    return list(one) == list(two) and all(one[name].equals(two[name]) for name in one)


def long_hospital(most: int = 1000) -> dict[str, pd.DataFrame]:
    """Patients with no row, with one lab, and with a thousand; nobody has a visit."""
    frames = small_hospital(8)
    lengths = [0, 1, most, 2, 0, 3, 5, 1]
    names = np.repeat(frames["patients"]["patient"].to_numpy(), lengths)
    rng = np.random.default_rng(2)
    days = np.concatenate([np.sort(rng.integers(0, 5000, k)) for k in lengths])
    labs = {
        "patient": names,
        "taken": np.datetime64("2001-01-01", "s") + days * np.timedelta64(1, "D"),
        "test": rng.choice(["crea", "hb"], len(names)),
        "value": rng.gamma(4, 2, len(names)).round(1),
    }
    return {**frames, "visits": frames["visits"].head(0), "labs": pd.DataFrame(labs)}


def test_every_model_is_under_contract():
    assert set(FEW) == set(UNIT_MODELS)


@models
@pytest.mark.parametrize("units", [0, 1, 25])
def test_samples_are_the_schemas_tables_and_keep_its_rules(name, units):
    drawn = once(name).sample(units, seed=1)
    assert list(drawn) == list(SCHEMA.tables)
    for table, frame in drawn.items():
        assert list(frame.columns) == list(SCHEMA.tables[table].columns)
    assert broken(drawn, units=units) == []


@models
def test_same_seed_same_tables(name):
    one, two, other = (once(name).sample(12, seed=seed) for seed in (1, 1, 2))
    assert same(one, two)
    assert not same(one, other)


@models
def test_same_seed_same_model(name):
    again, other = learned(name), learned(name, seed=4)
    assert same(again.sample(12, seed=1), once(name).sample(12, seed=1))
    if FEW[name]:
        assert not same(other.sample(12, seed=1), again.sample(12, seed=1))


@models
def test_a_folder_holds_all_of_it(name, tmp_path):
    """Tables, probabilities, settings and seed are those of the model that was saved."""
    once(name).save(tmp_path / "model")
    again = LinkedSynthesizer.load(tmp_path / "model", device="cpu")
    assert same(again.sample(12, seed=5), once(name).sample(12, seed=5))
    if UNIT_MODELS[name].can(Capability.LOG_PROB):
        assert (again.log_prob(small_hospital(9)) == once(name).log_prob(small_hospital(9))).all()
    assert (again.settings, again.seed) == (once(name).settings, 3)
    card = json.loads((tmp_path / "model" / "synthesizer.json").read_text())
    assert card["settings"] == once(name).settings


@models
def test_nothing_is_left_open_in_the_settings_of_a_fitted_model(name):
    settings = once(name).settings
    assert None not in {k: v for k, v in settings.items() if k != "root_share"}.values()
    assert FEW[name].items() <= settings.items()


@trained
def test_fitted_again_with_its_settings_and_seed_it_is_the_same_model(name):
    again = LinkedSynthesizer(SCHEMA, name, device="cpu", settings=once(name).settings)
    assert same(again.fit(small_hospital(), seed=3).sample(9, seed=1), once(name).sample(9, seed=1))


@models
def test_units_of_no_row_of_one_and_of_a_thousand(name):
    """They are learned from, drawn beside each other, and have a probability each where the model tells any."""
    tables = long_hospital(LONG.get(name, 1000))
    synthesizer = LinkedSynthesizer(SCHEMA, name, device="cpu", settings=FEW[name]).fit(tables, seed=1)
    assert synthesizer.log is None or np.isfinite([*synthesizer.log.train, *(synthesizer.log.validation or ())]).all()
    assert broken(synthesizer.sample(5, seed=1), units=5) == []
    if not UNIT_MODELS[name].can(Capability.LOG_PROB):
        return
    found = synthesizer.log_prob(tables)
    assert found.shape == (8,)
    assert np.isfinite(found).all()
    assert found[2] == found.min()  # a thousand rows are less probable than a few


@pytest.mark.parametrize("name", UNTOLD)
def test_what_a_model_does_not_declare_is_refused_before_any_table_is_looked_at(name):
    """By the synthesizer with the models that can; by the model itself with what it would have to declare."""
    model = once(name)
    asked = {"impute": Capability.GIVEN, "log_prob": Capability.LOG_PROB, "anomaly_score": Capability.LOG_PROB}
    for method, capability in asked.items():
        assert not UNIT_MODELS[name].can(capability)
        said = f"`{method}` needs a model that can {capability.value}; however: `{name}` cannot. Use one of"
        with pytest.raises(UnsupportedError, match=re.escape(said)):
            getattr(model, method)({})
    kind = model._model
    for method, capability in (("complete", Capability.GIVEN), *((m, Capability.LOG_PROB) for m in LOG_PROBS)):
        with pytest.raises(UnsupportedError, match=re.escape(f"a model must be able to {capability.value}; however")):
            getattr(kind, method)(*[None] * (5 if method == "complete" else 1))


@probable
def test_log_prob_is_of_the_unit_whoever_stands_beside_it(name):
    frames = small_hospital(12)
    whole = once(name).log_prob(frames)
    names = frames["patients"]["patient"].iloc[[7, 2]]
    some = {table: frame[frame["patient"].isin(names)] for table, frame in frames.items()}
    some["patients"] = frames["patients"].iloc[[7, 2]]
    np.testing.assert_allclose(once(name).log_prob(some), whole[[7, 2]], rtol=1e-4)


@trained
def test_learning_makes_the_rows_learned_from_more_probable(name):
    """Steps lower the loss; the untrained network of the same settings is the yardstick."""
    settings = {**FEW[name], "steps": 60, "root_steps": 60, "learning_rate": 1e-2}
    more = LinkedSynthesizer(SCHEMA, name, device="cpu", settings=settings).fit(small_hospital(), seed=3)
    assert more.log_prob(small_hospital()).mean() > once(name).log_prob(small_hospital()).mean()


@trained
@needs_gpu
def test_a_model_goes_from_one_device_to_the_other(name, tmp_path):
    """Fitted on the GPU and drawn from on the processor, and the other way round; probabilities agree."""
    for there, here in (("cuda", "cpu"), ("cpu", "cuda")):
        made = learned(name, there)
        made.save(tmp_path / there)
        again = LinkedSynthesizer.load(tmp_path / there, device=here)
        assert broken(again.sample(12, seed=1), units=12) == []
        one, two = made.log_prob(small_hospital(9)), again.log_prob(small_hospital(9))
        np.testing.assert_allclose(one, two, rtol=2e-3)


def test_every_model_that_learns_under_a_budget_is_tried_under_one():
    assert set(PAID) == {name for name, kind in UNIT_MODELS.items() if kind.can(Capability.BUDGET)}


@paid
@pytest.mark.parametrize("units", [0, 25])
def test_under_a_budget_samples_keep_the_rules_and_the_bounds(fits, name, units):
    drawn = fits(name).sample(units, seed=1)
    assert broken(drawn, units=units) == []
    assert drawn["labs"]["patient"].value_counts().max() <= 4 or not units
    assert same(drawn, fits(name).sample(units, seed=1))


@paid
def test_under_a_budget_a_folder_holds_all_of_it(fits, name, tmp_path):
    fits(name).save(tmp_path / "model")
    again = LinkedSynthesizer.load(tmp_path / "model", device="cpu")
    assert same(again.sample(9, seed=5), fits(name).sample(9, seed=5))
    assert (again.settings, again.seed) == (fits(name).settings, 3)
    assert PAID[name].items() <= again.settings.items()
    if UNIT_MODELS[name].can(Capability.LOG_PROB):
        assert (again.log_prob(small_hospital(9)) == fits(name).log_prob(small_hospital(9))).all()


@paid
def test_under_a_budget_nothing_is_told_of_the_training(fits, name, tmp_path):
    """Steps follow from the settings; of losses, time and memory there is no word; the number of units has noise."""
    heard: list[tuple[int, int, float]] = []
    model = bought(name, tmp_path, progress=lambda *told: heard.append(told))
    log = model.log
    assert log is not None
    assert (log.seconds, log.memory, log.validation) == (0.0, None, None)
    assert model.rows is not None
    assert model.rows != 60.0
    if name == "timeline":
        assert (log.steps, log.train, log.at) == (3, (), ())
        assert [told[:2] for told in heard[-3:]] == [(1, 3), (2, 3), (3, 3)]
        assert all(np.isnan(loss) for *_, loss in heard[-3:])


@paid
def test_under_a_budget_noise_is_not_the_seeds(fits, name, tmp_path):
    one, two = fits(name)._model.tensors(), bought(name, tmp_path)._model.tensors()
    both = one.keys() & two.keys()  # which pairs were chosen is noise too, so one may lack what the other has
    assert [k for k in both if one[k].numel() and one[k].is_floating_point() and not torch.equal(one[k], two[k])]


@paid
@pytest.mark.parametrize("left", ["nobody", "one", "no rows"])
def test_under_a_budget_hardly_anybody_and_nobody_is_learned_too(name, left, tmp_path):
    """Whether there are units and rows is secret, so it stops nothing."""
    frames = small_hospital(4)
    frames = {
        n: f.head(0) if left == "nobody" or (left == "no rows" and n != "patients") else f for n, f in frames.items()
    }
    if left == "one":
        frames = {n: f[f["patient"] == "P000"] for n, f in frames.items()}
    model = bought(name, tmp_path, frames=frames)
    assert broken(model.sample(6, seed=1), units=6) == []


def test_settings_of_a_budget_are_refused_without_one():
    model = LinkedSynthesizer(SCHEMA, "timeline", settings={"clip_norm": 1.0})
    with pytest.raises(ConfigError, match="those of a private training came without a budget"):
        model.fit(small_hospital())


def test_what_is_not_fitted_cannot_be_asked():
    with pytest.raises(ConfigError, match="must be fitted first"):
        LinkedSynthesizer(SCHEMA, "independent").settings  # noqa: B018
