"""A bundle that was opened, as checks read it."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthkit.errors import ArtefactError
from synthkit.io.arrow_files import arrow_extent
from synthkit.io.documents import parse_json
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.finding import CheckResult, broken, unvouched
from synthkit.release.bundle.withdrawal_notice import Notice

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema import Schema
    from synthkit.schema.linked import LinkedSchema

MAX_JSON_BYTES = 2**24  # bytes of one member
MAX_CELLS = 10_000_000  # of all tables of a bundle: what is held against a schema in a minute


@dataclass(frozen=True)
class Opened:
    """Members of a bundle, and what the one who checks it brings.

    Args:
        members: content by name.
        known: the custodian's public key, had by another way; None without one.
        today: the day on which it is checked.
        cells: most cells of all tables together that are read.
        notices: of withdrawals, None if none were given.
    """

    members: Mapping[str, bytes]
    known: bytes | None
    today: dt.date
    cells: int = MAX_CELLS
    notices: Sequence[Notice] | None = None

    def json(self, name: str) -> Any:
        """A member as JSON."""
        return parse_json(self.members[name], name, most=MAX_JSON_BYTES)

    def otherwise(self, words: str) -> CheckResult:
        """What follows where a member has other words than ours: it is broken, unless another version wrote it."""
        who = self.json(manifests.MANIFEST)["generator"]
        if who == manifests.GENERATOR:
            return broken(words)
        return unvouched(f"{words}; it is said to be written by {who}, which is not installed")

    @property
    def content(self) -> dict[str, bytes]:
        """All members that the manifest lists: not itself, and not the signature under it."""
        outside = (manifests.MANIFEST, manifests.SIGNATURE)
        return {name: each for name, each in self.members.items() if name not in outside}

    @cached_property
    def schema(self) -> Schema | LinkedSchema:
        """What the columns mean, of one table or of linked ones; read once for all the checks that ask."""
        from synthkit.schema.linked.either_schema import load_either

        with self.file(run_folder.SCHEMA_FILE) as path:
            return load_either(path)

    def frame(self, name: str) -> pd.DataFrame:
        """The rows of a member."""
        from synthkit.tables import table_files

        with self.file(name) as path:
            return table_files.read(path).frame()

    @property
    def too_large(self) -> str | None:
        """What is said of tables with more cells than are read, counted before one is; None where they have not."""
        sizes = [arrow_extent(self.members[name], name) for name in self.tables]
        cells = sum(max(size.rows, 1) * size.columns for size in sizes)
        if cells <= self.cells:
            return None
        return (
            f"the tables hold {cells:,} cells, and at most {self.cells:,} are read of a stranger's. "
            f"If you know the sender, say --cells {cells}"
        )

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """Numbers of rows of the members that hold some; read once for all the checks that ask.

        Raises:
            ArtefactError: there are more cells than are read.
        """
        if self.too_large is not None:
            raise ArtefactError(self.too_large)
        return {name: len(self.frame(name)) for name in self.tables}

    @property
    def tables(self) -> list[str]:
        """Names of the members that hold rows."""
        return [name for name in sorted(self.members) if name.endswith(manifests.TABLE_ENDING)]

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """A member as a file of its own, for readers that want a path; gone afterwards."""
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / Path(name).name
            path.write_bytes(self.members[name])
            yield path
