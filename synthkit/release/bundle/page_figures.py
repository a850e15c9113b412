"""The figures and verdicts a page shows, by the place in its JSON that each of them names."""

from __future__ import annotations

from html.parser import HTMLParser

from synthkit.io.json_types import JSONObject
from synthkit.report.json_export import value_at

VOID_TAGS = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}  # no end


class _Numbers(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._open: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        place = dict(attrs).get("data-number")
        if place is not None:
            self.found.setdefault(place, "")
        if tag not in VOID_TAGS:
            self._open.append((tag, place))

    def handle_data(self, data: str) -> None:
        for _, place in self._open:
            if place is not None:
                self.found[place] += data

    def handle_endtag(self, tag: str) -> None:
        """Closes the innermost element of that name and whatever was left open in it."""
        names = [name for name, _ in self._open]
        if tag in names:
            del self._open[len(names) - 1 - names[::-1].index(tag) :]


def shown_figures(html: str) -> dict[str, str]:
    """Texts of the elements that name a place in the JSON.

    Example:
        >>> shown_figures('<td data-number="/rows/0/text">0.5</td>')
        {'/rows/0/text': '0.5'}
    """
    parser = _Numbers()
    parser.feed(html)
    return parser.found


def different_figures(html: str, report: JSONObject) -> list[str]:
    """Places at which page and JSON do not say the same."""
    out = []
    for place, text in shown_figures(html).items():
        try:
            same = value_at(report, place) == text
        except KeyError:
            same = False
        if not same:
            out.append(place)
    return out
