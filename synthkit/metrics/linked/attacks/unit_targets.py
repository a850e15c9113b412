"""Units that are attacked: members and non-members with all their rows, who differ in nothing but a coin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.metrics.attacks.attack_targets import MIN_ATTACKED, AttackTargets
from synthkit.metrics.linked.event_types import EventTypes
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.tables.linked_tables import LinkedTables
from synthkit.tables.stacked_tables import stacked

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.schema import Schema

_PLACE = "place among all units"  # no aggregate is called so


@dataclass(frozen=True, kw_only=True)
class UnitTargets:
    """Units that are attacked, with who of them was trained on; INTERNAL.

    Args:
        tables: the units that are attacked, m of them, with all their rows.
        reference: units neither trained on nor attacked: what an attacker knows of the population.
        member: (m,) bool: trained on.
        isolated: (m,) bool: in the more isolated half by aggregates, measured without regard to membership.
        pair: (m,) number of each unit's pair, of which one was trained on; None if every unit had a coin of its own.
        likelihood: (m,) log-probability of each unit under the fitted model less that of a model of the reference, if
            the model is to be released too.
    """

    tables: LinkedTables
    reference: LinkedTables
    member: NDArray[np.bool_]
    isolated: NDArray[np.bool_]
    pair: NDArray[np.int64] | None = None
    likelihood: NDArray[np.float64] | None = None

    def of_frames(self, targets: pd.DataFrame, reference: pd.DataFrame) -> AttackTargets:
        """The same people seen as one row each. **Shape**: m rows, and one for each unit of the reference."""
        return AttackTargets(
            frame=targets,
            unit=np.arange(len(self.member)),
            member=self.member,
            isolated=self.isolated,
            reference=reference,
            pair=self.pair,
            likelihood=self.likelihood,
        )

    def sampled(self, units: int, rng: np.random.Generator) -> UnitTargets:
        """The same with so many units at most, both of a pair or neither, and as many of the reference.

        Args:
            units: that are attacked, at most.
            rng: source of the choice.
        """
        known = len(self.reference.frames[self.reference.schema.unit])
        kept = np.sort(rng.permutation(known)[:units])
        reference = self.reference if known <= units else self.reference.take(kept)
        if len(self.member) <= units:
            return replace(self, reference=reference)
        among = np.arange(len(self.member)) if self.pair is None else self.pair
        coins = rng.permutation(int(among.max()) + 1)[: units if self.pair is None else units // 2]
        chosen = np.flatnonzero(np.isin(among, coins))
        return UnitTargets(
            tables=self.tables.take(chosen),
            reference=reference,
            member=self.member[chosen],
            isolated=self.isolated[chosen],
            pair=None if self.pair is None else np.unique(self.pair[chosen], return_inverse=True)[1],
            likelihood=None if self.likelihood is None else self.likelihood[chosen],
        )

    def checked(self) -> UnitTargets:
        """Itself, if enough people are attacked.

        Raises:
            MetricError: there are fewer than 20 members, as many non-members, or two units of reference.
        """
        counts = [int(self.member.sum()), int((~self.member).sum())]
        known = len(self.reference.frames[self.reference.schema.unit])
        if min(counts) < MIN_ATTACKED or known < 2:
            msg = (
                f"risks need {MIN_ATTACKED} people on either side of the coin, and two for reference; however: there "
                f"are {counts[0]} who were trained on, {counts[1]} who were not, and {known}. Bring more people"
            )
            raise MetricError(msg)
        return self

    @classmethod
    def of_tables(cls, train: LinkedTables, holdout: LinkedTables, rng: np.random.Generator) -> UnitTargets:
        """Pairs of a random member and a random non-member, where somebody else split the units at random.

        See `AttackTargets.of_tables`: a third of the holdout is the reference, and what is shown holds for exchanging
        one person for another.

        Args:
            train: units that were trained on.
            holdout: units that were not.
            rng: source of the pairs.

        Raises:
            MetricError: too few units on either side.
        """
        everybody = stacked([train, holdout])
        frame, schema = unit_rows(everybody)
        frame[_PLACE] = np.arange(len(frame))
        many = len(train.frames[train.schema.unit])
        found = AttackTargets.of_tables(frame.iloc[:many], frame.iloc[many:], schema, rng)
        places = [each[_PLACE].to_numpy(dtype=np.intp) for each in (found.frame, found.reference)]
        return cls(
            tables=everybody.take(places[0]),
            reference=everybody.take(places[1]),
            member=found.member,
            isolated=found.isolated,
            pair=found.pair,
        )


def unit_rows(tables: LinkedTables) -> tuple[pd.DataFrame, Schema]:
    """Every unit as one row, its aggregates, coded by these tables alone; and what the columns mean."""
    found = UnitAggregates.of(LinkedSide(tables, EventTypes.fit(tables)))
    return found.with_texts(), found.schema
