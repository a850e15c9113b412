"""No row of one unit decides what becomes of another: keys of two units are never taken for one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import SchemaError
from synthkit.privacy.access.bounded_units import ROWS_OF_NOBODY, MappedUnits, mapped_units
from synthkit.schema.linked import LinkedSchema

KEY = {"kind": "identifier"}
PERSON = {"columns": ["person"], "to": "people"}
TABLES: dict[str, Any] = {
    "people": {
        "key": ["person"],
        "links": [{"columns": ["mother"], "to": "people", "kind": "peer", "public": True}],
        "columns": {"person": KEY, "mother": {**KEY, "nullable": True}, "age": {"kind": "numeric"}},
    },
    "stays": {
        "key": ["stay"],
        "links": [
            {**PERSON, "kind": "owner"},
            {"columns": ["before"], "to": "stays", "kind": "earlier"},
        ],
        "columns": {"stay": KEY, "person": KEY, "before": {**KEY, "nullable": True}, "cost": {"kind": "numeric"}},
    },
    "tests": {
        "links": [
            {"columns": ["stay"], "to": "stays", "kind": "owner"},
            {**PERSON, "kind": "implied"},
            {"columns": ["code"], "to": "codes", "kind": "reference"},
        ],
        "columns": {"stay": KEY, "person": KEY, "code": {"kind": "code"}},
    },
    "codes": {"role": "reference", "key": ["code"]},
}
SCHEMA = LinkedSchema.parse({"unit": "people", "tables": TABLES})
LEVELS = ["Hb", "CREA"]  # upper and lower case: a code is no key of a person


def muddled(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Few keys for many rows, so that every kind of key is shared by people, or names nobody."""
    people, stays, tests = (int(rng.integers(1, n)) for n in (5, 8, 12))

    def one_of(many: int, n: int) -> np.ndarray:
        return rng.choice(np.array([*(f"K{k}" for k in range(many)), None], dtype=object), n)

    return {
        "people": pd.DataFrame({"person": one_of(4, people), "mother": one_of(5, people), "age": range(people)}),
        "stays": pd.DataFrame(
            {
                "stay": one_of(3, stays),
                "person": one_of(5, stays),
                "before": one_of(3, stays),
                "cost": np.arange(stays) + 0.5,
            }
        ),
        "tests": pd.DataFrame(
            {"stay": one_of(3, tests), "person": one_of(5, tests), "code": rng.choice([*LEVELS, "none"], tests)}
        ).assign(at=range(tests)),
        "codes": pd.DataFrame({"code": LEVELS, "label": ["haemoglobin", "creatinine"]}),
    }


def mapped(frames: dict[str, pd.DataFrame]) -> MappedUnits:
    return mapped_units({**frames, "tests": frames["tests"].drop(columns="at", errors="ignore")}, SCHEMA)


def whose(frames: dict[str, pd.DataFrame]) -> dict[str, list[int]]:
    """Position of the person of each row as it came, -1 for nobody: the first with the key, told without the package.

    Of the rows of one person with one stay only the first counts as a stay.
    """
    person = frames["people"]["person"].tolist()
    of_stay = [person.index(p) if p is not None and p in person else -1 for p in frames["stays"]["person"]]
    keys = frames["stays"]["stay"].tolist()
    of_stay = [-1 if key is None else owner for key, owner in zip(keys, of_stay, strict=True)]
    first = {key: owner for key, owner in reversed(list(zip(keys, of_stay, strict=True))) if owner >= 0}
    of_test = [first.get(key, -1) for key in frames["tests"]["stay"]]
    of_person = [-1 if p is None else person.index(p) for p in person]
    return {"people": of_person, "stays": of_stay, "tests": of_test}


def of_person(found: MappedUnits, key: str) -> dict[str, Any]:
    """All that is left of one person, in order, and where their rows point among themselves."""
    tables = found.tables
    person = tables.frames["people"]["person"].tolist()
    if key not in person:
        return {}
    only = tables.take(np.array([person.index(key)]))
    plain = {name: frame.astype(object).where(frame.notna(), None) for name, frame in only.frames.items()}
    rows = {name: frame.to_dict("list") for name, frame in plain.items()}
    owners = [places.tolist() for places in only.owners.values()]
    return {"rows": rows, "owners": owners, "before": only.earlier["stays", 1].tolist()}


@pytest.mark.parametrize("seed", range(60))
def test_a_person_less_moves_nobody_else(seed: int) -> None:
    """For every person: without them and all their rows, what is left of each other person is the same to the last."""
    frames = muddled(np.random.default_rng(seed))
    before, owners = mapped(frames), whose(frames)
    people = before.tables.frames["people"]["person"].tolist()
    for gone in set(owners["people"]) - {-1}:
        rest = {
            name: frames[name][np.array(each) != gone].reset_index(drop=True) if name in owners else frames[name]
            for name, each in {**owners, "codes": []}.items()
        }
        after = mapped(rest)
        name = frames["people"]["person"][gone].lower()
        assert of_person(after, name) == {}
        for other in set(people) - {name}:
            assert of_person(after, other) == of_person(before, other)


def test_rows_stay_with_codes_however_they_are_written() -> None:
    """A code that a catalogue has is the same in both; one it has not leaves its row out, and is counted."""
    frames = {
        "people": pd.DataFrame({"person": ["P1"], "mother": [None], "age": [1]}),
        "stays": pd.DataFrame({"stay": ["S"], "person": ["p1 "], "before": [None], "cost": [1.0]}),
        "tests": pd.DataFrame({"stay": ["s"] * 3, "person": ["P1"] * 3, "code": [*LEVELS, "none"]}),
        "codes": pd.DataFrame({"code": LEVELS}),
    }
    found = mapped(frames)
    assert found.tables.frames["tests"]["code"].tolist() == LEVELS
    assert found.tables.references["codes"]["code"].tolist() == LEVELS
    assert found.changed == {"tests": {ROWS_OF_NOBODY: 1}}


def test_a_catalogue_that_is_not_what_is_declared_is_refused() -> None:
    """It is public: that it cannot be read tells of nobody."""
    codes = {"role": "reference", "key": ["code"], "columns": {"code": {"kind": "numeric"}}}
    schema = LinkedSchema.parse({"unit": "people", "tables": {**TABLES, "codes": codes}})
    frames = muddled(np.random.default_rng(0))
    frames["tests"] = frames["tests"].drop(columns="at")
    with pytest.raises(SchemaError, match="`codes` have others"):
        mapped_units(frames, schema)
    frames["codes"] = pd.DataFrame({"kode": ["a"]})
    with pytest.raises(SchemaError, match="`codes` have others"):
        mapped_units(frames, SCHEMA)
