"""Random linked tables that keep their own rules; `linked_checks` holds tables against them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

_WHOLE = {"kind": "numeric", "decimals": 0}
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
    unlike: str = ""  # column in which rows of an owner differ, so that it is a part of their key
    one: bool = False  # one row a unit at most
    first: bool = False  # a unit has kind `a` at most once
    done: str = ""  # a unit has a kind that is `done` once; `state` stands `before` or `behind` the kind
    early: bool = False  # may begin before what it belongs or points to
    day: bool = False  # moments are told without an hour
    most: int | None = None  # rows of an owner, and of a unit
    most_unit: int | None = None
    ordered: bool = False  # two numbers, the first at most the second
    moment: bool = False
    derived: bool = False
    total: str | None = None  # child whose `x` is summed
    count: str | None = None  # child whose rows are counted
    links: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class World:
    """A schema, its tables, and the choices behind both."""

    schema: dict[str, Any]
    frames: dict[str, pd.DataFrame]
    tables: dict[str, Table]
    moments: bool
    ends: bool
    bound: tuple[str, ...] = ()  # tables of which nothing happens after `stop`


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
        if children and rng.random() < 0.3:
            table.count = children[int(rng.integers(len(children)))].name
    bound = tuple(t.name for t in tables.values() if t.timed and rng.random() < 0.4)
    frames = _rows(tables, moments, ends, rng, units)
    if all(len(frame) for frame in frames.values()):
        _later_links(tables, frames, rng)
        _limits(tables, frames, rng)
    return World(_schema(tables, moments, ends, bound), frames, tables, moments, ends, bound)


def _limits(tables: dict[str, Table], frames: dict[str, pd.DataFrame], rng: np.random.Generator) -> None:
    """Most rows of an owner and of a unit: as many as there are."""
    for t in list(tables.values())[1:]:
        frame = frames[t.name]
        if rng.random() < 0.3:
            t.most = int(frame["_owner"].value_counts().max())
        if rng.random() < 0.3:
            t.most_unit = int(frame["_unit"].value_counts().max())


def _table(name: str, tables: dict[str, Table], rng: np.random.Generator) -> None:
    owners = [t for t in tables.values() if t.depth < 4 and t.key and not t.unlike]
    owner = owners[-1] if rng.random() < 0.4 else owners[int(rng.integers(len(owners)))]
    t = Table(name, owner.name, owner.depth + 1)
    t.timed = bool(rng.random() < 0.7)
    t.until = t.timed and bool(rng.random() < 0.5)
    t.overlap = t.until and bool(rng.random() < 0.3)
    t.position = bool(rng.random() < 0.4)
    t.key = (
        (f"{name}_id",)
        if rng.random() < 0.6
        else (f"{name}_owner", f"{name}_pos")
        if t.position and len(owner.key) == 1
        else ()
    )
    if not t.key and len(owner.key) == 1 and rng.random() < 0.5:
        t.unlike = "start" if t.timed and rng.random() < 0.5 else "kind"
        t.key = (f"{name}_owner", t.unlike)
    t.series, t.once = bool(rng.random() < 0.3), bool(rng.random() < 0.3)
    t.one, t.first, t.day = (bool(rng.random() < share) for share in (0.1, 0.2, 0.3))
    t.done = str(rng.choice(["", "", "before", "behind"]))
    t.ordered, t.moment, t.derived = (bool(rng.random() < 0.3) for _ in range(3))
    t.within = t.timed and owner.until and bool(rng.random() < 0.7)
    t.early = t.timed and not t.within and bool(rng.random() < 0.3)
    above = owner
    while above.owner is not None:
        above = tables[above.owner]
        if len(above.key) == 1 and rng.random() < 0.4:
            t.links.append({"kind": "implied", "to": above.name, "columns": [f"{name}_to_{above.name}"]})
    keyed = [x for x in tables.values() if len(x.key) == 1 and x.owner is not None]
    if keyed and rng.random() < 0.6:
        to = keyed[int(rng.integers(len(keyed)))]
        t.links.append(
            {
                "kind": "earlier",
                "to": to.name,
                "columns": [f"{name}_before"],
                "open": bool(to.until and t.timed and rng.random() < 0.5),
                "needed": bool(rng.random() < 0.5),
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
            "stop": end + int(rng.integers(0, 48)) if rng.random() < 0.7 else None,
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
        if table.count is not None and len(frame):
            child = frames[table.count]
            many = child["_owner"].value_counts() if len(child) else pd.Series(dtype=int)
            frame["many"] = frame["_row"].map(many).fillna(0).astype(int)
    for table in tables.values():
        frame = frames[table.name]
        for column in ("start", "until", "moment", "end", "stop"):
            if column in frame and moments:
                hours = pd.to_numeric(frame[column]).to_numpy(dtype=float)
                hours = hours // 24 * 24 if table.day else hours
                frame[column] = np.where(
                    np.isnan(hours), np.datetime64("NaT"), EPOCH + np.nan_to_num(hours).astype("timedelta64[h]")
                )
    return frames


def _below(  # noqa: C901, PLR0912 - one choice after the other
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
        if t.one:
            n = min(n, 1 - any(r["_unit"] == unit for r in rows[t.name]))
        inside = (owner["start"], owner["until"]) if t.within else span
        points = np.sort(rng.integers(inside[0] - 30 * t.early, inside[1] + 1, size=2 * n))
        used = [r["kind"] for r in rows[t.name] if r["_unit"] == unit]
        place = 0
        for k in range(n):
            if not _may_be(t, int(points[2 * k]), unit, tables, rows):
                continue
            mine = [r for r in rows[t.name] if r["_owner"] == owner["_row"]]
            steps = 24 if t.day else 1
            if t.unlike == "start" and any(r["start"] // steps == points[2 * k] // steps for r in mine):
                continue
            place += 1
            free = [c for c in "abcdefghij" if c not in used]
            if t.once and not free:
                break
            able = free if t.once else [c for c in "abc" if not (t.first and c == "a" and c in used)]
            if t.unlike == "kind":
                able = [c for c in able if all(r["kind"] != c for r in mine)]
            if not able:
                break
            kind = rng.choice(able)
            used.append(kind)
            row: dict[str, Any] = {
                "_row": len(rows[t.name]),
                "_owner": owner["_row"],
                "_unit": unit,
                "kind": kind,
                "x": int(rng.integers(0, 40)),
                "y": None if rng.random() < 0.2 else round(float(rng.normal()), 2),
            }
            if t.done:
                had = any(r["_unit"] == unit and r["kind"] == kind and r["state"] == "done" for r in rows[t.name])
                row["state"] = rng.choice(["new", "open"] if had else ["new", "open", "done", "done"])
            if t.timed:
                row["start"] = int(points[2 * k])
                if t.until:
                    row["until"] = int(points[2 * k + 1])
            if t.position:
                row[f"{t.name}_pos"] = place
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


def _may_be(t: Table, start: int, unit: int, tables: dict[str, Table], rows: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether there is a row, made before, for every link that must not be missing."""
    for link in t.links:
        if link.get("needed"):
            there = tables[link["to"]]
            fits = [r for r in rows[there.name] if r["_unit"] == unit]
            if there.timed and t.timed:
                fits = [r for r in fits if t.early or r["start"] < start - 24 * (t.day or there.day)]
                fits = [r for r in fits if not link["open"] or r["until"] - 24 * there.day >= start]
            if not fits or there.name == t.name:
                return False
    return True


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
    since, clinic = rng.integers(1980, 2020, size=20), rng.integers(0, 4, size=20)
    frames["doctors"] = pd.DataFrame(
        {"doctor": [f"dr{k}" for k in range(1, 21)], "since": since, "clinic": [f"cl{k}" for k in clinic]}
    )
    frames["clinics"] = pd.DataFrame({"clinic": [f"cl{k}" for k in range(4)], "beds": [10, 20, 30, 40]})
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
    told = link.get("needed") or rng.random() < 0.8
    return str(to[key].iloc[int(rng.choice(fits))]) if len(fits) and told else None


def candidates(row: pd.Series, to: pd.DataFrame, t: Table, there: Table, link: dict[str, Any]) -> np.ndarray:
    """Rows that a link of a row may point to."""
    if not len(to):
        return np.empty(0, dtype=int)
    unit = to["_unit"].to_numpy()
    if link["kind"] == "peer":
        return np.flatnonzero(unit != row["_unit"])
    fits = unit == row["_unit"]
    if there.timed and t.timed:
        if not t.early:
            fits &= to["start"].to_numpy() < row["start"]
        if link["open"]:
            fits &= to["until"].to_numpy() >= row["start"]
    if there.name == t.name:
        fits &= to["_row"].to_numpy() < row["_row"]
    return np.flatnonzero(fits)


def owner_columns(t: Table, owner: Table) -> list[str]:
    """Columns of the link to the owner."""
    return [f"{t.name}_owner"] if len(owner.key) == 1 else [f"{t.name}_owner", f"{t.name}_owner_pos"]


def _schema(tables: dict[str, Table], moments: bool, ends: bool, bound: tuple[str, ...]) -> dict[str, Any]:
    out: dict[str, Any] = {"unit": "t0", "tables": {}, "rules": []}
    if bound:
        out["rules"] = [{"rule": "nothing_after", "tables": list(bound), "moment": "t0.stop"}]
    for t in tables.values():
        when = {"kind": "datetime", "precision": "day" if t.day else "hour"} if moments else dict(_WHOLE)
        columns: dict[str, Any] = {}
        links: list[dict[str, Any]] = []
        if t.owner is None:
            columns = {
                "t0_id": {"kind": "identifier"},
                "sex": {"kind": "categorical", "levels": ["f", "m"]},
                "x": {"kind": "numeric", "decimals": 0},
                "end": {**when, "nullable": True},
                "stop": {**when, "nullable": True},
            }
        else:
            owner = tables[t.owner]
            most = {} if t.most is None else {"max_rows_per_owner": t.most}
            links = [{"kind": "owner", "to": t.owner, "columns": owner_columns(t, owner), **most}]
            columns = {c: {"kind": "identifier"} for c in owner_columns(t, owner)}
            state = {"state": {"kind": "categorical", "levels": ["new", "open", "done"]}} if t.done else {}
            columns |= {
                **(state if t.done == "before" else {}),
                "kind": {"kind": "categorical", "levels": list("abcdefghij")},
                **(state if t.done == "behind" else {}),
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
        columns |= {"total": dict(_WHOLE)} if t.total else {}
        columns |= {"many": dict(_WHOLE)} if t.count else {}
        for link in t.links:
            links.append({k: v for k, v in link.items() if k != "needed" and (k != "open" or v)})
            kind = "code" if link["kind"] == "reference" else "identifier"
            nullable = link["kind"] != "implied" and not link.get("needed")
            columns[link["columns"][0]] = {"kind": kind, "nullable": nullable}
        table: dict[str, Any] = {"columns": columns, "links": links, "key": list(t.key)}
        if t.timed:
            table["order"] = {"from": "start", **({"until": "until", "overlap": t.overlap} if t.until else {})}
            table["order"] |= {"before_owner": True} if t.early else {}
        table |= {"max_rows_per_unit": t.most_unit} if t.most_unit is not None else {}
        table |= {"series": "kind"} if t.series and t.owner else {}
        table |= {"position": f"{t.name}_pos"} if t.position else {}
        table |= {"end": "end"} if t.owner is None and ends else {}
        table |= {"derived": {"twice": "2 * x"}} if t.derived else {}
        table |= {"rules": [{"rule": "comparison", "left": "low", "op": "<=", "right": "high"}]} if t.ordered else {}
        out["tables"][t.name] = table
        out["rules"] += [{"rule": "within", "table": t.name, "of": t.owner}] if t.within else []
        out["rules"] += [{"rule": "once", "table": t.name, "columns": ["kind"]}] if t.once and t.owner else []
        out["rules"] += [{"rule": "once", "table": t.name}] if t.one and t.owner else []
        only = {"kind": {"in": ["a"]}}
        out["rules"] += [{"rule": "once", "table": t.name, "when": only}] if t.first and t.owner else []
        done = {"columns": ["kind"], "when": {"state": {"in": ["done"]}}}
        out["rules"] += [{"rule": "once", "table": t.name, **done}] if t.done and t.owner else []
        out["rules"] += [{"rule": "total", "parent": f"{t.name}.many", "child": t.count}] if t.count else []
        out["rules"] += [{"rule": "total", "parent": f"{t.name}.total", "child": f"{t.total}.x"}] if t.total else []
    key = {"kind": "identifier"}
    to_clinic = [{"kind": "shared", "to": "clinics", "columns": ["clinic"]}]
    doctors = {"doctor": key, "since": dict(_WHOLE), "clinic": key}
    out["tables"]["doctors"] = {"role": "shared", "key": ["doctor"], "columns": doctors, "links": to_clinic}
    clinics = {"clinic": key, "beds": dict(_WHOLE)}
    out["tables"]["clinics"] = {"role": "shared", "key": ["clinic"], "columns": clinics}
    out["tables"]["catalogue"] = {"role": "reference", "key": ["code"]}
    return out


def plain_frames(world: World) -> dict[str, pd.DataFrame]:
    """The tables of a world as a user has them."""
    out = {}
    for name, table in world.schema["tables"].items():
        if name in ("catalogue", "clinics", "doctors"):
            out[name] = world.frames[name]
            continue
        frame = world.frames[name]
        out[name] = pd.DataFrame({c: frame[c] if c in frame else pd.Series([], dtype=object) for c in table["columns"]})
    return out
