"""Countings of the flat tables of linked tables, told together: exactly, or with one clip and one noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthkit.encoding.slot_counts import AskedCounts, Counting, MeasuredCounts
from synthkit.errors import ConfigError
from synthkit.privacy.access.unit_counts import UnitCounting, UnitTables, measured_together


@dataclass(frozen=True)
class ExactLinkedCounts:
    """Exact countings side by side; see `encoding.slot_counts.StackedCounting`.

    Args:
        parts: the countings, by name.
    """

    parts: Mapping[str, Counting]

    def measure(self, asked: Sequence[AskedCounts]) -> list[list[MeasuredCounts]]:
        """Exact tables of each, in order."""
        return [each.counting.measure(each.scopes, each.rho) for each in asked]


@dataclass(frozen=True)
class NoisyLinkedCounts:
    """Countings of the same units; see `encoding.slot_counts.StackedCounting`.

    Args:
        parts: the countings, by name, all of them charged to one account.
    """

    parts: Mapping[str, UnitCounting]

    def measure(self, asked: Sequence[AskedCounts]) -> list[list[MeasuredCounts]]:
        """Tables of each with one clip and one noise for all, charged before.

        Raises:
            ConfigError: a price is not above 0 and finite, or a counting is none of units.
        """
        wanted = list[UnitTables]()
        for each in asked:
            if not isinstance(each.counting, UnitCounting):
                msg = "tables that are told together must be counted by units; however: some are not. Take the parts"
                raise ConfigError(msg)
            wanted.append(UnitTables(counting=each.counting, scopes=each.scopes, rho=each.rho))
        return measured_together(wanted)
