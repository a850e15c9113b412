"""The linked tables an evaluation looks at: train, holdout and synthetic, of one schema."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import TableError
from synthkit.metrics.linked.event_types import EventTypes
from synthkit.metrics.linked.linked_side import LinkedSide

if TYPE_CHECKING:
    from synthkit.schema.linked import LinkedSchema
    from synthkit.tables.linked_tables import LinkedTables

LIKE_SEED = 1  # of the training units that play the synthetic part


@dataclass(frozen=True, kw_only=True)
class LinkedEvaluationData:
    """The linked tables an evaluation looks at, rows typed and sorted, keys resolved.

    Args:
        train: units the model was fitted on, with all their rows.
        holdout: units of the same law it never saw.
        synthetic: units that were drawn.

    Raises:
        TableError: a side has fewer than two units, or the sides are of different schemas.
    """

    train: LinkedTables
    holdout: LinkedTables
    synthetic: LinkedTables

    def __post_init__(self) -> None:
        for name, tables in self.by_name.items():
            units = len(tables.frames[tables.schema.unit])
            if units < 2:
                msg = f"the {name} tables must have at least two units; however: {units}"
                raise TableError(msg)
            if tables.schema != self.train.schema:
                msg = f"all tables must be of one schema; however: that of the {name} tables is another. Type them anew"
                raise TableError(msg)

    @property
    def by_name(self) -> dict[str, LinkedTables]:
        """The three, as they are called in errors."""
        return {"train": self.train, "holdout": self.holdout, "synthetic": self.synthetic}

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

        return replace(self, **{name: thin(tables) for name, tables in self.by_name.items()})
