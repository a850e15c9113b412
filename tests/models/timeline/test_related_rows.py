"""Rows know the values of the rows they belong to: a code that follows from the owner's code is learned from little."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from synthkit.encoding.layout import Layout, Slot
from synthkit.models.timeline.relatives import RelatedCodes, Relatives, ValueSum
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

REASONS = 12
WIDE = {"steps": 640, "root_steps": 20, "width": 32, "hidden": 16, "mixed": 32, "batch_rows": 400, "weight_decay": 0.5}


def layout(*sizes: int, ordinal: bool = False) -> Layout:
    """Of slots of such sizes."""
    slots = tuple(
        Slot(name=f"x{k}", size=n, ordinal=ordinal, missing=False, parent=None, prior=np.zeros(n, dtype=np.float32))
        for k, n in enumerate(sizes)
    )
    return Layout(slots, tuple(slot.name for slot in slots))


def test_a_sum_is_that_of_the_levels_vectors() -> None:
    """Of the slots that count; nothing for a row that is not there."""
    values = ValueSum(layout(3, 2, 4), (0, 2), 5, 0.0)
    table, cat = values.values(), torch.tensor([[2, 1, 3], [0, 0, 0], [-1, -1, -1]])
    wanted = torch.stack([table[2] + table[3 + 3], table[0] + table[3], torch.zeros(5)])
    assert torch.allclose(values(cat), wanted)


def test_numbers_of_a_unit_are_not_told_as_such() -> None:
    """They would name the unit; a unit of numbers alone has no sum."""
    relatives = Relatives(layout(9, ordinal=True), None, layout(3), 4, 0.0)
    assert relatives.unit is None
    codes = RelatedCodes(unit=torch.tensor([[5]]), owner=None, twin=torch.tensor([[-1]]))
    assert not relatives(codes).any()


def stays(n: int, seed: int) -> dict[str, pd.DataFrame]:
    """People, stays with a reason, and orders whose drug follows from it."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"id": [f"p{k}" for k in range(n)]})
    owner = np.repeat(np.arange(n), 3)
    stay = pd.DataFrame(
        {"stay": [f"s{k}" for k in range(3 * n)], "id": people["id"].to_numpy()[owner], "day": np.tile([1, 5, 9], n)}
    )
    stay["reason"] = [f"R{k}" for k in rng.integers(0, REASONS, len(stay))]
    of = np.repeat(np.arange(len(stay)), rng.integers(0, 3, len(stay)))
    drug = [f"D{int(r[1:]) * 5 % REASONS}" for r in stay["reason"].to_numpy()[of]]
    return {
        "people": people,
        "stays": stay,
        "orders": pd.DataFrame({"stay": stay["stay"].to_numpy()[of], "drug": drug}),
    }


def meaning() -> LinkedSchema:
    """What they mean."""
    name = {"kind": "identifier"}
    stay = {
        "key": ["stay"],
        "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
        "order": {"from": "day"},
        "columns": {
            "stay": name,
            "id": name,
            "day": {"kind": "numeric", "decimals": 0},
            "reason": {"kind": "categorical", "levels": [f"R{k}" for k in range(REASONS)]},
        },
    }
    orders = {
        "links": [{"columns": ["stay"], "to": "stays", "kind": "owner"}],
        "columns": {"stay": name, "drug": {"kind": "categorical", "levels": [f"D{k}" for k in range(REASONS)]}},
    }
    people = {"key": ["id"], "columns": {"id": name}}
    return LinkedSchema.parse({"unit": "people", "tables": {"people": people, "stays": stay, "orders": orders}})


def test_a_code_that_follows_from_the_owners_is_drawn_with_it() -> None:
    """Of strangers' orders nearly all have the drug of the reason of their stay."""
    synthesizer = LinkedSynthesizer(meaning(), seed=1, device="cpu", settings=WIDE).fit(stays(150, 1))
    drawn = synthesizer.sample(150, seed=2)
    both = drawn["orders"].merge(drawn["stays"], on="stay")
    assert len(both) > 200
    right = [d == f"D{int(r[1:]) * 5 % REASONS}" for d, r in zip(both["drug"], both["reason"], strict=True)]
    assert np.mean(right) > 0.95
