"""How many rows units own and how much time they take: learned together from few units."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

BELOW = {"steps": 2, "width": 16, "hidden": 8, "mixed": 8, "classes": 1}  # what comes below the root is not looked at


def careers(n: int, seed: int) -> dict[str, pd.DataFrame]:
    """People with a row a year; seven of ten without a break, the others with one before the last year."""
    rng = np.random.default_rng(seed)
    many = rng.geometric(0.15, n).clip(1, 25)
    owner = np.repeat(np.arange(n), many)
    place = np.arange(len(owner)) - np.repeat(many.cumsum() - many, many)
    skipped = np.where(rng.random(n) < 0.7, 0, rng.integers(1, 4, n))[owner] * (place == many[owner] - 1) * (place > 0)
    ids = np.array([f"p{k}" for k in range(n)])
    year = rng.integers(1900, 2000, n)[owner] + place + skipped
    people = {"id": ids, "weight": rng.normal(80, 10, n).round(), "height": rng.normal(180, 8, n).round()}
    return {"people": pd.DataFrame(people), "years": pd.DataFrame({"id": ids[owner], "year": year})}


def schema() -> LinkedSchema:
    """What they mean."""
    name, number = {"kind": "identifier"}, {"kind": "numeric", "decimals": 0}
    years = {
        "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
        "order": {"from": "year"},
        "columns": {"id": name, "year": number},
    }
    people = {"key": ["id"], "columns": {"id": name, "weight": number, "height": number}}
    return LinkedSchema.parse({"unit": "people", "tables": {"people": people, "years": years}})


def unbroken(years: pd.DataFrame) -> float:
    """Share of people with two rows or more whose rows fill their time."""
    span = years.groupby("id")["year"].agg(["min", "max", "size"])
    span = span[span["size"] > 1]
    return float((span["max"] - span["min"] == span["size"] - 1).mean())


def test_most_careers_are_unbroken() -> None:
    """As in the real ones; drawn apart from each other, numbers and times of a fifth would fit at most."""
    real = careers(1500, 0)
    span = real["years"].groupby("id")["year"].agg(["min", "max", "size"])
    span = span[span["size"] > 1]
    apart = np.random.default_rng(1).permutation(span["max"] - span["min"]) == span["size"] - 1
    drawn = LinkedSynthesizer(schema(), seed=1, device="cpu", settings=BELOW).fit(real).sample(1500, seed=2)
    assert unbroken(real["years"]) > 0.65
    assert apart.mean() < 0.2
    assert unbroken(drawn["years"]) > 0.5
