"""The null law of linked tables is kept whatever they are; the mark outlives lost units, rows and tables."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from pydantic import SecretStr
from scipy.stats import chi2, kstest
from small_hospital import SMALL, small_hospital

from synthkit.errors import ArtefactError, ConfigError, TableError
from synthkit.schema.linked import LinkedSchema
from synthkit.watermark import UnitWatermarkKey, WatermarkKey, choose_units, detect, detect_units
from synthkit.watermark.either_key import load_key
from synthkit.watermark.unit_detection import SMALLEST_P, combined_p

SCHEMA = LinkedSchema.parse(SMALL)
KEYS = 120


def of(k, candidates=4):
    return UnitWatermarkKey.new(SCHEMA, candidates=candidates).model_copy(update={"secret": SecretStr(f"{k:064x}")})


def marked(key, units, seed=0):
    """Patients chosen by a key among those of several made-up hospitals."""
    made = [small_hospital(units, seed=100 * seed + k + 1) for k in range(key.candidates)]
    number = {f"P{i:03d}": i for i in range(units)}
    where = {
        name: np.concatenate([each[name]["patient"].map(number).to_numpy() + k * units for k, each in enumerate(made)])
        for name in SCHEMA.tables
    }
    frames = {name: pd.concat([each[name] for each in made], ignore_index=True) for name in SCHEMA.tables}
    which = choose_units(frames, where, units * key.candidates, key, np.random.default_rng(seed))
    kept = which * units + np.arange(units)
    return {name: frame[np.isin(where[name], kept)].reset_index(drop=True) for name, frame in frames.items()}


def odd(kind):
    """Tables on which a careless count goes wrong."""
    frames = small_hospital(60, seed=7)
    if kind == "copies":
        return {name: pd.concat([frame] * 4) for name, frame in frames.items()}
    if kind == "one table":
        return {"labs": frames["labs"]}
    if kind == "few columns":
        return {"patients": frames["patients"][["sex"]], "labs": frames["labs"][["taken", "value"]]}
    if kind == "constant":
        return {
            name: frame.assign(**{c: frame[c].iloc[1] for c in list(frame)[1:-1]}) for name, frame in frames.items()
        }
    return frames


@pytest.mark.parametrize("kind", ["plain", "copies", "one table", "few columns", "constant"])
def test_p_values_of_fixed_tables_are_uniform_over_keys_or_larger(kind):
    """One-sided Kolmogorov-Smirnov: nowhere more small values than a uniform law has."""
    frames = odd(kind)
    p = [detect_units(frames, of(k)).p for k in range(KEYS)]
    assert kstest(p, "uniform", alternative="greater").pvalue > 1e-3
    assert min(p) > 1e-5
    assert np.mean(np.array(p) <= 0.1) < 0.17


def test_tables_marked_with_one_key_are_plain_to_others():
    frames = marked(of(1), 100)
    p = [detect_units(frames, of(k)).p for k in range(2, KEYS)]
    assert kstest(p, "uniform", alternative="greater").pvalue > 1e-3
    assert detect_units(frames, of(1)).p < 1e-9


@pytest.mark.parametrize("candidates", [2, 4, 8])
def test_marked_tables_are_found_and_more_candidates_mark_more_strongly(candidates):
    key = of(1, candidates)
    found = detect_units(marked(key, 200), key)
    assert found.p < {2: 1e-8, 4: 1e-20, 8: 1e-30}[candidates]
    assert found.found()
    assert list(found.tables) == ["patients", "visits", "labs"] == list(found.tables_of_key)
    assert found.tables["labs"].heads > found.tables["labs"].coins / 2


LOST = ["half the units", "patients", "visits", "labs", "half the rows", "a column", "cells", "mixed in", "keys"]


@pytest.mark.parametrize("damage", LOST)
def test_damaged_tables_are_found(damage):
    key, rng = of(1), np.random.default_rng(5)
    frames = marked(key, 300)
    if damage == "half the units":
        kept = set(rng.permutation(300)[:150])
        frames = {n: f[f["patient"].str[1:].astype(int).isin(kept)] for n, f in frames.items()}
    if damage in SCHEMA.tables:
        frames = {name: frame for name, frame in frames.items() if name != damage}
    if damage == "half the rows":
        frames = {name: frame.sample(frac=0.5, random_state=1) for name, frame in frames.items()}
    if damage == "a column":
        frames = {**frames, "labs": frames["labs"].drop(columns="taken")}
    if damage == "cells":
        hit = rng.random(len(frames["labs"])) < 0.1
        labs = frames["labs"].copy()
        labs.loc[hit, "value"] = rng.permutation(labs["value"][hit].to_numpy())
        frames = {**frames, "labs": labs}
    if damage == "mixed in":
        frames = {name: pd.concat([frame, small_hospital(200, 99)[name]]) for name, frame in frames.items()}
    if damage == "keys":
        frames = {name: frame.drop(columns="patient") for name, frame in frames.items()}
    assert detect_units(frames, key).found()


def test_order_of_rows_copies_other_columns_and_other_tables_change_nothing():
    key = of(1)
    frames = marked(key, 60)
    mixed = {n: pd.concat([f, f.head(9)]).sample(frac=1, random_state=1).assign(more=1) for n, f in frames.items()}
    assert detect_units({**mixed, "notes": pd.DataFrame({"x": [1]})}, key) == detect_units(frames, key)


def test_csv_files_say_the_same():
    key = of(1)
    frames = marked(key, 60)
    again = {name: pd.read_csv(io.StringIO(frame.to_csv(index=False))) for name, frame in frames.items()}
    assert detect_units(again, key) == detect_units(frames, key)


def test_one_p_of_several_is_fishers():
    frames = small_hospital(60, seed=3)
    found = detect_units(frames, of(4))
    each = [detect(frames[name], of(4).of_table(name)).p for name in SCHEMA.tables]
    assert found.p == pytest.approx(chi2.sf(-2 * np.log(each).sum(), 6))
    assert combined_p([found.tables["labs"]]) == pytest.approx(found.tables["labs"].p)
    none = detect(frames["labs"].head(0), of(4).of_table("labs"))
    assert combined_p([none]) == 1.0
    assert combined_p([none, found.tables["labs"]]) == combined_p([found.tables["labs"]])
    assert 0 < SMALLEST_P < 1e-200


def test_as_plain_data():
    told = detect_units(small_hospital(40), of(1)).to_dict()
    assert told["format"] == "synthkit-linked-detection/1"
    assert set(told) == {"format", "tables", "tables_of_key", "p"}
    assert json.loads(json.dumps(told))["tables"]["labs"]["columns_of_key"] == 3


def test_tables_of_other_names_are_refused():
    frames = small_hospital(40)
    with pytest.raises(TableError, match="must have the names the key knows"):
        detect_units({name.upper(): frame for name, frame in frames.items()}, of(1))
    with pytest.raises(TableError, match="has none of them"):
        detect_units({"labs": frames["labs"][["patient"]]}, of(1))


# keys


def test_a_key_marks_values_and_moments_of_units_and_nothing_else():
    data = json.loads(json.dumps(SMALL))
    tables = data["tables"]
    tables["visits"]["columns"] |= {"place": {"kind": "numeric", "decimals": 0}, "double": {"kind": "numeric"}}
    tables["visits"] |= {"position": "place", "derived": {"double": "2 * cost"}}
    tables["d_tests"] = {"role": "reference", "key": ["test"], "columns": {"test": {"kind": "code"}}}
    key = UnitWatermarkKey.new(LinkedSchema.parse(data))
    names = {table: [column.name for column in columns] for table, columns in key.tables.items()}
    assert names == {
        "patients": ["sex", "born"],
        "visits": ["admitted", "left", "cost"],
        "labs": ["taken", "test", "value"],
    }


def test_a_key_is_saved_read_back_and_told_from_one_of_a_table(schema, tmp_path):
    key, other = of(7), WatermarkKey.new(schema)
    key.save(tmp_path / "linked.json")
    other.save(tmp_path / "one.json")
    assert load_key(tmp_path / "linked.json") == key == UnitWatermarkKey.load(tmp_path / "linked.json")
    assert load_key(tmp_path / "one.json") == other
    assert key.secret.get_secret_value() not in f"{key} {key!r} {key.model_dump_json()}"
    for kind, name in ((WatermarkKey, "linked.json"), (UnitWatermarkKey, "one.json")):
        with pytest.raises(ArtefactError, match="must be a key of a watermark"):
            kind.load(tmp_path / name)
    (tmp_path / "text.json").write_text("no key")
    for name in ("text.json", "absent.json"):
        with pytest.raises(ArtefactError, match="key"):
            load_key(tmp_path / name)


def test_each_table_has_coins_of_its_own():
    key = of(1)
    secrets = {key.of_table(name).secret.get_secret_value() for name in SCHEMA.tables}
    assert len(secrets | {key.secret.get_secret_value()}) == 4
    assert key.of_table("labs") == of(1).of_table("labs")
    assert key.of_table("labs") != of(2).of_table("labs")
    assert isinstance(key.of_table("labs").secret, SecretStr)


def test_a_key_of_other_tables_is_refused():
    key = of(1)
    assert key.of(SCHEMA) is key
    data = json.loads(json.dumps(SMALL))
    del data["tables"]["labs"]
    del data["tables"]["visits"]["columns"]["cost"]
    with pytest.raises(ConfigError, match=r"there is no visits\.cost, labs\.taken"):
        key.of(LinkedSchema.parse(data))


def test_a_key_of_keys_alone_and_odd_numbers_of_candidates_are_refused():
    people = {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}
    with pytest.raises(ConfigError, match="the tables hold keys alone"):
        UnitWatermarkKey.new(LinkedSchema(unit="people", tables={"people": people}))
    with pytest.raises(ConfigError, match="must be 2 to 64"):
        UnitWatermarkKey.new(SCHEMA, candidates=1)
