"""Linked tables as they are measured on: where each lies, what it means, and whose units are trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.linked import encounters, made_hospital, published_baseball
from benchmarks.places import LINKED_SCHEMAS
from benchmarks.tables.real_tables import SPLIT, data
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_files import read_linked
from synthkit.tables.linked_tables import LinkedTables

MADE_UNITS, MADE_SEED, STRANGERS_SEED = 8_000, 2026, 2027


@dataclass(frozen=True)
class LinkedParts:
    """Training and held-out units, whole, of one schema."""

    train: LinkedTables
    holdout: LinkedTables

    @property
    def schema(self) -> LinkedSchema:
        """What the tables mean."""
        return self.train.schema

    @property
    def units(self) -> int:
        """Number of training units."""
        return len(self.train.frames[self.schema.unit])


@dataclass(frozen=True, kw_only=True)
class LinkedSource:
    """One set of linked tables.

    Args:
        parts: reads and splits it; so many units of each side, or all.
        judged: whether it is large enough for figures of fidelity; of others only keys and rules are counted.
        codes: table, its column, and a column of its owner, whose joint law is looked at by itself.
    """

    parts: Callable[[int | None], LinkedParts]
    judged: bool = True
    codes: tuple[str, str, str] | None = None


def first(tables: LinkedTables, units: int | None) -> LinkedTables:
    """The first so many units; all if not given."""
    many = len(tables.frames[tables.schema.unit])
    return tables if units is None or units >= many else tables.take(np.arange(units))


def halves(tables: LinkedTables, units: int | None) -> LinkedParts:
    """Half of the units at random, and the others; the same for every fit."""
    size = len(tables.frames[tables.schema.unit])
    order = np.random.default_rng(SPLIT).permutation(size)
    sides = [tables.take(np.sort(side)) for side in (order[: size // 2], order[size // 2 :])]
    return LinkedParts(*(first(side, units) for side in sides))


def baseball(units: int | None) -> LinkedParts:
    """Published training players, and test players who are none of them; without names and dates."""
    real = {
        part: (
            published_baseball.table(f"baseball-players-{part}"),
            published_baseball.table(f"baseball-fielding-{part}"),
        )
        for part in ("train", "test")
    }
    schema = published_baseball.meaning(*(pd.concat([real["train"][k], real["test"][k]]) for k in (0, 1)))
    sides = published_baseball.linked(*real["train"], schema), published_baseball.strangers(real, schema)
    return LinkedParts(*(first(side, units) for side in sides))


def prize_sequential(units: int | None) -> LinkedParts:
    """Groups of rows of the MOSTLY AI Prize: official training and holdout groups; a group has no column of its own."""
    schema = LinkedSchema.load(LINKED_SCHEMAS / "prize_sequential.yaml")
    sides = (
        pd.read_parquet(data("published_prize_sequential") / f"real_{part}.parquet") for part in ("training", "holdout")
    )
    return LinkedParts(*(first(LinkedTables.of(grouped(side), schema), units) for side in sides))


def grouped(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows of groups, and a table with a row for each group."""
    return {"groups": rows[["group_id"]].drop_duplicates(ignore_index=True), "rows": rows}


def diabetes130(units: int | None) -> LinkedParts:
    """Patients and their encounters; half of the patients."""
    return halves(encounters.tables(), units)


def made(units: int | None) -> LinkedParts:
    """The made hospital, and strangers of the same law."""
    schema, many = made_hospital.schema(), units or MADE_UNITS
    sides = (made_hospital.tables(many, seed) for seed in (MADE_SEED, STRANGERS_SEED))
    return LinkedParts(*(LinkedTables.of(side, schema) for side in sides))


def real_schema(name: str) -> Callable[[int | None], LinkedParts]:
    """A small real hospital with a schema of many tables, half of its people."""

    def parts(units: int | None) -> LinkedParts:
        schema = LinkedSchema.load(LINKED_SCHEMAS / f"{name}.yaml")
        return halves(LinkedTables.of(read_linked(data(name), schema).frames, schema), units)

    return parts


SOURCES: Mapping[str, LinkedSource] = {
    "baseball": LinkedSource(parts=baseball),
    "made_hospital": LinkedSource(parts=made),
    "diabetes130": LinkedSource(parts=diabetes130),
    "prize_sequential": LinkedSource(parts=prize_sequential),
    "mimic3_demo": LinkedSource(parts=real_schema("mimic3_demo"), judged=False),
    "synthea_ma": LinkedSource(
        parts=real_schema("synthea_ma"), judged=False, codes=("observations_from_fhir", "CODE", "CODE")
    ),
    "synthea_omop_27nj": LinkedSource(parts=real_schema("synthea_omop_27nj"), judged=False),
}
