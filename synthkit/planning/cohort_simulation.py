"""A cohort made up from a schema, fitted and attacked: what so many people can be expected to give away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.generalisation_gap import generalisation_gap
from synthkit.metrics.attacks.membership_inference import attack_scores
from synthkit.metrics.attacks.membership_scores import mean_rank
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.stats import intervals
from synthkit.planning.imagined_domain import CATALOGUE, MISSING_SHARE
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.columns import Column
from synthkit.schema.conform import conform
from synthkit.synthesizer.synthesizer import Synthesizer

HIDDEN_CLASSES = 4  # of people, which cells follow
COHORT_SEED = 20
HELD_OUT = 2  # people held out, for each that is fitted: some are attacked, others are what an attacker knows


@dataclass(frozen=True, kw_only=True)
class SimulatedCohort:
    """What came of made-up people.

    Args:
        membership: AUC of telling people fitted from people held out, with its interval by DeLong.
        likeness: three-way similarity of the drawn rows to people held out, less that of the people fitted.
    """

    membership: intervals.Interval
    likeness: float


def imagined_cohort(schema: Schema, people: int, tie: float, rng: np.random.Generator) -> tuple[Schema, pd.DataFrame]:
    """People made up from a schema, and the schema they keep: numbers and moments from 0 to 1, levels by number.

    Numbers are uniform, levels come in shares of 1, 1/2, 1/3 and so on. With probability `tie` a cell follows one of
    four hidden classes of its person. Rules are not looked at, and who owns several rows is one person with one.

    Args:
        schema: meaning of the columns.
        people: how many.
        tie: probability to follow, 0 for independent columns.
        rng: of the people, who are nobody.

    Example:
        >>> schema = Schema(columns={"age": {"kind": "numeric"}, "ill": {"kind": "boolean"}})
        >>> kept, made = imagined_cohort(schema, 50, 0.4, np.random.default_rng(1))
        >>> list(made), len(made), kept.columns["ill"].kind
        (['age', 'ill'], 50, 'categorical')
    """
    hidden = rng.integers(HIDDEN_CLASSES, size=people)
    columns: dict[str, dict[str, Any]] = {}
    cells: dict[str, NDArray[np.object_]] = {}
    for name in schema.learned:
        column = schema.columns[name]
        at = rng.random(people)
        at = np.where(rng.random(people) < tie, (hidden + at) / HIDDEN_CLASSES, at)
        columns[name], made = _imagined_column(column, at)
        cells[name] = made.astype(object)
        if column.nullable:
            cells[name][rng.random(people) < MISSING_SHARE] = None
    kept = Schema.model_validate({"columns": columns})
    return kept, conform(pd.DataFrame(cells), kept)


def _imagined_column(column: Column, at: NDArray[np.float64]) -> tuple[dict[str, Any], NDArray[Any]]:
    """What an imagined column means, and its cells at places of its law. **Shape**: (n,) -> (n,)."""
    if column.kind in ("numeric", "datetime"):
        return {"kind": "numeric", "min": 0.0, "max": 1.0, "decimals": 3, "nullable": column.nullable}, at.round(3)
    levels = 2 if column.kind == "boolean" else len(getattr(column, "levels", None) or range(CATALOGUE))
    law = 1 / np.arange(1.0, 1 + levels)
    place = np.minimum(np.searchsorted((law / law.sum()).cumsum(), at, side="right"), levels - 1)
    names = [str(level) for level in range(levels)]
    return {"kind": "categorical", "levels": names, "nullable": column.nullable}, np.array(names, dtype=object)[place]


def simulate_cohort(
    schema: Schema, people: int, model: str, settings: Mapping[str, Any], *, tie: float
) -> SimulatedCohort:
    """Fit a model to people made up from a schema, draw as many, and attack them; nobody is read.

    Args:
        schema: meaning of the columns.
        people: how many are fitted; twice as many are held out.
        model: name of the model.
        settings: other than its defaults.
        tie: how much columns depend on a hidden class.

    Raises:
        MetricError: there are too few people to attack.
    """
    seeds = Seeds(COHORT_SEED)
    kept, frame = imagined_cohort(schema, people * (1 + HELD_OUT), tie, seeds.numpy("people"))
    train, holdout = frame.iloc[:people].reset_index(drop=True), frame.iloc[people:].reset_index(drop=True)
    made = Synthesizer(kept, model, settings=settings, margins=False).fit(train, seed=COHORT_SEED)
    drawn = conform(made.sample(people, seed=COHORT_SEED + 1), kept)
    comparison = EvaluationData(train=train, holdout=holdout, synthetic=(drawn,), schema=kept)
    pool, rng = comparison.attacked, seeds.numpy("attack")
    data = AttackData.of(drawn, pool.reference, pool.frame, kept, rng)
    _, panels = generalisation_gap(comparison, seeds.numpy("gap"))
    gaps = panels["generalisation"]["gaps"] if panels else []
    return SimulatedCohort(
        membership=intervals.delong(mean_rank(attack_scores(data, pool, rng)), pool.member),
        likeness=gaps[-1]["holdout"] - gaps[-1]["floor"] if gaps else 0.0,
    )
