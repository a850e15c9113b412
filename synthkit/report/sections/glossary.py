"""The section that explains terms and abbreviations."""

from __future__ import annotations

from typing import TypedDict

from synthkit.report.labels import GLOSSARY
from synthkit.report.section_spec import SectionSpec, unchanged


class GlossaryData(TypedDict):
    """Short name, long name and explanation of each term."""

    terms: tuple[tuple[str, str, str], ...]


def glossary(context: object) -> GlossaryData:
    """Every term; the same on every page."""
    return {"terms": GLOSSARY}


GLOSSARY_OF_TERMS = SectionSpec(id="glossary", title="Glossary", data=glossary, tag="public", shareable=unchanged)
