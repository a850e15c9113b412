"""Views of units: what attackers compare of the people they attack, of synthetic units and of the population."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.attacks.attack_data import ATTACK_NEIGHBOURS, AttackData
from synthkit.metrics.linked.attacks.unit_profiles import UnitProfiles, nearest_points
from synthkit.metrics.linked.event_types import EventTypes
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.metrics.linked.unit_aggregates import UnitAggregates
from synthkit.tables.stacked_tables import stacked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthkit.metrics.attacks.attack_targets import AttackTargets
    from synthkit.metrics.linked.attacks.unit_targets import UnitTargets
    from synthkit.schema import Schema
    from synthkit.tables.linked_tables import LinkedTables

MAX_ATTACKED_SYNTHETIC_UNITS = 20_000  # that are looked at


@dataclass(frozen=True)
class UnitViews:
    """Units as attackers see them; nothing here depends on who was trained on.

    Args:
        pool: the people attacked, and the reference.
        released: all synthetic units an attacker was given.
        seed: of the choice of synthetic units, where there are very many.
    """

    pool: UnitTargets
    released: LinkedTables
    seed: int

    @cached_property
    def types(self) -> EventTypes:
        """Levels and types of events, those of the reference and of the people attacked together."""
        return EventTypes.fit(stacked([self.pool.reference, self.pool.tables]))

    @cached_property
    def sides(self) -> Mapping[str, LinkedSide]:
        """The people attacked, the reference and synthetic units, coded alike."""
        units = len(self.released.frames[self.released.schema.unit])
        drawn = self.released
        if units > MAX_ATTACKED_SYNTHETIC_UNITS:
            rng = np.random.default_rng(self.seed)
            drawn = drawn.take(np.sort(rng.choice(units, MAX_ATTACKED_SYNTHETIC_UNITS, replace=False)))
        each = {"targets": self.pool.tables, "reference": self.pool.reference, "synthetic": drawn}
        return {name: LinkedSide(tables, self.types) for name, tables in each.items()}

    @cached_property
    def aggregates(self) -> AttackData:
        """Every unit as one row: counts, shares, means, extremes, last values and times in all tables."""
        return _attack_data({name: UnitAggregates.of(side) for name, side in self.sides.items()}, self.seed)

    @cached_property
    def own(self) -> AttackData:
        """Every unit by its own row; by all aggregates if that has one column at most."""
        unit = self.pool.tables.schema.unit
        names = tuple(name for name in self.aggregates.schema.columns if name.startswith(f"{unit}."))
        return restricted(self.aggregates, names, self.seed) if len(names) > 1 else self.aggregates

    @cached_property
    def profiles(self) -> AttackData:
        """The aggregates, with distances between the profiles of units in place of theirs."""
        profiles = UnitProfiles.fit(stacked([self.pool.reference, self.pool.tables]))
        at = {name: profiles.points(side.tables) for name, side in self.sides.items()}
        near, known = (
            nearest_points(at["targets"], at[name], ATTACK_NEIGHBOURS) for name in ("synthetic", "reference")
        )
        return replace(self.aggregates, near=near, near_reference=known)

    @cached_property
    def people(self) -> AttackTargets:
        """The people attacked, seen by their aggregates."""
        return self.pool.of_frames(self.aggregates.targets, self.aggregates.reference)

    def with_copies(self, copies: LinkedTables) -> UnitViews:
        """The views if the synthetic units held these too."""
        return replace(self, released=stacked([self.released, copies]))


def restricted(data: AttackData, names: tuple[str, ...], seed: int) -> AttackData:
    """The same people by some of the columns.

    Args:
        data: by all columns.
        names: of those that stay.
        seed: of the choice of synthetic rows, where there are very many.
    """
    schema = data.schema.model_copy(update={"columns": {name: data.schema.columns[name] for name in names}})
    synthetic, reference, targets = (each[list(names)] for each in (data.synthetic, data.reference, data.targets))
    return AttackData.of(synthetic, reference, targets, schema, np.random.default_rng(seed))


def _attack_data(found: Mapping[str, UnitAggregates], seed: int) -> AttackData:
    schema: Schema = found["targets"].schema
    synthetic, reference, targets = (found[name].with_texts() for name in ("synthetic", "reference", "targets"))
    return AttackData.of(synthetic, reference, targets, schema, np.random.default_rng(seed))
