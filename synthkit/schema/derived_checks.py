"""What is wrong with the derived columns of a schema: names, clocks, kinds and circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from synthkit.schema.columns import DERIVED_KEY, Column, Datetime
from synthkit.schema.expressions.grammar import Expression, columns_of, parse_expression
from synthkit.schema.expressions.result_kinds import refuse_misfit


def problems(derived: Mapping[str, str], columns: Mapping[str, Column], unit: str | None) -> Iterator[str]:
    """What is wrong with the derived columns of a schema, a sentence each."""
    for name, column in columns.items():
        if DERIVED_KEY in column.observed and name not in derived:
            yield f"`observed` may say `{DERIVED_KEY}` of derived columns; however: `{name}` is none"
    read: dict[str, Expression] = {}
    for name, text in derived.items():
        where = f"`derived.{name}`"
        try:
            read[name] = parse_expression(text)
            unknown = [c for c in (name, *columns_of(read[name])) if c not in columns]
            if unknown:
                yield f"{where} must speak of declared columns; however: `{unknown[0]}` is not declared under `columns`"
            elif unit in (name, *columns_of(read[name])):
                yield f"{where} must not speak of the unit; however: `{unit}` is made fresh"
            else:
                _refuse_clocks((name, *columns_of(read[name])), columns)
                refuse_misfit(name, columns[name], read[name], columns)
        except ValueError as error:
            yield f"{where}: {error}"
    try:
        TopologicalSorter({name: set(columns_of(e)) & set(read) for name, e in read.items()}).prepare()
    except CycleError as error:
        circle = ", ".join(f"`{name}`" for name in dict.fromkeys(error.args[1]))
        yield f"`derived` must not run in a circle; however: {circle} are computed from one another. Learn one of them"


def _refuse_clocks(names: tuple[str, ...], columns: Mapping[str, Column]) -> None:
    """Refuse moments of different clocks in one expression: the time between them would be off by hours."""
    kinds = [columns[name] for name in names]
    zones = {kind.zone or "none" for kind in kinds if isinstance(kind, Datetime)}
    if len(zones) > 1:
        msg = (
            f"moments in an expression must be of one zone; however: {' and '.join(sorted(zones))}. Declare one `zone`"
        )
        raise ValueError(msg)
