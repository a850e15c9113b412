"""The record that a section of the report is declared by: its data, title, template and audience in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Never, TypeVar

Tag = Literal["INTERNAL", "DP", "public"]
Context_contra = TypeVar("Context_contra", contravariant=True)
Data = TypeVar("Data", bound=Mapping[str, object])
OWN_PACKAGE = "synthkit.report"
_ID = re.compile("[a-z]+")


@dataclass(frozen=True, kw_only=True)
class SectionSpec(Generic[Context_contra, Data]):
    """One section of a page.

    Args:
        id: lower-case letters, unique in the page; the section's anchor and its `id` in `synthkit-report/1`.
        title: its heading; a `title` in the data stands in its place.
        data: what it says, as plain data; under `absent` the sentence that says why there is nothing.
        tag: INTERNAL, computed from real rows without noise; DP, a statement about a privacy budget; or public.
        shareable: the same data for outsiders; without it the section is left out of the shareable edition.
        template: its file under `templates/` of the package; `sections/ID.html` if not given.
        package: in whose templates it is looked for.
        drawn_when_absent: whether the template is drawn under the sentence of absence too.

    Raises:
        ValueError: the id has other characters.

    Example:
        >>> SectionSpec(id="weather", title="Weather", data=lambda context: {"text": "fine"}).template
        'sections/weather.html'
    """

    id: str
    title: str
    data: Callable[[Context_contra], Data]
    tag: Tag = "INTERNAL"
    shareable: Callable[[Data], Data] | None = None
    template: str = ""
    package: str = OWN_PACKAGE
    drawn_when_absent: bool = False

    def __post_init__(self) -> None:
        if _ID.fullmatch(self.id) is None:
            msg = f"the id of a section must be lower-case letters; however: {self.id!r}. Choose another"
            raise ValueError(msg)
        if not self.template:
            object.__setattr__(self, "template", f"sections/{self.id}.html")


def unchanged(data: Data) -> Data:
    """What holds nothing an outsider should not see stays as it is."""
    return data


AnySection = SectionSpec[Never, Any]  # of any page, with data of its own type
