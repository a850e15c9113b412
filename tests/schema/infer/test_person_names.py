"""Names of people are found by what a column is called and by common first names, and are never learned."""

import numpy as np
import pandas as pd
import pytest
from made_tables import made

from synthkit.schema.infer.direct_identifiers import find_direct_identifiers
from synthkit.schema.infer.draft import examine, infer_schema
from synthkit.schema.infer.person_names import person_name_evidence
from synthkit.schema.infer.type_inference import infer_column

NAMES = ["Anna", "Wilma", "Torvald", "Saskia", "Idris", "Noor", "Bram", "Ewa", "Odd", "Yusra", "O'Neil", "Émilie"]
COMMON = ["Mary", "James", "John", "Linda", "Robert", "Susan", "Karen", "Paul", "Ruth", "Emma", "Mark", "Laura"]


def why(name, texts):
    return person_name_evidence(name, texts, np.full(len(texts), 20))


@pytest.mark.parametrize("name", ["FIRST", "first_name", "Vorname", "surname", "patient_name", "name", "doctorName"])
def test_the_name_of_the_column_says_so(name):
    assert "look like people's names" in why(name, NAMES)
    assert infer_column(name, pd.Series(NAMES * 20)).column.kind == "identifier"


@pytest.mark.parametrize("name", ["drug", "country", "first_line", "diagnosis_name", "last_visit"])
def test_other_capitalised_words_are_none(name):
    assert why(name, NAMES) == ""


def test_common_first_names_tell_a_column_that_does_not():
    people = COMMON + NAMES
    assert why("x", people) == "54% of the different values hold a common first name"
    assert why("x", [f"{first} {last}" for first, last in zip(people, reversed(people), strict=True)])
    assert why("x", NAMES * 3) == ""


def test_levels_are_no_names():
    assert why("first", ["Yes", "No"]) == ""
    assert why("name", [f"Drug {k} mg" for k in range(30)]) == ""


def test_first_names_are_not_learned():
    columns = infer_schema(made("registry")).columns
    assert columns["first"].kind == columns["surname"].kind == "identifier"
    assert columns["site"].kind == "categorical"


FEW = ["Anna", "Peter", "Maria", "Hans", "Julia", "Karl"]


@pytest.mark.parametrize("name", ["vorname", "Vorname", "Rufname", "prénom", "first_name", "fname", "name", "nombre"])
def test_a_few_first_names_are_asked_about_and_never_learned(name):
    frame = pd.DataFrame({name: FEW * 30, "x": np.arange(180) / 7})
    draft = examine(frame)
    assert draft.schema.columns[name].kind == "identifier"
    assert f"Does `{name}` hold names of people?" in [question.asks for question in draft.questions]
    assert not any(text in str(question) for text in FEW for question in draft.questions)
    assert examine(frame, learned=[name]).schema.columns[name].kind == "categorical"
    assert (
        any(each.column == name and each.category == "name" for each in find_direct_identifiers(frame))
        or name == "nombre"
    )


@pytest.mark.parametrize("name", ["nachname", "surname", "apellido", "cognome", "achternaam", "Geburtsname"])
def test_a_few_last_names_need_not_be_common(name):
    assert infer_column(name, pd.Series(["Zyxel", "Qwerto", "Bla-Blub"] * 30)).column.kind == "identifier"


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("first_name", ["known", "unknown"]),
        ("first_name", ["Y", "N"]),
        ("name", ["Clinic A", "Clinic B"]),
        ("name", ["Insulin", "Aspirin"]),
        ("nombre", ["Insulina", "Aspirina"]),
        ("first", ["Yes", "No"]),
        ("first_line", FEW),
        ("drug_name", FEW),
    ],
)
def test_a_few_levels_are_no_names(name, levels):
    assert infer_column(name, pd.Series(levels * 30)).column.kind in ("categorical", "boolean")
