"""Questions to Great Expectations under neutral names, and one question for all columns that are asked the same.

GX resolves the name of a column without its case and takes the first: asked about `dose`, it may answer about `Dose`.
So it is asked about `c0`, `c1`, and so on. Columns of one dtype with one question stand one below the other in one of
them, and bounds stand beside the cells they bound: a question costs GX as much as some 10,000 cells.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray


Expectation = dict[str, Any]
MAX_STACKED_CELLS = 2_000_000  # most cells of a stack: beyond, stacking costs memory and saves nothing
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B")
_UNSTACKED_EXPECTATIONS = frozenset(
    ("expect_column_values_to_be_unique",)
)  # a value of another column is no second one
_PAIR_EXPECTATION = "expect_column_pair_values_a_to_be_greater_than_b"


@dataclass(frozen=True)
class Stack:
    """One question about columns that stand one below the other.

    Args:
        kind: type of the expectation.
        kwargs: its arguments, without columns.
        sides: cells by the argument that names their column, one series a member.
        members: for whom it is asked, as places in the list of expectations.
    """

    kind: str
    kwargs: dict[str, Any]
    sides: dict[str, tuple[pd.Series, ...]]
    members: tuple[int, ...]

    @property
    def height(self) -> int:
        """Cells one below the other."""
        return sum(map(len, next(iter(self.sides.values()))))

    def columns(self) -> dict[str, pd.Series]:
        """The cells by argument."""
        return {
            side: parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
            for side, parts in self.sides.items()
        }

    def split(self, labels: Sequence[int]) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Members with the rows of theirs that are among `labels`. **Shape**: labels (k,) -> arrays of k in all."""
        rows = self.height // len(self.members)
        where = np.asarray(labels, dtype=np.int64)
        for k, member in enumerate(self.members):
            mine = where[(where >= k * rows) & (where < (k + 1) * rows)]
            yield member, mine - k * rows


def stacked(frame: pd.DataFrame, expectations: Sequence[Expectation]) -> list[Stack]:
    """The questions of expectations about columns of a frame whose rows are numbered from 0.

    Example:
        >>> asked = [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": c}} for c in ("Dose", "dose")]
        >>> [stack.members for stack in stacked(pd.DataFrame({"Dose": [1, 2], "dose": [3, 4]}), asked)]
        [(0, 1)]
    """
    groups: dict[Any, list[Stack]] = {}
    columns = {str(name): frame[name] for name in frame.columns}
    for k, expectation in enumerate(expectations):
        for stack in _questions(columns, expectation, k):
            alone = k if stack.kind in _UNSTACKED_EXPECTATIONS else None
            dtypes = [str(parts[0].dtype) for parts in stack.sides.values()]
            key = (stack.kind, json.dumps([stack.kwargs, dtypes, sorted(stack.sides)], default=repr), alone)
            groups.setdefault(key, []).append(stack)
    most = max(MAX_STACKED_CELLS // max(len(frame), 1), 1)
    return [_one(group[at : at + most]) for group in groups.values() for at in range(0, len(group), most)]


def _questions(columns: dict[str, pd.Series], expectation: Expectation, member: int) -> Iterator[Stack]:
    """What one expectation asks; bounds of numbers become a column beside the numbers."""
    kwargs = expectation["kwargs"]
    sides: dict[str, tuple[pd.Series, ...]] = {
        side: (columns[kwargs[side]],) for side in _COLUMN_ARGUMENTS if side in kwargs
    }
    said = {key: value for key, value in kwargs.items() if key not in _COLUMN_ARGUMENTS}
    if expectation["type"] != "expect_column_values_to_be_between" or not _plain(sides["column"][0]):
        yield Stack(expectation["type"], said, sides, (member,))
        return
    cells = sides["column"][0]
    for key, (more, less) in (("min_value", ("column_A", "column_B")), ("max_value", ("column_B", "column_A"))):
        if key in said:
            bound = pd.Series(np.full(len(cells), said[key]))
            pair: dict[str, tuple[pd.Series, ...]] = {more: (cells,), less: (bound,)}
            yield Stack(
                _PAIR_EXPECTATION, {"or_equal": True, "ignore_row_if": "either_value_is_missing"}, pair, (member,)
            )


def _plain(cells: pd.Series) -> bool:
    return isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "if"


def _one(group: list[Stack]) -> Stack:
    first = group[0]
    sides = {side: tuple(stack.sides[side][0] for stack in group) for side in first.sides}
    return Stack(first.kind, first.kwargs, sides, tuple(stack.members[0] for stack in group))


def alike(names: Sequence[str]) -> frozenset[str]:
    """Names without their case that more than one column has.

    Example:
        >>> sorted(alike(["Dose", "dose", "age"]))
        ['dose']
    """
    counts = Counter(name.casefold() for name in names)
    return frozenset(name for name, count in counts.items() if count > 1)
