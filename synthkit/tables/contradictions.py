"""Declared contradictions, counted: rows of a unit that cannot both be true, in real and synthetic tables alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from synthkit.schema.linked.row_moments import RowMoments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from synthkit.schema.linked.linked_rules import Contradiction, RowsWhere
    from synthkit.schema.rules import Condition
    from synthkit.tables.linked_tables import LinkedTables


@dataclass(frozen=True)
class ContradictionCount:
    """How often one declared contradiction occurs; INTERNAL where the tables are real.

    Args:
        name: of the contradiction.
        rows: rows that contradict.
        asked: rows the contradiction speaks of, by its `when`.
        units: units with such a row.
        share: share of all units that have one, in [0, 1].
    """

    name: str
    rows: int
    asked: int
    units: int
    share: float


@dataclass(frozen=True)
class Contradictions:
    """All declared contradictions of linked tables, counted; INTERNAL where the tables are real.

    Args:
        each: counts of each contradiction, as declared.
        units: number of units.
        contradicted: units with at least one.
        share: share of units with at least one, in [0, 1].
    """

    each: tuple[ContradictionCount, ...]
    units: int
    contradicted: int
    share: float

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "units": self.units,
            "contradicted": self.contradicted,
            "share": self.share,
            "each": {each.name: {"rows": each.rows, "asked": each.asked, "units": each.units} for each in self.each},
        }


def count_contradictions(tables: LinkedTables) -> Contradictions:
    r"""Count the contradictions that the schema of the tables declares.

    A row contradicts if it meets `when`, its unit meets `unit`, and, where rows are named that have to be there
    (`without`), none of them happened in the unit up to that row:

    .. math:: \text{share} = \frac{1}{n} \sum_u \max_{r \in u} 1\{r \text{ contradicts}\}

    Args:
        tables: real or synthetic; **Shape**: n units.

    Example:
        >>> import pandas as pd
        >>> from synthkit.schema.linked import LinkedSchema
        >>> from synthkit.tables.linked_tables import LinkedTables
        >>> sex = {"kind": "categorical", "levels": ["F", "M"]}
        >>> pregnant = {"name": "pregnant man", "table": "visits", "when": {"why": {"in": ["V22"]}}}
        >>> schema = LinkedSchema(
        ...     unit="people",
        ...     tables={
        ...         "people": {"key": ["id"], "columns": {"id": {"kind": "identifier"}, "sex": sex}},
        ...         "visits": {
        ...             "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
        ...             "columns": {"id": {"kind": "identifier"}, "why": {"kind": "code"}},
        ...         },
        ...     },
        ...     contradictions=[{**pregnant, "unit": {"sex": {"in": ["M"]}}}],
        ... )
        >>> people = pd.DataFrame({"id": [1, 2], "sex": ["F", "M"]})
        >>> visits = pd.DataFrame({"id": [1, 2, 2], "why": ["V22", "V22", "401"]})
        >>> count_contradictions(LinkedTables.of({"people": people, "visits": visits}, schema)).share
        0.5
    """
    units = len(tables.frames[tables.schema.unit])
    hit, counts = np.zeros(units, dtype=bool), []
    for each in tables.schema.contradictions:
        asked = _meets(tables, each.table, each.when)
        rows = contradicting_rows(tables, each)
        mine = np.zeros(units, dtype=bool)
        mine[tables.units[each.table][rows]] = True
        hit |= mine
        count = int(mine.sum())
        counts.append(
            ContradictionCount(each.name, int(rows.sum()), int(asked.sum()), count, count / units if units else 0.0)
        )
    total = int(hit.sum())
    return Contradictions(tuple(counts), units, total, total / units if units else 0.0)


def contradicting_rows(tables: LinkedTables, each: Contradiction) -> NDArray[np.bool_]:
    """Rows of the contradiction's table that contradict. **Shape**: () -> (n,)."""
    units = tables.units[each.table]
    rows = _meets(tables, each.table, each.when) & _meets(tables, tables.schema.unit, each.unit)[units]
    return rows if each.without is None else rows & ~_preceded(tables, each.table, each.without)


def _meets(tables: LinkedTables, table: str, when: Mapping[str, Condition]) -> NDArray[np.bool_]:
    frame = tables.frames[table]
    met = np.ones(len(frame), dtype=bool)
    for name, condition in when.items():
        met &= condition.met(frame[name])
    return met


def _preceded(tables: LinkedTables, table: str, asked: RowsWhere) -> NDArray[np.bool_]:
    """Rows of a table up to which a row that was asked for happened in their unit.

    Where either table tells no time, any such row of the unit will do.
    """
    found = np.flatnonzero(_meets(tables, asked.table, asked.when))
    theirs, mine = tables.units[asked.table][found], tables.units[table]
    has = np.zeros(len(tables.frames[tables.schema.unit]), dtype=bool)
    has[theirs] = True
    happened, happens = _starts(tables, asked.table), _starts(tables, table)
    if happened is None or happens is None:
        return np.asarray(has[mine])
    moments = happened.at(found)
    order = np.lexsort((moments.values, theirs))
    first = np.zeros(len(has), dtype=np.intp)
    first[theirs[order][::-1]] = found[order][::-1]  # the earliest is written last
    return np.asarray(has[mine] & ~happened.at(first[mine]).later(happens))


def _starts(tables: LinkedTables, table: str) -> RowMoments | None:
    declared = tables.schema.tables[table]
    if declared.order is None:
        return None
    return RowMoments.of(tables.frames[table][declared.order.start], declared.columns[declared.order.start])
