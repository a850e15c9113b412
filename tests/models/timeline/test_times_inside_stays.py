"""First and last moments of what rows own: shares of the stay they lie inside of, and none that are last alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthkit.encoding.units.learned_table import FIRST, LAST, learned_tables, rows_of
from synthkit.encoding.units.unit_clock import UnitClock
from synthkit.encoding.units.unit_frames import UnitFrames
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables.linked_tables import LinkedTables

SMALL = {"steps": 3, "root_steps": 3, "width": 16, "hidden": 8, "mixed": 8}
DAYS = {"kind": "numeric", "decimals": 0}
NAME = {"kind": "identifier"}


def link(column: str, to: str) -> dict[str, Any]:
    """An owner."""
    return {"columns": [column], "to": to, "kind": "owner"}


def schema(*, nullable: bool = False) -> LinkedSchema:
    """People, stays, drips inside them, and doses of a drip inside the stay."""
    until = {**DAYS, "nullable": nullable}
    tables = {
        "people": {"key": ["id"], "columns": {"id": NAME}},
        "stays": {
            "key": ["stay"],
            "links": [link("id", "people")],
            "order": {"from": "start", "until": "end"},
            "columns": {"stay": NAME, "id": NAME, "start": DAYS, "end": until},
        },
        "drips": {
            "key": ["drip"],
            "links": [link("stay", "stays")],
            "order": {"from": "begun"},
            "columns": {"drip": NAME, "stay": NAME, "begun": DAYS},
        },
        "doses": {
            "links": [link("drip", "drips")],
            "order": {"from": "given"},
            "columns": {"drip": NAME, "given": DAYS},
        },
    }
    rules = [{"rule": "within", "table": name, "of": "stays"} for name in ("drips", "doses")]
    return LinkedSchema.parse({"unit": "people", "tables": tables, "rules": rules})


def tables(n: int, seed: int) -> dict[str, pd.DataFrame]:
    """Stays of very different lengths; drips and doses anywhere before they end."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(n), rng.integers(0, 4, n))
    long = np.ceil(np.exp(rng.uniform(1, 8, len(owner)))).astype(int)
    at = pd.Series(long + 10).groupby(owner).cumsum().to_numpy() - long
    stay = np.repeat(np.arange(len(owner)), rng.integers(0, 3, len(owner)))
    begun = at[stay] + np.floor(rng.random(len(stay)) * long[stay]).astype(int)
    drip = np.repeat(np.arange(len(stay)), rng.integers(0, 4, len(stay)))
    room = (at + long)[stay[drip]] - begun[drip]
    people, stays, drips = (
        np.array([f"{c}{k}" for k in range(m)]) for c, m in zip("psd", (n, len(owner), len(stay)), strict=True)
    )
    return {
        "people": pd.DataFrame({"id": people}),
        "stays": pd.DataFrame({"stay": stays, "id": people[owner], "start": at, "end": at + long}),
        "drips": pd.DataFrame({"drip": drips, "stay": stays[stay], "begun": begun}),
        "doses": pd.DataFrame(
            {"drip": drips[drip], "given": begun[drip] + np.floor(rng.random(len(drip)) * room).astype(int)}
        ),
    }


def test_they_are_told_as_shares() -> None:
    """Of the time until the stay ends, from the row and from the first, against pandas; of one row the first alone."""
    means, real = schema(), tables(60, 1)
    clock = UnitClock.of(means)
    typed = LinkedTables.of(real, means)
    learned = learned_tables(means, clock)
    assert {name: each.stay for name, each in learned.items()} == {
        "people": None, "stays": "stays", "drips": "stays", "doses": None,
    }  # fmt: skip
    found = UnitFrames.of(typed, learned, clock).frames
    given = real["doses"].groupby("drip")["given"].agg(["min", "max", "size"])
    drips = typed.frames["drips"].merge(real["stays"], on="stay").join(given, on="drip")
    room = (drips["end"] - drips["begun"]).clip(lower=1)
    first = ((drips["min"] - drips["begun"]) / room).to_numpy(float)
    after = (drips["end"] - drips["min"]).clip(lower=1)
    last = ((drips["max"] - drips["min"]) / after).where(drips["size"] > 1).to_numpy(float)
    np.testing.assert_allclose(found["drips"][FIRST], first)
    np.testing.assert_allclose(found["drips"][LAST], last)
    single = found["stays"][rows_of("drips")].to_numpy() < 2
    assert (np.isnan(found["stays"][LAST].to_numpy(float)) == single).all()


def test_what_need_not_end_is_no_stay() -> None:
    """Where the end may be missing moments are told in ticks, as they were."""
    means = schema(nullable=True)
    assert all(each.stay is None for each in learned_tables(means, UnitClock.of(means)).values())


@pytest.mark.parametrize("seed", [1, 2])
def test_drawn_rows_do_not_pile_up_where_stays_end(seed: int) -> None:
    """Even of a model that was hardly trained: the drawn moments are spread inside stays as the real ones are."""
    synthesizer = LinkedSynthesizer(schema(), seed=1, device="cpu", settings=SMALL).fit(tables(150, 0))
    drawn = synthesizer.sample(150, seed=seed)
    stays = drawn["drips"].merge(drawn["stays"], on="stay")
    assert stays["begun"].between(stays["start"], stays["end"]).all()
    doses = drawn["doses"].merge(stays, on="drip")
    assert doses["given"].between(doses["begun"], doses["end"]).all()
    roomy = doses[doses["end"] - doses["begun"] > 50]
    assert len(roomy) > 30
    assert (roomy["given"] == roomy["end"]).mean() < 0.05


def test_drawn_rows_lie_inside_every_stay_that_they_point_to() -> None:
    """Of two links to stays both hold the row, though the model was hardly trained."""
    until = {"from": "start", "until": "end", "overlap": True}
    gaps = {c: {**NAME, "nullable": True} for c in ("one", "other")}
    means = LinkedSchema.parse(
        {
            "unit": "people",
            "tables": {
                "people": {"key": ["id"], "columns": {"id": NAME}},
                "stays": {
                    "key": ["stay"],
                    "links": [link("id", "people")],
                    "order": until,
                    "columns": {"stay": NAME, "id": NAME, "start": DAYS, "end": DAYS},
                },
                "drips": {
                    "links": [link("id", "people"), *({**link(c, "stays"), "kind": "earlier"} for c in gaps)],
                    "order": {"from": "begun", "until": "done", "overlap": True},
                    "columns": {"id": NAME, **gaps, "begun": DAYS, "done": DAYS},
                },
            },
            "rules": [{"rule": "within", "table": "drips", "of": "stays"}],
        }
    )
    n, rng = 80, np.random.default_rng(3)
    start = np.stack([rng.integers(0, 40, n), rng.integers(0, 40, n)], axis=1)
    end = start.max(axis=1, keepdims=True) + rng.integers(5, 40, (n, 2))
    people = [f"p{k}" for k in range(n)]
    real = {
        "people": pd.DataFrame({"id": people}),
        "stays": pd.DataFrame(
            {
                "stay": [f"s{k}" for k in range(2 * n)],
                "id": np.repeat(people, 2),
                "start": start.ravel(),
                "end": end.ravel(),
            }
        ),
        "drips": pd.DataFrame(
            {
                "id": people,
                "one": [f"s{2 * k}" for k in range(n)],
                "other": [f"s{2 * k + 1}" for k in range(n)],
                "begun": start.max(axis=1) + 1,
                "done": end.min(axis=1) - 1,
            }
        ),
    }
    drawn = LinkedSynthesizer(means, seed=1, device="cpu", settings=SMALL).fit(real).sample(200, seed=1)
    assert drawn["drips"][["one", "other"]].notna().all(axis=1).any()
    assert validate_linked(drawn, means).success
