"""What of a sampler its parts look at: the units that advance together, and everything drawn of them so far."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from synthkit.encoding.arrays import Bools, Ints
from synthkit.encoding.units.begun_units import BegunUnits
from synthkit.encoding.units.root_facts import RootFacts
from synthkit.encoding.units.unit_encoder import UnitEncoder
from synthkit.models.timeline.drawn_round import TableMemory
from synthkit.models.timeline.once_masks import OnceMask
from synthkit.models.timeline.open_owners import OpenOwners
from synthkit.models.timeline.row_times import RowTime, TableTimes
from synthkit.models.timeline.unit_memory import PointedRows, UnitMemory


class UnitsSoFar(Protocol):
    """Units that advance together.

    Attributes:
        encoder: the coding.
        facts: of the units.
        units: their numbers among all. **Shape**: (B,).
        begun: what has happened to them already.
        owners: rows whose own rows are being drawn.
        memory: what came before.
        times: what the clock knows of each table.
        once: what comes once in each table.
        pointed: the last rows of tables that links point to, by number of the table.
        tables: codes of the rows of each table.
        possible: whether there is a place for the next row of each table of active units. **Shape**: (n, T).
    """

    encoder: UnitEncoder
    facts: RootFacts
    units: Ints
    begun: BegunUnits | None
    owners: OpenOwners
    memory: UnitMemory
    times: list[TableTimes]
    once: list[list[OnceMask]]
    pointed: dict[int, PointedRows]
    tables: list[TableMemory]
    possible: Bools

    def room(self, active: Ints, table: Ints) -> RowTime:
        """Where the next rows of units may lie. **Shape**: (n,), (n,) -> (n,) each."""
        ...

    def codes(self, t: int, steps: Ints) -> Tensor:
        """Codes of steps that are rows of one table, -1 for none. **Shape**: (n,) -> (n, D)."""

    def rows_of(self, t: int, rows: Ints) -> Tensor:
        """Codes of rows of one table as they were drawn, -1 for none. **Shape**: (n,) -> (n, D)."""
        ...
