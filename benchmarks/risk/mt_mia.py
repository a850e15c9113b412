"""Attacks on people of linked tables held against published ones: 27 synthetic databases with known members.

Three linked databases (mt_mia: members, non-members and a reference of 1,000 units each), three generators, three
seeds. Published are, by database and generator, the largest AUC and the largest share of members found at 1 % false
alarms of seven attacks, means over seeds; ours is the same of our attacks. `--ours` attacks what `timeline` makes of
the same members, and measures how like held-out units that is, beside what is published. Needs mt_mia
(benchmarks/README.md says where from).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.machine import fingerprint
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED
from benchmarks.risk.mt_mia_ours import LIKENESS, VARIANTS, drawn_by_ours, likeness
from benchmarks.risk.mt_mia_tables import DATABASES, known, published
from synthkit.metrics.attacks.membership_scores import mean_rank
from synthkit.metrics.linked.attacks.unit_membership_scores import unit_attack_names, unit_attack_scores
from synthkit.metrics.linked.attacks.unit_targets import UnitTargets
from synthkit.metrics.linked.attacks.unit_views import UnitViews
from synthkit.metrics.runner import one_thread
from synthkit.metrics.stats import intervals
from synthkit.tables.linked_tables import LinkedTables
from synthkit.tables.stacked_tables import stacked

FILE, PAGE = MEASURED / "mt_mia.json", DOCS / "evaluation_linked.md"
START, END = "<!-- mt_mia -->", "<!-- /mt_mia -->"
OURS_START, OURS_END = "<!-- mt_mia ours -->", "<!-- /mt_mia ours -->"
TOGETHER, FALSE_ALARMS = "all together", 0.01
SEEDS = (42, 43, 44)
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
MAKERS, LIKENED = ("clava", "reldiff", "rtf"), ("rtf",)  # all, and those whose likeness is measured beside ours


def attacked(name: str, drawn: LinkedTables, seed: int) -> dict[str, tuple[float, float]]:
    """AUC and share of members found at 1 % false alarms in what was drawn of a database, by attack."""
    sides = known(name)
    units = [len(sides[part].frames[sides[part].schema.unit]) for part in ("mem", "non_mem")]
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


def means_of(each: Sequence[Mapping[str, tuple[float, ...]]]) -> dict[str, tuple[float, ...]]:
    """Means over seeds by name."""
    return {name: tuple(np.mean([one[name] for one in each], axis=0).round(4).tolist()) for name in each[0]}


def largest(attacks: Mapping[str, tuple[float, ...]]) -> dict[str, Any]:
    """The largest AUC and share found, and the attacks they are of."""
    best = [max(attacks, key=lambda attack: attacks[attack][k]) for k in range(2)]
    auc, found = (attacks[attack][k] for k, attack in enumerate(best))
    return {"auc": auc, "found": found, "by": best}


def cell(maker: str, name: str, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Means over seeds by attack, the largest of them, and whether they reach what is published."""
    means = means_of([attacked(name, published(maker, name, seed), seed) for seed in seeds])
    best, said = largest(means), PUBLISHED[maker, name]
    reached = best["auc"] >= said[0] - AUC_SLACK and best["found"] >= FOUND_SHARE * said[1]
    return {"published": said, **best, "reached": reached, "attacks": means}


def our_draw(variant: str, name: str, seed: int) -> dict[str, Any]:
    """What attacks find in what our model makes of the members with some settings, and how like others that is."""
    drawn, took = drawn_by_ours(name, seed, VARIANTS[variant], variant)
    return {"attacks": attacked(name, drawn, seed), "likeness": likeness(name, drawn, seed), "took": took}


def over_seeds(each: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Means over the seeds that were measured, and the largest AUC and share found."""
    parts = {part: means_of([one[part] for one in each.values()]) for part in ("attacks", "likeness")}
    return {**largest(parts["attacks"]), **parts, "seeds": len(each)}


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


def our_markdown(content: Mapping[str, Any]) -> str:
    """What ours makes of the members beside what is published: how much of them is found, and how like others it is."""
    heads = ["database", "generator", "AUC", "by", TOGETHER, "found at 1 %", *LIKENESS, "seeds"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name in DATABASES:
        found = {who: over_seeds(each) for who in VARIANTS if (each := content["ours"].get(f"{who}, {name}"))}
        for maker in MAKERS:
            if each := content["likeness"].get(f"{maker}, {name}"):
                like = {"likeness": means_of(list(each.values())), "seeds": len(each)}
                found[maker] = {**content["cells"][f"{maker}, {name}"], **like}
        for who, each in found.items():
            figures = [
                f"{each['auc']:.3f}",
                each["by"][0],
                f"{each['attacks'][TOGETHER][0]:.3f}",
                f"{each['found']:.3f}",
            ]
            figures += [f"{each['likeness'][shown][0]:.3f}" for shown in LIKENESS]
            lines.append("| " + " | ".join([name, who, *figures, str(each["seeds"])]) + " |")
        if found:
            floor = next(iter(found.values()))["likeness"]
            cells = [name, "members", *[""] * 4, *(f"{floor[shown][1]:.3f}" for shown in LIKENESS), ""]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def kept(found: Mapping[str, Any]) -> None:
    """Put what was measured beside what was before, and both tables into the page as far as they are there."""
    content = {**(read(FILE) if FILE.exists() else {}), **found}
    write(FILE, content)
    rewrite(PAGE, markdown(content["cells"]), START, END)
    if "ours" in content:
        rewrite(PAGE, our_markdown(content), OURS_START, OURS_END)


def ours(variants: Sequence[str], names: Sequence[str], seeds: Sequence[int]) -> None:
    """Attack what ours makes of the members seed by seed, and keep and print the figures; what is there stays."""
    content = {"ours": {}, "likeness": {}, **read(FILE)}
    for seed in seeds:
        for name in names:
            for variant in variants:
                found = content["ours"].setdefault(f"{variant}, {name}", {})
                if str(seed) not in found:
                    with one_thread():
                        found[str(seed)] = our_draw(variant, name, seed)
                print(f"{variant}, {name}, seed {seed}: {largest(found[str(seed)]['attacks'])}", flush=True)
                kept({**content, "machine of ours": fingerprint()})
            for maker in LIKENED:
                found = content["likeness"].setdefault(f"{maker}, {name}", {})
                if str(seed) not in found:
                    with one_thread():
                        found[str(seed)] = likeness(name, published(maker, name, seed), seed)
                kept({**content, "machine of ours": fingerprint()})
    print(our_markdown(content))


def main(words: Sequence[str] | None = None) -> int:
    """Attack every database and print ours beside what is published."""
    flags = parser("mt_mia", __doc__)
    flags.add_argument("--only", nargs="+", metavar="MAKER", choices=MAKERS, help="whose tables")
    flags.add_argument("--databases", nargs="+", choices=list(DATABASES), default=list(DATABASES), help="which")
    flags.add_argument("--ours", nargs="*", choices=list(VARIANTS), help="attack what ours makes; of which settings")
    flags.add_argument("--seeds", type=int, nargs="+", choices=SEEDS, default=SEEDS, help="of what ours makes")
    asked = flags.parse_args(words)
    if asked.ours is not None:
        ours(asked.ours or list(VARIANTS)[:1], asked.databases, asked.seeds)
        return 0
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
        kept({"machine": fingerprint(), "cells": cells})
    print(f"{sum(each['reached'] for each in cells.values())} of {len(cells)} reached")
    return 0
