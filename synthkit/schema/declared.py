"""What of a schema is public, what may be bought under a privacy budget, and rows mapped into a public domain.

A line that was read off the table tells something of its units. `observed` marks such lines; under a budget levels,
bounds, spikes and gaps in a column are found with noise instead, and everything else has to be declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from synthkit.errors import SchemaError
from synthkit.schema.clamp import clamp
from synthkit.schema.columns import Code, Column, Datetime, Identifier, Numeric
from synthkit.schema.conform import conform
from synthkit.schema.table import Schema

PAYABLE = frozenset({"levels", "min", "max", "atoms", "nullable"})


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A schema of which only public lines are used, and what is not known of its columns.

    Args:
        schema: bounds and spikes that were read off the data left out, every column whose gaps were seen nullable.
            Levels that were read off stay, so that cells can be typed: they are public only once they are told.
        unknown: by learned column, the keys that must be paid for; columns of which all is known are left out.
    """

    schema: Schema
    unknown: Mapping[str, frozenset[str]]


def declared(schema: Schema) -> Declared:
    """The public part of a schema.

    Raises:
        SchemaError: lines that noise cannot buy were read off the data; lists all of them.

    Example:
        >>> age = {"kind": "numeric", "decimals": 0, "min": 0, "max": 97, "observed": ["max"]}
        >>> public = declared(Schema(columns={"age": age}))
        >>> public.schema.columns["age"].max, sorted(public.unknown["age"])
        (None, ['max'])
    """
    _refuse_observed(schema)
    columns = {name: _public(column) for name, column in schema.columns.items()}
    unknown = {name: _unknown(schema.columns[name], columns[name]) for name in schema.learned}
    return Declared(
        schema=schema.model_copy(update={"columns": columns}),
        unknown={name: keys for name, keys in unknown.items() if keys},
    )


def taken_for_public(schema: Schema, declared_by: str) -> Schema:
    """The schema without marks of what was read off the data, and with who answers for that.

    Args:
        schema: a draft.
        declared_by: "NAME: reason".

    Raises:
        SchemaError: nobody is named, or no reason given.

    Example:
        >>> age = {"kind": "numeric", "min": 0, "max": 97, "observed": ["kind", "min", "max"]}
        >>> taken_for_public(Schema(columns={"age": age}), "A. Lee: codebook of 2019").columns["age"].observed
        ()
    """
    name, colon, reason = declared_by.partition(":")
    if not (name.strip() and colon and reason.strip()):
        msg = (
            "whoever declares a domain must be named with a reason; however: a part is not there. "
            'Write "NAME: reason", such as "A. Lee: codebook of 2019"'
        )
        raise SchemaError(msg)
    columns = {name: column.model_copy(update={"observed": ()}) for name, column in schema.columns.items()}
    rules = tuple(rule.model_copy(update={"observed": False}) for rule in schema.rules)
    return schema.model_copy(update={"columns": columns, "rules": rules, "declared_by": declared_by.strip()})


def _refuse_observed(schema: Schema) -> None:
    lines = [
        f"  `{name}`: {', '.join(k for k in column.observed if k not in PAYABLE)}"
        for name, column in schema.columns.items()
        if not set(column.observed) <= PAYABLE
    ]
    lines += [f"  `rules[{k}]`: {rule.sentence}" for k, rule in enumerate(schema.rules) if rule.observed]
    if lines:
        msg = "\n".join(
            [
                f"under a privacy budget every line of the schema must be public; however: {len(lines)} lines were "
                "read off the data, and noise cannot buy them:",
                *lines,
                "Check each against the codebook and take its name out of `observed`; or, if all of the draft is "
                'public knowledge, say so with `synthkit init --declared-by "NAME: reason"`',
            ]
        )
        raise SchemaError(msg)


def _public(column: Column) -> Column:
    seen = set(column.observed)
    changes: dict[str, Any] = {"observed": ()}
    if "nullable" in seen:
        changes["nullable"] = True
    changes |= {key: None for key in ("min", "max") if key in seen}
    if "atoms" in seen:
        changes["atoms"] = ()
    return column.model_copy(update=changes)


def _unknown(column: Column, public: Column) -> frozenset[str]:
    if isinstance(public, Numeric | Datetime):
        return frozenset(key for key in ("min", "max") if getattr(public, key) is None)
    if isinstance(public, Identifier):
        return frozenset()
    open_ = "levels" in column.observed or (isinstance(public, Code) and public.levels is None)
    return frozenset({"levels"}) if open_ else frozenset()


def into_domain(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Every cell mapped into the declared domain, each by itself, so that no row is refused and no row moves another.

    Numbers and moments go to the nearest admissible value, undeclared levels become missing; where nothing may be
    missing, a cell becomes the smallest number or the first level.

    Raises:
        SchemaError: columns are missing or unknown, or cells cannot be typed.

    Example:
        >>> schema = Schema(columns={"sex": {"kind": "categorical", "levels": ["f", "m"]}})
        >>> into_domain(pd.DataFrame({"sex": ["m", "x", None]}), schema)["sex"].tolist()
        ['m', 'f', 'f']
    """
    open_ = {name: column.model_copy(update={"nullable": True}) for name, column in schema.columns.items()}
    mapped, _ = clamp(frame, schema.model_copy(update={"columns": open_}))
    for name, column in schema.columns.items():
        if not column.nullable and not isinstance(column, Identifier) and mapped[name].isna().any():
            filled = mapped[name].astype(object)
            filled[mapped[name].isna()] = _stand_in(column)
            mapped[name] = filled
    return conform(mapped, schema)


def _stand_in(column: Column) -> Any:
    if isinstance(column, Numeric):
        return 0.0 if column.min is None and column.max is None else _first(column.min, column.max)
    if isinstance(column, Datetime):
        return pd.Timestamp(_first(column.min, column.max) or "1970-01-01")
    levels = getattr(column, "levels", None)
    return levels[0] if levels else ""


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
