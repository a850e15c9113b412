"""A fit under a budget, from the table to the ledger: never more than the budget, and what was spent stays spent."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import synthkit as sk
from synthkit.cli.app import app
from synthkit.errors import BudgetExceededError, ConfigError, SchemaError, UnsupportedError
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit
from synthkit.privacy.access.curator import Curator
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.accounting.ledger_file import recompute
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.infer.draft import infer_schema
from synthkit.synthesizer.synthesizer import Synthesizer

SMALL = {"components": 40, "rounds": 2, "first": 10, "between": 2, "last": 10}
SCHEMA = Schema(
    declared_by="the test: made-up people",
    name="visits",
    unit="who",
    columns={
        "who": {"kind": "identifier"},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 99},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "ill": {"kind": "boolean", "nullable": True},
    },
    targets=[{"column": "ill", "task": "binary"}],
)


def visits(people=1500, seed=0):
    rng = np.random.default_rng(seed)
    who = rng.integers(0, people, 2 * people)
    age = rng.integers(20, 90, people)[who]
    return pd.DataFrame(
        {
            "who": [f"p{k}" for k in who],
            "age": age,
            "sex": rng.choice(["f", "m"], people)[who],
            "ill": pd.Series(rng.random(2 * people) < age / 120).astype("boolean").mask(rng.random(2 * people) < 0.05),
        }
    )


def asked(**more):
    return RunConfig(**{"epsilon": 1.0, "delta": 1e-5, "settings": SMALL, "seed": 3, "quick": True, **more})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    here = tmp_path_factory.mktemp("run")
    made = sk.synthesize(visits(), SCHEMA, config=asked(ledger=here / "visits.json"))
    return made, made.save(here / "out"), here


def test_a_run_stays_inside_its_budget_and_says_so(run):
    made, out, here = run
    epsilon, delta = recompute(out / "ledger.json")
    assert 0.99 < epsilon <= 1.0
    assert delta <= 1e-5
    assert (out / "ledger.json").read_text() == (here / "visits.json").read_text()
    assert made.facts["model"] == "marginal"
    assert made.validations["output"].success
    ledger = json.loads((out / "ledger.json").read_text())
    assert ledger["budget"]["unit"] == "who"
    assert {c["mechanism"] for c in ledger["charges"] if not c["inside"]} == {"concentrated"}
    assert all(c["inside"] for c in ledger["charges"][1:])


def test_as_many_rows_are_drawn_as_were_told_with_noise(run):
    made, _, _ = run
    assert len(made.synthetic) == round(made.synthesizer.rows)


def test_a_saved_model_draws_the_same_rows_and_names_no_time(run):
    made, out, _ = run
    again = Synthesizer.load(out / "model")
    pd.testing.assert_frame_equal(again.sample(50, seed=9), made.synthesizer.sample(50, seed=9))
    card = json.loads((out / "model" / "synthesizer.json").read_text())
    assert card["dtypes"] == {}
    assert card["log"]["seconds"] == 0


def test_a_second_run_adds_to_the_ledger_or_is_refused(tmp_path):
    ledger = tmp_path / "visits.json"
    fit(visits(), SCHEMA, config=asked(ledger=ledger))
    before = ledger.read_text()
    with pytest.raises(BudgetExceededError, match="a fit needs a budget; however: epsilon"):
        fit(visits(), SCHEMA, config=asked(ledger=ledger))
    assert ledger.read_text() == before
    fit(visits(), SCHEMA, config=asked(ledger=ledger, epsilon=3.0, delta=3e-5))
    epsilon, delta = recompute(ledger)
    assert 2.9 < epsilon <= 3.0
    assert delta <= 3e-5
    for changed in ({"max_rows_per_unit": 4}, {"unit": "sex"}):
        with pytest.raises(ConfigError, match="a prior ledger must have the same"):
            fit(visits(), SCHEMA, config=asked(ledger=ledger, epsilon=9.0, **changed))


def test_noise_does_not_follow_from_the_seed(tmp_path):
    rows = [
        Synthesizer(SCHEMA, "marginal", settings=SMALL)
        .fit(visits(), seed=5, ledger=Ledger.new(tmp_path / f"{k}.json", Budget(epsilon=1, delta=1e-5, unit="who")))
        .rows
        for k in range(3)
    ]
    assert len(set(rows)) > 1


def test_a_table_outside_its_schema_is_mapped_and_never_refused(tmp_path):
    """Neither the exit nor a message may tell of one strange row."""
    strange = visits()
    strange["age"] = strange["age"].astype(object)
    strange.loc[0, ["age", "sex"]] = [4_000, "unknown"]
    strange.loc[1, "who"] = None
    made = fit(strange, SCHEMA, config=asked(ledger=tmp_path / "l.json"))
    assert made.clamped == {"age": 1, "sex": 1, "(rows without a unit)": 1}
    with pytest.raises(SchemaError):
        fit(strange, SCHEMA, config=RunConfig(model="independent"))


def test_lines_read_off_the_data_are_refused_before_anything_is_charged(tmp_path):
    schema = infer_schema(visits(), name="visits")
    with pytest.raises(SchemaError, match="every line of the schema must be public"):
        fit(visits(), schema, config=asked(ledger=tmp_path / "l.json"))
    assert not (tmp_path / "l.json").exists()


def test_what_would_leave_a_trace_is_refused(tmp_path):
    ledger = Ledger.new(tmp_path / "l.json", Budget(epsilon=1, delta=1e-5, unit="who"))
    model = Synthesizer(SCHEMA, "marginal", settings=SMALL)
    with pytest.raises(ConfigError, match="must not depend on time"):
        model.fit(visits(), ledger=ledger, max_minutes=1)
    exact = Curator(visits(), SCHEMA, Ledger.unlimited(unit="who"), Seeds(1))
    with pytest.raises(ConfigError, match="a curator charges its own ledger; however: another"):
        model.fit(exact, ledger=ledger)
    with pytest.raises(UnsupportedError, match="a model must learn from noisy answers; however: `independent`"):
        Synthesizer(SCHEMA, "independent").fit(visits(), ledger=ledger)
    assert ledger.charges == ()


@pytest.mark.parametrize(
    ("said", "however"),
    [
        ({"epsilon": 1.0}, "a budget needs a `delta`"),
        ({"delta": 1e-6}, "`delta` belongs to a privacy budget"),
        ({"epsilon": -1.0, "delta": 1e-6}, "greater than 0"),
        ({"epsilon": 1.0, "delta": 1e-6, "unit": "nobody"}, "the unit must be a column"),
        ({"epsilon": 1.0, "delta": 1e-2, "public_n": 1000}, "delta must be below 1 / n"),
    ],
)
def test_budgets_that_cannot_be_meant(tmp_path, monkeypatch, said, however):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ConfigError, SchemaError), match=however):
        sk.synthesize(visits(60), SCHEMA, **said)
    assert list(tmp_path.iterdir()) == []


def test_delta_follows_from_a_declared_number(tmp_path):
    made = fit(visits(), SCHEMA, config=asked(delta=None, public_n=10_000, ledger=tmp_path / "l.json"))
    assert made.ledger.budget.delta == pytest.approx(1e-6)


def test_the_command_keeps_its_ledger_beside_the_folder(tmp_path):
    """Folders above the output are made before the ledger is."""
    visits().to_csv(tmp_path / "visits.csv", index=False)
    SCHEMA.save(tmp_path / "visits.yaml")
    words = ["fit", "visits.csv", "--schema", "visits.yaml", "--out", "runs/out", "--epsilon", "1", "--delta", "1e-5"]
    words = [str(tmp_path / w) if w in ("visits.csv", "visits.yaml", "runs/out") else w for w in words]
    words += [f"--set={k}={v}" for k, v in SMALL.items()]
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == 0, ended.output
    assert 0.99 < recompute(tmp_path / "runs" / "out.ledger.json")[0] <= 1
    again = CliRunner().invoke(app, [*words, "--overwrite"])
    assert again.exit_code != 0
    assert "What was spent" in again.output or "spent" in again.output
    resumed = CliRunner().invoke(app, [*words, "--overwrite", "--resume"])
    assert "what is taken up was charged and not drawn; however:" in " ".join(resumed.output.split())


def test_times_stay_in_the_house(run):
    """They follow the rows: `run.json` has none under a budget, the INTERNAL log has them."""
    _, out, _ = run
    assert "seconds" not in json.loads((out / "run.json").read_text())
    assert "fit:" in (out / "internal" / "log.txt").read_text()
    statement = json.loads((out / "statement.json").read_text())
    assert statement["end_to_end_dp"]
    assert statement["privacy_loss"]["privacy_unit"] == "who"


def test_a_row_that_equals_a_real_one_is_not_removed():
    """Every row there can be is a real one: were equal rows removed, or drawn again, none would be left."""
    schema = Schema(
        declared_by="the test: made-up people", name="coins", columns={c: {"kind": "boolean"} for c in "ab"}
    )
    real = pd.DataFrame(np.random.default_rng(0).integers(0, 2, (2000, 2)).astype(bool), columns=["a", "b"])
    made = sk.synthesize(real, schema, config=asked(rows=500, ledger=None, model="marginal", epsilon=None, delta=None))
    fitted = Synthesizer(schema, "marginal", settings=SMALL).fit(real, seed=1, ledger=Ledger.unlimited(unit=None))
    for drawn in (made.synthetic, fitted.sample(500, seed=2)):
        assert len(drawn) == 500
        assert len(drawn.merge(real.drop_duplicates())) == 500


def test_what_is_released_is_what_was_measured(run):
    """One fit, before everything that compares with real rows: the rows are those of the saved model and seed."""
    made, out, _ = run
    again = Synthesizer.load(out / "model").sample(len(made.synthetic), seed=made.synthetic.attrs["synthkit_seed"])
    pd.testing.assert_frame_equal(again, made.synthetic)
    assert len(made.ledger.parts) == 1


def test_a_model_that_was_charged_may_leave(run):
    from synthkit.release.run_folder import contents

    _, out, _ = run
    assert "charged to the budget" in contents(out)[out / "model"]
    assert "INTERNAL" in contents(out)[out / "evaluation.json"]


def test_a_comparison_takes_no_budget(tmp_path):
    with pytest.raises(ConfigError, match="each model would spend it anew"):
        sk.compare(visits(), SCHEMA, models=["marginal"], out=tmp_path / "out", config=asked())
