"""Made-up people from a law known in full, split by fair coins, so that what leaks is known before it is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Law = Callable[[int, np.random.Generator], pd.DataFrame]

PEOPLE_SCHEMA = Schema.model_validate(
    {
        "name": "people",
        "columns": {
            "age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0},
            "height": {"kind": "numeric", "min": 100, "max": 250, "decimals": 1},
            "pressure": {"kind": "numeric", "min": 0, "max": 400, "decimals": 1},
            "balance": {"kind": "numeric", "min": -100, "max": 100, "decimals": 2},
            "glucose": {"kind": "numeric", "min": 0, "decimals": 2},
            "sex": {"kind": "categorical", "levels": ["f", "m"]},
            "ward": {"kind": "categorical", "levels": ["A", "B", "C", "D", "E"]},
            "rare": {"kind": "categorical", "levels": ["no", "yes"]},
        },
        "quasi_identifiers": ["age", "sex", "ward"],
        "secrets": ["rare", "glucose"],
        "targets": [{"column": "glucose", "task": "regression"}],
    }
)


def people(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Five numbers, partly dependent and heavy in the tails; two columns of levels; and one that depends on none."""
    sex, ward = rng.choice(["f", "m"], rows), rng.choice(list("ABCDE"), rows, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    age = np.clip(rng.normal(60, 15, rows).round(), 18, 110)
    return pd.DataFrame(
        {
            "age": age,
            "height": np.clip(rng.normal(165, 7, rows) + 12 * (sex == "m"), 120, 230).round(1),
            "pressure": np.clip(90 + 0.5 * age + 8 * rng.standard_t(4, rows), 20, 390).round(1),
            "balance": np.clip(6 * rng.standard_t(4, rows), -100, 100).round(2),
            "glucose": np.exp(1.6 + 0.004 * age + 0.3 * (ward == "C") + 0.25 * rng.normal(size=rows)).round(2),
            "sex": sex,
            "ward": ward,
            "rare": np.where(rng.random(rows) < 0.02, "yes", "no"),
        }
    )


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """People who were split by coins, before anything is synthesised.

    Args:
        pool: who is attacked.
        train: rows that were trained on: the heads of the pool, and others.
        holdout: rows that were not: the tails of the pool.
        schema: what the columns mean.
    """

    pool: AttackTargets
    train: pd.DataFrame
    holdout: pd.DataFrame
    schema: Schema = PEOPLE_SCHEMA

    @classmethod
    def of(
        cls, rng: np.random.Generator, *, units: int = 2_000, schema: Schema = PEOPLE_SCHEMA, law: Law | None = None
    ) -> Experiment:
        """About `units` attacked people, half as many for reference, and half as many who are trained on anyway."""
        from synthkit.pipeline.split import Shares, split

        table = (law or people)(2 * units, rng)
        parts = split(table, schema, rng, shares=Shares(train=0.25, pool=0.5, reference=0.25, test=0.0))
        return cls(pool=parts.attacked(), train=parts.train_frame(), holdout=parts.holdout_frame(), schema=schema)

    def members(self, mask: NDArray[np.bool_] | None = None) -> pd.DataFrame:
        """Rows of attacked people who were trained on, of those in a mask of units."""
        chosen = self.pool.member if mask is None else self.pool.member & mask
        return self.pool.frame.loc[chosen[self.pool.unit]].reset_index(drop=True)

    def against(self, *synthetic: pd.DataFrame) -> EvaluationData:
        """The comparison of these people with synthetic draws."""
        return EvaluationData(
            train=self.train, holdout=self.holdout, synthetic=synthetic, schema=self.schema, pool=self.pool
        )

    def thrown_again(self, rng: np.random.Generator) -> Experiment:
        """The same people, if the coins had fallen otherwise: what leaks nothing must find nothing then too."""
        return replace(self, pool=replace(self.pool, member=rng.random(len(self.pool.member)) < 0.5))


def with_isolated(experiment: Experiment, fresh: pd.DataFrame, share: float) -> pd.DataFrame:
    """Fresh rows of which a share is replaced by verbatim copies of the most isolated members."""
    from synthkit.metrics.stats.distances import DistanceSpace

    members = experiment.members()
    space = DistanceSpace.fit(experiment.pool.frame, experiment.schema)
    at = space.coordinates(members)
    far = space.nearest(at, at, 2)[0][:, 1]
    many = round(share * len(fresh))
    copies = members.iloc[np.argsort(-far, kind="stable")[:many]]
    return pd.concat([copies, fresh.iloc[many:]], ignore_index=True)


def shuffled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Every column in an order of its own: nothing but single columns is left of the law."""
    return pd.DataFrame({name: frame[name].to_numpy()[rng.permutation(len(frame))] for name in frame})


def jittered(frame: pd.DataFrame, scale: float, rng: np.random.Generator, columns: Sequence[str]) -> pd.DataFrame:
    """Copies with normal noise on some numbers, in standard deviations of theirs."""
    noisy = {c: frame[c] + scale * frame[c].std() * rng.normal(size=len(frame)) for c in columns}
    return frame.assign(**noisy)
