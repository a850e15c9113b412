"""Random linked tables that keep their own rules, and a checker of those rules that shares no code with the package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

DAY = np.timedelta64(1, "D")
EPOCH = np.datetime64("2020-01-01T00:00:00", "us")


@dataclass
class Table:
    """Choices about one table of a world."""

    name: str
    owner: str | None
    depth: int
    timed: bool = False
    until: bool = False
    overlap: bool = False
    key: tuple[str, ...] = ()
    position: bool = False
    series: bool = False
    within: bool = False
    once: bool = False
    ordered: bool = False  # two numbers, the first at most the second
    moment: bool = False
    derived: bool = False
    total: str | None = None  # child whose `x` is summed
    links: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class World:
    """A schema, its tables, and the choices behind both."""

    schema: dict[str, Any]
    frames: dict[str, pd.DataFrame]
    tables: dict[str, Table]
    moments: bool
    ends: bool


def make_world(rng: np.random.Generator, most_tables: int = 8, units: int = 25) -> World:
    """A random world of up to 8 tables, depth 4, with two rows in each table at least."""
    while True:
        world = _world(rng, most_tables, units)
        if all(len(frame) > 1 for frame in world.frames.values()):
            return world


def _world(rng: np.random.Generator, most_tables: int, units: int) -> World:
    moments, ends = bool(rng.random() < 0.6), bool(rng.random() < 0.6)
    tables = {"t0": Table("t0", None, 0, key=("t0_id",))}
    for k in range(1, int(rng.integers(2, most_tables + 1))):
        _table(f"t{k}", tables, rng)
    for table in list(tables.values()):
        children = [c for c in tables.values() if c.owner == table.name]
        if children and rng.random() < 0.4:
            table.total = children[int(rng.integers(len(children)))].name
    frames = _rows(tables, moments, ends, rng, units)
    _later_links(tables, frames, rng)
    return World(_schema(tables, moments, ends), frames, tables, moments, ends)


def _table(name: str, tables: dict[str, Table], rng: np.random.Generator) -> None:
    owners = [t for t in tables.values() if t.depth < 4 and t.key]
    owner = owners[int(rng.integers(len(owners)))]
    t = Table(name, owner.name, owner.depth + 1)
    t.timed = bool(rng.random() < 0.7)
    t.until = t.timed and bool(rng.random() < 0.5)
    t.overlap = t.until and bool(rng.random() < 0.3)
    t.position = bool(rng.random() < 0.4)
    t.key = (
        (f"{name}_id",)
        if rng.random() < 0.5
        else (f"{name}_owner", f"{name}_pos")
        if t.position and len(owner.key) == 1
        else ()
    )
    t.series, t.once = bool(rng.random() < 0.3), bool(rng.random() < 0.3)
    t.ordered, t.moment, t.derived = (bool(rng.random() < 0.3) for _ in range(3))
    t.within = t.timed and owner.until and bool(rng.random() < 0.7)
    above = owner
    while above.owner is not None:
        above = tables[above.owner]
        if len(above.key) == 1 and rng.random() < 0.4:
            t.links.append({"kind": "implied", "to": above.name, "columns": [f"{name}_to_{above.name}"]})
    keyed = [x for x in tables.values() if len(x.key) == 1 and x.owner is not None]
    if keyed and rng.random() < 0.4:
        to = keyed[int(rng.integers(len(keyed)))]
        t.links.append(
            {
                "kind": "earlier",
                "to": to.name,
                "columns": [f"{name}_before"],
                "open": bool(to.until and t.timed and rng.random() < 0.5),
            }
        )
    if rng.random() < 0.25:
        t.links.append({"kind": "shared", "to": "doctors", "columns": [f"{name}_doctor"]})
    if rng.random() < 0.2:
        t.links.append({"kind": "peer", "to": "t0", "columns": [f"{name}_peer"]})
    if rng.random() < 0.3:
        t.links.append({"kind": "reference", "to": "catalogue", "columns": [f"{name}_code"]})
    tables[name] = t


def _rows(
    tables: dict[str, Table], moments: bool, ends: bool, rng: np.random.Generator, units: int
) -> dict[str, pd.DataFrame]:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in tables}
    for u in range(units):
        begin = int(rng.integers(0, 300)) * 24
        end = begin + int(rng.integers(24, 24 * 60))
        root = {
            "t0_id": f"u{u}",
            "_row": u,
            "_unit": u,
            "sex": rng.choice(["f", "m"]),
            "x": int(rng.integers(0, 5)),
            "end": end if ends and rng.random() < 0.7 else None,
        }
        rows["t0"].append(root)
        _below("t0", root, (begin, end), u, tables, rows, rng)
    frames = {}
    for name, each in rows.items():
        frame = pd.DataFrame(each)
        frames[name] = frame
    for table in reversed(list(tables.values())):  # totals, leaves first
        frame = frames[table.name]
        if table.total is not None and len(frame):
            child = frames[table.total]
            total = child.groupby("_owner")["x"].sum() if len(child) else pd.Series(dtype=float)
            frame["total"] = frame["_row"].map(total).fillna(0).astype(int)
    for table in tables.values():
        frame = frames[table.name]
        for column in ("start", "until", "moment", "end"):
            if column in frame and moments:
                hours = pd.to_numeric(frame[column]).to_numpy(dtype=float)
                frame[column] = np.where(
                    np.isnan(hours), np.datetime64("NaT"), EPOCH + np.nan_to_num(hours).astype("timedelta64[h]")
                )
    return frames


def _below(  # noqa: C901 - one choice after the other
    name: str,
    owner: dict[str, Any],
    span: tuple[int, int],
    unit: int,
    tables: dict[str, Table],
    rows: dict[str, list[dict[str, Any]]],
    rng: np.random.Generator,
) -> None:
    for t in tables.values():
        if t.owner != name:
            continue
        n = int(rng.integers(0, 3 if t.depth > 1 else 4))
        inside = (owner["start"], owner["until"]) if t.within else span
        points = np.sort(rng.integers(inside[0], inside[1] + 1, size=2 * n))
        used = [r["kind"] for r in rows[t.name] if r["_unit"] == unit]
        for k in range(n):
            free = [c for c in "abcdefghij" if c not in used]
            if t.once and not free:
                break
            kind = rng.choice(free if t.once else list("abc"))
            used.append(kind)
            row: dict[str, Any] = {
                "_row": len(rows[t.name]),
                "_owner": owner["_row"],
                "_unit": unit,
                "kind": kind,
                "x": int(rng.integers(0, 40)),
                "y": None if rng.random() < 0.2 else round(float(rng.normal()), 2),
            }
            if t.timed:
                row["start"] = int(points[2 * k])
                if t.until:
                    row["until"] = int(points[2 * k + 1])
            if t.position:
                row[f"{t.name}_pos"] = k + 1
            if f"{t.name}_id" in t.key:
                row[f"{t.name}_id"] = f"{t.name}-{len(rows[t.name])}"
            if t.ordered:
                row["low"] = int(rng.integers(0, 20))
                row["high"] = row["low"] + int(rng.integers(0, 9))
            if t.moment:
                row["moment"] = (row.get("start", span[0])) + int(rng.integers(0, 99))
            if t.derived:
                row["twice"] = 2 * row["x"]
            rows[t.name].append(row)
            down = (row.get("start", span[0]), row["until"] if t.until else max(span[1], row.get("start", span[0])))
            _below(t.name, row, down, unit, tables, rows, rng)


def _later_links(tables: dict[str, Table], frames: dict[str, pd.DataFrame], rng: np.random.Generator) -> None:
    for t in tables.values():
        frame = frames[t.name]
        if t.owner is not None:
            owner = tables[t.owner]
            for column, key in zip(owner_columns(t, owner), owner.key, strict=True):
                if column not in frame:
                    frame[column] = frames[owner.name][key].to_numpy()[frame["_owner"]]
        for link in t.links:
            out = [_linked(frame.iloc[k], t, link, tables, frames, rng) for k in range(len(frame))]
            frame[link["columns"][0]] = pd.Series(out, dtype=object)
    since = rng.integers(1980, 2020, size=20)
    frames["doctors"] = pd.DataFrame({"doctor": [f"dr{k}" for k in range(1, 21)], "since": since})
    frames["catalogue"] = pd.DataFrame({"code": [f"c{k}" for k in range(4)], "text": list("wxyz")})


def _linked(
    row: pd.Series,
    t: Table,
    link: dict[str, Any],
    tables: dict[str, Table],
    frames: dict[str, pd.DataFrame],
    rng: np.random.Generator,
) -> str | None:
    """The key that a link of a row holds."""
    if link["kind"] == "reference":
        return f"c{int(rng.integers(4))}"
    if link["kind"] == "shared":
        return None if rng.random() < 0.2 else f"dr{int(min(rng.geometric(0.3), 20))}"
    to, key = frames[link["to"]], tables[link["to"]].key[0]
    if link["kind"] == "implied":
        at, above = int(row["_owner"]), str(t.owner)
        while above != link["to"]:
            at, above = int(frames[above]["_owner"].iloc[at]), str(tables[above].owner)
        return str(to[key].iloc[at])
    fits = candidates(row, to, t, tables[link["to"]], link)
    return str(to[key].iloc[int(rng.choice(fits))]) if len(fits) and rng.random() < 0.8 else None


def candidates(row: pd.Series, to: pd.DataFrame, t: Table, there: Table, link: dict[str, Any]) -> np.ndarray:
    """Rows that a link of a row may point to."""
    if not len(to):
        return np.empty(0, dtype=int)
    unit = to["_unit"].to_numpy()
    if link["kind"] == "peer":
        return np.flatnonzero(unit != row["_unit"])
    fits = unit == row["_unit"]
    if there.timed and t.timed:
        fits &= to["start"].to_numpy() < row["start"]
        if link["open"]:
            fits &= to["until"].to_numpy() >= row["start"]
    else:
        fits &= False if there.name != t.name else to["_row"].to_numpy() < row["_row"]
    return np.flatnonzero(fits)


def owner_columns(t: Table, owner: Table) -> list[str]:
    """Columns of the link to the owner."""
    return [f"{t.name}_owner"] if len(owner.key) == 1 else [f"{t.name}_owner", f"{t.name}_owner_pos"]


def _schema(tables: dict[str, Table], moments: bool, ends: bool) -> dict[str, Any]:
    when = {"kind": "datetime", "precision": "hour"} if moments else {"kind": "numeric", "decimals": 0}
    out: dict[str, Any] = {"unit": "t0", "tables": {}, "rules": []}
    for t in tables.values():
        columns: dict[str, Any] = {}
        links: list[dict[str, Any]] = []
        if t.owner is None:
            columns = {
                "t0_id": {"kind": "identifier"},
                "sex": {"kind": "categorical", "levels": ["f", "m"]},
                "x": {"kind": "numeric", "decimals": 0},
                "end": {**when, "nullable": True},
            }
        else:
            owner = tables[t.owner]
            links = [{"kind": "owner", "to": t.owner, "columns": owner_columns(t, owner)}]
            columns = {c: {"kind": "identifier"} for c in owner_columns(t, owner)}
            columns |= {
                "kind": {"kind": "categorical", "levels": list("abcdefghij")},
                "x": {"kind": "numeric", "decimals": 0},
                "y": {"kind": "numeric", "nullable": True, "decimals": 2},
            }
        columns |= {"start": dict(when)} if t.timed else {}
        columns |= {"until": dict(when)} if t.until else {}
        columns |= {f"{t.name}_id": {"kind": "identifier"}} if f"{t.name}_id" in t.key and t.owner else {}
        columns |= {f"{t.name}_pos": {"kind": "numeric", "decimals": 0}} if t.position else {}
        columns |= (
            {"low": {"kind": "numeric", "decimals": 0}, "high": {"kind": "numeric", "decimals": 0}} if t.ordered else {}
        )
        columns |= {"moment": dict(when)} if t.moment else {}
        columns |= {"twice": {"kind": "numeric", "decimals": 0}} if t.derived else {}
        columns |= {"total": {"kind": "numeric", "decimals": 0}} if t.total else {}
        for link in t.links:
            links.append({k: v for k, v in link.items() if k != "open" or v})
            kind = "code" if link["kind"] == "reference" else "identifier"
            columns[link["columns"][0]] = {"kind": kind, "nullable": link["kind"] != "implied"}
        table: dict[str, Any] = {"columns": columns, "links": links, "key": list(t.key)}
        if t.timed:
            table["order"] = {"from": "start", **({"until": "until", "overlap": t.overlap} if t.until else {})}
        table |= {"series": "kind"} if t.series and t.owner else {}
        table |= {"position": f"{t.name}_pos"} if t.position else {}
        table |= {"end": "end"} if t.owner is None and ends else {}
        table |= {"derived": {"twice": "2 * x"}} if t.derived else {}
        table |= {"rules": [{"rule": "comparison", "left": "low", "op": "<=", "right": "high"}]} if t.ordered else {}
        out["tables"][t.name] = table
        out["rules"] += [{"rule": "within", "table": t.name, "of": t.owner}] if t.within else []
        out["rules"] += [{"rule": "once", "table": t.name, "columns": ["kind"]}] if t.once and t.owner else []
        out["rules"] += [{"rule": "total", "parent": f"{t.name}.total", "child": f"{t.total}.x"}] if t.total else []
    doctors = {"doctor": {"kind": "identifier"}, "since": {"kind": "numeric", "decimals": 0}}
    out["tables"]["doctors"] = {"role": "shared", "key": ["doctor"], "columns": doctors}
    out["tables"]["catalogue"] = {"role": "reference", "key": ["code"]}
    return out


def plain_frames(world: World) -> dict[str, pd.DataFrame]:
    """The tables of a world as a user has them."""
    out = {}
    for name, table in world.schema["tables"].items():
        if name in ("catalogue", "doctors"):
            out[name] = world.frames[name]
            continue
        frame = world.frames[name]
        out[name] = pd.DataFrame({c: frame[c] if c in frame else pd.Series([], dtype=object) for c in table["columns"]})
    return out


def broken(world: World, frames: dict[str, pd.DataFrame]) -> list[str]:
    """Everything that tables break of a world's rules, in words."""
    out: list[str] = []
    frames = {name: frame.reset_index(drop=True).copy() for name, frame in frames.items()}
    frames["t0"]["_unit"] = frames["t0"]["_row"] = np.arange(len(frames["t0"]))
    if frames["t0"]["t0_id"].duplicated().any() or frames["t0"]["t0_id"].isna().any():
        out.append("t0: key")
    for t in list(world.tables.values())[1:]:
        frame, owner = frames[t.name], world.tables[t.owner]  # type: ignore[index]
        keys = {
            tuple(map(str, key)): k for k, key in enumerate(frames[owner.name][list(owner.key)].itertuples(index=False))
        }
        place = [keys.get(tuple(map(str, key)), -1) for key in frame[owner_columns(t, owner)].itertuples(index=False)]
        frame["_owner"], frame["_row"] = np.array(place, dtype=int), np.arange(len(frame))
        if (frame["_owner"] < 0).any():
            out.append(f"{t.name}: orphans")
            continue
        frame["_unit"] = frames[owner.name]["_unit"].to_numpy()[frame["_owner"]]
        out += _broken_rows(t, owner, frame, frames, world)
        out += _broken_links(t, frame, frames, world)
    for t in world.tables.values():
        if t.total is not None:
            child = frames[t.total]
            total = child.groupby("_owner")["x"].sum().reindex(frames[t.name]["_row"]).fillna(0).to_numpy()
            if not np.array_equal(total, frames[t.name]["total"].to_numpy(dtype=float)):
                out.append(f"{t.name}: total")
    return out


def _broken_rows(  # noqa: C901 - one rule after the other
    t: Table, owner: Table, frame: pd.DataFrame, frames: dict[str, pd.DataFrame], world: World
) -> list[str]:
    out = []
    if t.key and frame[list(t.key)].astype(str).duplicated().any():
        out.append(f"{t.name}: key")
    groups = [g for _, g in frame.groupby("_owner")]
    if t.timed:
        out += [f"{t.name}: order" for g in groups if not g["start"].is_monotonic_increasing]
        end = frames["t0"]["end"].to_numpy()[frame["_unit"]] if world.ends else None
        if end is not None:
            late = (frame["start"].to_numpy() > end) & ~pd.isna(end)
            out += [f"{t.name}: after the end"] if late.any() else []
    if t.until:
        if (frame["until"] < frame["start"]).any() or frame["until"].isna().any():
            out.append(f"{t.name}: until before start")
        if not t.overlap:
            out += [
                f"{t.name}: overlap" for g in groups if (g["start"].to_numpy()[1:] < g["until"].to_numpy()[:-1]).any()
            ]
    if t.within:
        stay = frames[owner.name].iloc[frame["_owner"]]
        outside = (frame["start"].to_numpy() < stay["start"].to_numpy()) | (
            frame["start"].to_numpy() > stay["until"].to_numpy()
        )
        if t.until:
            outside |= frame["until"].to_numpy() > stay["until"].to_numpy()
        out += [f"{t.name}: outside its stay"] if outside.any() else []
    if t.position and any(g[f"{t.name}_pos"].tolist() != list(range(1, len(g) + 1)) for g in groups):
        out.append(f"{t.name}: position")
    if t.once and frame[["_unit", "kind"]].duplicated().any():
        out.append(f"{t.name}: once")
    if t.ordered and (frame["low"] > frame["high"]).any():
        out.append(f"{t.name}: low above high")
    if t.derived and (frame["twice"] != 2 * frame["x"]).any():
        out.append(f"{t.name}: derived")
    return out


def _broken_links(t: Table, frame: pd.DataFrame, frames: dict[str, pd.DataFrame], world: World) -> list[str]:
    out = []
    for link in t.links:
        values = frame[link["columns"][0]]
        if link["kind"] == "reference":
            if not set(values.dropna()) <= {f"c{k}" for k in range(4)}:
                out.append(f"{t.name}: reference")
            continue
        to = frames[link["to"]]
        if link["kind"] == "shared":
            out += [] if set(values.dropna()) <= set(to["doctor"]) else [f"{t.name}: shared"]
            continue
        there = world.tables[link["to"]]
        keys = dict(zip(to[there.key[0]], range(len(to)), strict=True))
        at = values.map(keys)
        if (values.notna() & at.isna()).any() or (link["kind"] == "implied" and at.isna().any()):
            out.append(f"{t.name}: dangling {link['kind']}")
            continue
        some = np.flatnonzero(at.notna())
        mine, other = frame.iloc[some], to.iloc[at.iloc[some].astype(int)]
        same = mine["_unit"].to_numpy() == other["_unit"].to_numpy()
        if (link["kind"] in ("implied", "earlier") and not same.all()) or (link["kind"] == "peer" and same.any()):
            out.append(f"{t.name}: unit of {link['kind']}")
        if link["kind"] == "earlier" and t.timed and there.timed:
            if (other["start"].to_numpy() > mine["start"].to_numpy()).any():
                out.append(f"{t.name}: earlier is later")
            if link["open"] and (other["until"].to_numpy() < mine["start"].to_numpy()).any():
                out.append(f"{t.name}: earlier is not open")
    return out
