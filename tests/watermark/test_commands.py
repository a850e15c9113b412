"""The commands and the synthesizer: from a key to marked rows and back, with every way of drawing."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from narrow_table import narrow_schema, narrow_table

from synthkit.errors import ArtefactError, ConfigError, UnsupportedError
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.synthesize import synthesize
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.synthesizer.rule_sampling import watermarked_rows
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.watermark import WatermarkKey, detect

SCHEMA = narrow_schema()


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    return Synthesizer(SCHEMA, "independent").fit(narrow_table(600), seed=1)


@pytest.fixture(scope="module")
def key(keyed) -> WatermarkKey:
    return keyed(1, SCHEMA)


@pytest.fixture(scope="module")
def saved(synthesizer, key, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    synthesizer.save(folder / "model")
    key.save(folder / "key.json")
    SCHEMA.save(folder / "schema.yaml")
    return folder


def test_sampled_rows_bear_the_mark_and_plain_ones_do_not(synthesizer, key):
    drawn = synthesizer.sample(200, seed=1, watermark=key)
    assert drawn.shape == (200, len(SCHEMA.columns))
    assert drawn.attrs["synthkit_watermark"] == key.name
    assert detect(drawn, key).found()
    plain = synthesizer.sample(200, seed=1)
    assert "synthkit_watermark" not in plain.attrs
    assert not detect(plain, key).found()


def test_same_seed_and_key_same_rows(synthesizer, key, keyed):
    one, two = (synthesizer.sample(50, seed=1, watermark=key) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(synthesizer.sample(50, seed=2, watermark=key))
    assert not one.equals(synthesizer.sample(50, seed=1, watermark=keyed(2, SCHEMA)))


def test_each_row_is_one_of_its_candidates_and_all_tables_have_a_share(keyed):
    """Tables that number their rows: row i is row i of one of four."""
    schema, tables = Schema(columns={c: {"kind": "numeric"} for c in "abc"}), iter(range(4))
    drawn = np.random.default_rng(0).normal(size=(4, 300, 3))

    def table() -> pd.DataFrame:
        of = next(tables)
        return pd.DataFrame(drawn[of], columns=list("abc")).assign(of=of, row=np.arange(300))

    out = watermarked_rows(table, keyed(1, schema), Seeds(1))
    assert out["row"].tolist() == list(range(300))
    assert out[["a", "b", "c"]].to_numpy().tolist() == drawn[out["of"], out["row"]].tolist()
    assert np.bincount(out["of"], minlength=4).min() > 40


def test_given_values_stand_in_marked_rows(key):
    made = Synthesizer(SCHEMA, "autoregressive", settings={"steps": 20}).fit(narrow_table(300), seed=1)
    drawn = made.sample(60, given={"hospdead": 1}, seed=1, watermark=key)
    assert (drawn["hospdead"] == 1).all()
    assert detect(drawn, key).p < 1e-3
    partial = narrow_table(40)[["age", "sex"]]
    frame = made.sample(40, given=partial, seed=1, watermark=key)
    assert frame["age"].tolist() == pytest.approx(partial["age"].tolist())


def test_raked_rows_bear_no_mark(synthesizer, key):
    with pytest.raises(ConfigError, match="a watermark's key is to choose them"):
        synthesizer.sample(10, rake=True, watermark=key)
    with pytest.raises(ConfigError, match="by `rake` or by a `watermark`"):
        RunConfig.of(rake=True, watermark="k.json")


def test_raking_without_margins_is_still_refused():
    made = Synthesizer(SCHEMA, "independent", margins=False).fit(narrow_table(100), seed=1)
    with pytest.raises(UnsupportedError, match="measured at fit"):
        made.sample(10, rake=True)


def test_no_rows_are_drawn(synthesizer, key):
    assert len(synthesizer.sample(0, seed=1, watermark=key)) == 0


def test_a_run_says_that_its_rows_are_marked_and_not_by_what(saved, key, tmp_path):
    small = RunConfig(model="independent", quick=True, rows=150, seed=1, watermark=saved / "key.json")
    run = synthesize(narrow_table(400), SCHEMA, config=small)
    assert detect(run.synthetic, key).found()
    assert run.facts["watermark"] == {"key": key.name, "candidates": 4}
    assert run.facts["config"]["watermark"] == "key.json"
    run.save(tmp_path / "run")
    secret = key.secret.get_secret_value().encode()
    assert not [path for path in (tmp_path / "run").rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_under_a_budget_the_mark_costs_nothing(tmp_path, keyed):
    """Choosing among drawn rows by a key reads no real row: nothing is charged."""
    levels = {"kind": "categorical", "levels": [*"abcdefghijklmnop"]}
    schema = Schema(columns={c: levels for c in "uvwxyz"}, declared_by="the test: made-up people")
    frame = pd.DataFrame(np.random.default_rng(0).choice([*"abcdefghijklmnop"], (500, 6)), columns=[*"uvwxyz"])
    ledger = Ledger.new(tmp_path / "l.json", Budget(epsilon=1, delta=1e-5))
    made = Synthesizer(schema, "marginal").fit(frame, seed=1, ledger=ledger)
    before = ledger.to_dict()
    assert detect(made.sample(300, seed=1, watermark=keyed(1, schema)), keyed(1, schema)).found()
    assert ledger.to_dict() == before


def test_a_run_with_a_key_of_another_schema_is_refused_before_any_work(keyed, tmp_path):
    keyed(1).save(tmp_path / "other.json")
    small = RunConfig(model="independent", quick=True, watermark=tmp_path / "other.json")
    with pytest.raises(ConfigError, match="key must be of the table's schema"):
        synthesize(narrow_table(400), SCHEMA, config=small)
    with pytest.raises(ArtefactError, match="must be a readable file"):
        synthesize(narrow_table(400), SCHEMA, config=RunConfig(watermark=tmp_path / "none.json"))


def test_from_a_key_to_rows_and_back(command, saved, tmp_path):
    made = command("watermark-key", "--schema", saved / "schema.yaml", "--out", tmp_path / "k.json")
    assert (made.code, made.out.startswith(f"{tmp_path / 'k.json'}: key ")) == (0, True)
    rows, csv = ("--rows", 120), tmp_path / "rows.csv"
    said = command("sample", saved / "model", *rows, "--watermark", tmp_path / "k.json", "--out", csv, "--seed", 1)
    assert "each row is one of 4" in said.out
    found = command("detect", csv, "--key", tmp_path / "k.json", "--json", tmp_path / "found.json")
    assert found.code == 0, found.err
    assert "the table bears the watermark of this key" in found.out
    told = json.loads((tmp_path / "found.json").read_text())
    assert told["found"] is True
    assert told["p"] < 1e-6
    secret = json.loads((tmp_path / "k.json").read_text())["secret"]
    assert secret not in made.out + said.out + said.err + found.out + found.err + json.dumps(told)
    lost = command("detect", csv, "--key", saved / "key.json")
    assert lost.code == 1
    assert "does not show that the table is not ours" in lost.out
    assert command("detect", csv, "--key", saved / "key.json", "--quiet", "--alpha", 1).code == 0


def test_detection_never_loads_torch(saved, tmp_path):
    narrow_table(60).to_csv(tmp_path / "t.csv", index=False)
    words = ["detect", str(tmp_path / "t.csv"), "--key", str(saved / "key.json"), "--alpha", "1", "--quiet"]
    code = (
        f"import sys; from synthkit.cli.app import app; app({words!r}, standalone_mode=False); print({{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'torch'" not in done.stdout
    assert "'synthkit.watermark.detection'" in done.stdout


def test_commands_refuse_what_cannot_be_meant(refused, saved, tmp_path):
    assert "must be a readable file" in refused("detect", saved / "schema.yaml", "--key", tmp_path / "none")
    key = saved / "key.json"
    assert "never replaced" in refused("watermark-key", "--schema", saved / "schema.yaml", "--out", key)
    words = ["--schema", saved / "schema.yaml", "--out", tmp_path / "k.json", "--candidates", 1]
    assert "must be 2 to 64" in refused("watermark-key", *words)
    words = ["--rows", 5, "--rake", "--watermark", key, "--out", tmp_path / "rows.csv"]
    assert "by `rake` or by a `watermark`" in refused("sample", saved / "model", *words)
