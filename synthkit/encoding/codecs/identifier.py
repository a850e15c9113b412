"""Fresh identifiers from a pattern or from Faker; never learned, so never copied."""

from __future__ import annotations

from math import prod

import numpy as np
import pandas as pd

from synthkit.encoding.keyed_permutation import MOST_THINGS, KeyedPermutation
from synthkit.errors import SchemaError
from synthkit.schema import Identifier, faker_providers
from synthkit.schema.patterns import pattern_alphabets

DEFAULT_IDENTIFIER_PATTERN = "[1-9][0-9]{8}"
MOST_FAKER_TRIES = 20  # of Faker, for each value that must differ from all others


def fresh(name: str, column: Identifier, n: int, rng: np.random.Generator) -> pd.Series:
    """New identifiers: all different if made from a pattern or declared unique. **Shape**: (n,).

    Args:
        name: the column, for messages.
        column: its pattern or Faker provider; nine digits if it has neither.
        n: how many.
        rng: source of the draws.

    Raises:
        SchemaError: the pattern is outside the grammar, or it or the provider has fewer than n values.
        UnsupportedError: Faker is asked for and not installed, or does not know the provider.

    Example:
        >>> fresh("mrn", Identifier(pattern="P[0-9]{3}"), 2, np.random.default_rng(0)).str.len().tolist()
        [4, 4]
    """
    if column.faker is not None:
        return _faked(name, column.faker, n, rng, unique=column.unique)
    room_for(name, column, n)
    letters_of = parse(name, column.pattern or DEFAULT_IDENTIFIER_PATTERN)
    space = prod(len(a) for a in letters_of)
    return _written(_distinct(space, n, rng), letters_of)


def numbered(name: str, column: Identifier, rows: range, of: int, key: str) -> pd.Series:
    """Identifiers of some rows of a table that is drawn in parts: all rows of all parts have different ones.

    The identifier of a row follows from its number in the whole table by a keyed permutation of all values the pattern
    has.

    Args:
        name: the column, for messages.
        column: its pattern; nine digits if it has none.
        rows: numbers of the rows in the whole table.
        of: how many rows that has.
        key: decides the permutation; the same for all parts.

    Raises:
        SchemaError: the pattern is outside the grammar, or has fewer than `of` values; or Faker is to make values that
            must all differ, which parts cannot see to.

    **Shape**: -> (len(rows),).

    Example:
        >>> column = Identifier(pattern="P[0-9]{2}")
        >>> parts = [numbered("mrn", column, rows, 100, "a key") for rows in (range(50), range(50, 100))]
        >>> len({*parts[0], *parts[1]})
        100
    """
    if column.faker is not None:
        msg = (
            f"`{name}`: values of rows that are drawn in parts differ by a `pattern`; however: Faker is to make them. "
            "Declare a pattern, or draw the table whole"
        )
        raise SchemaError(msg)
    room_for(name, column, of)
    letters_of = parse(name, column.pattern or DEFAULT_IDENTIFIER_PATTERN)
    space = min(prod(len(a) for a in letters_of), MOST_THINGS)
    return _written(KeyedPermutation(space, f"{key}/{name}")(np.arange(rows.start, rows.stop)), letters_of)


def _written(numbers: np.ndarray, letters_of: list[str]) -> pd.Series:
    """Numbers as texts of a pattern. **Shape**: (n,) -> (n,)."""
    out = np.full(len(numbers), "", dtype=object)
    for alphabet in reversed(letters_of):
        letters = np.array(list(alphabet), dtype=object)
        out = letters[(numbers % len(letters)).astype(np.int64)] + out
        numbers = numbers // len(letters)
    return pd.Series(out, dtype=object)


def room_for(name: str, column: Identifier, n: int) -> None:
    """Refuse a pattern that has fewer values than rows are asked for, before any work is done.

    Args:
        name: the column, for messages.
        column: its pattern.
        n: how many values are to be made.

    Raises:
        SchemaError: it has fewer.
    """
    space = prod(len(a) for a in parse(name, column.pattern or DEFAULT_IDENTIFIER_PATTERN))
    if column.faker is None and space < n:
        msg = (
            f"`{name}`: the pattern must have at least as many values as rows asked for; however: it has {space:,} "
            f"and {n:,} are needed. Widen `pattern`"
        )
        raise SchemaError(msg)


def parse(name: str, pattern: str) -> list[str]:
    """The letters of each position of a pattern, see `synthkit.schema.patterns.pattern_alphabets`.

    Raises:
        SchemaError: the pattern is outside the grammar.
    """
    try:
        return pattern_alphabets(pattern)
    except ValueError as error:
        msg = f"`{name}`: {error}"
        raise SchemaError(msg) from error


def _distinct(space: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Distinct integers below `space`, uniformly at random. **Shape**: (n,)."""
    bound = min(space, 2**62)
    if bound < 4 * n:
        return rng.permutation(bound)[:n]
    numbers = np.empty(0, dtype=np.int64)
    while len(numbers) < n:
        more = rng.integers(bound, size=n - len(numbers) + 16)
        _, first = np.unique(np.concatenate([numbers, more]), return_index=True)
        numbers = np.concatenate([numbers, more])[np.sort(first)]
    return numbers[:n]


def _faked(name: str, provider: str, n: int, rng: np.random.Generator, *, unique: bool) -> pd.Series:
    make = faker_providers.provider_maker(name, provider, int(rng.integers(2**62)))
    if not unique:
        return pd.Series([make() for _ in range(n)], dtype=object)
    made: dict[str, None] = {}
    for _ in range(MOST_FAKER_TRIES * n):
        if len(made) == n:
            break
        made.setdefault(str(make()))
    if len(made) < n:
        msg = (
            f"`{name}`: unique values must all be different; however: Faker's `{provider}` gave {len(made)} different "
            f"ones in {MOST_FAKER_TRIES * n} tries and {n} are needed. Use a `pattern` instead"
        )
        raise SchemaError(msg)
    return pd.Series(list(made), dtype=object)
