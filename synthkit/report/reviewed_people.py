"""What reviewers are shown of a person: rows with their time and values, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReviewedRow:
    """One row as a clinician reads it.

    Args:
        when: time since the first row, in words.
        table: where it stands.
        values: names and texts of its cells.
    """

    when: str
    table: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ReviewedPerson:
    """A real or synthetic unit as a clinician reads it; nothing in it says which.

    Args:
        about: names and texts of the unit's own cells.
        rows: its rows in all tables, in order of time.
        left_out: further rows that are not shown.
    """

    about: tuple[tuple[str, str], ...]
    rows: tuple[ReviewedRow, ...]
    left_out: int
