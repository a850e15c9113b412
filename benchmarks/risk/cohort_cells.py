"""One fit of a small cohort: what its rows are worth, what an attacker makes of them, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.tables.real_tables import parts, schema
from synthkit.errors import MetricError
from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.generalisation_gap import generalisation_gap
from synthkit.metrics.attacks.membership_inference import attack_names, attack_scores
from synthkit.metrics.attacks.membership_scores import mean_rank
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity.classifier_two_sample import LIGHTGBM, detect
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.utility.train_synthetic_test_real import QUICK_LEARNERS, utility
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Schema
from synthkit.schema.conform import conform
from synthkit.synthesizer.synthesizer import Synthesizer

TABLES = ("support2", "adult", "breast_cancer")
SIZES = (50, 100, 200, 400, 800, 1600)  # people fitted
DELTA = 1e-5
HELD = 2_000  # people held out: a third of them is what an attacker knows, the others are attacked
PARTINGS = 8  # times a draw is parted into rows to learn from and rows held back, until both have both classes
TOLD_ROWS = 1_000  # rows a side by which a classifier tells draws from people held out, however few were fitted


@dataclass(frozen=True, kw_only=True)
class SmallFit:
    """A model with settings, with a budget or without one.

    Args:
        name: as it stands in figures.
        model: its name in the registry.
        settings: other than its defaults.
        epsilon: of its budget; None for none.
    """

    name: str
    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    epsilon: float | None = None


HALF = {"width": 64, "hidden": 32}
CONTESTANTS = (
    SmallFit(name="autoregressive", model="autoregressive"),
    SmallFit(name="half width", model="autoregressive", settings=HALF),
    SmallFit(name="firm", model="autoregressive", settings={**HALF, "dropout": 0.6, "input_dropout": 0.3, "steps": 75}),
    SmallFit(
        name="firmest",
        model="autoregressive",
        settings={**HALF, "dropout": 0.8, "input_dropout": 0.5, "weight_decay": 30.0, "steps": 75},
    ),
    SmallFit(name="diffusion", model="diffusion"),
    SmallFit(name="marginal, epsilon 8", model="marginal", epsilon=8.0),
    SmallFit(name="independent", model="independent"),
)


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """People fitted, and people held out, of a public table; no person on both sides.

    Args:
        table: name of the table.
        train: rows that are fitted.
        holdout: rows that no fit sees.
        schema: meaning of the columns.
    """

    table: str
    train: pd.DataFrame
    holdout: pd.DataFrame
    schema: Schema

    @classmethod
    def of(cls, table: str, n: int, seed: int) -> Cohort:
        """So many random rows of the side that may be fitted, other ones for another seed."""
        train, holdout = _sides(table)
        rng = Seeds(seed).numpy(f"cohort {table}")
        order = rng.permutation(len(train))[:n]
        held = rng.permutation(len(holdout))[:HELD]
        return cls(
            table=table,
            train=train.iloc[order].reset_index(drop=True),
            holdout=holdout.iloc[held].reset_index(drop=True),
            schema=schema(table),
        )


@cache
def _sides(table: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    return parts(table)


def fitted(cohort: Cohort, who: SmallFit, seed: int) -> Synthesizer:
    """The contestant's model of a cohort; under a budget with delta 1e-5 and a ledger of its own."""
    made = Synthesizer(cohort.schema, who.model, settings=who.settings, device="cpu", margins=False)
    if who.epsilon is None:
        return made.fit(cohort.train, seed=seed)
    with TemporaryDirectory() as folder:
        budget = Budget(epsilon=who.epsilon, delta=DELTA, unit=cohort.schema.unit)
        return made.fit(cohort.train, seed=seed, ledger=Ledger.new(Path(folder) / "ledger.json", budget))


def measured(cohort: Cohort, who: SmallFit, seed: int) -> dict[str, Any]:
    """Fit, draw as many rows as were fitted, and hold them against people whom no fit saw."""
    start = time.process_time()
    made = fitted(cohort, who, seed)
    fit_seconds = time.process_time() - start
    many = max(len(cohort.train), min(TOLD_ROWS, len(cohort.holdout)))
    rows = conform(made.sample(many, seed=seed + 1), cohort.schema)
    drawn = rows.iloc[: len(cohort.train)].reset_index(drop=True)
    comparison = EvaluationData(train=cohort.train, holdout=cohort.holdout, synthetic=(drawn,), schema=cohort.schema)
    seeds = Seeds(seed)
    found = {"table": cohort.table, "who": who.name, "n": len(cohort.train), "seed": seed}
    found |= {"fit_cpu": round(fit_seconds, 2), "draw_cpu": round(time.process_time() - start - fit_seconds, 2)}
    found |= likeness(comparison, seeds.numpy("likeness"))
    found |= {"c2st": told_apart(comparison, rows, seeds.numpy("c2st"))}
    found |= attacked(comparison, seeds.numpy("attack"))
    found |= {"loss": prediction_loss(comparison, seeds.numpy("loss"))}
    return found | {"cpu": round(time.process_time() - start, 2)}


def likeness(comparison: EvaluationData, rng: np.random.Generator) -> dict[str, float]:
    """Three-way similarity to the holdout beside what as many real rows reach, and the generalisation gap."""
    scores, _ = generalisation_gap(comparison, rng)
    (three,) = (s for s in scores if isinstance(s, Score) and s.metric.endswith("tv3"))
    return {
        "similarity": three.parts["synthetic to holdout"],
        "floor": three.parts["training to holdout"],
        "gap": three.value,
        "gap_p": three.parts["p"],
    }


def told_apart(comparison: EvaluationData, rows: pd.DataFrame, rng: np.random.Generator) -> float:
    """AUC of LightGBM that tells drawn rows from as many people held out."""
    many = min(TOLD_ROWS, len(comparison.holdout), len(rows))
    found = detect(rows.iloc[:many], comparison.holdout.iloc[:many], comparison, rng, (LIGHTGBM,))
    return float(intervals.auc(found.scores, found.synthetic))


def attacked(comparison: EvaluationData, rng: np.random.Generator) -> dict[str, Any]:
    """AUC of all attacks of the evaluation together, its interval by DeLong, and the AUC of each."""
    pool = comparison.attacked
    data = AttackData.of(comparison.released, pool.reference, pool.frame, comparison.schema, rng)
    scores = attack_scores(data, pool, rng)
    together = intervals.delong(mean_rank(scores), pool.member)
    each = {
        name: round(float(intervals.auc(one, pool.member)), 4)
        for name, one in zip(attack_names(pool), scores, strict=True)
    }
    return {"auc": together.value, "auc_low": together.low, "auc_high": together.high, "attacks": each}


def prediction_loss(comparison: EvaluationData, rng: np.random.Generator) -> float | None:
    """Loss of the first target's AUC from learning from drawn rows; None if no share of them has both classes.

    Which fifth of the draw is held back has no say in it, but must have both classes: it is drawn a few times.
    """
    target = comparison.schema.targets[0]
    for _attempt in range(PARTINGS):
        try:
            scores, _ = utility(comparison, rng, target=target, prefix="u", learners=QUICK_LEARNERS, quick=True)
        except MetricError:
            continue
        return next(s.value for s in scores if isinstance(s, Score) and s.metric == "u.gap")
    return None
