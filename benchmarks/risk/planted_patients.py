"""Whether attacks on patients find twenty who were copied, three events of each, and nobody where nothing leaks.

Baseball players with their seasons, all real: 2,000 with a coin each are attacked, 1,000 others are the reference, and
2,000 others again play a synthesizer that copies nobody. Copies: 20 members take the place of 20 of those, with all
their rows. Events: three rows of each of 20 members are added to 20 of those. Found means: a bound on epsilon above 0
and an adjusted probability below 0.01, both among all people; must: 9 of 10 trials. False alarms: the coins of five
such tables without copies are thrown again 1,000 times, both tests on both strata each time. Needs
published_argn_baseball (benchmarks/README.md says where from). Set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from benchmarks.flags import parser
from benchmarks.json_files import write
from benchmarks.linked.linked_sources import baseball
from benchmarks.measure.machine import fingerprint
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED
from synthkit.metrics.attacks.effect_size import EFFECT_TEST_LEVEL
from synthkit.metrics.attacks.membership_inference import adjusted_p_values, membership_findings
from synthkit.metrics.attacks.preconditions import PLANTED_COPIES
from synthkit.metrics.linked.attacks.unit_membership_scores import unit_attack_names, unit_attack_scores
from synthkit.metrics.linked.attacks.unit_targets import UnitTargets
from synthkit.metrics.linked.attacks.unit_views import UnitViews
from synthkit.metrics.runner import one_thread
from synthkit.tables.linked_tables import LinkedTables
from synthkit.tables.stacked_tables import stacked

FILE, PAGE = MEASURED / "planted_patients.json", DOCS / "evaluation_linked.md"
START, END = "<!-- planted -->", "<!-- /planted -->"
ATTACKED, KNOWN, DRAWN, EVENTS = 2_000, 1_000, 2_000, 3
TABLES, TIMES, SURE = 5, 199, 999  # sets of people, throws behind each probability of alarms and of power
SHARE_NEEDED, SURE_P, TOP = 0.9, 0.01, 0.05
PLANTS = ("copies", "events", "nothing")


@dataclass(frozen=True)
class PlantedTrial:
    """Views of the people attacked, and which of them were planted."""

    views: UnitViews
    planted: np.ndarray


def everybody() -> LinkedTables:
    """All real players of both published halves, each once."""
    parts = baseball(None)
    return stacked([parts.train, parts.holdout])


def trial(people: LinkedTables, plant: str, seed: int, *, scale: float = 1.0) -> PlantedTrial:
    """One trial: people of the pool, of the reference and of the stand-in for synthetic tables are others each time.

    Args:
        people: real ones.
        plant: what is added to the synthetic tables: `copies`, `events` or `nothing`.
        seed: of all choices.
        scale: of the numbers of people.
    """
    rng = np.random.default_rng(seed)
    sizes = [round(scale * n) for n in (ATTACKED, KNOWN, DRAWN)]
    order = rng.permutation(len(people.frames[people.schema.unit]))[: sum(sizes)]
    attacked, known, drawn = np.split(order, np.cumsum(sizes)[:-1])
    member = rng.random(len(attacked)) < 0.5
    pool = UnitTargets(
        tables=people.take(attacked),
        reference=people.take(known),
        member=member,
        isolated=rng.permutation(len(attacked)) < len(attacked) // 2,
    )
    planted = rng.permutation(np.flatnonzero(member))[:PLANTED_COPIES]
    released = people.take(drawn)
    if plant == "copies":
        released = stacked([people.take(drawn[PLANTED_COPIES:]), people.take(attacked[planted])])
    elif plant == "events":
        released = with_events(released, people.take(attacked[planted]), rng)
    return PlantedTrial(UnitViews(pool=pool, released=released, seed=seed), planted)


def with_events(tables: LinkedTables, members: LinkedTables, rng: np.random.Generator) -> LinkedTables:
    """Three rows of each member added to those of a random unit."""
    rows = members.frames["fielding"]
    order = rng.permutation(len(rows))
    owner = members.units["fielding"][order]
    kept = order[pd.Series(owner).groupby(owner).cumcount().to_numpy() < EVENTS]
    hosts = rng.permutation(len(tables.frames["players"]))[: len(members.frames["players"])]
    names = tables.frames["players"]["playerID"].to_numpy()[hosts[members.units["fielding"][kept]]]
    added = rows.iloc[kept].assign(playerID=names)
    frames = {**tables.frames, "fielding": pd.concat([tables.frames["fielding"], added], ignore_index=True)}
    return LinkedTables.of(frames, tables.schema)


def power(people: LinkedTables, plant: str, trials: int, *, scale: float = 1.0) -> dict[str, Any]:
    """In how many trials what was planted is found, and by which attacks it is seen."""
    found: list[dict[str, float]] = []
    seen: dict[str, list[float]] = {}
    for seed in range(trials):
        here = trial(people, plant, seed, scale=scale)
        rng, names = np.random.default_rng(seed), unit_attack_names(here.views)
        scores, pool = unit_attack_scores(here.views, rng), here.views.people
        shown = {
            name: membership_findings(scores, pool, among, rng, times=SURE, names=names)
            for name, among in pool.strata.items()
        }
        adjusted, at = adjusted_p_values(shown), shown["all"]
        least = min(adjusted["all, all attacks"], adjusted["all, few guesses"])
        found.append({"epsilon": at.bound.epsilon, "p": least, "auc": at.auc.value, "right": at.bound.right})
        top = max(1, round(TOP * scores.shape[1]))
        for name, each in zip(names, scores, strict=True):
            highest = np.lexsort((rng.random(len(each)), -each))[:top]
            seen.setdefault(name, []).append(float(np.isin(here.planted, highest).mean()))
    hits = [each["epsilon"] > 0 and each["p"] < SURE_P for each in found]
    return {
        "trials": trials,
        "found": int(sum(hits)),
        "epsilon, median": float(np.median([each["epsilon"] for each in found])),
        "AUC, median": float(np.median([each["auc"] for each in found])),
        "planted among the highest": {name: round(float(np.mean(each)), 3) for name, each in seen.items()},
        "each": found,
    }


def false_alarms(people: LinkedTables, coins: int, *, scale: float = 1.0) -> dict[str, Any]:
    """Share of throws of the coins that alarm where nothing was planted."""
    alarms = 0
    for table in range(TABLES):
        here = trial(people, "nothing", 1_000 + table, scale=scale)
        rng, names = np.random.default_rng(table), unit_attack_names(here.views)
        scores, pool = unit_attack_scores(here.views, rng), here.views.people
        for _ in range(len(range(table, coins, TABLES))):
            again = replace(pool, member=rng.random(len(pool.member)) < 0.5)
            found = {
                name: membership_findings(scores, again, among, rng, times=TIMES, names=names)
                for name, among in again.strata.items()
            }
            alarms += min(adjusted_p_values(found).values()) < EFFECT_TEST_LEVEL
    high = int(binom.isf(0.025, coins, EFFECT_TEST_LEVEL))
    return {"throws": coins, "alarms": int(alarms), "share": alarms / coins, "at most": high, "met": alarms <= high}


def markdown(found: Mapping[str, Any]) -> str:
    """What was found, as sentences and a table of what each attack sees."""
    copies, events, alarms = found["copies"], found["events"], found["false_alarms"]
    lines = [
        f"Of {DRAWN:,} players that play the synthetic ones {PLANTED_COPIES} are copies of members: found in "
        f"{copies['found']} of {copies['trials']} trials (bound on epsilon above 0 and p < {SURE_P:g}; median bound "
        f"{copies['epsilon, median']:.2f}, median AUC {copies['AUC, median']:.3f}). Three events of each of "
        f"{PLANTED_COPIES} members: found in {events['found']} of {events['trials']} (median bound "
        f"{events['epsilon, median']:.2f}, median AUC {events['AUC, median']:.3f}). Nothing planted: "
        f"{alarms['alarms']:,} alarms in {alarms['throws']:,} throws of the coins, {alarms['share']:.1%}.",
        "",
        f"| attack | copied members among the {TOP:.0%} with the highest scores | the same of three events |",
        "|---|---|---|",
    ]
    for name, share in copies["planted among the highest"].items():
        lines.append(f"| {name} | {share:.0%} | {events['planted among the highest'][name]:.0%} |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Plant, attack, print, and write planted_patients.json; a quick run writes nothing."""
    flags = parser("planted_patients", __doc__)
    flags.add_argument("--trials", type=int, default=10, metavar="N", help="of each plant; 10 if not given")
    flags.add_argument("--coins", type=int, default=1_000, metavar="N", help="throws behind false alarms; 1000")
    flags.add_argument("--quick", action="store_true", help="3 trials, 50 throws, a quarter of the people")
    asked = flags.parse_args(words)
    trials, coins, scale = (3, 50, 0.25) if asked.quick else (asked.trials, asked.coins, 1.0)
    people, content = everybody(), {"machine": fingerprint()}
    with one_thread():
        for plant in ("copies", "events"):
            before = time.process_time()
            content[plant] = power(people, plant, trials, scale=scale)
            at = content[plant]
            print(f"{plant}: {at['found']} of {trials} found, {at['planted among the highest']}", flush=True)
            print(
                f"  {[round(e['epsilon'], 2) for e in at['each']]}, {time.process_time() - before:.0f} CPU s",
                flush=True,
            )
        before = time.process_time()
        content["false_alarms"] = false_alarms(people, coins, scale=scale)
        print(f"false alarms: {content['false_alarms']}, {time.process_time() - before:.0f} CPU s", flush=True)
    if not asked.quick:
        write(FILE, content)
        rewrite(PAGE, markdown(content), START, END)
    return 0
