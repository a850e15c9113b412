"""Keys of people that are given come back, in their order; everything that belongs to them has them."""

import numpy as np
import pandas as pd
import pytest
from small_hospital import SMALL, small_hospital

from synthkit.errors import SchemaError
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.given_keys import parted_keys, with_keys
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

SCHEMA = LinkedSchema.parse(SMALL)


@pytest.fixture(scope="module")
def fitted():
    return LinkedSynthesizer(SCHEMA, "independent", seed=1).fit(small_hospital())


def people(keys):
    return pd.DataFrame({"patient": pd.Series(keys, dtype=object), "sex": ["F", "M"] * (len(keys) // 2)})


def test_given_keys_come_back_with_what_was_given_of_each(fitted):
    keys = [f"K{k}" for k in range(40)]
    drawn = fitted.sample(40, seed=2, given={"patients": people(keys)})
    assert drawn["patients"]["patient"].tolist() == keys
    assert drawn["patients"]["sex"].tolist() == ["F", "M"] * 20
    assert len(drawn["labs"]) > 40
    for name in ("visits", "labs"):
        assert set(drawn[name]["patient"]) <= set(keys)


def test_they_come_back_with_what_has_happened_so_far(fitted):
    frames = small_hospital()
    some = frames["patients"].iloc[[5, 2, 9]]
    labs = frames["labs"][frames["labs"]["patient"].isin(some["patient"])]
    drawn = fitted.sample(3, seed=2, given={"patients": some, "labs": labs})
    assert drawn["patients"]["patient"].tolist() == some["patient"].tolist()
    for key in some["patient"]:
        before = labs[labs["patient"] == key].sort_values("taken", kind="stable")["value"].tolist()
        assert drawn["labs"][drawn["labs"]["patient"] == key]["value"].tolist()[: len(before)] == before


def test_a_missing_key_is_made_fresh_and_nobody_elses(fitted):
    keys = ["K1", None, "K2", None]
    found = fitted.sample(4, seed=3, given={"patients": people(keys)})["patients"]["patient"]
    assert found.tolist()[::2] == ["K1", "K2"]
    assert found.notna().all()
    assert found.is_unique


def one_digit() -> LinkedSchema:
    """Patients whose keys are the ten digits."""
    patient = SCHEMA.tables["patients"].model_dump(mode="json", by_alias=True, exclude_none=True)
    patient["columns"]["patient"]["pattern"] = "[0-9]"
    tables = {**SMALL["tables"], "patients": patient}
    return LinkedSchema.parse({**SMALL, "tables": tables})


def test_fresh_keys_are_drawn_again_until_nobody_has_them():
    keys = pd.DataFrame({"patient": pd.Series(["0", "1", "2", "3", "4", "5", "6", None, None], dtype=object)})
    found = with_keys(pd.DataFrame(index=range(9)), keys, one_digit(), np.random.default_rng(0))["patient"]
    assert found.tolist()[:7] == ["0", "1", "2", "3", "4", "5", "6"]
    assert found.is_unique


def test_a_key_that_somebody_has_is_never_given_to_another():
    keys = pd.DataFrame({"patient": pd.Series([*"0123456789", None], dtype=object)})
    with pytest.raises(SchemaError, match=r"after 20 rounds 1 of 11 have none\. Widen the `pattern` of `patient`"):
        with_keys(pd.DataFrame(index=range(11)), keys, one_digit(), np.random.default_rng(0))


def test_a_key_that_stands_twice_is_refused_without_being_shown(fitted):
    with pytest.raises(SchemaError, match="2 keys stand twice") as said:
        fitted.sample(4, seed=1, given={"patients": people(["secret", "secret", "K2", "K3"])})
    assert "secret" not in str(said.value)


def test_values_for_all_and_frames_without_keys_have_fresh_ones(fitted):
    assert parted_keys({"sex": "F"}, SCHEMA)[1].empty
    drawn = fitted.sample(4, seed=1, given={"patients": people(["a", "b"])[["sex"]].loc[[0, 1, 0, 1]]})
    assert drawn["patients"]["patient"].is_unique


def test_keys_come_back_where_those_that_were_learned_from_were_numbers():
    frames = {
        name: frame.assign(patient=frame["patient"].str[1:].astype(int)) for name, frame in small_hospital().items()
    }
    fitted = LinkedSynthesizer(SCHEMA, "independent", seed=1).fit(frames)
    for keys in (["A1", "A2"], ["71", "72"], [71, 72]):
        drawn = fitted.sample(2, seed=1, given={"patients": people(keys)})
        assert drawn["patients"]["patient"].astype(str).tolist() == [str(k) for k in keys]
        assert set(drawn["labs"]["patient"].astype(str)) <= {str(k) for k in keys}
