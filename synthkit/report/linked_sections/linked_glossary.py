"""The section that explains terms, those of linked tables among them."""

from __future__ import annotations

from synthkit.report.labels import GLOSSARY
from synthkit.report.section_spec import SectionSpec, unchanged
from synthkit.report.sections.glossary import GlossaryData

LINKED_TERMS: tuple[tuple[str, str, str], ...] = (
    ("Contradiction", "declared", "What a clinician called impossible in the schema, such as a sign of life after "
     "death; counted in real and in synthetic tables, not forbidden."),
    ("Floor", "reference", "What as many training units score in the place of the synthetic ones: no synthetic tables "
     "can be expected to do better."),
    ("Gap", "", "Time between a row and the one before of the same owner, from its end where rows last."),
    ("KS", "Kolmogorov-Smirnov distance", "Largest difference between two cumulative distributions: 0 identical, 1 "
     "nothing in common."),
    ("Lag-1 correlation", "", "Rank correlation of a value with the one before in its series."),
    ("Owner", "", "The row that a row belongs to: the stay of a diagnosis, the patient of a stay."),
    ("Series", "", "Rows of a unit that continue each other, such as values of one laboratory test."),
)  # fmt: skip


def _data(context: object) -> GlossaryData:
    return {"terms": tuple(sorted((*GLOSSARY, *LINKED_TERMS), key=lambda term: term[0].casefold()))}


LINKED_GLOSSARY = SectionSpec(id="glossary", title="Glossary", data=_data, tag="public", shareable=unchanged)
