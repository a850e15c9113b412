"""Keys of tables and the columns that point to them, found by uniqueness and inclusion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.schema.infer import column_names
from synthkit.schema.infer.linked.evidence import NEARLY_ALWAYS, percent
from synthkit.schema.linked.row_keys import SPELLED_ALIKE, key_texts, whole_text
from synthkit.schema.unit_keys import unit_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_RESOLVED = 0.9  # share of cells that must find a row, below which a column points nowhere
MAX_CHANCE = 0.2  # share that would be found by chance, above which the names must agree too
MAX_AMISS = 0.05  # share of rows whose key is missing or stands twice, up to which the others still name rows
_MIN_DISTINCT = 2  # different values; fewer point to anything
_LOOKED_AT = 100  # cells that tell whether a column holds moments
_MOMENT = r"\s*\d{4}-\d{1,2}-\d{1,2}.*|\s*\d{1,2}[./]\d{1,2}[./]\d{2,4}.*"


@dataclass(frozen=True)
class TableCells:
    """Cells of one table as texts, and which of its columns name a row.

    Args:
        name: of the table.
        frame: its rows.
    """

    name: str
    frame: pd.DataFrame

    @cached_property
    def texts(self) -> Mapping[str, pd.Series]:
        """Cells as texts by which keys are compared, columns of numbers with a fraction and of truths left out."""
        return {str(c): _texts(self.frame[c]) for c in self.frame.columns if _may_be_key(self.frame[c])}

    @cached_property
    def distinct(self) -> Mapping[str, pd.Index]:
        """Different texts of each of these columns."""
        return {c: pd.Index(x.dropna().unique()) for c, x in self.texts.items()}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Columns that name a row each: complete, every value once; those named after the table or a key first."""
        full = [c for c, x in self.texts.items() if len(self.distinct[c]) == len(x) > 0]
        return self._fittest(full)

    @cached_property
    def spoilt_keys(self) -> tuple[str, ...]:
        """Columns called like keys that would name a row each, but for a few cells that are missing or stand twice."""
        rows = len(self.frame)
        few = [c for c, x in self.distinct.items() if 0 < rows - len(x) <= MAX_AMISS * rows]
        return self._fittest(c for c in few if column_names.says_key(c) or column_names.is_owner(c))

    def amiss(self, column: str) -> tuple[int, int]:
        """Of a column: cells that are missing, and rows whose key stands in a row before."""
        missing = int(self.texts[column].isna().sum())
        return missing, len(self.frame) - missing - len(self.distinct[column])

    def is_own_key(self, column: str) -> bool:
        """Whether a column names the rows of this table and is called after it."""
        return (
            column in (*self.keys, *self.spoilt_keys)
            and column_names.says_key(column)
            and singular_words(self.name) == singular_words(column)
        )

    def _fittest(self, columns: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(columns, key=lambda c: (-self._fitness(c), list(self.texts).index(c))))

    def _fitness(self, column: str) -> int:
        """How much a name sounds like the key of this table; numbers of rows least."""
        words = column_names.name_words(column)
        own = set(singular_words(self.name)) & set(singular_words(column))
        return 4 * bool(own) + 2 * column_names.says_key(column) - 3 * ("row" in words)


@dataclass(frozen=True)
class ForeignKey:
    """A column whose cells are keys of a table.

    Args:
        table: whose column it is.
        column: its name.
        to: the table it points to.
        key: the column there.
        cells: cells that are not missing.
        resolved: how many of them find a row.
        missing: cells that are missing.
        chance: share that would find a row if the numbers were drawn between the least and the largest.
        agreement: how far the names agree: 2 with the table's, 1 with that of its key, 0.
        alike: cells that find no row, but would if both tables spelled keys alike.
    """

    table: str
    column: str
    to: str
    key: str
    cells: int
    resolved: int
    missing: int
    chance: float
    agreement: int
    alike: int = 0

    @property
    def nearly_complete(self) -> bool:
        """Whether every row has a cell, and nearly every cell finds a row once spelled alike: others are mistakes."""
        return self.missing == 0 and self.resolved + self.alike >= NEARLY_ALWAYS * self.cells

    @property
    def evidence(self) -> str:
        """What was seen, in numbers."""
        lost = self.cells - self.resolved
        dangling = f", {lost:,} dangle (`--orphans drop` leaves them out)" if lost else ""
        absent = f", {self.missing:,} missing" if self.missing else ""
        dense = " as keys are numbers without gaps" if self.chance == 1.0 else ""
        alike = f"; {self.alike:,} {SPELLED_ALIKE}" if self.alike else ""
        found = f"{percent(self.resolved, self.cells)} find a row, {self.chance:.1%} by chance{dense}"
        return f"{found}{dangling}{absent}{alike}"


def find_foreign_keys(tables: Mapping[str, pd.DataFrame]) -> tuple[ForeignKey, ...]:
    """Columns that point to the key of a table, each with its best target.

    A target is good where `MIN_RESOLVED` of the cells find a row and the names agree, or where all find one and would
    not by chance. Where the names agree, cells that would find one once spelled alike count too, and so do keys a few
    of which are missing or stand twice (`MAX_AMISS`), if no other fits. Of several the one is taken whose name agrees,
    then the one that finds most, then the smallest table.
    """
    cells = {name: TableCells(name, frame) for name, frame in tables.items() if len(frame)}
    found = []
    for here in cells.values():
        for column in here.texts:
            fits = list(_targets(here, column, cells))
            if not any(each.agreement for each in fits):
                fits = [*_targets(here, column, cells, spoilt=True), *fits]
            if fits:
                found.append(min(fits, key=lambda k: (-k.agreement, -k.resolved, len(tables[k.to]), k.to)))
    return tuple(_one_way(found, cells))


def spoilt_key(name: str, frame: pd.DataFrame, key: str) -> str:
    """What is amiss with the key of a table, in words; nothing if it names each row.

    Example:
        >>> spoilt_key("people", pd.DataFrame({"id": [1, 2, 2, None]}), "id")
        'names its row in 50.0% of 4: 1 is missing, 1 stands twice'
    """
    missing, twice = TableCells(name, frame).amiss(key)
    said = [f"{missing:,} {'is' if missing == 1 else 'are'} missing"] * bool(missing)
    said += [f"{twice:,} {'stands' if twice == 1 else 'stand'} twice"] * bool(twice)
    rows = len(frame)
    return f"names its row in {percent(rows - missing - twice, rows)} of {rows:,}: {', '.join(said)}" if said else ""


def row_key(name: str, frame: pd.DataFrame) -> str | None:
    """The column that names the rows of a table best, if one does.

    Example:
        >>> row_key("visits", pd.DataFrame({"row": [1, 2], "visit_id": ["a", "b"]}))
        'visit_id'
    """
    keys = TableCells(name, frame).keys
    return keys[0] if keys and column_names.says_key(keys[0]) else None


def _texts(cells: pd.Series) -> pd.Series:
    """Texts by which links name rows; missing stays missing."""
    return pd.Series(key_texts(cells), index=cells.index, dtype="string")


def singular_words(name: str) -> tuple[str, ...]:
    """Words of a name without the s of a plural and without those of keys.

    Example:
        >>> singular_words("PATIENTS"), singular_words("visit_occurrence_id"), singular_words("diagnoses")
        (('patient',), ('visit', 'occurrence'), ('diagnose',))
    """
    words = [w for w in column_names.name_words(name) if w not in ("id", "key", "nr", "no", "uuid")]
    return tuple(w[:-1] if w.endswith("s") and not w.endswith("ss") and len(w) > 3 else w for w in words)


def _may_be_key(cells: pd.Series) -> bool:
    kind = cells.dtype
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind):
        return False
    if not pd.api.types.is_numeric_dtype(kind):
        texts = cells.dropna().head(_LOOKED_AT).astype("string")
        return not bool(texts.str.fullmatch(_MOMENT).all()) and not _any_fraction(cells)
    if pd.api.types.is_float_dtype(kind):
        there = cells.dropna()
        return bool(len(there)) and bool(np.isfinite(there).all()) and bool((there == there.round()).all())
    return True


def _any_fraction(cells: pd.Series) -> bool:
    """Whether a column of decimals, as databases give them, holds one that is not whole."""
    if not isinstance(next(iter(cells.dropna()), None), Decimal):
        return False
    return any(isinstance(cell, Decimal) and cell != cell.to_integral_value() for cell in cells.dropna())


def _targets(
    here: TableCells, column: str, cells: Mapping[str, TableCells], *, spoilt: bool = False
) -> Iterator[ForeignKey]:
    """Keys that a column may point to; `spoilt`: those of which a few are missing or stand twice."""
    values = here.distinct[column]
    if (len(values) < _MIN_DISTINCT and not column_names.says_key(column)) or here.is_own_key(column):
        return
    for there in cells.values():
        for key in (there.spoilt_keys if spoilt else there.keys)[:3]:
            if there.name == here.name and (key == column or spoilt):
                continue
            agree = names_agreement(column, key, there.name)
            if not agree and column.casefold() == key.casefold() and column not in here.keys:
                agree = 1  # called alike, names rows there and comes again here
            found = _included(here, column, there, key, agree)
            if found is not None and (agree or not spoilt):
                yield found


def _included(here: TableCells, column: str, there: TableCells, key: str, agree: int) -> ForeignKey | None:
    """The column as cells that name rows of a table, if enough of them do."""
    values, texts = here.distinct[column], here.texts[column]
    known = values.isin(there.distinct[key]) | values.map(whole_text).isin(there.distinct[key].map(whole_text))
    if not agree and known.mean() < 0.5:
        return None
    lost = values[~known]
    alike = int(texts.isin(lost[_spelled_alike(lost, there.distinct[key])]).sum()) if agree or known.any() else 0
    resolved, there_are = int(texts.isin(values[known]).sum()), int(texts.notna().sum())
    chance = chance_of_inclusion(values, there.distinct[key])
    enough = resolved + alike >= MIN_RESOLVED * there_are if agree else resolved == there_are
    if not there_are or not enough or not (agree or chance <= MAX_CHANCE):
        return None
    absent = len(texts) - there_are
    return ForeignKey(here.name, column, there.name, key, there_are, resolved, absent, chance, agree, alike)


def _spelled_alike(values: pd.Index, keys: pd.Index) -> NDArray[np.bool_]:
    """Which values are keys once spelling is left aside. **Shape**: (n,)."""
    known = {unit_key(key) for key in keys} if len(values) else set()
    return np.array([unit_key(value) in known for value in values], dtype=bool)


def names_agreement(column: str, key: str, table: str) -> int:
    """How far a column is called like a key of a table: 2 if it ends in the table's name, 1 in the key's, else 0.

    Example:
        >>> names_agreement("previous_visit_id", "visit_id", "visits"), names_agreement("PATIENT", "Id", "patients")
        (2, 2)
        >>> names_agreement("icd9_code", "icd9_code", "d_icd"), names_agreement("quantity", "row_id", "patients")
        (1, 0)
    """
    words, of_key, of_table = singular_words(column), singular_words(key), singular_words(table)
    if of_table and words[-len(of_table) :] == of_table:
        return 2
    return int(bool(of_key) and not set(of_key) <= {"row", "index"} and words[-len(of_key) :] == of_key)


def chance_of_inclusion(values: pd.Index, keys: pd.Index) -> float:
    """Share of whole numbers between the least and the largest value that are keys; of texts, none by chance.

    Example:
        >>> round(chance_of_inclusion(pd.Index(["1", "9"]), pd.Index(["1", "2", "9"])), 2)
        0.33
    """
    x = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce")
    k = pd.to_numeric(pd.Series(keys, dtype=object), errors="coerce")
    if x.isna().any() or k.isna().mean() > 0.5:
        return 0.0
    inside = int(((k >= x.min()) & (k <= x.max())).sum())
    return min(1.0, inside / (float(x.max() - x.min()) + 1))


def _one_way(found: list[ForeignKey], cells: Mapping[str, TableCells]) -> Iterator[ForeignKey]:
    """Of two keys that point to each other the one to the table that more others point to."""
    pointed: dict[str, set[str]] = {}
    for each in found:
        pointed.setdefault(each.to, set()).add(each.table)
    for each in found:
        back = [k for k in found if (k.table, k.column, k.to, k.key) == (each.to, each.key, each.table, each.column)]
        if back and each.table != each.to:
            rank = [(len(pointed[k.to] - {k.table}), len(cells[k.to].frame), k.to) for k in (each, back[0])]
            if rank[0] < rank[1]:
                continue
        yield each
