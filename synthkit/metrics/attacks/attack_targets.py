"""Attack targets: members and non-members who differ in nothing but a coin, and reference rows of the population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.metrics.stats.distances import DistanceSpace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from synthkit.schema import Schema

MIN_ATTACKED = 20  # members, and as many non-members, below which nothing is measured
MAX_ATTACKED_UNITS = 10_000  # units that are attacked
REFERENCE_SHARE = 1 / 3  # of the units of a holdout that is all there is
ISOLATION_NEIGHBOURS, ISOLATION_POINTS = 5, 20_000


@dataclass(frozen=True, kw_only=True)
class AttackTargets:
    """Units that are attacked, with who of them was trained on; INTERNAL.

    Args:
        frame: all their rows, in canonical dtypes.
        unit: (rows,) number of each row's unit, 0 to m - 1.
        member: (m,) bool: trained on.
        isolated: (m,) bool: in the more isolated half, measured without regard to membership.
        reference: rows of people neither trained on nor attacked: what an attacker knows of the population.
        pair: (m,) number of each unit's pair, of which one was trained on, if that is how chance came in; None if every
            unit had a fair coin of its own.
        likelihood: (rows,) log-density of each row under the fitted model, if the model is to be released too.
    """

    frame: pd.DataFrame
    unit: NDArray[np.int64]
    member: NDArray[np.bool_]
    isolated: NDArray[np.bool_]
    reference: pd.DataFrame
    pair: NDArray[np.int64] | None = None
    likelihood: NDArray[np.float64] | None = None

    @property
    def design(self) -> Literal["coins", "pairs"]:
        """How chance decided who is a member: a fair coin a unit, or one a pair."""
        return "coins" if self.pair is None else "pairs"

    @property
    def strata(self) -> Mapping[str, NDArray[np.bool_]]:
        """(m,) bool by name: the whole pool (a random sample of people), and its more isolated half."""
        return {"all": np.ones(len(self.member), dtype=bool), "isolated": self.isolated}

    def of_units(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Largest score of each unit's rows. **Shape**: (rows,) -> (m,)."""
        out = np.full(len(self.member), -np.inf)
        np.maximum.at(out, self.unit, scores)
        return out

    def one_row_each(self, rng: np.random.Generator) -> pd.DataFrame:
        """One random row of each unit, in the order of the units: independent of each other. **Shape**: m rows."""
        order = rng.permutation(len(self.unit))
        first = np.zeros(len(self.member), dtype=np.int64)
        first[self.unit[order][::-1]] = order[::-1]
        return self.frame.iloc[first].reset_index(drop=True)

    def sampled(self, units: int, rng: np.random.Generator) -> AttackTargets:
        """The same with so many people, both of a pair or neither, and as many rows of reference."""
        if len(self.member) <= units:
            return self
        coins = len(self.member) if self.pair is None else len(self.member) // 2
        chosen = np.isin(np.arange(coins), rng.permutation(coins)[: units if self.pair is None else units // 2])
        kept = chosen if self.pair is None else chosen[self.pair]
        place, rows = np.cumsum(kept) - 1, kept[self.unit]
        known = np.sort(rng.permutation(len(self.reference))[:units])
        return AttackTargets(
            frame=self.frame.loc[rows].reset_index(drop=True),
            unit=place[self.unit[rows]],
            member=self.member[kept],
            isolated=self.isolated[kept],
            reference=self.reference.iloc[known].reset_index(drop=True),
            pair=None if self.pair is None else (np.cumsum(chosen) - 1)[self.pair[kept]],
            likelihood=None if self.likelihood is None else self.likelihood[rows],
        )

    @classmethod
    def joined(cls, pools: Sequence[AttackTargets]) -> AttackTargets:
        """All the people of several fits: other people each time, so that every coin is tossed once."""
        if len(pools) == 1:
            return pools[0]
        before = np.cumsum([0, *(len(pool.member) for pool in pools[:-1])])
        pairs = [pool.pair for pool in pools]
        known = [pool.likelihood for pool in pools]
        return cls(
            frame=pd.concat([pool.frame for pool in pools], ignore_index=True),
            unit=np.concatenate([pool.unit + n for pool, n in zip(pools, before, strict=True)]),
            member=np.concatenate([pool.member for pool in pools]),
            isolated=np.concatenate([pool.isolated for pool in pools]),
            reference=pools[0].reference,
            pair=None if any(p is None for p in pairs) else np.concatenate(_apart([p for p in pairs if p is not None])),
            likelihood=None if any(k is None for k in known) else np.concatenate([k for k in known if k is not None]),
        )

    @classmethod
    def of_tables(
        cls, train: pd.DataFrame, holdout: pd.DataFrame, schema: Schema, rng: np.random.Generator
    ) -> AttackTargets:
        """Pairs of a random member and a random non-member, where somebody else split the table uniformly at random.

        Given who is in a pair, either of the two is the member with probability 1/2. A third of the holdout's units is
        the reference and not attacked. What is shown so holds for exchanging one person for another; for adding or
        removing one it is half as much.

        Raises:
            MetricError: too few units on either side.
        """
        units = [_units(frame, schema) for frame in (train, holdout)]
        counts = [int(codes.max(initial=-1)) + 1 for codes in units]
        known = round(REFERENCE_SHARE * counts[1])
        pairs = min(counts[0], counts[1] - known, MAX_ATTACKED_UNITS // 2)
        if pairs < MIN_ATTACKED:
            msg = (
                f"risks need {MIN_ATTACKED} people on either side, and a third of the holdout for reference; "
                "however: there "
                f"are {counts[0]} in the training rows and {counts[1]} in the holdout. Hold more out"
            )
            raise MetricError(msg)
        chosen = [rng.permutation(count) for count in counts]
        reference = np.isin(units[1], chosen[1][pairs : pairs + known])
        parts = [
            _numbered(frame, codes, who[:pairs])
            for frame, codes, who in zip((train, holdout), units, chosen, strict=True)
        ]
        frame = pd.concat([part for part, _ in parts], ignore_index=True)
        unit = np.concatenate([parts[0][1], pairs + parts[1][1]])
        everybody = pd.concat([train, holdout], ignore_index=True)
        owner = np.concatenate([units[0], counts[0] + units[1]])
        place = np.concatenate([chosen[0][:pairs], counts[0] + chosen[1][:pairs]])
        return cls(
            frame=frame,
            unit=unit,
            member=np.arange(2 * pairs) < pairs,
            isolated=_isolated_pairs(frame, unit, everybody, owner, place, schema, rng),
            reference=holdout.loc[reference].reset_index(drop=True),
            pair=np.tile(np.arange(pairs), 2),
        )


def _apart(pairs: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Numbers of pairs of several fits, no number twice."""
    before = np.cumsum([0, *(int(pair.max(initial=-1)) + 1 for pair in pairs[:-1])])
    return [pair + n for pair, n in zip(pairs, before, strict=True)]


def _units(frame: pd.DataFrame, schema: Schema) -> NDArray[np.int64]:
    """Number of the unit of every row."""
    if schema.unit is None or schema.unit not in frame:
        return np.arange(len(frame))
    return np.asarray(pd.factorize(frame[schema.unit], use_na_sentinel=False)[0], dtype=np.int64)


def _numbered(
    frame: pd.DataFrame, codes: NDArray[np.int64], who: NDArray[np.int64]
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Rows of some units, and each row's place among those units."""
    place = np.full(int(codes.max()) + 1, -1)
    place[who] = np.arange(len(who))
    rows = place[codes] >= 0
    return frame.loc[rows], place[codes[rows]]


def _isolated_pairs(
    frame: pd.DataFrame,
    unit: NDArray[np.int64],
    everybody: pd.DataFrame,
    owner: NDArray[np.int64],
    place: NDArray[np.int64],
    schema: Schema,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """(m,) bool: units of the half of the pairs whose two units lie farthest from everybody else together.

    Both of a pair are marked or neither, and the mark is the same whichever of the two was trained on.
    """
    among = np.sort(rng.choice(len(everybody), min(ISOLATION_POINTS, len(everybody)), replace=False))
    space = DistanceSpace.fit(everybody, schema)
    distances, _ = space.nearest(
        space.coordinates(frame),
        space.coordinates(everybody.iloc[among]),
        min(ISOLATION_NEIGHBOURS, len(among)),
        query_groups=place[unit],
        point_groups=owner[among],
    )
    score = np.full(len(place), -np.inf)
    np.maximum.at(score, unit, distances.mean(axis=1, dtype=float))
    together = score.reshape(2, -1).sum(axis=0)
    order = np.lexsort((rng.random(len(together)), together))
    marked = np.zeros(len(together), dtype=bool)
    marked[order[len(order) - len(order) // 2 :]] = True
    return np.tile(marked, 2)
