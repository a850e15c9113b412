"""How often attacks on membership alarm where nothing leaks, and how often twenty copied people are found.

False alarms: about 2,000 made-up people with a coin each (or 1,000 pairs of which one was trained on), and as many
fresh rows of their law as synthetic ones, so that nothing leaks. The attacks do not know the coins: their scores are
computed once a table, and for each throw of all coins both tests on both strata are made and adjusted as `membership`
does it. An alarm is a smallest adjusted probability below 0.05; it must be no more frequent than the 95 % band around
5 % allows. Fewer are no fault: four tests that depend on each other are adjusted by Holm's method.

Power: 10,000 people with a coin each, 5,000 of reference, 10,000 fresh rows, to which 20 random members are added.
Each seed throws the coins and chooses the twenty anew; the cheap attacks are computed anew, the classifier's scores
are kept. Found means: a bound on epsilon above 0 and an adjusted probability below 0.01, both among all people. Must:
80 of 100. Set OMP_NUM_THREADS=1: more threads only wait for each other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import binom

from benchmarks.flags import parser
from benchmarks.json_files import write
from benchmarks.measure.machine import fingerprint
from benchmarks.places import MEASURED
from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.attack_targets import AttackTargets
from synthkit.metrics.attacks.effect_size import EFFECT_TEST_LEVEL
from synthkit.metrics.attacks.membership_inference import adjusted_p_values, attack_scores, membership_findings
from synthkit.metrics.attacks.membership_scores import MEMBERSHIP_ATTACKS
from synthkit.metrics.attacks.preconditions import PLANTED_COPIES
from synthkit.selftest.made_up_people import PEOPLE_SCHEMA, Experiment, people

OUT = MEASURED / "alarms.json"
TABLES = 5  # sets of people among which the throws of the coins are shared out
TIMES, SURE = 400, 1_000  # throws behind each probability; more where it must be below 0.01 after adjustment
FOUND, MUST = 0.01, 0.8
CHEAP = ("distance", "relative distance", "density", "marginals", "rare values")


def attacked_people(units: int, design: str, rng: np.random.Generator) -> AttackTargets:
    """People with a coin each, or pairs of one that was trained on and one that was not."""
    here = Experiment.of(rng, units=units)
    if design == "coins":
        return here.pool
    return AttackTargets.of_tables(people(units // 2, rng), people(3 * units // 4, rng), PEOPLE_SCHEMA, rng)


def thrown(pool: AttackTargets, rng: np.random.Generator) -> AttackTargets:
    """The same people, if the coins had fallen otherwise."""
    if pool.pair is None:
        return replace(pool, member=rng.random(len(pool.member)) < 0.5)
    return replace(pool, member=pool.member ^ (rng.random(int(pool.pair.max()) + 1) < 0.5)[pool.pair])


def false_alarms(coins: int, *, units: int = 2_000, design: str = "coins", seed: int = 0) -> dict[str, Any]:
    """Share of throws of the coins that alarm where nothing leaks, and that of each test by itself."""
    rng = np.random.default_rng(seed)
    adjusted, raw, bounds = [], [], []
    for table in range(TABLES):
        pool = attacked_people(units, design, rng)
        data = AttackData.of(people(units, rng), pool.reference, pool.frame, PEOPLE_SCHEMA, rng)
        scores = attack_scores(data, pool, rng)
        for _ in range(len(range(table, coins, TABLES))):
            again = thrown(pool, rng)
            found = {
                name: membership_findings(scores, again, among, rng, times=TIMES) for name, among in pool.strata.items()
            }
            adjusted.append(min(adjusted_p_values(found).values()))
            raw.append([p for each in found.values() for p in (each.chance_of_auc, each.chance_of_guesses)])
            bounds.append([each.bound.epsilon > 0 for each in found.values()])
    alarms = int((np.array(adjusted) < EFFECT_TEST_LEVEL).sum())
    low, high = (int(x) for x in binom.interval(0.95, coins, EFFECT_TEST_LEVEL))
    tests = [f"{name}, {test}" for name in ("all", "isolated") for test in ("all attacks", "few guesses")]
    return {
        "units": units,
        "tables": TABLES,
        "throws": coins,
        "alarms": alarms,
        "share": alarms / coins,
        "band": [low / coins, high / coins],
        "each test, not adjusted": dict(
            zip(tests, (np.array(raw) < EFFECT_TEST_LEVEL).mean(axis=0).tolist(), strict=True)
        ),
        "bound above 0": dict(zip(("all", "isolated"), np.array(bounds).mean(axis=0).tolist(), strict=True)),
        "met": alarms <= high,
    }


def power(seeds: int, *, units: int = 10_000, design: str = "coins", seed: int = 0) -> dict[str, Any]:
    """Share of throws and choices of twenty members whose copies are found."""
    rng = np.random.default_rng(seed)
    pool = attacked_people(units, design, rng)
    data = AttackData.of(people(units, rng), pool.reference, pool.frame, PEOPLE_SCHEMA, rng)
    before = attack_scores(data, pool, rng)
    found: list[dict[str, float]] = []
    for _ in range(seeds):
        here = thrown(pool, rng)
        copied = np.isin(here.unit, rng.permutation(np.flatnonzero(here.member))[:PLANTED_COPIES])
        after, scores = data.with_copies(here.frame.loc[copied]), before.copy()
        for name in CHEAP:
            scores[list(MEMBERSHIP_ATTACKS).index(name)] = here.of_units(MEMBERSHIP_ATTACKS[name](after, rng))
        shown = {name: membership_findings(scores, here, among, rng, times=SURE) for name, among in here.strata.items()}
        adjusted = adjusted_p_values(shown)
        at = shown["all"]
        least = min(adjusted["all, all attacks"], adjusted["all, few guesses"])
        found.append(
            {
                "epsilon": at.bound.epsilon,
                "p": least,
                "auc": at.auc.value,
                "right": at.bound.right,
                "guesses": at.bound.guesses,
            }
        )
    bound, sure = np.array([[f["epsilon"] > 0, f["p"] < FOUND] for f in found]).T
    return {
        "units": len(pool.member),
        "copies": PLANTED_COPIES,
        "synthetic rows": len(data.synthetic) + PLANTED_COPIES,
        "seeds": seeds,
        "bound above 0": float(bound.mean()),
        "p below 0.01": float(sure.mean()),
        "found": float((bound & sure).mean()),
        "AUC of all attacks together, median": float(np.median([f["auc"] for f in found])),
        "epsilon, median": float(np.median([f["epsilon"] for f in found])),
        "must": MUST,
        "met": bool((bound & sure).mean() >= MUST),
        "each": found,
    }


def main(words: Sequence[str] | None = None) -> None:
    """Print both, and write them to alarms.json; a quick run writes nothing."""
    flags = parser("alarms", __doc__)
    flags.add_argument(
        "--coins", type=int, default=1_000, metavar="N", help="throws behind false alarms; 1000 if not given"
    )
    flags.add_argument("--seeds", type=int, default=100, metavar="N", help="of power; 100 if not given")
    flags.add_argument("--quick", action="store_true", help="50 throws, 10 seeds, smaller tables; nothing is written")
    said = flags.parse_args(words)
    coins, seeds = (50, 10) if said.quick else (said.coins, said.seeds)
    units = (800, 4_000) if said.quick else (2_000, 10_000)
    content: dict[str, Any] = {"machine": fingerprint(), "false_alarms": {}, "power": {}}
    for design in ("coins", "pairs"):
        before = time.process_time()
        each = false_alarms(coins, units=units[0], design=design)
        content["false_alarms"][design] = each
        print(
            f"{design}: {each['share']:.1%} false alarms, band {each['band'][0]:.1%} to {each['band'][1]:.1%}, "
            f"{'met' if each['met'] else 'NOT MET'}, {each['each test, not adjusted']}, {each['bound above 0']}, "
            f"{time.process_time() - before:.0f} CPU s",
            flush=True,
        )
    for design in ("coins", "pairs"):
        before = time.process_time()
        at = content["power"][design] = power(seeds, units=units[1], design=design)
        print(
            f"{design}: {at['found']:.0%} found (bound {at['bound above 0']:.0%}, p {at['p below 0.01']:.0%}), "
            f"{'met' if at['met'] else 'NOT MET'}, AUC {at['AUC of all attacks together, median']:.4f}, "
            f"{time.process_time() - before:.0f} CPU s",
            flush=True,
        )
    if not said.quick:
        write(OUT, content)
