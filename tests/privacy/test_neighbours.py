"""One strange patient more: whatever is public is the same to the byte, or was drawn with noise that was paid for."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.errors import BudgetExceededError
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import fit
from synthkit.privacy.access.encoder_budget import EncoderBudget, encoder_queries
from synthkit.privacy.access.private_curator import PrivateCurator
from synthkit.schema import Schema
from synthkit.schema.public_domain import declared_domain

SMALL = {"components": 30, "rounds": 2, "first": 5, "between": 2, "last": 5}
SCHEMA = Schema(
    declared_by="the test: made-up people",
    name="visits",
    unit="who",
    columns={
        "who": {"kind": "identifier"},
        "age": {"kind": "numeric", "decimals": 0, "min": 0, "max": 99, "nullable": True},
        "pay": {"kind": "numeric", "min": 0, "max": 1e6},
        "sex": {"kind": "categorical", "levels": ["f", "m"]},
        "town": {"kind": "categorical", "levels": ["north", "south", "east"], "observed": ["levels"]},
    },
)


def visits(n=3000):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "who": [f"p{k}" for k in rng.integers(0, n // 2, n)],
            "age": pd.Series(rng.integers(20, 90, n).astype(float)),
            "pay": rng.gamma(2, 1000, n).round(2),
            "sex": rng.choice(["f", "m"], n),
            "town": rng.choice(["north", "south"], n),
        }
    )


def stranger(frame, **cells):
    """The table with one person more, who has 300 rows."""
    row = {"who": "stranger", "age": 50.0, "pay": 10.0, "sex": "f", "town": "north", **cells}
    return pd.concat([frame, pd.DataFrame([row] * 300)], ignore_index=True)


STRANGERS = {
    "extreme numbers": {"age": 4_000.0, "pay": -1e9},
    "an undeclared level": {"sex": "unheard of"},
    "a town of nobody else": {"town": "east"},
    "nothing at all": {"age": None, "pay": None, "sex": None, "town": None},
    "the only missing age": {"age": None},
}
strange = pytest.mark.parametrize("cells", STRANGERS.values(), ids=STRANGERS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return artefacts(visits(), tmp_path_factory.mktemp("plain"))


def artefacts(frame, here):
    """Everything public that a fit on the command line leaves or says, numbers drawn with noise left out."""
    frame.to_csv(here / "visits.csv", index=False)
    SCHEMA.save(here / "visits.yaml")
    words = ["fit", str(here / "visits.csv"), "--schema", str(here / "visits.yaml"), "--out", str(here / "out")]
    words += ["--epsilon", "2", "--delta", "1e-6", "--seed", "1", *(f"--set={k}={v}" for k, v in SMALL.items())]
    ended = CliRunner().invoke(app, words)
    card = json.loads((here / "out" / "model" / "synthesizer.json").read_text())
    ledger = json.loads((here / "out.ledger.json").read_text())
    return {
        "exit": ended.exit_code,
        "said": re.sub(r"loss [\d.]+|about \d+ s left|\d+ of \d+", "#", ended.output.replace(str(here), "")),
        "files": sorted(p.relative_to(here / "out").as_posix() for p in (here / "out").rglob("*") if p.is_file()),
        "ledger": ledger["budget"],
        "charges": [{k: c[k] for k in ("what", "mechanism", "times", "detail")} for c in ledger["charges"]],
        "schema": (here / "out" / "schema.yaml").read_text(),
        "card": {k: card[k] for k in ("model", "settings", "dtypes", "seed")},
        "columns": list(card["schema"]["columns"]),
        "codecs": {k: (v["codec"], v.get("decimals")) for k, v in card["encoder"]["codecs"].items()},
        "clamped": (here / "out" / "internal" / "clamped.json").exists(),
    }


@strange
def test_what_is_public_is_the_same_with_a_stranger(plain, tmp_path, cells):
    found = artefacts(stranger(visits(), **cells), tmp_path)
    for name, content in plain.items():
        if name == "said":  # the steps told depend on the clock, the lines that are there do not
            assert set(found[name].splitlines()) == set(content.splitlines())
        else:
            assert found[name] == content, name


def told(frame, draws=400):
    """Number of units and counts of sex, drawn again and again with the same noise."""
    public = declared_domain(SCHEMA)
    plan = EncoderBudget(queries=encoder_queries(public, counted=True)[:1], rho=0.05, delta=1e-6)
    curator = PrivateCurator.of(frame, public)
    return [curator.rows(plan, lambda charge: None) for _ in range(draws)]


def test_the_number_of_rows_hardly_moves_with_a_stranger():
    """Noise of standard deviation 3.2 hides one person, whatever their rows; a hundred persons show."""
    frame = visits()
    many = pd.concat([frame, *(stranger(frame.head(0)).assign(who=f"s{k}").head(1) for k in range(100))])
    one = told(frame)
    assert ks_2samp(one, told(stranger(frame))).statistic < 0.35
    assert ks_2samp(one, told(many)).statistic > 0.99


def test_errors_do_not_tell_of_a_stranger(tmp_path):
    """With nothing left of the budget both tables are refused in the same words."""
    said = []
    for name, frame in (("a", visits()), ("b", stranger(visits(), age=4000.0))):
        config = RunConfig(epsilon=1.0, delta=1e-6, settings=SMALL, ledger=tmp_path / f"{name}.json", seed=1)
        fit(frame, SCHEMA, config=config)
        with pytest.raises(BudgetExceededError, match="a fit needs a budget") as refused:
            fit(frame, SCHEMA, config=config)
        said.append(str(refused.value))
    assert said[0] == said[1]
