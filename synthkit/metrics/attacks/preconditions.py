"""Preconditions of membership inference: what must hold before an attack that found nothing means anything."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.io.json_types import JSON
from synthkit.metrics.attacks import membership_scores as ways
from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.membership_guesses import MembershipGuesses
from synthkit.metrics.stats.intervals import auc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthkit.metrics.attacks.attack_targets import AttackTargets
    from synthkit.schema import Schema

MIN_PEOPLE_OF_SIDE = 100  # members, and as many non-members
MAX_TWIN_SHARE = 0.05  # share of members with a twin among non-members from which on leaks are masked
IMPLAUSIBLE_P = 0.01  # a split or a blind attack that chance gives so seldom is not put down to chance
PLANTED_COPIES, JITTERED, COIN_THROWS = 20, 200, 500


@dataclass(frozen=True, kw_only=True)
class Precondition:
    """One thing that must hold.

    Args:
        name: what is looked at.
        holds: whether it does.
        measured: the number that decides.
        limit: what it is held against.
        words: what it means.
    """

    name: str
    holds: bool
    measured: float
    limit: float
    words: str

    def plain(self) -> dict[str, JSON]:
        """As plain data."""
        return asdict(self)


def check(
    data: AttackData,
    scores: NDArray[np.float64],
    pool: AttackTargets,
    rng: np.random.Generator,
    *,
    everybody: AttackTargets | None = None,
) -> tuple[Precondition, ...]:
    """All preconditions; who is in whose place is decided by chance that is thrown again, by no classifier.

    Args:
        data: of one fit.
        scores: of the attacks on it. **Shape**: (attacks, m).
        pool: the people attacked in it.
        rng: source of chance.
        everybody: the people attacked in all fits, if there are several.
    """
    found = [counts(everybody or pool), twins(data.targets, pool, data.schema)]
    if pool.design == "pairs":  # coins of ours are known to be fair
        found.append(looks_random(data, pool, rng))
    found += [uncontaminated(scores, pool, rng), blind(data, pool, rng), power(data, scores, pool, rng)]
    return tuple(found)


def counts(pool: AttackTargets) -> Precondition:
    """People on either side."""
    fewest = int(min(pool.member.sum(), (~pool.member).sum()))
    return Precondition(
        name="enough people",
        holds=fewest >= MIN_PEOPLE_OF_SIDE,
        measured=fewest,
        limit=MIN_PEOPLE_OF_SIDE,
        words="people on the smaller side of the coin; with few, a leak may not show",
    )


def twins(targets: pd.DataFrame, pool: AttackTargets, schema: Schema) -> Precondition:
    """Share of members of whom a non-member has an equal row: what is copied of them says nothing about them."""
    names = list(schema.described)
    rows = pd.util.hash_pandas_object(targets[names].astype(str), index=False).to_numpy()
    inside = pool.member[pool.unit]
    masked = np.zeros(len(pool.member), dtype=bool)
    np.logical_or.at(masked, pool.unit, inside & np.isin(rows, rows[~inside]))
    share = float(masked[pool.member].mean())
    return Precondition(
        name="no twins across the coin",
        holds=share <= MAX_TWIN_SHARE,
        measured=share,
        limit=MAX_TWIN_SHARE,
        words="share of members whose row somebody else, who was not trained on, has too; they hide each other",
    )


def looks_random(data: AttackData, pool: AttackTargets, rng: np.random.Generator) -> Precondition:
    """Whether members and non-members differ more than a random split would have them differ.

    Per column the largest gap of their distribution functions over the column's cuts, in standard deviations of a
    random split; of all columns the largest; and how often the nearest other person is on the same side. Both against
    pairs that are swapped at random.
    """
    codes = data.binning.codes(data.targets)
    first = np.unique(pool.unit, return_index=True)[1]
    columns = [np.eye(int(c.max()) + 1, dtype=np.float32)[c].cumsum(axis=1)[:, :-1] for c in codes[:, first]]
    points = np.concatenate(columns, axis=1) if columns else np.zeros((len(first), 1), np.float32)
    spread = np.maximum(points.std(axis=0), 1e-9)
    at = data.space.coordinates(data.targets.iloc[first])
    near = data.space.nearest(at, at, 1, query_groups=np.arange(len(at)), point_groups=np.arange(len(at)))[1][:, 0]

    def statistics(member: NDArray[np.bool_]) -> tuple[float, float]:
        sign = np.where(member, 1.0, -1.0).astype(np.float32)
        return float(np.abs(sign @ points / spread).max()), float((member == member[near]).mean())

    seen = statistics(pool.member)
    again = np.array([statistics(_swapped(pool, rng)) for _ in range(COIN_THROWS)])
    rare = [(1 + int((again[:, k] >= seen[k] - 1e-9).sum())) / (COIN_THROWS + 1) for k in range(2)]
    p = min(1.0, 2 * min(rare))
    return Precondition(
        name="the split looks random",
        holds=p >= IMPLAUSIBLE_P,
        measured=p,
        limit=IMPLAUSIBLE_P,
        words="probability of differences as large between the training rows and the holdout if the split were random; "
        "a split by time or site is told from the rows themselves, and what attacks show of it is no leak",
    )


def uncontaminated(scores: NDArray[np.float64], pool: AttackTargets, rng: np.random.Generator) -> Precondition:
    """Whether the people who were not trained on are nearer to the synthetic rows than chance has it."""
    ranks = ways.mean_rank(scores)
    seen = auc(ranks, pool.member)
    p = (1 + sum(auc(ranks, _thrown(pool, rng)) <= seen + 1e-12 for _ in range(COIN_THROWS))) / (COIN_THROWS + 1)
    return Precondition(
        name="the holdout was held out",
        holds=p >= IMPLAUSIBLE_P,
        measured=p,
        limit=IMPLAUSIBLE_P,
        words="probability by chance that people said not to be in the data look as much like members; small if they "
        "were in it after all",
    )


def blind(data: AttackData, pool: AttackTargets, rng: np.random.Generator) -> Precondition:
    """The same attacks with people of the population in place of the synthetic rows, who give nobody away."""
    half = rng.permutation(len(data.reference)) < len(data.reference) // 2
    blinded = AttackData.of(data.reference[half], data.reference[~half], data.targets, data.schema, rng)
    scores = np.array([pool.of_units(way(blinded, rng)) for way in ways.MEMBERSHIP_ATTACKS.values()])
    return found_nothing(scores, pool, rng)


def found_nothing(scores: NDArray[np.float64], pool: AttackTargets, rng: np.random.Generator) -> Precondition:
    """Whether scores of attacks that were blinded tell nobody apart. **Shape**: (attacks, m)."""
    ranks = ways.mean_rank(scores)
    seen = abs(auc(ranks, pool.member) - 0.5)
    again = [abs(auc(ranks, _thrown(pool, rng)) - 0.5) for _ in range(COIN_THROWS)]
    p = (1 + sum(one >= seen - 1e-12 for one in again)) / (COIN_THROWS + 1)
    return Precondition(
        name="a blind attack finds nothing",
        holds=p >= IMPLAUSIBLE_P,
        measured=p,
        limit=IMPLAUSIBLE_P,
        words="probability of an AUC as far from 0.5 by chance where real people stand in for the synthetic rows",
    )


def power(data: AttackData, scores: NDArray[np.float64], pool: AttackTargets, rng: np.random.Generator) -> Precondition:
    """Whether 20 members copied verbatim into the synthetic rows would be found."""
    members = rng.permutation(np.flatnonzero(pool.member))[:PLANTED_COPIES]
    copies = data.targets.loc[np.isin(pool.unit, members)]
    after = data.with_copies(copies)
    cheap = ("distance", "relative distance", "density", "marginals", "rare values")
    place = list(ways.MEMBERSHIP_ATTACKS)
    with_copies = scores.copy()
    for name in cheap:
        with_copies[place.index(name)] = pool.of_units(ways.MEMBERSHIP_ATTACKS[name](after, rng))
    return copies_found(with_copies, list(ways.MEMBERSHIP_ATTACKS), pool, rng)


def copies_found(
    scores: NDArray[np.float64], names: Sequence[str], pool: AttackTargets, rng: np.random.Generator
) -> Precondition:
    """Whether scores of attacks after members were copied into the synthetic rows show it. **Shape**: (attacks, m)."""
    every = np.ones(len(pool.member), dtype=bool)
    p = MembershipGuesses.of(scores, names, pool, every, rng).p_value(rng, times=COIN_THROWS)
    return Precondition(
        name="copies would be found",
        holds=p < IMPLAUSIBLE_P,
        measured=p,
        limit=IMPLAUSIBLE_P,
        words=f"probability by chance of what attacks show when {PLANTED_COPIES} members are copied into the "
        "synthetic rows; "
        "it shows power against copying, not against every leak",
    )


def _thrown(pool: AttackTargets, rng: np.random.Generator) -> NDArray[np.bool_]:
    return rng.random(len(pool.member)) < 0.5 if pool.pair is None else _swapped(pool, rng)


def _swapped(pool: AttackTargets, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Who would be a member if the two of each pair were swapped by a fair coin."""
    pair = pool.pair if pool.pair is not None else np.arange(len(pool.member))
    return np.asarray(pool.member ^ (rng.random(int(pair.max()) + 1) < 0.5)[pair])
