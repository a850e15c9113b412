"""The watermark of linked tables measured: false alarms, and what is found when people, rows or tables are lost.

unit_watermark.json and its tables of docs/provenance.md come of it, in minutes on one core. Candidates are strangers of
the made hospital: no model is fitted, for what one has learned matters little. With --page nothing is measured.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pydantic import SecretStr

from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.linked import made_hospital
from benchmarks.measure.machine import fingerprint
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED
from benchmarks.risk.watermark_page import number
from benchmarks.risk.watermark_trials import ALPHAS, alarmed
from synthkit.metrics.runner import one_thread
from synthkit.tables.linked_tables import LinkedTables
from synthkit.watermark import UnitWatermarkKey, choose_units, detect_units

START, END = "<!-- unit_watermark -->", "<!-- /unit_watermark -->"
FILE, PAGE = MEASURED / "unit_watermark.json", DOCS / "provenance.md"
POOL = 8_000  # people of whom candidates are taken
PEOPLE = (25, 50, 100, 200, 500, 1_000)
REPEATS, ALARMS = 20, 1_000
Frames = Mapping[str, pd.DataFrame]


def _half_the_people(frames: Frames, drawn: LinkedTables, rng: np.random.Generator) -> Frames:
    return drawn.take(rng.permutation(len(frames["patients"]))[: len(frames["patients"]) // 2]).frames


def _half_the_rows(frames: Frames, drawn: LinkedTables, rng: np.random.Generator) -> Frames:
    return {name: frame.iloc[rng.permutation(len(frame))[: len(frame) // 2]] for name, frame in frames.items()}


def _without(table: str) -> Callable[[Frames, LinkedTables, np.random.Generator], Frames]:
    return lambda frames, drawn, rng: {name: frame for name, frame in frames.items() if name != table}


def _alone(table: str) -> Callable[[Frames, LinkedTables, np.random.Generator], Frames]:
    return lambda frames, drawn, rng: {table: frames[table]}


def _altered(frames: Frames, drawn: LinkedTables, rng: np.random.Generator) -> Frames:
    """A tenth of the cells of every column take the place of others."""
    out = {}
    for name, frame in frames.items():
        columns = {}
        for column in frame:
            cells, hit = frame[column].astype(object).to_numpy(copy=True), rng.random(len(frame)) < 0.1
            cells[hit] = rng.permutation(cells[hit])
            columns[column] = pd.Series(cells, dtype=object)
        out[name] = pd.DataFrame(columns)
    return out


LOSSES: Mapping[str, Callable[[Frames, LinkedTables, np.random.Generator], Frames]] = {
    "nothing": lambda frames, drawn, rng: frames,
    "half the people": _half_the_people,
    "half the rows of every table": _half_the_rows,
    "all labs": _without("labs"),
    "all visits": _without("visits"),
    "all but labs": _alone("labs"),
    "all but visits": _alone("visits"),
    "a tenth of the cells, altered": _altered,
}


@cache
def pool() -> LinkedTables:
    """Made-up patients of whom candidates are taken."""
    return LinkedTables.of(made_hospital.tables(POOL, seed=1), made_hospital.schema())


def key(seed: int) -> UnitWatermarkKey:
    """A key that is the same in every run; real ones come from the operating system."""
    secret = SecretStr(hashlib.sha256(f"unit watermark {seed}".encode()).hexdigest())
    return UnitWatermarkKey.new(made_hospital.schema()).model_copy(update={"secret": secret})


def marked(people: int, secret: UnitWatermarkKey, rng: np.random.Generator) -> LinkedTables:
    """People chosen by a key among four times as many of the pool."""
    drawn = pool().take(rng.permutation(POOL)[: people * secret.candidates])
    which = choose_units(drawn.frames, drawn.units, people * secret.candidates, secret, rng)
    return drawn.take(which * people + np.arange(people))


def alarms() -> dict[str, Any]:
    """p-values of tables against keys that have nothing to do with them: plain ones, and ones of another key."""
    found: dict[str, list[float]] = {
        "plain tables": [],
        "tables of another key": [],
        "plain tables, repeated and cut": [],
    }
    for k in range(ALARMS):
        rng, people = np.random.default_rng(k), int(np.random.default_rng(k).choice([25, 100]))
        kind = tuple(found)[k % 3]
        drawn = marked(people, key(k + 10**6), rng) if k % 3 == 1 else pool().take(rng.permutation(POOL)[:people])
        frames = drawn.frames
        if k % 3 == 2:
            frames = {name: pd.concat([frame, frame.head(len(frame) // 2)]) for name, frame in frames.items()}
            frames = _without(tuple(frames)[int(rng.integers(len(frames)))])(frames, drawn, rng)
        found[kind].append(detect_units(frames, key(k)).p)
    found["all"] = [p for each in found.values() for p in each]
    return {kind: alarmed(each) for kind, each in found.items()}


def power() -> list[dict[str, Any]]:
    """How often marked tables are found, by people released and what was lost."""
    out = []
    for people in PEOPLE:
        p: dict[str, list[float]] = {loss: [] for loss in LOSSES}
        for k in range(REPEATS):
            rng, secret = np.random.default_rng((people, k)), key(k)
            drawn = marked(people, secret, rng)
            for loss, lose in LOSSES.items():
                p[loss].append(detect_units(lose(drawn.frames, drawn, rng), secret).p)
        for loss, each in p.items():
            found = {f"{alpha:g}": float(np.mean(np.array(each) <= alpha)) for alpha in ALPHAS}
            out.append({"people": people, "lost": loss, "found": found, "median_p": float(np.median(each))})
        print(people, "people", flush=True)
    return out


def markdown(kept: Mapping[str, Any]) -> str:
    """The tables of the page, and how they were made."""
    lines = [*_alarms(kept["alarms"]), *_power(kept["power"])]
    lines.append(
        f"\nThe made hospital, {REPEATS} keys a cell; 4 candidates a person. {kept['machine']['cpu']}, 1 thread, "
        f"{kept['seconds']:,.0f} s: `python -m benchmarks unit_watermark`"
    )
    return "\n".join(lines)


def _alarms(found: Mapping[str, Any]) -> Iterator[str]:
    yield "**False alarms**: p of linked tables against keys that have nothing to do with them\n"
    yield "| tables | how many | p ≤ 0.1 | ≤ 0.05 | ≤ 0.01 | ≤ 0.001 | least | more small ones than uniform? KS |"
    yield "|---" * 8 + "|"
    for kind, one in found.items():
        counts = " | ".join(map(str, one["at_most"].values()))
        yield f"| {kind} | {one['tables']} | {counts} | {one['least']:.2g} | p = {one['ks']:.2f} |"


def _power(found: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "\n**Found**: share of releases with p ≤ 1e-6 (with p ≤ 0.001), median p\n"
    yield "| lost, of people released | " + " | ".join(f"{n:,}" for n in PEOPLE) + " |"
    yield "|---" * (len(PEOPLE) + 1) + "|"
    for loss in dict.fromkeys(each["lost"] for each in found):
        by = {each["people"]: each for each in found if each["lost"] == loss}
        cells = (
            f"{by[n]['found']['1e-06']:.2f} ({by[n]['found']['0.001']:.2f}), {number(by[n]['median_p'])}"
            for n in PEOPLE
        )
        yield f"| {loss} | {' | '.join(cells)} |"


def main(words: Sequence[str] | None = None) -> None:
    """Measure false alarms and power, and write the page."""
    flags = parser("unit_watermark", __doc__)
    flags.add_argument("--page", action="store_true", help="the tables of what is recorded, nothing measured")
    if not flags.parse_args(words).page:
        began = time.perf_counter()
        with one_thread():
            kept = {"machine": fingerprint(), "alarms": alarms(), "power": power()}
        write(FILE, {**kept, "seconds": round(time.perf_counter() - began, 1)})
    rewrite(PAGE, markdown(read(FILE)), START, END)
