"""Keys of few persons are told by their name and their cells; counts, levels and school subjects are none."""

import numpy as np
import pandas as pd
import pytest

from synthkit.schema.infer.column_names import name_words, numbers_somebody, says_key
from synthkit.schema.infer.draft import examine
from synthkit.schema.infer.key_names import find_keys_by_name
from synthkit.schema.infer.type_inference import infer_column

NAMES = ("patnr", "patientnr", "fallnr", "Fallnummer", "Fall-Nr.", "patient", "subject", "case", "encounter", "pid")
FOREIGN = ("nip", "dossier", "numéro_patient", "N° dossier", "id_paciente", "nhc", "patiëntnummer", "probandennummer")


def visits(name, people, each, key, seed=11):
    """Rows of people with a constant age and sex, under keys that `key` makes of their number."""
    rng = np.random.default_rng(seed)
    rows = people * each
    return pd.DataFrame(
        {
            name: np.repeat(key(rng, people), each),
            "bp": rng.normal(130, 19, rows).round(1),
            "age": np.repeat(rng.integers(20, 90, people), each),
            "sex": np.repeat(rng.choice(["f", "m"], people), each),
            "ward": rng.choice(["A", "B", "C"], rows),
        }
    )


def long(rng, people):
    return rng.choice(np.arange(10**6, 10**7), people, replace=False)


def long_texts(rng, people):
    return np.array([f"P{number}" for number in long(rng, people)])


def short(rng, people):
    return np.arange(1, people + 1)


def short_texts(rng, people):
    return np.array([f"S-{number:03d}" for number in short(rng, people)])


@pytest.mark.parametrize("name", NAMES + FOREIGN)
@pytest.mark.parametrize(("people", "each"), [(50, 4), (100, 5), (20, 10)])
@pytest.mark.parametrize("key", [long, long_texts, short, short_texts])
def test_a_key_of_few_people_is_asked_about_and_never_learned(name, people, each, key):
    draft = examine(visits(name, people, each, key))
    assert draft.schema.columns[name].kind == "identifier"
    assert any(question.column == name for question in draft.questions)
    assert draft.schema.columns["age"].kind == "numeric"
    assert draft.schema.columns["sex"].kind == "categorical"


@pytest.mark.parametrize("name", ["patnr", "patient", "subject", "id_paciente", "dossier", "nip"])
def test_the_key_of_a_person_is_proposed_as_the_unit(name):
    draft = examine(visits(name, 50, 4, long))
    assert (draft.owner.column, draft.owner.role, draft.owner.distinct) == (name, "person", 50)
    assert "50 different values in 200 rows, 4.0 rows each" in draft.owner.evidence


@pytest.mark.parametrize("name", ["fallnr", "Fallnummer", "sejour_id", "encounter"])
def test_the_key_of_an_encounter_is_none_of_a_person(name):
    draft = examine(visits(name, 50, 4, long))
    assert draft.owner is None
    assert f"Is `{name}` a key that names an encounter or another event?" in [q.asks for q in draft.questions]


def test_what_never_changes_is_the_evidence_and_no_cell_is_shown():
    frame = visits("subject", 20, 10, short)
    (key,) = find_keys_by_name(frame, {c: infer_column(c, frame[c]).column for c in frame})
    assert key.evidence == "20 different values in 200 rows, 10.0 rows each; `age`, `sex` never change within one"


def test_a_few_people_under_long_numbers_need_no_other_column():
    frame = visits("patient", 4, 50, long)[["patient", "bp"]]
    assert examine(frame).schema.columns["patient"].kind == "identifier"


@pytest.mark.parametrize("seed", range(3))
def test_counts_levels_and_school_subjects_stay_what_they_are(seed):
    rng = np.random.default_rng(seed)
    n = 400
    frame = pd.DataFrame(
        {
            "number_of_visits": rng.integers(0, 9, n),
            "num_visits": rng.integers(0, 5, n),
            "num_visit": rng.integers(0, 5, n),
            "n_patients": rng.integers(1, 50, n),
            "subject": rng.choice(["arts", "biology", "chemistry", "history", "maths"], n),
            "patient_type": rng.integers(1, 4, n),
            "patient_no": rng.integers(1, 5, n),
            "claim": rng.integers(100, 160, n) * 100,
            "stay": rng.integers(1, 30, n),
            "fall": rng.integers(0, 2, n),
            "age": rng.integers(20, 90, n),
            "sex": rng.choice(["f", "m"], n),
        }
    )
    frame["room"] = frame["subject"].astype("category").cat.codes + 1
    columns = examine(frame).schema.columns
    assert {c for c, column in columns.items() if column.kind == "identifier"} == set()
    assert columns["subject"].kind == "categorical"
    assert columns["num_visits"].kind == columns["claim"].kind == columns["stay"].kind == "numeric"


def test_another_name_of_the_same_levels_is_no_trait():
    rng = np.random.default_rng(0)
    subject = rng.integers(1, 6, 400)
    frame = pd.DataFrame({"subject": subject, "room": subject + 10, "teacher": [f"T{k}" for k in subject]})
    assert examine(frame).schema.columns["subject"].kind != "identifier"


def test_what_somebody_says_is_no_key_is_learned():
    frame = visits("patient", 50, 4, long)
    assert examine(frame, learned=["patient"]).schema.columns["patient"].kind == "numeric"


def test_names_without_accents_and_compounds():
    assert name_words("Prénom") == ("prenom",)
    assert name_words("Größe") == ("grosse",)
    assert says_key("patnr")
    assert says_key("Fallnummer")
    assert not any(map(says_key, ("percent", "period", "personal", "paid", "casino", "falls")))
    assert not any(map(numbers_somebody, ("patient_type_id", "num_visits", "number_of_patients", "ward_no", "stay")))
