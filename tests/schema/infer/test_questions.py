"""What a draft asks: every suspected key, unit, name and text, with its evidence and never with a cell."""

import pandas as pd
from made_tables import made

from synthkit.schema import Schema
from synthkit.schema.infer.draft import draft, examine


def asked(draft):
    return [(question.about, question.column) for question in draft.questions]


def test_keys_units_names_and_text_are_asked_for():
    assert asked(examine(made("registry"))) == [
        ("unit", "case.id"),
        ("key", "case.id"),
        ("key", "encounter"),
        ("names", "first"),
        ("names", "surname"),
        ("free text", "note"),
        ("order", "stage"),
        ("order", "grade"),
        ("order", "ecog"),
        ("survival", "time"),
        ("target", "readmitted"),
    ]
    assert asked(examine(made("insurance"))) == [("unit", "zper"), ("key", "zper"), ("one-hot", "hlthe")]


def test_a_unit_that_is_given_is_not_asked_for():
    found = examine(made("insurance"), unit="zper")
    assert asked(found) == [("one-hot", "hlthe")]
    assert found.owner is None
    assert found.schema.unit == "zper"


def test_an_answer_that_a_column_is_no_key_is_taken():
    columns = examine(made("insurance"), learned=["zper"]).schema.columns
    assert columns["zper"].kind == "numeric"
    columns = examine(made("registry"), learned=["encounter", "case.id", "note"]).schema.columns
    assert [columns[c].kind for c in ("encounter", "case.id", "note")] == ["numeric", "code", "code"]


def test_questions_stand_above_the_column_with_their_evidence():
    text = draft(made("registry"))
    said = " ".join(line.strip().lstrip("# ") for line in text.splitlines())
    assert "QUESTION: Does `note` hold free text?" in said
    assert "100% of the cells stand once" in said
    assert "# unit: case.id" in text.splitlines()
    assert Schema.loads(text).columns["case.id"].kind == "identifier"


def test_no_question_tells_a_cell():
    frame = made("registry")
    said = " ".join(map(str, examine(frame).questions))
    for column in ("case.id", "first", "surname", "note"):
        assert not any(str(cell) in said.split() for cell in frame[column].unique())


def test_a_table_without_doubt_asks_nothing():
    assert examine(pd.DataFrame({"age": [1, 2, 3] * 20, "sex": ["f", "m", "f"] * 20})).questions == ()
