"""A question to every row of a table that was answered elsewhere: a helper column for Great Expectations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RowCheck:
    """What must hold in every row, and where it does.

    Args:
        columns: columns of the table the rule speaks of.
        rule: what must hold, in words, without any value of a row.
        remedy: what to do where it does not.
        holds: where it does. **Shape**: (n,).
    """

    columns: tuple[str, ...]
    rule: str
    remedy: str
    holds: NDArray[np.bool_]
