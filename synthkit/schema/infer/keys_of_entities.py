"""Whom or what a column names: a person, an encounter, any other key; told by names and by how values repeat.

What is said of a column follows from its name and from which cells are equal, so that it does not depend on the order
of the rows or on how the cells are stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from synthkit.schema.columns import Code, Column, Identifier, Numeric
from synthkit.schema.infer import column_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

Role = Literal["person", "event", "place", "other"]

MIN_ROWS_FOR_KEYS = 20  # rows below which many distinct values say little
MAX_DISTINCT_AS_LEVELS = 50  # more distinct values than this are no levels
_NOT_BY_CHANCE = 7.0  # pairs of equal cells expected by chance above which none is found once in a thousand tables
_MAX_MEAN_ROWS_PER_KEY = (
    50.0  # rows of one value on average, beyond which it is a place or a class rather than a person
)
_MAX_SHARE_OF_ONE_KEY = 0.05  # of the rows: more of one value is a spike of a quantity
_MAX_COLUMNS_COMPARED = 40  # other columns that are looked at
_MAX_SHARE_NOT_CONSTANT = 0.01  # share of values within which another column may change, for errors of typing
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_QUANTITY_WORDS = frozenset(
    (
        *("day", "days", "week", "weeks", "month", "months", "year", "years", "hour", "hours", "minute", "second"),
        *("time", "date", "age", "count", "num", "number", "amount", "price", "cost", "rank", "score", "weight"),
    )
)

_CATALOGUE_WORDS = frozenset(
    ("concept", "code", "item", "drug", "product", "diagnosis", "procedure", "category", "type")
)


@dataclass(frozen=True)
class EntityKey:
    """A column that names somebody or something, and why.

    Args:
        column: its name.
        role: whom it names, as far as can be told.
        rows: cells that are not missing.
        distinct: different values among them.
        evidence: what was seen, in words and numbers, never a value.
    """

    column: str
    role: Role
    rows: int
    distinct: int
    evidence: str

    @property
    def repeats(self) -> bool:
        """Whether some value stands in several rows."""
        return self.distinct < self.rows


def whole_key(name: str, distinct: NDArray[np.float64], counts: NDArray[np.int64]) -> str:
    """Why whole numbers are a key, or nothing.

    Args:
        name: the column's name.
        distinct: the different numbers, ascending. **Shape**: (d,).
        counts: rows that have each. **Shape**: (d,).

    Example:
        >>> whole_key("seqn", np.arange(100.0) * 7, np.ones(100, dtype=int))
        'a key by its name and its many distinct values: made fresh, never learned'
        >>> whole_key("age", np.arange(100.0), np.full(100, 30))
        ''
    """
    n, d = int(counts.sum()), len(distinct)
    if named := _named(name, n, d, int(counts.max(initial=0))):
        return named
    if n >= MIN_ROWS_FOR_KEYS and d == n and not _QUANTITY_WORDS & set(column_names.name_words(name)):
        if distinct[-1] - distinct[0] < 1.05 * n:
            return "numbers the rows: made fresh, never learned"
        chance = n * (n - 1) / 2 / (distinct[-1] - distinct[0])
        if chance >= _NOT_BY_CHANCE or (n >= 1000 and distinct[0] >= 1000):
            return "every row has its own number: likely a key. If it is a quantity, write numeric with min and max"
    return ""


def text_key(name: str, texts: Sequence[str], counts: NDArray[np.int64]) -> str:
    """Why texts are keys, or nothing.

    Args:
        name: the column's name.
        texts: the different texts.
        counts: rows that have each, in any order.

    Example:
        >>> text_key("case.id", [f"C-{k}" for k in range(60)], np.full(60, 9))
        "a person's key by its name: made fresh, never learned"
    """
    n, d = int(counts.sum()), len(texts)
    if column_names.says_key(name) and d >= max(2, 0.5 * n):
        return "a key by its name and its many distinct values: made fresh, never learned"
    if np.mean([" " in text for text in texts]) > 0.1:  # words, which a key is not
        return ""
    if d >= MIN_ROWS_FOR_KEYS and all(_UUID.fullmatch(text) for text in texts):
        return "universally unique identifiers: made fresh, never learned"
    if not column_names.calls_person(name) and np.mean([any(c.isdigit() for c in text) for text in texts]) < 0.9:
        return ""
    return _named(name, n, d, int(counts.max(initial=0)))


def _named(name: str, n: int, d: int, most: int) -> str:
    """What a name says of n cells with d different values, of which the most frequent has `most`."""
    if (
        column_names.says_key(name)
        and n > 1
        and d >= 0.5 * n
        and (d >= min(n, MIN_ROWS_FOR_KEYS) or column_names.says_person(name))
    ):
        return "a key by its name and its many distinct values: made fresh, never learned"
    if (column_names.says_person(name) and d > MAX_DISTINCT_AS_LEVELS) or (column_names.calls_person(name) and d > 10):
        return "a person's key by its name: made fresh, never learned"
    if column_names.says_event(name) and column_names.says_key(name) and d > MAX_DISTINCT_AS_LEVELS:
        return "the key of an encounter or another event by its name: made fresh, never learned"
    coded = bool(_CATALOGUE_WORDS & set(column_names.name_words(name)))
    if (
        column_names.says_key(name)
        and not coded
        and d > 10 * MAX_DISTINCT_AS_LEVELS
        and n <= _MAX_MEAN_ROWS_PER_KEY * d
    ):
        return "a key by its name and its many values: made fresh, never learned"
    if (
        column_names.is_owner(name)
        and d >= MIN_ROWS_FOR_KEYS
        and (d >= 0.5 * n or (d >= 2 * MAX_DISTINCT_AS_LEVELS and most <= 0.05 * n))
    ):
        return "a key by its name and its many distinct values: made fresh, never learned"
    return ""


def find_repeated_keys(frame: pd.DataFrame, columns: Mapping[str, Column]) -> tuple[EntityKey, ...]:
    """Columns drafted as numbers or codes in whose rows of one value other columns never change: keys of their owners.

    A value stands in 1.2 to 50 rows on average. Two other columns are the same in all its rows, for 99 of 100 values,
    and would not be by chance. Of several such columns the finest one is the key; what it determines is a trait of the
    owner.

    Args:
        frame: the rows.
        columns: the drafted kinds.
    """
    candidates = list(_repeating(frame, columns))
    if not candidates:
        return ()
    whole, said = frame, [c for c, column in columns.items() if not isinstance(column, Identifier)]
    frame = frame.drop_duplicates(said)  # rows that stand twice would tie everything to everything
    coded = {name: pd.factorize(frame[name], use_na_sentinel=False)[0] for name in candidates}
    others = {name: pd.factorize(frame[name], use_na_sentinel=False)[0] for name in trait_columns(frame, columns)}
    found: list[str] = []
    keys = []
    for name in sorted(coded, key=lambda c: (-coded[c].max(), c)):
        if any(_changes(coded[key], coded[name]) <= _MAX_SHARE_NOT_CONSTANT for key in found):
            continue
        constant = [c for c in others if c != name and _tied(coded[name], others[c])]
        if len(constant) >= 2:
            found.append(name)
            keys.append(_repeated_key(name, whole[name].dropna(), constant))
    return tuple(sorted(keys, key=lambda key: list(columns).index(key.column)))


def _repeating(frame: pd.DataFrame, columns: Mapping[str, Column]) -> Iterator[str]:
    """Columns that may be keys whose values repeat."""
    for name, column in columns.items():
        whole = isinstance(column, Numeric) and column.decimals == 0
        code = isinstance(column, Code) and column.system is None
        if not (whole or code) or column_names.says_place(name) or _QUANTITY_WORDS & set(column_names.name_words(name)):
            continue
        counts = frame[name].value_counts(sort=False)
        rows, d = int(counts.sum()), len(counts)
        if (
            d > 2 * MAX_DISTINCT_AS_LEVELS
            and 1.2 <= rows / d <= _MAX_MEAN_ROWS_PER_KEY
            and counts.max() <= max(_MAX_SHARE_OF_ONE_KEY * rows, 2)
        ):
            yield name


def trait_columns(frame: pd.DataFrame, columns: Mapping[str, Column]) -> list[str]:
    """Columns that can be traits of an owner: neither keys nor nearly constant."""
    fit = []
    for name, column in columns.items():
        if isinstance(column, Identifier):
            continue
        counts = frame[name].value_counts(dropna=False)
        if len(counts) >= 2 and counts.iloc[0] <= 0.95 * len(frame):
            fit.append(name)
    return fit[:_MAX_COLUMNS_COMPARED]


def _changes(key: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Share of values of `key` that meet more than one of `other`, as a bound."""
    pairs = len(pd.unique(key.astype(np.int64) * (int(other.max()) + 1) + other))
    return (pairs - len(np.unique(key))) / max(len(np.unique(key)), 1)


def _tied(key: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Whether `other` is constant within values of `key`, although chance would change it in most."""
    shares = np.bincount(other) / len(other)
    rows = np.bincount(key)
    several = rows[rows > 1]
    chance = float(np.mean(1 - np.power(float((shares**2).sum()), several - 1))) * len(several) / len(rows)
    return (
        len(several) >= MIN_ROWS_FOR_KEYS
        and chance > 5 * _MAX_SHARE_NOT_CONSTANT
        and _changes(key, other) <= _MAX_SHARE_NOT_CONSTANT
    )


def _repeated_key(name: str, present: pd.Series, constant: list[str]) -> EntityKey:
    n, d = len(present), int(present.nunique())
    return EntityKey(name, key_role(name, owner=True), n, d, f"{repetition_in_words(n, d)}; {list_in_words(constant)}")


def list_in_words(constant: Sequence[str]) -> str:
    """Columns that never change within a value of a key, in words.

    Example:
        >>> list_in_words(["sex"]), list_in_words(["age", "sex"])
        ('`sex` never changes within one', '`age`, `sex` never change within one')
    """
    same = ", ".join(f"`{c}`" for c in constant[:3]) + (f" and {len(constant) - 3} others" if constant[3:] else "")
    return f"{same} never change{'s' * (len(constant) == 1)} within one"


def repetition_in_words(rows: int, distinct: int) -> str:
    """How often values repeat, in words.

    Example:
        >>> repetition_in_words(20190, 5912), repetition_in_words(100, 100)
        ('5,912 different values in 20,190 rows, 3.4 rows each', '100 rows, each with its own value')
    """
    if distinct == rows:
        return f"{rows:,} rows, each with its own value"
    return f"{distinct:,} different values in {rows:,} rows, {rows / max(distinct, 1):.1f} rows each"


def key_role(name: str, *, owner: bool = False) -> Role:
    """Whom or what a key names, by its name.

    Args:
        name: the column's name.
        owner: whether its cells say already that it names who owns the rows.
    """
    if column_names.says_place(name):
        return "place"
    if column_names.says_event(name):
        return "event"
    person = (
        column_names.says_person(name) or column_names.is_owner(name) or column_names.numbers_somebody(name) or owner
    )
    return "person" if person else "other"


def entity_keys(
    frame: pd.DataFrame, columns: Mapping[str, Column], found: Sequence[EntityKey] = ()
) -> tuple[EntityKey, ...]:
    """What each identifier of a draft names, in the order of the columns.

    Args:
        frame: the rows.
        columns: the drafted kinds.
        found: keys whose evidence is known already, from `find_repeated_keys`.
    """
    known = {key.column: key for key in found}
    out = []
    for name, column in columns.items():
        if isinstance(column, Identifier):
            present = frame[name].dropna()
            rows, distinct = len(present), int(present.nunique())
            out.append(
                known.get(name) or EntityKey(name, key_role(name), rows, distinct, repetition_in_words(rows, distinct))
            )
    return tuple(out)


def owner_key(found: Sequence[EntityKey]) -> EntityKey | None:
    """The key of the person who owns the rows: one that repeats, never a place; the finest if there are several.

    Example:
        >>> keys = [EntityKey("zip", "place", 90, 30, ""), EntityKey("case.id", "person", 90, 40, "")]
        >>> owner_key(keys).column
        'case.id'
    """
    people = [key for key in found if key.role == "person" and key.repeats]
    return max(people, key=lambda key: (column_names.says_person(key.column), key.distinct, key.column), default=None)
