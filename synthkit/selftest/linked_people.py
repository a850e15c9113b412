"""Made-up patients with visits and laboratory values, of whom some are copied whole, some by their rows, some not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables
from synthkit.tables.stacked_tables import stacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.pipeline.linked.unit_split import UnitSplit

_KEY, _DAY = {"kind": "identifier"}, {"kind": "datetime", "precision": "day"}
_OWNER = {"columns": ["patient"], "to": "patients", "kind": "owner", "max_rows_per_owner": 12}
PATIENTS_SCHEMA = LinkedSchema.parse(
    {
        "format": "synthkit-linked/1",
        "unit": "patients",
        "tables": {
            "patients": {
                "key": ["patient"],
                "columns": {
                    "patient": _KEY,
                    "sex": {"kind": "categorical", "levels": ["F", "M"]},
                    "born": {"kind": "numeric", "decimals": 0},
                    "height": {"kind": "numeric", "decimals": 1},
                },
            },
            "visits": {
                "links": [_OWNER],
                "order": {"from": "admitted"},
                "columns": {
                    "patient": _KEY,
                    "admitted": _DAY,
                    "ward": {"kind": "categorical", "levels": ["A", "B", "C", "D"]},
                    "cost": {"kind": "numeric", "decimals": 2},
                },
                "secrets": ["cost"],
            },
            "labs": {
                "links": [_OWNER],
                "order": {"from": "taken"},
                "series": "test",
                "columns": {
                    "patient": _KEY,
                    "taken": _DAY,
                    "test": {"kind": "categorical", "levels": ["crea", "hb", "na"]},
                    "value": {"kind": "numeric", "decimals": 2},
                },
            },
        },
    }
)
FEWEST_ROWS, MEAN_MORE_VISITS, MEAN_MORE_LABS, MOST_ROWS_EACH = 2, 1.0, 2.0, 12
DAYS = 1500  # in which everything happens


def linked_people(patients: int, rng: np.random.Generator) -> LinkedTables:
    """So many patients of a law known in full: labs depend on the patient, what a visit costs on nothing at all."""
    keys = np.array([f"P{k}" for k in range(patients)], dtype=object)
    sex, level = rng.choice(["F", "M"], patients), rng.normal(5, 1, patients)
    own = pd.DataFrame(
        {
            "patient": keys,
            "sex": sex,
            "born": rng.integers(1920, 2000, patients),
            "height": (rng.normal(165, 7, patients) + 12 * (sex == "M")).round(1),
        }
    )
    visits, labs = (_owners(patients, mean, rng) for mean in (MEAN_MORE_VISITS, MEAN_MORE_LABS))
    visited = pd.DataFrame(
        {
            "patient": keys[visits],
            "admitted": _days(len(visits), rng),
            "ward": rng.choice(list("ABCD"), len(visits), p=[0.4, 0.3, 0.2, 0.1]),
            "cost": rng.gamma(4, 50, len(visits)).round(2),
        }
    )
    measured = pd.DataFrame(
        {
            "patient": keys[labs],
            "taken": _days(len(labs), rng),
            "test": rng.choice(["crea", "hb", "na"], len(labs)),
            "value": (level[labs] + rng.normal(0, 0.5, len(labs))).round(2),
        }
    )
    return LinkedTables.of({"patients": own, "visits": visited, "labs": measured}, PATIENTS_SCHEMA)


def _owners(patients: int, mean: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Number of the patient of each row."""
    return np.repeat(np.arange(patients), np.minimum(FEWEST_ROWS + rng.poisson(mean, patients), MOST_ROWS_EACH))


def _days(rows: int, rng: np.random.Generator) -> NDArray[np.datetime64]:
    return np.datetime64("2015-01-01", "s") + rng.integers(0, DAYS, rows) * np.timedelta64(86_400, "s")


@dataclass(frozen=True)
class LinkedExperiment:
    """Patients who were split by coins, and a release in which it is known who stands and how.

    Args:
        split: who is trained on, held out, attacked, and the reference.
        released: the synthetic tables.
        whole: numbers, among the people attacked, of those copied with their own row and all rows below it.
        rows: of those whose rows below are copied, under the own row of somebody else.
    """

    split: UnitSplit
    released: LinkedTables
    whole: NDArray[np.intp]
    rows: NDArray[np.intp]

    @classmethod
    def of(cls, rng: np.random.Generator, *, patients: int, copied: int, fresh: int) -> LinkedExperiment:
        """Patients of whom half are attacked; of the members so many are copied whole, and as many by their rows.

        Args:
            rng: source of people and coins.
            patients: in all.
            copied: members copied in either way.
            fresh: other people of the same law among the synthetic ones.
        """
        from synthkit.pipeline.linked.unit_split import draw_unit_roles, split_of_roles
        from synthkit.pipeline.split import Shares

        tables = linked_people(patients, rng)
        shares = Shares(train=0.1, pool=0.65, reference=0.25, test=0.0)
        split = split_of_roles(tables, draw_unit_roles(tables, rng, shares).roles, rng)
        members = rng.permutation(np.flatnonzero(split.pool.member))
        whole, rows = np.sort(members[:copied]), np.sort(members[copied : 2 * copied])
        parts = [linked_people(fresh, rng)]
        if copied:
            parts += [split.pool.tables.take(whole), under_others(split.pool.tables.take(rows), rng)]
        return cls(split, stacked(parts), whole, rows)

    @property
    def neither(self) -> NDArray[np.intp]:
        """Numbers of members of whom nothing is copied."""
        copied = np.concatenate([self.whole, self.rows])
        return np.setdiff1d(np.flatnonzero(self.split.pool.member), copied)

    @property
    def outside(self) -> NDArray[np.intp]:
        """Numbers of people attacked who were not trained on."""
        return np.flatnonzero(~self.split.pool.member)

    def comparison(self) -> LinkedEvaluationData:
        """The release beside the people it was made of, and those it was not."""
        split = self.split
        return LinkedEvaluationData(train=split.train, holdout=split.holdout, synthetic=self.released, pool=split.pool)


def under_others(tables: LinkedTables, rng: np.random.Generator) -> LinkedTables:
    """The same rows below other people of the same law.

    Args:
        tables: patients with their rows.
        rng: source of those other people.
    """
    unit = tables.schema.unit
    others = linked_people(len(tables.frames[unit]), rng).frames[unit]
    return replace(tables, frames={**tables.frames, unit: others}, validation=None)
