"""Who of linked tables is trained on: units draw roles and coins, and whatever belongs to them follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import TableError
from synthkit.metrics.linked.attacks.unit_targets import UnitTargets, unit_rows
from synthkit.pipeline.split import FEWEST_UNITS, Shares, Split, draw_roles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema
    from synthkit.synthesizer.checkpoints import Checkpoint
    from synthkit.tables.linked_tables import LinkedTables

FEWEST_HELD = 2  # units, without which nothing can be compared


@dataclass(frozen=True, kw_only=True)
class UnitSplit:
    """Linked tables parted by their units; INTERNAL.

    Args:
        train: units that are trained on, with all that belongs to them.
        holdout: units that are not.
        pool: units with a coin each, who are attacked, and the reference.
        roles: one row a unit: its key (the row's number from 0 if the key has several parts), role and coin.
        people: how many units have each role.
    """

    train: LinkedTables
    holdout: LinkedTables
    pool: UnitTargets
    roles: pd.DataFrame
    people: Mapping[str, int]

    @classmethod
    def of(cls, tables: LinkedTables, parts: Split) -> UnitSplit:
        """The tables of a split of their units.

        Raises:
            TableError: by chance too few units are held out for anything to be compared.
        """
        held = np.flatnonzero(parts.holdout)
        if len(held) < FEWEST_HELD:
            msg = (
                f"at least {FEWEST_HELD} units must be held out; however: chance left {len(held)} of "
                f"{len(parts.roles)}. Run again, or bring more"
            )
            raise TableError(msg)
        return cls.of_any(tables, parts)

    @classmethod
    def of_any(cls, tables: LinkedTables, parts: Split) -> UnitSplit:
        """The same of any number of units: under a budget how many there are decides nothing."""
        attacked = np.flatnonzero(parts.pool)
        pool = UnitTargets(
            tables=tables.take(attacked),
            reference=tables.take(np.flatnonzero(parts.reference)),
            member=parts.heads[attacked],
            isolated=parts.isolated[attacked],
        )
        train, holdout = (tables.take(np.flatnonzero(side)) for side in (parts.train, parts.holdout))
        return cls(train=train, holdout=holdout, pool=pool, roles=parts.roles, people=parts.people())


def unit_schema(schema: LinkedSchema) -> Schema:
    """What the table of units means by itself; its key names the unit if it is one column."""
    table = schema.tables[schema.unit]
    alone = table.alone(schema.unit)
    return alone.model_copy(update={"unit": table.key[0]}) if len(table.key) == 1 else alone


def split_units(tables: LinkedTables, rng: np.random.Generator, checkpoint: Checkpoint | None = None) -> UnitSplit:
    """Draw roles and coins of the units, see `pipeline.split`; isolation is by aggregates of all tables.

    Args:
        tables: all of them.
        rng: `synthkit.runtime.seeds.system_generator()` in a real run.
        checkpoint: where roles are kept; those of a run that is taken up are its own.

    Raises:
        TableError: there are fewer than 40 units, by chance too few are held out, or the roles are of other units.
        ArtefactError: the roles that were kept are missing or damaged.
    """
    refuse_few_units(tables)
    units, alone = tables.frames[tables.schema.unit], unit_schema(tables.schema)
    kept = None if checkpoint is None else checkpoint.roles()
    if kept is not None:
        return UnitSplit.of(tables, Split.from_roles(units, alone, kept))
    parts = isolated_by_aggregates(draw_roles(units, alone, rng, shares=Shares.of(len(units))), tables, rng)
    if checkpoint is not None:
        checkpoint.keep_roles(parts.roles)
    return UnitSplit.of(tables, parts)


def draw_unit_roles(tables: LinkedTables, rng: np.random.Generator, shares: Shares) -> UnitSplit:
    """Draw roles and coins of any number of units, each by itself with public probabilities, as under a budget.

    Args:
        tables: all of them, mapped into the public domain.
        rng: `synthkit.runtime.seeds.system_generator()` in a real run.
        shares: probabilities of the roles.
    """
    alone = unit_schema(tables.schema)
    return UnitSplit.of_any(tables, draw_roles(tables.frames[tables.schema.unit], alone, rng, shares=shares))


def split_of_roles(tables: LinkedTables, roles: pd.DataFrame, rng: np.random.Generator) -> UnitSplit:
    """The split of tables under a budget whose roles were drawn, the isolated half of the pool marked; INTERNAL.

    Args:
        tables: all units, mapped into the public domain.
        roles: one row a unit.
        rng: as for `isolated_by_aggregates`.

    Raises:
        TableError: the roles are of other units.
    """
    parts = Split.from_roles(tables.frames[tables.schema.unit], unit_schema(tables.schema), roles)
    return UnitSplit.of_any(tables, isolated_by_aggregates(parts, tables, rng))


def isolated_by_aggregates(parts: Split, tables: LinkedTables, rng: np.random.Generator) -> Split:
    """The same roles and coins, with the half of the pool marked whose aggregates lie farthest from everybody else's.

    Args:
        parts: roles and coins, a row a unit.
        tables: of all units; nothing is asked of them but how far apart they lie.
        rng: source of the order of equals, and of the units looked at where there are very many.
    """
    rows, meaning = unit_rows(tables)
    return replace(parts, roles=replace(parts, frame=rows).isolating(meaning, rng).roles)


def refuse_few_units(tables: LinkedTables) -> None:
    """Refuse what cannot be split.

    Raises:
        TableError: there are fewer than 40 units.
    """
    unit = tables.schema.unit
    units = len(tables.frames[unit])
    if units < FEWEST_UNITS:
        msg = (
            f"linked tables are split from {FEWEST_UNITS} units on; however: `{unit}` has {units}. "
            "Fit without a split (`synthkit fit`), or bring more"
        )
        raise TableError(msg)
