"""Attacks on people of linked tables held against published ones: 27 synthetic databases with known members.

Three linked databases (mt_mia: members, non-members and a reference of 1,000 units each), three generators, three
seeds. Published are, by database and generator, the largest AUC and the largest share of members found at 1 % false
alarms of seven attacks, means over seeds; ours is the same of our attacks. Needs mt_mia (benchmarks/README.md says
where from).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.flags import parser
from benchmarks.json_files import write
from benchmarks.measure.machine import fingerprint
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED
from benchmarks.tables.real_tables import data
from synthkit.metrics.attacks.membership_scores import mean_rank
from synthkit.metrics.linked.attacks.unit_membership_scores import unit_attack_names, unit_attack_scores
from synthkit.metrics.linked.attacks.unit_targets import UnitTargets
from synthkit.metrics.linked.attacks.unit_views import UnitViews
from synthkit.metrics.runner import one_thread
from synthkit.metrics.stats import intervals
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables
from synthkit.tables.stacked_tables import stacked

FILE, PAGE = MEASURED / "mt_mia.json", DOCS / "evaluation_linked.md"
START, END = "<!-- mt_mia -->", "<!-- /mt_mia -->"
TOGETHER, FALSE_ALARMS, MANY_VALUES = "all together", 0.01, 60
SEEDS = (42, 43, 44)
MOST_DECIMALS, SAME = 6, 1e-9
DATABASES: Mapping[str, tuple[str, str]] = {  # units and their rows
    "airbnb": ("user", "session"),
    "airlines": ("loyalty_history", "activity"),
    "california": ("household", "individual"),
}
PUBLISHED: Mapping[tuple[str, str], tuple[float, float]] = {  # largest AUC, and share found at 1 % false alarms
    ("clava", "airbnb"): (0.79, 0.20),
    ("clava", "airlines"): (0.82, 0.50),
    ("clava", "california"): (0.79, 0.28),
    ("reldiff", "airbnb"): (0.62, 0.06),
    ("reldiff", "airlines"): (0.51, 0.01),
    ("reldiff", "california"): (0.68, 0.24),
    ("rtf", "airbnb"): (0.60, 0.03),
    ("rtf", "airlines"): (0.58, 0.05),
    ("rtf", "california"): (0.61, 0.03),
}
AUC_SLACK, FOUND_SHARE = 0.02, 0.9  # below the published figures by no more


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


def attacked(maker: str, name: str, seed: int) -> dict[str, tuple[float, float]]:
    """AUC and share of members found at 1 % false alarms, by attack."""
    real = {part: frames(f"data/{name}/split/{part}", name) for part in ("mem", "non_mem", "ref")}
    schema = meaning(name, list(real.values()))
    sides = {part: linked(each, schema) for part, each in real.items()}
    drawn = linked(frames(f"synth/{maker}_synth/{name}/seed_{seed}", name), schema)
    units = [len(sides[part].frames[schema.unit]) for part in ("mem", "non_mem")]
    member = np.arange(sum(units)) < units[0]
    pool = UnitTargets(
        tables=stacked([sides["mem"], sides["non_mem"]]),
        reference=sides["ref"],
        member=member,
        isolated=np.zeros(len(member), dtype=bool),
    )
    views = UnitViews(pool=pool, released=drawn, seed=seed)
    scores = unit_attack_scores(views, np.random.default_rng(seed))
    named = dict(zip(unit_attack_names(views), scores, strict=True))
    named[TOGETHER] = mean_rank(scores)
    return {attack: (intervals.auc(each, member), found_at(each, member)) for attack, each in named.items()}


def found_at(scores: np.ndarray, member: np.ndarray, rate: float = FALSE_ALARMS) -> float:
    """Share of members found where so many non-members are accused, between two points of the curve by a line."""
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(member, scores)
    return float(np.interp(rate, false, true))


def cell(maker: str, name: str, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Means over seeds by attack, the largest of them, and whether they reach what is published."""
    each = [attacked(maker, name, seed) for seed in seeds]
    means = {attack: tuple(np.mean([one[attack] for one in each], axis=0).round(4).tolist()) for attack in each[0]}
    best = [max(means, key=lambda attack: means[attack][k]) for k in range(2)]
    auc, found = (means[attack][k] for k, attack in enumerate(best))
    known = PUBLISHED[maker, name]
    return {
        "published": known,
        "auc": auc,
        "found": found,
        "by": best,
        "reached": auc >= known[0] - AUC_SLACK and found >= FOUND_SHARE * known[1],
        "attacks": means,
    }


def markdown(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """The cells as a table."""
    heads = ["generator, database", "AUC: published", "ours", "by", TOGETHER]
    heads += ["found at 1 %: published", "ours", "by", TOGETHER]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for key, each in cells.items():
        (auc, rate), (by_auc, by_rate) = each["published"], each["by"]
        fixed = [f"{share:.3f}" for share in each["attacks"][TOGETHER]]
        figures = [key, f"{auc:.2f}", f"{each['auc']:.3f}", by_auc, fixed[0]]
        figures += [f"{rate:.2f}", f"{each['found']:.3f}", by_rate, fixed[1]]
        lines.append("| " + " | ".join(figures) + " |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Attack every database and print ours beside what is published."""
    flags = parser("mt_mia", __doc__)
    flags.add_argument("--only", nargs="+", metavar="MAKER", choices=["clava", "reldiff", "rtf"], help="whose tables")
    flags.add_argument("--databases", nargs="+", choices=list(DATABASES), default=list(DATABASES), help="which")
    asked = flags.parse_args(words)
    cells = {}
    for maker, name in PUBLISHED:
        if (asked.only and maker not in asked.only) or name not in asked.databases:
            continue
        start = time.perf_counter()
        with one_thread():
            found = cell(maker, name)
        cells[f"{maker}, {name}"] = found
        (auc, rate), (by_auc, by_rate) = found["published"], found["by"]
        print(
            f"{maker:8s}{name:11s} AUC {found['auc']:.3f} ({by_auc}; published {auc:.2f})  at 1 % {found['found']:.3f} "
            f"({by_rate}; published {rate:.2f})  together {found['attacks'][TOGETHER]}  reached: {found['reached']}  "
            f"{time.perf_counter() - start:.0f} s",
            flush=True,
        )
    if len(cells) == len(PUBLISHED):
        write(FILE, {"machine": fingerprint(), "cells": cells})
        rewrite(PAGE, markdown(cells), START, END)
    print(f"{sum(each['reached'] for each in cells.values())} of {len(cells)} reached")
    return 0
