"""Free text is told from long labels: what people write stands once, labels repeat."""

import numpy as np
import pandas as pd
import pytest
from made_tables import made

from synthkit.schema.infer.draft import infer_schema
from synthkit.schema.infer.free_text import free_text_evidence
from synthkit.schema.infer.type_inference import infer_column

NOTES = [f"felt dizzy after lunch on day {k}" for k in range(40)]
LABELS = [f"Hydrochlorothiazide {k} MG Oral Tablet of the evening" for k in range(200)]


@pytest.mark.parametrize(
    ("name", "texts", "each", "said"),
    [
        ("x", NOTES, 1, "7.0 words a cell, and 100% of the cells stand once"),
        ("x", NOTES, 20, ""),
        ("description", LABELS, 10, ""),
        ("note", [f"seen {k}" for k in range(40)], 1, "2.0 words a cell, and 100% of the cells stand once"),
        ("note", [f"one & the same {k}" for k in range(60)], 9, "5.0 words a cell, and 0% of the cells stand once"),
        ("note", ["none", "mild", "severe"], 9, ""),
        ("x", [f"two words{k}" for k in range(40)], 1, ""),
    ],
)  # fmt: skip
def test_prose_and_labels(name, texts, each, said):
    assert free_text_evidence(name, texts, np.full(len(texts), each)) == said


def test_repeated_notes_are_not_learned_as_codes():
    texts = [f"the patient feels as on day {k}, no change" for k in range(300)] + [
        "no change since the last visit"
    ] * 200
    column = infer_column("note", pd.Series(texts)).column
    assert (column.kind, column.pattern) == ("identifier", None)
    assert infer_schema(made("registry")).columns["note"].kind == "identifier"
