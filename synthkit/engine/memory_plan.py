"""What a bound on memory means: how much of it each part of the work may hold, and which tables it is enough for."""

from __future__ import annotations

from dataclasses import dataclass

from synthkit.errors import ConfigError
from synthkit.runtime.memory_sizes import memory_bytes, memory_there, size_text

LEAST = 2 * 2**30  # bytes below which libraries, a network and a batch have no room
BASE_BYTES = 3 * 2**28  # bytes of the interpreter and the libraries that are loaded in any case
SHARE_THERE = 0.6  # of the memory that is there, where nobody sets a bound
BYTES_A_CELL = 80  # that a table takes while it is fitted in memory: 3.2 GiB a million rows of 42 columns
DUCK_SHARE = 0.3  # of what is left beside the base, for scans; the rest is for batches and the network
BYTES_A_WORKER = 2**30  # that a process takes which draws rows


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """How a bound is divided.

    Args:
        total: bytes that everything together may hold.
        asked: whether somebody set the bound.

    Example:
        >>> plan = MemoryPlan.of("3GB")
        >>> plan.holds(1_000_000, 42), plan.holds(100_000, 42), plan.duck == int(0.3 * 2.25 * 2**30)
        (False, True, True)
    """

    total: int
    asked: bool

    @classmethod
    def of(cls, memory: str | None) -> MemoryPlan:
        """The plan of a bound such as `8GB`; of a share of the memory that is there if none is given.

        Raises:
            ConfigError: the text is no size, or less than anything can be done in.
        """
        if memory is None:
            return cls(total=max(int(memory_there() * SHARE_THERE), LEAST), asked=False)
        total = memory_bytes(memory)
        if total < LEAST:
            msg = f"`memory` must be {size_text(LEAST)} or more; however: {size_text(total)}. Give more"
            raise ConfigError(msg)
        return cls(total=total, asked=True)

    @property
    def duck(self) -> int:
        """Bytes that scans may hold."""
        return int(DUCK_SHARE * (self.total - BASE_BYTES))

    @property
    def workers(self) -> int:
        """How many processes may draw at once."""
        return max(1, int((self.total - BASE_BYTES) // BYTES_A_WORKER))

    def holds(self, rows: int, columns: int) -> bool:
        """Whether a table of that size can be worked on in memory."""
        return needed(rows, columns) <= self.total

    def refuse_larger(self, rows: int, columns: int, what: str) -> None:
        """Refuse what is done in memory alone to a table that does not fit in it.

        Args:
            rows: of the table.
            columns: of the table.
            what: is asked for.

        Raises:
            ConfigError: the table does not fit; what is needed is told.
        """
        if not self.holds(rows, columns):
            least = size_text(needed(rows, columns))
            msg = (
                f"{what} takes the table into memory, about {least} of {rows:,} rows; however: there are "
                f"{size_text(self.total)}. Say `--memory` if there is more, leave it out, or take fewer rows"
            )
            raise ConfigError(msg)


def needed(rows: int, columns: int) -> int:
    """Bytes that a table takes while it is fitted in memory, about.

    Example:
        >>> round(needed(1_000_000, 42) / 2**30, 1)
        3.9
    """
    return BASE_BYTES + BYTES_A_CELL * rows * columns
