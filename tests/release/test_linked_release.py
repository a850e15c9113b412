"""Linked tables through the command line: from a run to a bundle that others check, and tables that are known again."""

from __future__ import annotations

import json
import shutil
import zipfile
from types import SimpleNamespace

import pandas as pd
import pytest
from places import ROOT
from small_hospital import SMALL, small_hospital

from synthkit.schema.linked import LinkedSchema

DEMO = ROOT / "synthkit" / "data" / "synthea_tables"
DEMO_SCHEMA = ROOT / "schemas" / "linked" / "synthea.yaml"
LENIENT = """
format: synthkit-policy/1
policy: {id: ours-v1, owner: A. Custodian, justification: a test}
membership: null
copying: {people_max: null}
releases: {number_max: 1}
evidence: {min_control_units: 1, whole: false}
"""
FAST = ("--model", "independent", "--quick", "--device", "cpu", "--seed", 1)


@pytest.fixture(scope="module")
def demo(command, tmp_path_factory):
    """The made-up patients that come with the package, run with a key; keys to sign with, an empty register."""
    place = tmp_path_factory.mktemp("demo")
    made = SimpleNamespace(place=place, run=place / "runs" / "ward", key=place / "ward.key.json")
    assert command("watermark-key", "--schema", DEMO_SCHEMA, "--out", made.key, "--candidates", 8).code == 0
    words = ("--schema", DEMO_SCHEMA, "--out", made.run, "--units", 40, "--watermark", made.key, *FAST)
    said = command("run", DEMO, *words)
    assert said.code == 0, said.err
    assert command("keygen", "--out", place / "custodian").code == 0
    assert command("register", place / "runs" / "releases.json", "--begin").code == 0
    (place / "ours.yaml").write_text(LENIENT)
    made.said = command("gate", made.run, "--policy", place / "ours.yaml")
    made.bundle = place / "bundle.zip"
    words = ("--out", made.bundle, "--key", place / "custodian.key", "--recipient", "B", "--input", DEMO)
    made.refused = command("release", made.run, *words)
    made.released = command("release", made.run, *words, "--although", "no attack was made")
    return made


def test_a_gate_says_what_is_not_measured_and_that_no_key_is_broken(demo):
    assert demo.said.code == 1
    assert "✓ PASS Units with a broken key, link, order or rule" in demo.said.out
    assert "– NOT ASSESSED People not in the data, as controls" in demo.said.out
    gate = json.loads((demo.run / "gate.json").read_text())
    assert gate["verdict"] == "NOT ASSESSED"


def test_a_release_that_did_not_pass_needs_a_reason(demo):
    assert demo.refused.code == 2
    assert "evidence.min_control_units NOT ASSESSED" in demo.refused.err
    assert demo.released.code == 0, demo.released.err
    assert "did not pass its gate" in demo.released.err


def test_verify_holds_with_the_key_is_not_vouched_for_without_and_fails_when_altered(demo, command, tmp_path):
    public = ("--public-key", demo.place / "custodian.pub")
    held = command("verify", demo.bundle, *public)
    assert held.code == 0, held.out
    assert "in 5 tables keeps the schema" in held.out
    assert held.out.strip().endswith("HOLDS: every check holds, and the signer is the one whose key you gave.")
    assert command("verify", demo.bundle).code == 3
    altered = bytearray(demo.bundle.read_bytes())
    altered[len(altered) // 2] ^= 1
    (tmp_path / "altered.zip").write_bytes(altered)
    assert command("verify", tmp_path / "altered.zip", *public).code == 1
    late = command("verify", demo.bundle, *public, "--on", "2099-01-01")
    assert (late.code, "✗ validity: expired" in late.out) == (1, True)


def test_the_keys_can_be_checked_without_us(demo, command, tmp_path, monkeypatch):
    import duckdb

    with zipfile.ZipFile(demo.bundle) as bundle:
        bundle.extractall(tmp_path)
    text = command("verify", demo.bundle, "--public-key", demo.place / "custodian.pub", "--sql").out
    assert "-- ✓ rows: every one of" in text
    assert "-- not asked of synthetic/encounters.parquet, began, ended: order in time" in text
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as database:
        found = database.execute(text).fetchall()
    asked = {(file, rule): n for file, _, rule, n in found}
    assert ("synthetic/observations.parquet", "names a row of `patients`") in asked
    assert set(asked.values()) == {0}


def test_the_bundle_is_registered_limited_and_withdrawn(demo, command, tmp_path):
    register = demo.place / "runs" / "releases.json"
    listed = command("register", register)
    assert "synthea: 1 releases, together epsilon inf" in listed.out
    words = ("--out", tmp_path / "again.zip", "--key", demo.place / "custodian.key", "--recipient", "C")
    again = command("release", demo.run, *words)
    assert again.code == 2
    assert "with it the number of releases of the table is 2, and the policy allows 1" in again.err
    notice = ("--key", demo.place / "custodian.key", "--reason", "a person has objected", "--out", tmp_path / "w.json")
    kept = shutil.copy(register, tmp_path / "releases.json")
    assert command("withdraw", demo.bundle, *notice, "--register", kept).code == 0
    assert json.loads((tmp_path / "releases.json").read_text())["releases"][0]["state"] == "withdrawn"
    public = ("--public-key", demo.place / "custodian.pub", "--revocations", tmp_path / "w.json")
    said = command("verify", demo.bundle, *public)
    assert said.code == 1
    assert "The reason given: a person has objected" in said.out


def test_released_tables_are_known_again_by_the_key_alone(demo, command, tmp_path):
    with zipfile.ZipFile(demo.bundle) as bundle:
        bundle.extractall(tmp_path)
        config = json.loads(bundle.read("config.json"))
    secret = json.loads(demo.key.read_text())["secret"]
    assert config["watermark"] == {"key": config["watermark"]["key"], "candidates": 8}
    assert not any(secret.encode() in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    found = command("detect", tmp_path / "synthetic", "--key", demo.key, "--json", tmp_path / "found.json")
    assert found.code == 0, found.out
    assert "the tables bear the watermark of this key" in found.out
    told = json.loads((tmp_path / "found.json").read_text())
    assert (told["format"], told["found"], told["key"]) == (
        "synthkit-linked-detection/1", True, config["watermark"]["key"],
    )  # fmt: skip
    (tmp_path / "synthetic" / "observations.parquet").unlink()
    assert command("detect", tmp_path / "synthetic", "--key", demo.key).code == 0
    other = command("watermark-key", "--schema", DEMO_SCHEMA, "--out", tmp_path / "other.json")
    assert other.code == 0
    lost = command("detect", tmp_path / "synthetic", "--key", tmp_path / "other.json")
    assert lost.code == 1
    assert "does not show that the tables are not ours" in lost.out


def hospital(place, test="crea"):
    """The small hospital as files beside its schema, one of its two tests by another name."""
    data = json.loads(json.dumps(SMALL))
    data["tables"]["labs"]["columns"]["test"] = {"kind": "categorical", "levels": [test, "hb"]}
    LinkedSchema.parse(data).save(place / "h.yaml")
    (place / "h").mkdir()
    for name, frame in small_hospital().items():
        frame.replace("crea", test).to_csv(place / "h" / f"{name}.csv", index=False)


def fitted(command, place):
    """A model of that hospital."""
    words = ("--schema", place / "h.yaml", "-o", place / "m", "--model", "independent", "--device", "cpu")
    assert command("fit", place / "h", *words).code == 0
    return place / "m"


def test_one_table_that_somebody_found_is_enough(command, tmp_path):
    hospital(tmp_path)
    model, key, drawn = fitted(command, tmp_path), tmp_path / "k.json", tmp_path / "drawn"
    assert "3 tables" in command("watermark-key", "--schema", tmp_path / "h.yaml", "--out", key).out
    words = ("--units", 300, "--watermark", key, "--seed", 3, "--ending", ".csv", "-o", drawn)
    assert "watermarked: each of them is one of 4" in command("sample", model, *words).out
    for found in (drawn, drawn / "visits.csv", drawn / "labs.csv"):
        assert command("detect", found, "--key", key).code == 0, found
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    said = command("detect", tmp_path / "notes.csv", "--key", key)
    assert said.code == 2
    assert "must have the names the key knows" in said.err


def test_a_key_of_one_table_is_refused_for_linked_ones(command, refused, tmp_path):
    (tmp_path / "one.yaml").write_text("columns: {x: {kind: numeric}}")
    command("watermark-key", "--schema", tmp_path / "one.yaml", "--out", tmp_path / "one.json")
    hospital(tmp_path)
    model = fitted(command, tmp_path)
    words = ("--units", 5, "--watermark", tmp_path / "one.json", "-o", tmp_path / "x")
    assert "must be a key of a watermark (synthkit-linked-watermark-key/1)" in refused("sample", model, *words)


def test_what_spreadsheets_take_for_formulas_is_named_and_escaped(command, tmp_path):
    hospital(tmp_path, test="=1+1")
    model = fitted(command, tmp_path)
    plain = command("sample", model, "--units", 30, "--ending", ".csv", "-o", tmp_path / "plain")
    assert "texts of `labs.test` begin with =" in plain.err
    safe = command("sample", model, "--units", 30, "--ending", ".csv", "-o", tmp_path / "safe", "--spreadsheet-safe")
    assert "begin with" not in safe.err
    assert set(pd.read_csv(tmp_path / "safe" / "labs.csv")["test"]) == {"'=1+1", "hb"}
    assert command("validate", tmp_path / "safe", "--schema", tmp_path / "h.yaml").code == 0


def test_a_release_warns_of_columns_a_spreadsheet_may_run(command, tmp_path):
    hospital(tmp_path, test="=1+1")
    words = ("--schema", tmp_path / "h.yaml", "--out", tmp_path / "r", "--units", 20, *FAST)
    assert command("run", tmp_path / "h", *words).code == 0
    said = command("release", tmp_path / "r", "--out", tmp_path / "b.zip", "--although", "a test")
    assert said.code == 0, said.err
    assert "texts of `labs.test` begin with =" in said.err
