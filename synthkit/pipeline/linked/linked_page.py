"""The one place where a run of linked tables asks for its page, from what it has in memory or from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthkit.errors import UnsupportedError

if TYPE_CHECKING:
    from synthkit.report import Report


def linked_page(folder: Path, tier: str = "internal") -> Report | None:
    """The page on what a folder of linked tables holds; None while `report` has no page of linked tables."""
    del folder, tier
    return None


def redrawn_linked_page(folder: Path, tier: str = "internal") -> Report:
    """The page drawn again.

    Raises:
        UnsupportedError: there is no page of linked tables in this version.
    """
    page = linked_page(folder, tier)
    if page is None:
        msg = (
            "a page is drawn of one table in this version; however: the folder holds linked tables. Every number "
            "stands in its evaluation.json"
        )
        raise UnsupportedError(msg)
    return page
