"""Random linked schemas, all kinds of links among up to eight tables, and tables that keep them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthkit.schema.linked import LinkedSchema

MAX_DEPTH = 4
DAY = np.timedelta64(1, "D")
START = np.datetime64("2020-01-01T00:00:00", "us")


def random_schema(seed: int) -> LinkedSchema:
    """A unit, up to five tables under it, a catalogue and a shared table, linked in every way."""
    rng = np.random.default_rng(seed)
    names = [f"t{k}" for k in range(int(rng.integers(1, 7)))]
    timed, lasting = rng.random(len(names)) < 0.7, rng.random(len(names)) < 0.4
    tables: dict[str, dict] = {}
    for k, name in enumerate(names):
        above = [n for n in names[:k] if len(_path(tables, n)) < MAX_DEPTH]
        tables[name] = _table(rng, tables, name, str(rng.choice(above)) if k else None, (timed[k], lasting[k]))
    tables["wards"] = {"role": "reference", "key": ["ward"], "columns": {"ward": {"kind": "code"}}}
    tables["doctors"] = {"role": "shared", "key": ["doctor"], "columns": {"doctor": {"kind": "identifier"}}}
    rules = [
        {"rule": "within", "table": name, "of": owner}
        for name in names[1:]
        if (owner := _owner(tables[name]))
        and {"until"} <= set(tables[owner].get("order", ()))
        and "order" in tables[name]
        and rng.random() < 0.5
    ]
    return LinkedSchema(unit="t0", tables=tables, rules=rules)


def _owner(table: dict) -> str | None:
    return next((link["to"] for link in table["links"] if link["kind"] == "owner"), None)


def _path(tables: dict, name: str | None) -> list[str]:
    path = []
    while name is not None:
        path.append(name)
        name = _owner(tables[name])
    return path


def _table(rng, tables, name, owner, times) -> dict:
    columns, links, key = {}, [], [f"{name}_id"]
    if owner is not None:
        theirs = tables[owner]["key"]
        links.append({"columns": theirs, "to": owner, "kind": "owner"})
        columns |= {c: {"kind": "identifier"} for c in theirs}
        position = rng.random() < 0.4
        if position:
            key = [*theirs, f"{name}_n"] if len(theirs) < 3 else key
            columns[f"{name}_n"] = {"kind": "numeric", "min": 1, "decimals": 0}
        for above in _path(tables, owner)[1:]:
            if rng.random() < 0.5 and not set(tables[above]["key"]) <= set(columns):
                links.append({"columns": tables[above]["key"], "to": above, "kind": "implied"})
                columns |= {c: {"kind": "identifier"} for c in tables[above]["key"]}
        links += _aside(rng, tables, name, columns)
    columns |= {c: {"kind": "identifier"} for c in key if c not in columns}
    columns["value"] = {"kind": "numeric", "min": -9, "max": 9, "nullable": True}
    table = {"key": key, "links": links, "columns": columns}
    if owner is not None and f"{name}_n" in columns:
        table["position"] = f"{name}_n"
    if times[0]:
        columns["t"] = {"kind": "datetime"}
        table["order"] = {"from": "t"}
        if times[1]:
            columns["u"] = {"kind": "datetime", "nullable": True}
            table["order"]["until"] = "u"
    return table


def _aside(rng, tables, name, columns) -> list[dict]:
    """Links that are no path up: to another row of the unit, another unit, a ward, a doctor."""
    found = []
    single = [n for n in tables if len(tables[n]["key"]) == 1]
    if rng.random() < 0.5 and single:
        found.append({"columns": ["back"], "to": str(rng.choice(single)), "kind": "earlier"})
        columns["back"] = {"kind": "identifier", "nullable": True}
    if rng.random() < 0.3:
        found.append({"columns": ["mate"], "to": "t0", "kind": "peer"})
        columns["mate"] = {"kind": "identifier", "nullable": True}
    if rng.random() < 0.5:
        found.append({"columns": ["ward"], "to": "wards", "kind": "reference"})
        columns["ward"] = {"kind": "code"}
    if rng.random() < 0.5:
        found.append({"columns": ["doctor"], "to": "doctors", "kind": "shared"})
        columns["doctor"] = {"kind": "identifier"}
    return found


def random_tables(schema: LinkedSchema, units: int, seed: int) -> dict[str, pd.DataFrame]:
    """Tables that keep the schema, rows in any order."""
    rng = np.random.default_rng(seed)
    rows: dict[str, pd.DataFrame] = {}
    for name in schema.graph.records:
        rows[name] = _rows(schema, name, rows, units, rng)
    for name, frame in rows.items():  # a row may point into a table that is made after its own
        for link in schema.tables[name].links:
            if link.kind in ("earlier", "peer", "reference", "shared"):
                frame[list(link.columns)] = _pointing(link, name, schema, rows, rng)
    made = {
        name: frame.drop(columns=["_unit"])[list(schema.tables[name].columns)].sample(frac=1, random_state=seed)
        for name, frame in rows.items()
    }
    made["wards"] = pd.DataFrame({"ward": ["a", "b", "c"]})
    made["doctors"] = pd.DataFrame({"doctor": [7, 8, 9]})
    return made


def _rows(schema, name, rows, units, rng) -> pd.DataFrame:
    table, owner = schema.tables[name], schema.graph.owners.get(name)
    if owner is None:
        frame = pd.DataFrame({"_unit": np.arange(units)})
    else:
        above = rows[owner].loc[rows[owner].index.repeat(rng.poisson(1.3, len(rows[owner])))]
        upper = [c for link in table.links if link.kind in ("owner", "implied") for c in link.columns]
        upper += [c for c in ("t", "u") if c in above]
        kept = [c for c in dict.fromkeys(upper) if c in above]
        frame = above[[*kept, "_unit"]].rename(columns={"t": "_t", "u": "_u"})
        frame["_owner"] = above.index
        for link in table.links:
            if link.kind == "implied":
                frame[list(link.columns)] = _implied(rows, schema, owner, link, above)
        frame = frame.reset_index(drop=True)
    frame = _timed(table, frame, rng)
    if table.position is not None:
        frame[table.position] = frame.groupby("_owner").cumcount() + 1
    for c in table.key:
        if c not in frame:
            frame[c] = rng.permutation(10 * len(frame) + 10)[: len(frame)]
    frame["value"] = np.where(rng.random(len(frame)) < 0.2, np.nan, rng.normal(size=len(frame)).clip(-9, 9))
    return frame[[*(c for c in table.columns if c in frame), "_unit"]].copy()


def _implied(rows, schema, owner, link, above) -> np.ndarray:
    """Key of an owner further up: that of the row whose key the owner's row holds, step by step."""
    here, frame = owner, above
    while here != link.to:
        up = schema.tables[here].owner
        to = rows[up.to].drop_duplicates(list(schema.tables[up.to].key)).set_index(list(schema.tables[up.to].key))
        keys = frame[list(up.columns)]
        index = keys.iloc[:, 0] if keys.shape[1] == 1 else pd.MultiIndex.from_frame(keys)
        frame = to.loc[index].reset_index()
        here = up.to
    return frame[list(link.columns)].to_numpy()


def _timed(table, frame, rng) -> pd.DataFrame:
    """Moments inside the owner's stay, one row after the other ended."""
    if table.order is None:
        return frame
    n = len(frame)
    if "_owner" not in frame:
        frame["t"] = START + (rng.integers(0, 100, n)) * DAY
        if table.order.until is not None:
            frame["u"] = frame["t"] + 1000 * DAY
        return frame
    low = frame["_t"].to_numpy("datetime64[us]") if "_t" in frame else np.full(n, START)
    high = frame["_u"].to_numpy("datetime64[us]") if "_u" in frame else low + 500 * DAY
    high = np.where(np.isnat(high), low + 500 * DAY, high)
    count = frame.groupby("_owner")["_unit"].transform("size").to_numpy()
    turn = frame.groupby("_owner").cumcount().to_numpy()
    width = (high - low).astype(np.int64)
    edges = [low + (width * (turn + part) // np.maximum(count, 1)).astype("timedelta64[us]") for part in (0, 1)]
    frame["t"] = edges[0]
    if table.order.until is not None:
        frame["u"] = np.where(rng.random(n) < 0.1, np.datetime64("NaT"), edges[1])
    return frame


def _pointing(link, name, schema, rows, rng) -> np.ndarray:
    frame = rows[name]
    n = len(frame)
    if link.kind == "reference":
        return rng.choice(["a", "b", "c"], n)[:, None]
    if link.kind == "shared":
        return rng.choice([7, 8, 9], n)[:, None]
    to, (key,) = rows[link.to], schema.tables[link.to].key
    keys = np.full(n, None, dtype=object)
    for k in np.flatnonzero(rng.random(n) < 0.6):
        same = (to["_unit"] == frame["_unit"].iloc[k]).to_numpy()
        fits = ~same if link.kind == "peer" else same.copy()
        if link.to == name:
            fits[k] = False
        if link.kind == "earlier" and "t" in to and "t" in frame:
            fits &= (to["t"] <= frame["t"].iloc[k]).to_numpy()
        if fits.any():
            keys[k] = to[key].iloc[int(rng.choice(np.flatnonzero(fits)))]
    return keys[:, None]
