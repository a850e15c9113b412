"""References made by others keep the contract of a synthesizer: shape, dtypes, seeds; and leave nothing behind."""

from __future__ import annotations

import random
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from synthkit.baselines import REFERENCES, ReferenceSynthesizer
from synthkit.baselines import sdv_models as room
from synthkit.data import support2, support2_schema
from synthkit.errors import ConfigError, SchemaError, UnsupportedError
from synthkit.models.registry import MODELS
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.synthesizer.protocol import SynthesizerProtocol
from synthkit.synthesizer.synthesizer import Synthesizer

pytest.importorskip("sdv", reason="references need the extra `sdv`")
SHORT = {"gaussian_copula": {}, "reference_ctgan": {"epochs": 2}, "reference_tvae": {"epochs": 2}}


@pytest.fixture(scope="module", params=sorted(REFERENCES))
def fitted(request, toy) -> ReferenceSynthesizer:
    """Each reference on the toy table, hardly trained."""
    return ReferenceSynthesizer(toy.schema, request.param, settings=SHORT[request.param], device="cpu").fit(
        toy.frame, seed=3
    )


def test_references_are_no_models_of_ours():
    assert not set(REFERENCES) & set(MODELS)
    assert not hasattr(ReferenceSynthesizer, "save")


def test_one_surface(toy):
    assert isinstance(ReferenceSynthesizer(toy.schema, "gaussian_copula"), SynthesizerProtocol)
    assert isinstance(Synthesizer(toy.schema, "independent"), SynthesizerProtocol)


def test_rows_columns_and_dtypes(fitted, toy):
    """The dtypes of the table it learned, and what the schema reads in them."""
    rows = fitted.sample(70, seed=1)
    assert list(rows.columns) == list(toy.schema.columns)
    assert len(rows) == 70
    assert rows.dtypes.to_dict() == toy.frame.dtypes.to_dict()
    assert conform(rows, toy.schema).dtypes.to_dict() == conform(toy.frame, toy.schema).dtypes.to_dict()
    assert set(rows["sex"]) <= {"f", "m"}
    assert rows["age"].between(toy.frame["age"].min(), toy.frame["age"].max()).all()
    assert rows["admitted"].between(toy.frame["admitted"].min(), toy.frame["admitted"].max()).all()
    assert 0 < rows["crea"].isna().sum() < 70
    assert rows.attrs["synthkit_seed"] == 1


def test_identifiers_are_fresh(fitted, toy):
    rows = fitted.sample(70, seed=1)
    assert rows["id"].is_unique
    assert not set(rows["id"]) & set(toy.frame["id"])


def test_same_seed_same_rows_and_another_seed_others(fitted):
    """In any order of calls, missing cells too."""
    first, other, again = (fitted.sample(60, seed=seed) for seed in (5, 6, 5))
    pd.testing.assert_frame_equal(first, again)
    assert not first["age"].equals(other["age"])
    assert not first["crea"].isna().equals(other["crea"].isna())


def test_same_seed_same_model(toy):
    kwargs = {"settings": {"epochs": 1}, "device": "cpu"}
    one, two = (ReferenceSynthesizer(toy.schema, "reference_tvae", **kwargs).fit(toy.frame, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.sample(40, seed=1), two.sample(40, seed=1))
    three = ReferenceSynthesizer(toy.schema, "reference_tvae", **kwargs).fit(toy.frame, seed=4)
    assert not one.sample(40, seed=1)["crea"].equals(three.sample(40, seed=1)["crea"])


def test_a_seed_is_drawn_and_recorded(toy):
    drawn = ReferenceSynthesizer(toy.schema, "gaussian_copula").fit(toy.frame)
    assert drawn.seed is not None
    rows = drawn.sample(5)
    pd.testing.assert_frame_equal(rows, drawn.sample(5, seed=rows.attrs["synthkit_seed"]))


def test_no_row_at_all(fitted, toy):
    assert fitted.sample(0).shape == (0, len(toy.schema.columns))


def test_global_generators_and_streams_are_left_as_they_were(toy, capfd):
    """Nothing is printed and no warning gets out, though SDV warns of ranges and draws bars."""
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reference = ReferenceSynthesizer(toy.schema, "reference_tvae", settings={"epochs": 1}, device="cpu")
        reference.fit(toy.frame, seed=3).sample(10, seed=4)
    assert random.getstate() == before[0]
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])
    assert capfd.readouterr() == ("", "")


def test_progress_counts_epochs(toy):
    said = []
    reference = ReferenceSynthesizer(toy.schema, "reference_tvae", settings={"epochs": 3}, device="cpu")
    reference.fit(toy.frame, seed=3, progress=lambda *told: said.append(told))
    assert said[-1][:2] == (3, 3)
    assert all(np.isfinite(loss) for _, _, loss in said)


def test_notes_say_what_was_done(fitted, toy):
    notes = " ".join(fitted.notes)
    for word in ("Business Source License", "column's mean", "nanoseconds", "Identifiers", "ledger", "rounded"):
        assert word in notes
    assert "row rules" not in notes
    assert not any(str(cell) in notes for cell in toy.frame["id"])


def test_real_patients_with_missing_cells_and_rules():
    """47 learned columns: the copula's rows can be typed; that it breaks rules is its own affair and is noted."""
    schema = support2_schema()
    patients = support2().head(300)
    rows = ReferenceSynthesizer(schema, "gaussian_copula").fit(patients, seed=1).sample(200, seed=2)
    assert rows.dtypes.to_dict() == patients.dtypes.to_dict()
    assert "row rules" in " ".join(ReferenceSynthesizer(schema, "gaussian_copula").notes)
    shares = pd.DataFrame({"real": patients.isna().mean(), "drawn": rows.isna().mean()})
    assert (shares["real"] - shares["drawn"]).abs().max() < 0.15


def test_nullable_truth_values(toy):
    schema = Schema(columns={"ok": {"kind": "boolean", "nullable": True}, "x": {"kind": "numeric", "min": 0, "max": 9}})
    frame = pd.DataFrame({"ok": pd.array([True, None, False, True] * 10, "boolean"), "x": np.arange(40) % 9 / 2})
    rows = ReferenceSynthesizer(schema, "gaussian_copula").fit(frame, seed=1).sample(60, seed=1)
    assert str(rows["ok"].dtype) == "boolean"
    assert set(rows["ok"].dropna()) == {True, False}
    assert rows["ok"].isna().any()


# ---- what is refused ----


def test_an_unknown_reference(toy):
    with pytest.raises(ConfigError, match="one of gaussian_copula, reference_ctgan, reference_tvae; however: `copula`"):
        ReferenceSynthesizer(toy.schema, "copula")


def test_an_unknown_setting(toy):
    with pytest.raises(ConfigError, match=r"among: .*epochs.*; however: steps"):
        ReferenceSynthesizer(toy.schema, "reference_ctgan", settings={"steps": 3})


def test_a_value_it_does_not_accept(toy):
    with pytest.raises(ConfigError, match="settings of `gaussian_copula` must have values it accepts; however: "):
        ReferenceSynthesizer(toy.schema, "gaussian_copula", settings={"default_distribution": "zipf"})


@pytest.mark.parametrize("package", ["sdv", "ctgan"])
def test_a_package_that_is_not_there(package, toy, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    for name in [n for n in sys.modules if n.startswith(f"{package}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UnsupportedError, match=rf"{package}.* is not installed.*pip install 'synthkit\[sdv\]'"):
        ReferenceSynthesizer(toy.schema, "reference_ctgan")


def test_not_fitted_or_fewer_than_no_rows(toy, fitted):
    with pytest.raises(ConfigError, match="must be fitted first"):
        ReferenceSynthesizer(toy.schema, "gaussian_copula").sample(3)
    with pytest.raises(ConfigError, match="must not be negative; however: -1"):
        fitted.sample(-1)


def test_a_table_of_another_schema(toy):
    with pytest.raises(SchemaError, match="missing from the table"):
        ReferenceSynthesizer(toy.schema, "gaussian_copula").fit(toy.frame.drop(columns="sex"))


def test_a_failure_inside_names_its_sort_and_no_value(toy):
    """Batches of 3 rows are no multiple of ctgan's packs of 10."""
    reference = ReferenceSynthesizer(
        toy.schema, "reference_ctgan", settings={"batch_size": 3, "epochs": 1}, device="cpu"
    )
    with pytest.raises(
        UnsupportedError, match="however: it stopped with AssertionError, whose message is not repeated"
    ):
        reference.fit(toy.frame)


def test_moments_that_nanoseconds_cannot_hold():
    schema = Schema(columns={"when": {"kind": "datetime"}, "x": {"kind": "numeric"}})
    frame = pd.DataFrame({"when": np.array(["2400-01-01", "1990-01-01"], "datetime64[us]"), "x": [1.0, 2.0]})
    with pytest.raises(UnsupportedError, match=r"moments from 1678 to 2262; however: `when` has others"):
        ReferenceSynthesizer(schema, "gaussian_copula").fit(frame)


def test_our_own_models_never_load_them():
    code = (
        "import sys; import synthkit.baselines, synthkit.synthesizer.synthesizer, synthkit.pipeline.synthesize; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'sdv', 'ctgan', 'rdt', 'copulas'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert room.__name__ == "synthkit.baselines.sdv_models"
