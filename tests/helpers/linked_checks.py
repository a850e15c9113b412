"""A checker of the rules of random linked tables that shares no code with the package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from linked_worlds import Table, World, owner_columns


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
    return [*out, *_broken_sums(world, frames), *_broken_shared(frames)]


def _broken_sums(world: World, frames: dict[str, pd.DataFrame]) -> list[str]:
    out = []
    for t in world.tables.values():
        if t.total is not None:
            child = frames[t.total]
            total = child.groupby("_owner")["x"].sum().reindex(frames[t.name]["_row"]).fillna(0).to_numpy()
            if not np.array_equal(total, frames[t.name]["total"].to_numpy(dtype=float)):
                out.append(f"{t.name}: total")
        if t.count is not None:
            many = frames[t.count]["_owner"].value_counts().reindex(frames[t.name]["_row"]).fillna(0).to_numpy()
            if not np.array_equal(many, frames[t.name]["many"].to_numpy(dtype=float)):
                out.append(f"{t.name}: count")
    return out


def _broken_shared(frames: dict[str, pd.DataFrame]) -> list[str]:
    out = []
    if not set(frames["doctors"]["clinic"]) <= set(frames["clinics"]["clinic"]):
        out.append("doctors: shared")
    for name in ("doctors", "clinics"):
        if frames[name][name[:-1]].duplicated().any():
            out.append(f"{name}: key")
    return out


def _told(moments: Any, *tables: Table) -> np.ndarray:
    """Moments as finely as all of some tables tell them."""
    values = np.asarray(moments)
    days = values.dtype.kind == "M" and any(t.day for t in tables)
    return values.astype("datetime64[D]").astype(values.dtype) if days else values


def _above(
    t: Table, rows: np.ndarray, frames: dict[str, pd.DataFrame], world: World
) -> tuple[Table | None, np.ndarray]:
    """The nearest table on the way up whose rows have a moment, and the row of it that each row belongs to."""
    while t.owner is not None:
        rows = frames[t.name]["_owner"].to_numpy()[rows]
        t = world.tables[t.owner]
        if t.timed:
            return t, rows
    return None, rows


def _broken_rows(  # noqa: C901 - one rule after the other
    t: Table, owner: Table, frame: pd.DataFrame, frames: dict[str, pd.DataFrame], world: World
) -> list[str]:
    out = []
    if t.key and frame[list(t.key)].astype(str).duplicated().any():
        out.append(f"{t.name}: key")
    groups = [g for _, g in frame.groupby("_owner")]
    if t.timed:
        out += [f"{t.name}: order" for g in groups if not g["start"].is_monotonic_increasing]
        for column in ["end"] * world.ends + ["stop"] * (t.name in world.bound):
            end, root = frames["t0"][column].to_numpy()[frame["_unit"]], world.tables["t0"]
            for moment in ["start"] + ["until"] * t.until:
                late = (_told(frame[moment], t) > _told(end, t, root)) & ~pd.isna(end)
                out += [f"{t.name}: {moment} after the {column}"] if late.any() else []
        above, rows = _above(t, np.arange(len(frame)), frames, world)
        if above is not None and not t.early:
            begun = frames[above.name]["start"].to_numpy()[rows]
            if (_told(frame["start"], t, above) < _told(begun, t, above)).any():
                out.append(f"{t.name}: before its owner")
    if t.until:
        if (frame["until"] < frame["start"]).any() or frame["until"].isna().any():
            out.append(f"{t.name}: until before start")
        if not t.overlap:
            out += [
                f"{t.name}: overlap" for g in groups if (g["start"].to_numpy()[1:] < g["until"].to_numpy()[:-1]).any()
            ]
    if t.within:
        stay = frames[owner.name].iloc[frame["_owner"]]
        begin, end = (_told(stay[column], t, owner) for column in ("start", "until"))
        start = _told(frame["start"], t, owner)
        outside = (start < begin) | (start > end)
        if t.until:
            outside |= _told(frame["until"], t, owner) > end
        out += [f"{t.name}: outside its stay"] if outside.any() else []
    return [*out, *_broken_values(t, frame, groups)]


def _broken_values(t: Table, frame: pd.DataFrame, groups: list[pd.DataFrame]) -> list[str]:
    out = []
    if t.position and any(g[f"{t.name}_pos"].tolist() != list(range(1, len(g) + 1)) for g in groups):
        out.append(f"{t.name}: position")
    if t.once and frame[["_unit", "kind"]].duplicated().any():
        out.append(f"{t.name}: once")
    if t.one and frame["_unit"].duplicated().any():
        out.append(f"{t.name}: one a unit")
    if t.first and frame[frame["kind"] == "a"]["_unit"].duplicated().any():
        out.append(f"{t.name}: kind a once a unit")
    if t.done and frame[frame["state"] == "done"][["_unit", "kind"]].duplicated().any():
        out.append(f"{t.name}: kind done once a unit")
    for most, column in ((t.most, "_owner"), (t.most_unit, "_unit")):
        if most is not None and len(frame) and frame[column].value_counts().max() > most:
            out.append(f"{t.name}: too many of one {column[1:]}")
    if t.ordered and (frame["low"] > frame["high"]).any():
        out.append(f"{t.name}: low above high")
    if t.derived and (frame["twice"] != 2 * frame["x"]).any():
        out.append(f"{t.name}: derived")
    return out


def _broken_links(  # noqa: C901 - one rule after the other
    t: Table, frame: pd.DataFrame, frames: dict[str, pd.DataFrame], world: World
) -> list[str]:
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
        whole = link["kind"] == "implied" or link.get("needed")
        if (values.notna() & at.isna()).any() or (whole and at.isna().any()):
            out.append(f"{t.name}: dangling {link['kind']}")
            continue
        some = np.flatnonzero(at.notna())
        mine, other = frame.iloc[some], to.iloc[at.iloc[some].astype(int)]
        same = mine["_unit"].to_numpy() == other["_unit"].to_numpy()
        if (link["kind"] in ("implied", "earlier") and not same.all()) or (link["kind"] == "peer" and same.any()):
            out.append(f"{t.name}: unit of {link['kind']}")
        if (
            link["kind"] == "earlier"
            and there.name == t.name
            and (mine["_row"].to_numpy() == other["_row"].to_numpy()).any()
        ):
            out.append(f"{t.name}: earlier is itself")
        if link["kind"] == "earlier" and t.timed and there.timed:
            now = _told(mine["start"], t, there)
            if not t.early and (_told(other["start"], t, there) > now).any():
                out.append(f"{t.name}: earlier is later")
            if link["open"] and (_told(other["until"], t, there) < now).any():
                out.append(f"{t.name}: earlier is not open")
    return out
