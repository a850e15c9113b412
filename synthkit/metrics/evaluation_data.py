"""The tables an evaluation looks at: train, holdout, synthetic draws, and who is attacked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.attacks.population import Population
from synthkit.metrics.stats.binning import Binning
from synthkit.schema import Schema

PAIRING_SEED = 1  # seed of the pairs where a metric is called by itself; `evaluate` draws them from its own


@dataclass(frozen=True, kw_only=True)
class EvaluationData:
    """The tables an evaluation looks at; frames in the schema's canonical dtypes.

    Args:
        train: rows the synthesizer was fitted on.
        holdout: rows of the same law it never saw (non-members of the pool and the test role).
        synthetic: one frame a draw; at least one.
        schema: meaning of the columns.
        pool: people with a coin each who are attacked, when the split was ours.
        people: how many units went where, if the split was ours.
        refits: the same for further fits of the same model to the same table, with coins of their own for people who
            were not attacked before. Only attacks look at them.
        others: rows of other releases that were made from the same training rows. Only attackers have them: they take
            all releases together.
        population: how many people of the population share each combination of quasi-identifiers, if that is known.
    """

    train: pd.DataFrame
    holdout: pd.DataFrame
    synthetic: tuple[pd.DataFrame, ...]
    schema: Schema
    pool: AttackTargets | None = None
    population: Population | None = None
    people: Mapping[str, int] | None = None
    refits: tuple[EvaluationData, ...] = ()
    others: tuple[pd.DataFrame, ...] = ()

    @property
    def fits(self) -> tuple[EvaluationData, ...]:
        """All fits whose coins are known, the one that is compared first."""
        return (self, *self.refits)

    @cached_property
    def everybody(self) -> AttackTargets:
        """The people who are attacked in any of the fits, in their order; each in one of them.

        Raises:
            MetricError: there are too few of them.
        """
        return AttackTargets.joined([fit.attacked for fit in self.fits])

    @cached_property
    def attacked(self) -> AttackTargets:
        """The people who are attacked in this fit: those of the split, or pairs of a random member and non-member.

        Raises:
            MetricError: there are too few of them.
        """
        if self.pool is not None:
            return self.pool
        return AttackTargets.of_tables(self.train, self.holdout, self.schema, np.random.default_rng(PAIRING_SEED))

    @property
    def seen(self) -> tuple[pd.DataFrame, ...]:
        """Every table an attacker has: all draws, and what was released of the same rows before."""
        return (*self.synthetic, *self.others)

    @cached_property
    def released(self) -> pd.DataFrame:
        """Everything an attacker has as one table: the rows of all draws and of all other releases."""
        return pd.concat(self.seen, ignore_index=True) if len(self.seen) > 1 else self.synthetic[0]

    @cached_property
    def binning(self) -> Binning:
        """Cuts of the learned columns, fitted on the training rows once for all metrics."""
        return Binning.fit(self.train, self.schema)
