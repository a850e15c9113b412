"""On which clock moments are drafted: where some tables name a zone, those that name none are taken to be in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from synthkit.errors import SchemaError
from synthkit.schema.columns import Column, Datetime
from synthkit.schema.infer.linked.evidence import TO_MEND
from synthkit.schema.infer.linked.linked_relations import TableLook


def in_one_zone(
    looks: Mapping[str, TableLook], unit: str, comments: dict[str, tuple[str, ...]]
) -> dict[str, TableLook]:
    """The tables with their moments in one zone, or as they are if none is named.

    Of two tables of which one tells moments in a zone and the other in none, nobody can tell how far the clocks are
    apart: that they are one is drafted, and said. Days may be any moment, and say nothing.

    Args:
        looks: the tables that units own, and the units'.
        unit: the table of units.
        comments: what was seen, by path; it grows by the tables that named no zone.

    Raises:
        SchemaError: moments at which rows happen are in several zones.
    """
    named = {zone: f"{name}.{c}" for name, look in looks.items() for c, zone in _zones(look, name == unit) if zone}
    if len(named) > 1:
        said = " and ".join(f"`{at}` is in {zone}" for zone, at in sorted(named.items()))
        msg = (
            f"linked tables are drafted where moments are in one zone, or all in none; however: {said}. Bring the "
            "cells to one zone, or write the schema by hand and name one `zone` for all"
        )
        raise SchemaError(msg)
    out = dict(looks)
    for name, look in looks.items():
        silent = [c for c, zone in _zones(look, name == unit) if zone is None]
        if named and silent:
            (zone, at), path = next(iter(named.items())), f"tables.{name}"
            note = (
                f"`{silent[0]}` names no zone, but `{at}` is in {zone}: its clock is taken to be that of {zone}"
                f"{TO_MEND}the cells if it is another, or name its `zone`"
            )
            comments[path] = (*comments.get(path, ()), note)
            out[name] = replace(look, columns=_told(look.columns, zone))
    return out


def _zones(look: TableLook, unit: bool) -> list[tuple[str, str | None]]:
    """Columns that place rows in time, or of the units any moments, and their zones; days without one left out."""
    placed = () if look.order is None else (look.order.start, look.order.until)
    moments = {c: k for c, k in look.columns.items() if isinstance(k, Datetime) and (unit or c in placed)}
    return [(c, k.zone) for c, k in moments.items() if k.zone is not None or k.precision != "day"]


def _told(columns: Mapping[str, Column], zone: str) -> dict[str, Column]:
    """Columns whose moments are in a zone where they named none."""
    return {
        c: k.model_copy(update={"zone": zone}) if isinstance(k, Datetime) and k.zone is None else k
        for c, k in columns.items()
    }
