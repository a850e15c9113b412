"""A made hospital of a known law, and small tables by hand, as sides of a comparison."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from benchmarks.linked import made_hospital
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.metrics.runner import one_thread
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

KEY = {"kind": "identifier"}
PERSON = {"columns": ["id"], "to": "people", "kind": "owner"}
CLINIC = LinkedSchema.parse(
    {
        "unit": "people",
        "tables": {
            "people": {
                "key": ["id"],
                "end": "gone",
                "columns": {
                    "id": KEY,
                    "sex": {"kind": "categorical", "levels": ["F", "M"]},
                    "gone": {"kind": "numeric", "nullable": True},
                    "paid": {"kind": "numeric", "nullable": True},
                },
            },
            "visits": {
                "key": ["visit"],
                "links": [{**PERSON, "max_rows_per_owner": 9}],
                "order": {"from": "start", "until": "stop"},
                "columns": {
                    "visit": KEY,
                    "id": KEY,
                    "start": {"kind": "numeric"},
                    "stop": {"kind": "numeric"},
                    "ward": {"kind": "categorical", "levels": ["a", "b", "c"]},
                    "cost": {"kind": "numeric"},
                },
            },
            "codes": {
                "position": "n",
                "links": [
                    {"columns": ["visit"], "to": "visits", "kind": "owner"},
                    {"columns": ["id"], "to": "people", "kind": "implied"},
                    {"columns": ["code"], "to": "catalogue", "kind": "reference"},
                ],
                "columns": {
                    "visit": KEY,
                    "id": KEY,
                    "n": {"kind": "numeric", "decimals": 0},
                    "code": {"kind": "code"},
                },
            },
            "labs": {
                "links": [PERSON, {"columns": ["visit"], "to": "visits", "kind": "earlier", "open": True}],
                "order": {"from": "at"},
                "series": "test",
                "columns": {
                    "id": KEY,
                    "visit": {**KEY, "nullable": True},
                    "at": {"kind": "numeric"},
                    "test": {"kind": "categorical", "levels": ["x", "y"]},
                    "value": {"kind": "numeric", "nullable": True},
                },
            },
            "catalogue": {"role": "reference", "key": ["code"]},
        },
        "rules": [
            {"rule": "within", "table": "labs", "of": "visits"},
            {"rule": "nothing_after", "moment": "people.gone"},
            {"rule": "total", "parent": "people.paid", "child": "visits.cost"},
            {"rule": "once", "table": "codes", "columns": ["code"], "when": {"code": {"in": ["k0"]}}},
        ],
        "targets": [
            {"name": "high", "at": "labs", "event": {"table": "labs", "when": {"value": {"min": 1}}}, "within": "10"},
            {"name": "ward a", "at": "visits", "column": "ward", "positive": "a"},
            {"name": "next", "at": "visits", "event": {"table": "visits", "when": {"ward": {"in": ["b"]}}},
             "within": "1 rows"},
        ],
    }
)  # fmt: skip


def clinic_frames(people: int, seed: int) -> dict[str, pd.DataFrame]:
    """People with visits that do not overlap, codes of visits, and labs; every rule holds."""
    rng = np.random.default_rng(seed)
    names = np.array([f"p{k:04d}" for k in range(people)], dtype=object)
    owner = np.repeat(np.arange(people), rng.integers(0, 7, people))
    place = np.concatenate([np.arange(n) for n in np.bincount(owner, minlength=people)]).astype(float)
    start = place * 20 + rng.integers(0, 10, len(owner))
    visits = pd.DataFrame(
        {
            "visit": [f"v{k:05d}" for k in range(len(owner))],
            "id": names[owner],
            "start": start,
            "stop": start + rng.integers(1, 9, len(owner)),
            "ward": rng.choice(list("abc"), len(owner), p=[0.5, 0.3, 0.2]),
            "cost": rng.integers(1, 50, len(owner)).astype(float),
        }
    )
    of = np.repeat(np.arange(len(owner)), rng.integers(0, 4, len(owner)))
    numbers = np.concatenate([np.arange(n) for n in np.bincount(of, minlength=len(owner))])
    codes = visits.loc[of, ["visit", "id"]].assign(
        n=numbers + 1.0, code=[f"k{c}" for c in 1 + rng.integers(0, 6, len(of))]
    )
    lab = np.repeat(np.arange(people), rng.integers(0, 9, people))
    level = rng.normal(size=people)
    labs = pd.DataFrame({"id": names[lab], "visit": None, "at": rng.integers(0, 130, len(lab)).astype(float)})
    labs["test"], labs["value"] = rng.choice(["x", "y"], len(lab)), (level[lab] + rng.normal(size=len(lab))).round(1)
    paid = visits.groupby("id")["cost"].sum().reindex(names).fillna(0.0).to_numpy()
    who = pd.DataFrame({"id": names, "sex": rng.choice(["F", "M"], people), "gone": 999.0, "paid": paid})
    catalogue = pd.DataFrame({"code": [f"k{c}" for c in range(8)]})
    return {
        "people": who,
        "visits": visits,
        "codes": codes.reset_index(drop=True),
        "labs": labs,
        "catalogue": catalogue,
    }


@cache
def clinic_tables(people: int, seed: int) -> LinkedTables:
    return LinkedTables.of(clinic_frames(people, seed), CLINIC)


@cache
def hospital_tables(units: int, seed: int) -> LinkedTables:
    return LinkedTables.of(made_hospital.tables(units, seed), made_hospital.schema())


@pytest.fixture(autouse=True)
def _calm():
    with one_thread():
        yield


@pytest.fixture
def frames():
    return clinic_frames


@pytest.fixture
def clinic():
    return clinic_tables


@pytest.fixture
def hospital():
    return hospital_tables


@pytest.fixture
def compare():
    """A comparison of a synthetic clinic with two others of the same law; and its sides."""

    def build(synthetic, *, train=None, holdout=None):
        train = clinic_tables(150, 1) if train is None else train
        holdout = clinic_tables(120, 2) if holdout is None else holdout
        return LinkedEvaluationData(train=train, holdout=holdout, synthetic=synthetic)

    return build


@pytest.fixture
def damaged():
    """The clinic of a seed with one table changed before it is typed and sorted."""

    def build(table, change, people=130, seed=3):
        frames = clinic_frames(people, seed)
        return LinkedTables.of({**frames, table: change(frames[table].copy())}, CLINIC)

    return build


@pytest.fixture
def side_of(compare):
    def build(tables):
        return LinkedSide(tables, compare(tables).types)

    return build
