"""Where a fit of a large table works: a folder of its own, bounds on memory, and a connection that keeps to them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from synthkit.engine.duck import Duck, open_duck
from synthkit.errors import TableError

PREFIX = ".synthkit-work-"


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """A folder for files of real rows, INTERNAL, and DuckDB within its bounds.

    Args:
        folder: only its owner may read it; it is gone when the work ends.
        duck: counts files.
    """

    folder: Path
    duck: Duck

    def room(self, name: str) -> Path:
        """A new empty folder in it."""
        made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        return made


@contextmanager
def open_workplace(memory: int, *, beside: Path | None = None, threads: int | None = None) -> Iterator[Workplace]:
    """A place to work in; it is removed when the block ends, however that comes.

    Args:
        memory: bytes that DuckDB may hold.
        beside: folder in which its own is made: that of the output, where there is room; where the system keeps
            temporary files if not given.
        threads: how many DuckDB may use; as many as there are processors if not given.

    Raises:
        TableError: the folder cannot be made.

    Example:
        >>> with open_workplace(2**28) as place:
        ...     place.folder.is_dir()
        True
        >>> place.folder.exists()
        False
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=beside))  # with rights of 0700
    except OSError as error:
        msg = (
            f"a large table is worked on in a folder beside the output; however: it cannot be made in {beside}: "
            f"{error.strerror or type(error).__name__}. Make room, or choose a folder that you may write to"
        )
        raise TableError(msg) from error
    try:
        with open_duck(memory, beside=folder, threads=threads) as duck:
            yield Workplace(folder=folder, duck=duck)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
