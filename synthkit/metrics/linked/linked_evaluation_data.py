"""The linked tables an evaluation looks at: train, holdout and synthetic, of one schema."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import TableError
from synthkit.metrics.evaluation_data import PAIRING_SEED
from synthkit.metrics.linked.attacks.unit_targets import UnitTargets
from synthkit.metrics.linked.attacks.unit_views import UnitViews
from synthkit.metrics.linked.event_types import EventTypes
from synthkit.metrics.linked.linked_side import LinkedSide
from synthkit.tables.linked_files import load_linked, read_linked
from synthkit.tables.linked_tables import LinkedTables
from synthkit.tables.stacked_tables import stacked

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema
    from synthkit.tables.linked_files import LinkedInput

LIKE_SEED = 1  # of the training units that play the synthetic part


@dataclass(frozen=True, kw_only=True)
class LinkedEvaluationData:
    """The linked tables an evaluation looks at, rows typed and sorted, keys resolved.

    Args:
        train: units the model was fitted on, with all their rows.
        holdout: units of the same law it never saw.
        synthetic: units that were drawn; of several draws the first.
        further: the other draws.
        pool: units with a coin each who are attacked, when the split was ours.

    Raises:
        TableError: a side has fewer than two units, or the sides are of different schemas.
    """

    train: LinkedTables
    holdout: LinkedTables
    synthetic: LinkedTables
    further: tuple[LinkedTables, ...] = ()
    pool: UnitTargets | None = None

    def __post_init__(self) -> None:
        more = {f"synthetic ({k})": tables for k, tables in enumerate(self.further, 2)}
        for name, tables in {**self.by_name, **more}.items():
            units = len(tables.frames[tables.schema.unit])
            if units < 2:
                msg = f"the {name} tables must have at least two units; however: {units}"
                raise TableError(msg)
            if tables.schema != self.train.schema:
                msg = f"all tables must be of one schema; however: that of the {name} tables is another. Type them anew"
                raise TableError(msg)

    @classmethod
    def of(
        cls, train: LinkedInput, holdout: LinkedInput, synthetic: LinkedInput, schema: LinkedSchema
    ) -> LinkedEvaluationData:
        """Linked tables as they came: frames by name, folders or DuckDB files.

        Args:
            train: units the model was fitted on.
            holdout: units of the same law it never saw.
            synthetic: units that were drawn; they may break what is declared, if only each key finds its row.
            schema: what all of them mean.

        Raises:
            TableError: a table cannot be read, or a side has fewer than two units.
            SchemaError: real tables break their schema, or keys of synthetic ones name no row.
        """
        drawn = LinkedTables.of(read_linked(synthetic, schema).frames, schema)
        return cls(train=load_linked(train, schema), holdout=load_linked(holdout, schema), synthetic=drawn)

    @property
    def by_name(self) -> dict[str, LinkedTables]:
        """The three, as they are called in errors."""
        return {"train": self.train, "holdout": self.holdout, "synthetic": self.synthetic}

    @property
    def draws(self) -> tuple[LinkedEvaluationData, ...]:
        """Each draw beside the same real tables."""
        return tuple(replace(self, synthetic=draw, further=()) for draw in (self.synthetic, *self.further))

    @cached_property
    def attacked(self) -> UnitTargets:
        """The units that are attacked: those of the split, or pairs of a random member and non-member.

        Raises:
            MetricError: there are too few of them.
        """
        if self.pool is not None:
            return self.pool.checked()
        return UnitTargets.of_tables(self.train, self.holdout, np.random.default_rng(PAIRING_SEED)).checked()

    @cached_property
    def views(self) -> UnitViews:
        """What attackers see: all draws as one, the units attacked, and the reference."""
        released = stacked([self.synthetic, *self.further])
        return UnitViews(pool=self.attacked, released=released, seed=LIKE_SEED)

    @property
    def schema(self) -> LinkedSchema:
        """What the tables mean."""
        return self.train.schema

    @cached_property
    def types(self) -> EventTypes:
        """Cuts, levels and types of events, fitted on the training tables."""
        return EventTypes.fit(self.train)

    @cached_property
    def real(self) -> LinkedSide:
        """The holdout, against which everything is held."""
        return LinkedSide(self.holdout, self.types)

    @cached_property
    def drawn(self) -> LinkedSide:
        """The synthetic tables."""
        return LinkedSide(self.synthetic, self.types)

    @cached_property
    def known(self) -> LinkedSide:
        """The training tables."""
        return LinkedSide(self.train, self.types)

    @cached_property
    def like(self) -> LinkedSide:
        """As many training units as there are synthetic ones: what real units in their place would score."""
        units, wanted = self.known.size, self.drawn.size
        if wanted >= units:
            return self.known
        rng = np.random.default_rng(LIKE_SEED)
        return LinkedSide(self.train.take(np.sort(rng.choice(units, wanted, replace=False))), self.types)

    def sampled(self, units: int, rng: np.random.Generator) -> LinkedEvaluationData:
        """At most so many units of each, at random, with all their rows."""

        def thin(tables: LinkedTables) -> LinkedTables:
            size = len(tables.frames[tables.schema.unit])
            return tables if size <= units else tables.take(np.sort(rng.choice(size, units, replace=False)))

        sides = {name: thin(tables) for name, tables in self.by_name.items()}
        pool = None if self.pool is None else self.pool.sampled(units, rng)
        return replace(self, **sides, further=tuple(map(thin, self.further)), pool=pool)
