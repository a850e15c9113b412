"""Linked databases with known members, typed: 1,000 members, non-members and others each, and what was made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from benchmarks.tables.real_tables import data
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

MANY_VALUES = 60  # of a column of codes, at most
MOST_DECIMALS, SAME = 6, 1e-9
DATABASES: Mapping[str, tuple[str, str]] = {  # units and their rows
    "airbnb": ("user", "session"),
    "airlines": ("loyalty_history", "activity"),
    "california": ("household", "individual"),
}
PARTS = ("mem", "non_mem", "ref")


def frames(folder: str, name: str) -> dict[str, pd.DataFrame]:
    """Both tables of a folder as they came, keys as texts."""
    unit, child = DATABASES[name]
    found = {each: pd.read_parquet(data("mt_mia") / folder / f"{each}.parquet") for each in (unit, child)}
    keys = {each: [c for c in frame if c in (f"{unit}_id", f"{child}_id")] for each, frame in found.items()}
    return {each: frame.assign(**{c: frame[c].astype(str) for c in keys[each]}) for each, frame in found.items()}


def meaning(name: str, real: Sequence[Mapping[str, pd.DataFrame]]) -> LinkedSchema:
    """The schema: columns of few whole numbers are codes, all others numbers with the decimals that real rows have."""
    unit, child = DATABASES[name]
    tables = {}
    for table in (unit, child):
        columns: dict[str, Any] = {}
        for column in real[0][table]:
            values = pd.concat([each[table][column] for each in real])
            if column in (f"{unit}_id", f"{child}_id"):
                columns[column] = {"kind": "identifier"}
            elif values.nunique() <= MANY_VALUES and (values == values.round()).all():
                columns[column] = {"kind": "code", "nullable": True}
            else:
                columns[column] = {"kind": "numeric", "nullable": True, "decimals": _decimals(values)}
        tables[table] = {"columns": columns}
    tables[unit]["key"] = [f"{unit}_id"]
    tables[child]["links"] = [{"columns": [f"{unit}_id"], "to": unit, "kind": "owner"}]
    return LinkedSchema.parse({"name": name, "unit": unit, "tables": tables})


def _decimals(values: pd.Series) -> int:
    exact = (k for k in range(MOST_DECIMALS) if (values.round(k) - values).abs().max() < SAME)
    return next(exact, MOST_DECIMALS)


def linked(found: Mapping[str, pd.DataFrame], schema: LinkedSchema) -> LinkedTables:
    """Tables of a schema: numbers rounded to what real rows have, codes as whole numbers; rows of nobody left out."""
    typed = {}
    for name, table in schema.tables.items():
        columns = {}
        for column, kind in table.columns.items():
            values = found[name][column].reset_index(drop=True)
            if kind.kind == "numeric":
                values = values.astype(float).round(kind.decimals or 0)
            elif kind.kind == "code":
                values = values.astype(float).round().astype("Int64").astype(str).astype(object)
            columns[column] = values
        typed[name] = pd.DataFrame(columns)
    return LinkedTables.of(typed, schema, orphans="drop")


@lru_cache(maxsize=1)
def known(name: str) -> Mapping[str, LinkedTables]:
    """Members, non-members and the reference of a database."""
    real = {part: frames(f"data/{name}/split/{part}", name) for part in PARTS}
    schema = meaning(name, list(real.values()))
    return {part: linked(each, schema) for part, each in real.items()}


def published(maker: str, name: str, seed: int) -> LinkedTables:
    """What a generator made of the members, as it was published."""
    return linked(frames(f"synth/{maker}_synth/{name}/seed_{seed}", name), known(name)["mem"].schema)
