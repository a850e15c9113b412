"""A page as a test reads it: the elements with their attributes and text, read by the standard library's parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr", "rect", "line", "path", "circle", "use", "stop", "wbr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    section: str = ""
    text: str = ""
    inside: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """All elements of a page, in order; an element's text includes that of its descendants."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.left_open = [e.tag for e in self._open]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {k: v or "" for k, v in attrs}, inside=[e.tag for e in self._open])
        own = element.attributes.get("data-test-section")
        element.section = own or next((e.section for e in reversed(self._open) if e.section), "")
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element.text += data

    def all(self, attribute: str, value: str | None = None) -> list[Element]:
        """Elements that have the attribute (with that value)."""
        found = [e for e in self.elements if attribute in e.attributes]
        return [e for e in found if value is None or e.attributes[attribute] == value]

    def tags(self, tag: str) -> list[Element]:
        return [e for e in self.elements if e.tag == tag]
