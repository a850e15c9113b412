"""Numbers as they are learned: multiples of a declared step, before they were shortened; and back.

A column without a step is learned as it stands. Bounds, atoms and conditions speak of numbers as the table writes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from synthkit.encoding.arrays import Floats
from synthkit.schema import Condition, Numeric, Schema
from synthkit.schema.lattice import LATTICE_KEYS


def plain_decimals(column: Numeric) -> int | None:
    """Digits behind the point of the numbers that are learned, None if unrestricted."""
    lattice = column.lattice
    return column.decimals if lattice is None else lattice.decimals


def plain_step(column: Numeric) -> float | None:
    """What learned numbers are multiples of, None where their decimals say it.

    Example:
        >>> plain_step(Numeric(step=5)), plain_step(Numeric(step=0.01, stored_as="half"))
        (5.0, None)
    """
    lattice = column.lattice
    if lattice is None or Decimal(repr(lattice.step)) == Decimal(1).scaleb(-lattice.decimals):
        return None
    return lattice.step


def plain_bounds(column: Numeric) -> tuple[float | None, float | None]:
    """First and last learned number that is written inside the declared bounds, None where open.

    Example:
        >>> plain_bounds(Numeric(step=5, min=1, max=12))
        (5.0, 10.0)
    """
    lattice, low, high = column.lattice, column.min, column.max
    if lattice is None:
        return low, high
    return None if low is None else lattice.first_from(low), None if high is None else lattice.last_until(high)


def plain_atoms(column: Numeric) -> tuple[float, ...]:
    """The declared atoms as they are learned."""
    lattice = column.lattice
    return column.atoms if lattice is None else tuple(lattice.plain(np.array(column.atoms, dtype=float)).tolist())


def plain_numbers(x: Floats, column: Numeric) -> Floats:
    """Numbers of a table as they are learned. **Shape**: (n,) -> (n,)."""
    return x if column.lattice is None else column.lattice.plain(x)


def written_numbers(x: Floats, column: Numeric) -> Floats:
    """Learned numbers as the table writes them. **Shape**: (n,) -> (n,)."""
    return x if column.lattice is None else column.lattice.written(x)


def plain_condition(column: object, condition: Condition) -> Condition:
    """A condition on what is written, as one on what is learned.

    Example:
        >>> plain_condition(Numeric(step=5), Condition(min=1)).min
        5.0
    """
    lattice = column.lattice if isinstance(column, Numeric) else None
    if lattice is None:
        return condition
    changed: dict[str, object] = {}
    if condition.min is not None and math.isfinite(condition.min):
        changed["min"] = lattice.first_from(condition.min)
    if condition.max is not None and math.isfinite(condition.max):
        changed["max"] = lattice.last_until(condition.max)
    if condition.in_ is not None:
        said = np.array([float(v) for v in condition.in_ if not isinstance(v, str)])
        changed["in_"] = tuple(lattice.plain(said[lattice.holds(said)]).tolist())
    return condition.model_copy(update=changed)


def steps_of(column: object) -> dict[str, object]:
    """The keys of a column that say on which lattice its numbers lie; empty if it has none."""
    if not isinstance(column, Numeric) or column.step is None:
        return {}
    return {key: value for key in LATTICE_KEYS if (value := getattr(column, key)) is not None}


def with_steps(schema: Schema, steps: Mapping[str, Mapping[str, object]]) -> Schema:
    """The schema with the lattices of some columns.

    Args:
        schema: meaning of the table.
        steps: by column, what `steps_of` says.
    """
    columns = {name: column.model_copy(update=steps.get(name, {})) for name, column in schema.columns.items()}
    return schema.model_copy(update={"columns": columns}) if steps else schema
