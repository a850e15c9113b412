"""Synthetic linked tables of which it is certain whom they give away, and how; and a canary that clips must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthkit.audit.linked_fits import OpenAccess, all_kinds, audited_fit, shipped_access
from synthkit.audit.linked_patients import LARGE_BUDGET, Moved
from synthkit.audit.tiny_hospital import TINY_BOUNDS, below, tiny_hospital, tiny_patient
from synthkit.metrics.attacks.effect_grade import Grade
from synthkit.metrics.linked.attacks.known_events import KNOWN_EVENTS, event_facts, known_facts, overlaps
from synthkit.metrics.linked.attacks.longest_runs import LONGEST_RUN, longest_common_runs
from synthkit.metrics.linked.attacks.unit_attributes import unit_attribute
from synthkit.metrics.linked.attacks.unit_copies import copied_units
from synthkit.metrics.linked.attacks.unit_identities import linked_halves, unit_identity
from synthkit.metrics.linked.attacks.unit_membership import unit_membership
from synthkit.metrics.linked.attacks.unit_membership_scores import UNIT_MEMBERSHIP_ATTACKS
from synthkit.metrics.result import Score
from synthkit.metrics.stats import intervals
from synthkit.privacy.mechanisms.stacked_counts import COUNT_GRID, CountedRows, StackedCounts
from synthkit.selftest.answers import Answer, equals_figure, equals_word, interval_covers, lies_within
from synthkit.selftest.linked_people import LinkedExperiment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData

PATIENTS, COPIED, FRESH = 400, 40, 200  # in all; copied in either way; synthetic people of the same law
BY_CHANCE = 3  # events in a row that somebody shares with a stranger at most, days and values being many
HALF_SEEN = (0.3, 0.7)  # AUC of some forty people whom an attack cannot tell from others
LINKED_TOLERANCE = 0.02  # by which an interval may miss what it is to hold


def linked_copies(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Forty members are copied whole, forty by their rows under the own row of somebody else, all others not."""
    here = LinkedExperiment.of(rng, patients=PATIENTS, copied=COPIED, fresh=FRESH)
    comparison = here.comparison()
    _, panels = unit_membership(comparison, rng)
    panel = panels["membership"]
    return (
        *_runs_and_facts(here, comparison, rng),
        *_views(here, comparison, rng),
        *_counted(here, comparison, rng),
        lies_within("largest p of four tests, adjusted", max(panel["p"].values()), 0.0, 0.01),
        equals_word("verdict", panel["verdict"], Grade.ABOVE),
        lies_within("excess of a secret in another table", _secret(comparison, rng).low, 0.15),
    )


def linked_fresh(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Other people of the same law: nobody is copied, found, linked or told anything of."""
    here = LinkedExperiment.of(rng, patients=PATIENTS, copied=0, fresh=FRESH)
    comparison = here.comparison()
    found = _by_name(unit_membership(comparison, rng)[0])
    matched = _by_name([*unit_identity(comparison, rng)[0], *linked_halves(comparison, rng)[0]])
    secret = _secret(comparison, rng)
    runs, _ = _shared(comparison)
    linked = matched["identity.linkability.k1"]
    return (
        *_counted(here, comparison, rng)[:2],
        lies_within("longest run of anybody", runs.max(), 0, BY_CHANCE),
        lies_within("AUC of all attacks", found["membership.auc"].value, 0.38, 0.62),
        lies_within("epsilon lost at least", found["membership.epsilon_lower_bound"].value, 0.0, 1.0),
        interval_covers("halves linked, excess", linked.low - LINKED_TOLERANCE, linked.high + LINKED_TOLERANCE, 0.0),
        interval_covers("excess about a secret", secret.low - LINKED_TOLERANCE, secret.high + LINKED_TOLERANCE, 0.0),
    )


def linked_canary(rng: np.random.Generator, open_access: OpenAccess = shipped_access) -> tuple[Answer, ...]:
    r"""A patient with as many rows as the bounds allow: a clip of rows instead of patients would let them all through.

    Of 8 rows in one cell and 4 in another, clipped to 1 as a whole, at most 1 is left; clipped one by one,
    $\sqrt{8^2 + 4^2}$.

    Args:
        rng: not drawn from: noise never comes from a seed, and what is moved is exact.
        open_access: from tables and their ledger to the access under test.
    """
    del rng
    table, canary = tiny_hospital(12), tiny_patient("x", TINY_BOUNDS["visits"], TINY_BOUNDS["labs"], level=2)
    more = below([canary, table])
    without = audited_fit(open_access, table, LARGE_BUDGET, all_kinds())
    joined = audited_fit(open_access, more, LARGE_BUDGET, all_kinds(), before=without.ear)
    moved = Moved.of(without, joined)
    whole, single = _clipped(lambda rows: np.zeros(rows, np.int64)), _clipped(np.arange)
    return (
        lies_within("counts of a fit that the canary moves, in shares of the charge", moved.counts, 0.9, 1.0),
        lies_within("scores of choices it moves", moved.scores, 0.0, 1.0),
        equals_figure("clips, noise and sizes it moves", moved.public, 0),
        lies_within("what is left of the canary, in clips", whole, 0.95, 1.0),
        equals_figure("the same with rows clipped one by one", single, float(np.hypot(8, 4)), off=1e-9),
    )


def _clipped(owner: Callable[[int], NDArray[np.int64]]) -> float:
    """Length of what is left of the canary's rows where they belong to these owners, in clips."""
    cells = np.repeat([0, 1], [TINY_BOUNDS["labs"], TINY_BOUNDS["visits"]])
    rows = CountedRows(owner=owner(len(cells)), cell=cells, size=2)
    (left,) = StackedCounts(norm=1.0, noise_multiplier=1.0).clipped([rows])
    return float(np.sqrt(np.square(left).sum())) / COUNT_GRID


def _shared(comparison: LinkedEvaluationData) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Each person's longest run shared with a synthetic one, and whether that is all there is. **Shape**: (m,) each."""
    sides = comparison.views.sides
    targets = sides["targets"]
    (runs,) = longest_common_runs(targets, [sides["synthetic"]])
    return runs, runs == np.minimum(np.bincount(targets.timeline.unit, minlength=targets.size), LONGEST_RUN)


def _runs_and_facts(
    here: LinkedExperiment, comparison: LinkedEvaluationData, rng: np.random.Generator
) -> tuple[Answer, ...]:
    """Events in a row, and five known events, of those copied and of all others."""
    sides = comparison.views.sides
    runs, whole = _shared(comparison)
    mine, drawn = event_facts([sides["targets"], sides["synthetic"]])
    best, _ = overlaps(known_facts(mine, KNOWN_EVENTS, rng), drawn)
    others = np.concatenate([here.neither, here.outside])
    return (
        equals_figure("copied whole, all events in one run", whole[here.whole].mean(), 1.0),
        equals_figure("copied by rows, all events in one run", whole[here.rows].mean(), 1.0),
        lies_within("longest run of all others", runs[others].max(), 0, BY_CHANCE),
        equals_figure("copied whole, known events found", best[here.whole].mean(), 1.0),
        equals_figure("copied by rows, known events found", best[here.rows].mean(), 1.0),
        lies_within("all others, share with all known events found", (best[others] == 1).mean(), 0.0, 0.05),
    )


def _views(here: LinkedExperiment, comparison: LinkedEvaluationData, rng: np.random.Generator) -> tuple[Answer, ...]:
    """What attacks by several views find of those copied whole, of those copied by rows, and of other members."""

    def auc(attack: str, who: NDArray[np.intp]) -> float:
        scores = UNIT_MEMBERSHIP_ATTACKS[attack](comparison.views, rng)
        both = np.concatenate([who, here.outside])
        return float(intervals.auc(scores[both], np.arange(len(both)) < len(who)))

    rows, own = "relative profile distance", "own row, distance"
    return (
        lies_within("copied whole, AUC by profiles", auc(rows, here.whole), 0.95, 1.0),
        lies_within("copied by rows, AUC by profiles", auc(rows, here.rows), 0.95, 1.0),
        lies_within("not copied, AUC by profiles", auc(rows, here.neither), *HALF_SEEN),
        lies_within("copied by rows, AUC by rare events", auc("rare events", here.rows), 0.95, 1.0),
        lies_within("copied whole, AUC by their own row", auc(own, here.whole), 0.9, 1.0),
        lies_within("copied by rows, AUC by their own row", auc(own, here.rows), *HALF_SEEN),
    )


def _counted(here: LinkedExperiment, comparison: LinkedEvaluationData, rng: np.random.Generator) -> tuple[Answer, ...]:
    """People counted as copies, found again alone, and linked: those copied whole, and nobody else."""
    members = int(here.split.pool.member.sum())
    trained = len(here.split.train.frames["patients"])
    copies = _by_name(copied_units(comparison, rng)[0])["copying.excess.whole_rows"]
    matched = _by_name([*unit_identity(comparison, rng)[0], *linked_halves(comparison, rng)[0]])
    alone = matched["identity.unique_exact_matches"]
    return (
        lies_within("people copied, of those trained on", round(copies.value * trained, 6), *_few_more(here.whole)),
        equals_figure("isolated and found again, members", alone.parts["members"] * members, len(here.whole), off=1e-6),
        equals_figure("isolated and found again, others", alone.parts["non-members"], 0.0),
        lies_within("halves linked, excess, lower end", matched["identity.linkability.k1"].low, 0.05),
        equals_figure("singled out who are members", matched["identity.singling_out.clearest"].value, 1.0, off=0.1),
    )


def _few_more(copied: NDArray[np.intp]) -> tuple[float, float]:
    """As many people, and two who are copied but for one column, by chance."""
    return len(copied), len(copied) + 2


def _secret(comparison: LinkedEvaluationData, rng: np.random.Generator) -> Score:
    """What an attacker who knows all other tables learns of what visits cost."""
    return _by_name(unit_attribute(comparison, rng, table="visits", column="cost", prefix="x")[0])["x.excess"]


def _by_name(scores: Iterable[object]) -> Mapping[str, Score]:
    return {each.metric: each for each in scores if isinstance(each, Score)}
