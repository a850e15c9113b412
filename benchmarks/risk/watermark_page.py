"""What was measured of the watermark, as the tables of docs/provenance.md and the points of its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.risk.watermark_damage import DAMAGES
from benchmarks.risk.watermark_trials import KEYS, REPEATS, STEPS, TOGETHER


def number(p: float) -> str:
    """A probability in few letters."""
    return "below 1e-300" if p == 0 else f"{p:.1g}"


def markdown(kept: Mapping[str, Any]) -> str:
    """The tables of the page, and how they were made."""
    machine, seconds = kept["machine"], sum(kept["seconds"].values())
    lines = [*_alarms(kept["alarms"]), *_power(kept["power"]), *_fidelity(kept["fidelity"]), *_bias(kept["bias"])]
    lines += _refit(kept["refit"])
    lines.append(
        f"\n{REPEATS} keys a cell of the curves, {KEYS} of fidelity; tvae of {STEPS} steps; 4 candidates a row. "
        f"{machine['cpu']}, 1 thread, {seconds:,.0f} s: `python -m benchmarks watermark`"
    )
    return "\n".join(lines)


def _alarms(found: Mapping[str, Any]) -> Iterator[str]:
    yield "**False alarms**: p of tables against keys that have nothing to do with them\n"
    yield "| tables | how many | p ≤ 0.1 | ≤ 0.05 | ≤ 0.01 | ≤ 0.001 | least | more small ones than uniform? KS |"
    yield "|---" * 8 + "|"
    for kind, one in found.items():
        counts = " | ".join(map(str, one["at_most"].values()))
        yield f"| {kind} | {one['tables']} | {counts} | {one['least']:.2g} | p = {one['ks']:.2f} |"


def _power(found: list[Mapping[str, Any]]) -> Iterator[str]:
    """A table for each data set and source of rows: a line for each damage, a column for each number of rows."""
    for case in dict.fromkeys((d["table"], d["rows_of"], tuple(d["without"])) for d in found):
        table, pool, without = case
        mine = [d for d in found if (d["table"], d["rows_of"], tuple(d["without"])) == case]
        source = "real rows as candidates" if pool.endswith("real") else "tvae"
        title = ", ".join([table, source, *(f"without {name}" for name in without)])
        sizes = sorted({d["rows"] for d in mine})
        yield f"\n**Found, {title}**: share of tables with p ≤ 1e-6 (with p ≤ 0.001), median p\n"
        yield "| rows released | " + " | ".join(f"{n:,}" for n in sizes) + " |"
        yield "|---" * (len(sizes) + 1) + "|"
        for damage in dict.fromkeys(d["damage"] for d in mine):
            by = {d["rows"]: d for d in mine if d["damage"] == damage}
            yield f"| {damage} | " + " | ".join(_share(by[n]) if n in by else "–" for n in sizes) + " |"


def _share(one: Mapping[str, Any]) -> str:
    return f"{one['found']['1e-06']:.2f} ({one['found']['0.001']:.2f}), {number(one['median_p'])}"


def _fidelity(kept: Mapping[str, Any]) -> Iterator[str]:
    yield "\n**Fidelity** of 4,000 rows of the same model, marked and plain: mean over keys and 95 % interval\n"
    yield "| table | | marked | plain | change |"
    yield "|---|---|---|---|---|"
    for table, found in kept.items():
        for metric, title in (("tv2", "two-way TV to training rows"), ("c2st", "C2ST, LightGBM, to holdout rows")):
            a, b = found[f"marked.{metric}"][0], found[f"plain.{metric}"][0]
            mean, low, high = found[f"change.{metric}"]
            yield f"| {table} | {title} | {a:.4f} | {b:.4f} | {mean:+.4f} [{low:+.4f}, {high:+.4f}] |"
        each = [found[f"{name} against each other"] for name in ("marked", "plain")]
        cells = [f"{mean:.4f} [{low:.4f}, {high:.4f}]" for mean, low, high in each]
        yield f"| {table} | C2ST to other plain rows of the model | {' | '.join(cells)} | |"


def _bias(found: Mapping[str, Any]) -> Iterator[str]:
    yield "\n**Bias of one key**: shares of cells in 40 tables of 1,000 rows together, against the model's\n"
    heads = (
        "table, tables of columns, rows chosen by",
        "cells",
        "root mean square of z",
        "bias beside the error of 1,000 rows",
        "largest difference of a share",
    )
    yield f"| {' | '.join(heads)} |"
    yield "|---" * 5 + "|"
    for name, one in found.items():
        beside = np.sqrt(max(one["rms_z"] ** 2 - 1, 0) / TOGETHER)  # what is left of z² when chance is taken off
        yield f"| {name} | {one['cells']:,} | {one['rms_z']:.3f} | {beside:.2f} | {one['largest_gap']:.4f} |"


def _refit(found: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "\n**Refitting**: 5,000 rows of a model that was fitted to 5,000 marked rows\n"
    yield "| table | model | p of the marked rows | p of its own rows |"
    yield "|---|---|---|---|"
    for one in found:
        yield f"| {one['table']} | {one['model']} | {number(one['before'])} | {one['after']:.2f} |"


def drawn(kept: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Points of the picture: shares found at p of at most 1e-6 by table, damage and rows, and false alarms by level."""
    found = [
        {
            "table": ", ".join([one["table"], *(f"without {name}" for name in one["without"])]),
            "damage": one["damage"],
            "rows": one["rows"],
            "share": one["found"]["1e-06"],
        }
        for one in kept["power"]
        if not one["rows_of"].endswith("real") and one["damage"] in DAMAGES
    ]
    alarms = [{"level": level, "share": share} for level, share in kept["alarms"]["all"]["curve"]]
    return {"found": found, "alarms": alarms}
