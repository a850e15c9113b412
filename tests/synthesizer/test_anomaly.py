"""Odd records: scores are closed forms where those are known, parts add up, planted impossibilities come out on top."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from small_hospital import SMALL, small_hospital

from synthkit.errors import UnsupportedError
from synthkit.schema import Schema
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.orphans import without_orphans
from synthkit.synthesizer.anomaly import scored_units
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables.linked_tables import LinkedTables

MIXED = Schema(
    columns={
        "sex": {"kind": "categorical", "levels": ["f", "m", "x"]},
        "age": {"kind": "numeric", "decimals": 0},
        "grade": {"kind": "ordinal", "levels": [1, 2, 3]},
        "word": {"kind": "categorical", "levels": ["one", "two", "three"]},
    },
    rules=[{"rule": "fixed_combination", "columns": ["grade", "word"]}],
)


def mixed(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    grade = rng.integers(0, 3, n)
    return pd.DataFrame(
        {
            "sex": np.where(rng.random(n) < 0.75, "f", "m"),
            "age": 20 + 10 * rng.integers(0, 3, n),
            "grade": grade + 1,
            "word": np.array(["one", "two", "three"])[grade],
        }
    )


@pytest.fixture(scope="module")
def independent() -> Synthesizer:
    return Synthesizer(MIXED, "independent").fit(mixed(), seed=0)


def smoothed(counts):
    return np.log((np.asarray(counts) + 0.1) / (np.sum(counts) + 0.1 * len(counts)))


def test_of_independent_columns_the_score_is_the_sum_of_log_shares(independent):
    """Worked by hand from the counts; every age is a point, so widths are one."""
    frame = mixed()
    sexes = smoothed([(frame["sex"] == level).sum() for level in ("f", "m", "x")])
    ages = smoothed([(frame["age"] == age).sum() for age in (20, 30, 40)])
    grades = smoothed([(frame["grade"] == grade).sum() for grade in (1, 2, 3)])
    expected = sexes[(frame["sex"] == "m").astype(int)] + ages[(frame["age"] - 20) // 10] + grades[frame["grade"] - 1]
    assert independent.anomaly_score(frame) == pytest.approx(-np.asarray(expected), abs=1e-4)
    parts = independent.anomaly_parts(frame)
    assert list(parts) == ["sex", "age", "grade+word"]
    assert parts["age"].to_numpy() == pytest.approx(-ages[(frame["age"] - 20) // 10], abs=1e-4)


def test_what_was_never_seen_pays_for_it(independent):
    """Beside what stands in its place: a combination log 400; a number outside the cells, by how far it is."""
    usual = pd.DataFrame({"sex": ["f"], "age": [40], "grade": [2], "word": ["two"]})
    base = independent.anomaly_parts(usual).iloc[0]
    most = mixed()["grade"].value_counts().idxmax()
    stands = independent.anomaly_parts(usual.assign(grade=most, word=["one", "two", "three"][most - 1])).iloc[0]
    odd = independent.anomaly_parts(usual.assign(word="three")).iloc[0]
    assert odd["grade+word"] == pytest.approx(stands["grade+word"] + np.log(400), abs=1e-4)
    assert odd[["sex", "age"]].to_numpy() == pytest.approx(base[["sex", "age"]].to_numpy())
    for age in (41, 60, 400):
        beyond = independent.anomaly_parts(usual.assign(age=age)).iloc[0]["age"]
        assert beyond == pytest.approx(base["age"] + np.log(400) + np.log(20) + 2 * np.log1p((age - 40) / 20), abs=1e-4)


def test_levels_and_missing_cells_nobody_declared_are_odd_and_not_refused(independent):
    usual = pd.DataFrame({"sex": ["f"], "age": [40], "grade": [2], "word": ["two"]})
    base = independent.anomaly_score(usual)[0]
    for strange in ({"sex": "q"}, {"sex": None}):
        assert independent.anomaly_score(usual.assign(**strange))[0] == pytest.approx(base + np.log(400), abs=1e-4)
    assert independent.anomaly_score(usual.assign(age=np.nan))[0] > base + np.log(400) - 0.5


def test_the_width_of_a_cell_counts():
    """Uniform numbers cost the log of the range; in sample less by half a degree of freedom a cell, 1,000 / 40,000."""
    schema = Schema(columns={"x": {"kind": "numeric"}})
    x = pd.DataFrame({"x": np.random.default_rng(0).random(20_000) * 50})
    score = Synthesizer(schema, "independent").fit(x, seed=0).anomaly_score(x)
    assert score.mean() == pytest.approx(np.log(50) - 0.025, abs=0.01)


@pytest.mark.parametrize("model", ["autoregressive", "tvae"])
def test_parts_add_up_to_the_score(model):
    settings = {"width": 16, "hidden": 8, "steps": 20}
    fitted = Synthesizer(MIXED, model, settings=settings, device="cpu").fit(mixed(), seed=0)
    frame = mixed(50, 1)
    parts = fitted.anomaly_parts(frame, seed=3)
    assert list(parts) == ["sex", "age", "grade+word"] + (["(latent code)"] if model == "tvae" else [])
    assert fitted.anomaly_score(frame, seed=3) == pytest.approx(parts.sum(axis=1).to_numpy())
    if model == "autoregressive":
        assert fitted.anomaly_score(frame) == pytest.approx(-fitted.log_prob(frame), abs=1e-4)
    else:
        assert not np.array_equal(fitted.anomaly_score(frame, seed=4), fitted.anomaly_score(frame, seed=3))


def test_a_model_without_a_likelihood_says_so():
    settings = {"noise": 4, "width": 8, "critic_width": 8, "steps": 2, "batch_size": 64, "odds_batch": 64}
    fitted = Synthesizer(MIXED, "ctgan", settings=settings, device="cpu").fit(mixed(), seed=0)
    with pytest.raises(UnsupportedError, match="Use one of autoregressive, independent, marginal, tvae"):
        fitted.anomaly_score(mixed(5))


def test_units_have_the_numbers_of_the_file_and_the_parts_of_their_rows():
    """Scores of rows are summed by the patient they name; the first patient has no key, and is left out."""
    frames, schema = small_hospital(), LinkedSchema.parse(SMALL)
    frames["patients"].loc[0, "patient"] = None
    cells = without_orphans(frames, schema)
    typed = LinkedTables.of(cells.frames, schema).frames
    scores = {"labs": typed["labs"]["value"].to_numpy(), "visits": np.ones(len(typed["visits"]))}
    own = np.random.default_rng(0).permutation(len(typed["patients"])) * 100.0
    odd = scored_units({"patients": own, **scores}, cells, schema).set_index("(row)")
    assert odd["(score)"].tolist() == sorted(own, reverse=True)
    who = frames["patients"]["patient"][odd.index - 1]
    assert odd["labs"].tolist() == pytest.approx(frames["labs"].groupby("patient")["value"].sum()[who].tolist())
    assert odd["visits"].tolist() == frames["visits"]["patient"].value_counts().reindex(who, fill_value=0).tolist()
    assert odd[["patients", "visits", "labs"]].sum(axis=1).tolist() == pytest.approx(odd["(score)"].tolist())


PLANTED = [
    {"sex": "Male", "relationship": "Wife", "marital_status": "Never-married", "occupation": "Priv-house-serv"}
    | {"education": "Preschool", "education_num": 1, "hours_per_week": 1, "income": ">50K"},
    {"age": 17, "marital_status": "Widowed", "sex": "Male", "relationship": "Wife", "education": "Doctorate"},
    {"age": 90, "relationship": "Own-child", "sex": "Female", "occupation": "Armed-Forces", "hours_per_week": 99}
    | {"workclass": "Without-pay", "education": "Doctorate", "education_num": 16, "income": ">50K"},
]


@pytest.mark.skipif("SYNTHKIT_DATA" not in os.environ, reason="SYNTHKIT_DATA does not say where the real tables are")
@pytest.mark.parametrize("model", ["autoregressive", "tvae"])
def test_impossible_people_come_out_on_top(model):
    """Each is a record of the census with a few cells changed, scored among 3,000 records that were not trained on."""
    folder = Path(os.environ["SYNTHKIT_DATA"]) / "adult"
    schema = Schema.load(ROOT / "schemas" / "adult.yaml")
    train, fresh = (
        pd.read_parquet(folder / f"{part}.parquet").head(n) for part, n in (("train", 6000), ("test", 3000))
    )
    settings = {"width": 64, "hidden": 32, "steps": 400}
    fitted = Synthesizer(schema, model, settings=settings, device="cpu").fit(train, seed=0)
    victims = fresh.sample(len(PLANTED), random_state=0).reset_index(drop=True).astype(object)
    for k, cells in enumerate(PLANTED):
        for name, value in cells.items():
            victims.loc[k, name] = value
    scores = fitted.anomaly_score(pd.concat([fresh, victims], ignore_index=True))
    usual, planted = scores[:3000], scores[3000:]
    assert (planted > np.quantile(usual, 0.99)).all()
