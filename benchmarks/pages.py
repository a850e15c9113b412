"""Pages with tables of what was measured: each table stands between two markers, and only it is written."""

from __future__ import annotations

from pathlib import Path


def rewrite(page: Path, text: str, start: str, end: str) -> None:
    """Put `text` between the markers of a page.

    Raises:
        ValueError: the page has not one pair of markers.
    """
    old = page.read_text(encoding="utf-8")
    if old.count(start) != 1 or old.count(end) != 1 or old.index(end) < old.index(start):
        msg = f"a page must have one {start} before one {end}; however: {page.name} has not. Put them in"
        raise ValueError(msg)
    before, rest = old.split(start)
    new = f"{before}{start}\n\n{text}\n\n{end}{rest.split(end)[1]}"
    if new != old:
        page.write_text(new, encoding="utf-8")
