"""Membership guesses: which attack is followed, how many are guessed, and how often chance does as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from synthkit.metrics.attacks.epsilon_lower_bound import BOUND_CONFIDENCE, ceiling, epsilon_lower_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthkit.metrics.attacks.attack_targets import AttackTargets

GUESS_COUNTS = (10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000)  # how many coins may be guessed
MAX_COIN_THROWS = 2_000  # times the coins are thrown again


@dataclass(frozen=True, kw_only=True)
class MembershipGuesses:
    """Ways of guessing n fair coins, each with its surest guess first.

    Args:
        coins: (n,) bool: how the coins fell.
        order: (w, n) coins in the order in which a way guesses them.
        said: (w, n) bool: what it says of each, in that order.
        names: (w,) what each way is called.
    """

    coins: NDArray[np.bool_]
    order: NDArray[np.int64]
    said: NDArray[np.bool_]
    names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        scores: NDArray[np.float64],
        names: Sequence[str],
        pool: AttackTargets,
        among: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> MembershipGuesses:
        """Guesses that follow scores of the units, about those units of a pool that are `among` the ones looked at.

        Where each unit has a coin, a way either names the highest scores members, or those and the lowest
        non-members. Where each pair has one, a way says that the higher score is the member's, either of the pairs with
        the highest scores first (a copy stands out whoever its partner is) or of those with the widest gaps. Equal
        scores stand in random order.

        **Shape**: scores (a, m), m units.
        """
        if pool.pair is not None:
            return cls._of_pairs(scores, names, pool, among, rng)
        chosen = scores[:, among]
        ties = rng.random(chosen.shape)
        falling = np.lexsort((ties, -chosen), axis=1)
        n = chosen.shape[1]
        middle = np.abs(2 * np.arange(n) - (n - 1))  # far from the middle rank first, either side
        ends = np.argsort(-middle, kind="stable")
        both = falling[:, ends]
        says = np.broadcast_to(ends < n / 2, both.shape)
        return cls(
            coins=pool.member[among],
            order=np.concatenate([falling, both]),
            said=np.concatenate([np.ones_like(falling, dtype=bool), says]),
            names=(*(f"{name}: members" for name in names), *(f"{name}: both" for name in names)),
        )

    @classmethod
    def _of_pairs(
        cls,
        scores: NDArray[np.float64],
        names: Sequence[str],
        pool: AttackTargets,
        among: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> MembershipGuesses:
        units = np.flatnonzero(among)
        by_pair = units[np.argsort(pool.pair[units], kind="stable")].reshape(-1, 2)  # type: ignore[index]
        turned = rng.random(len(by_pair)) < 0.5  # which of the two stands first is the coin
        by_pair = np.where(turned[:, None], by_pair[:, ::-1], by_pair)
        ranks = np.array([stats.rankdata(each) for each in scores])  # gaps of ranks, for scores may be infinite
        gap = ranks[:, by_pair[:, 0]] - ranks[:, by_pair[:, 1]]
        gap = np.where(gap == 0, (rng.random(gap.shape) - 0.5) / 2, gap)
        higher = np.maximum(ranks[:, by_pair[:, 0]], ranks[:, by_pair[:, 1]])
        sure = np.concatenate([higher, np.abs(gap)])
        order = np.lexsort((rng.random(sure.shape), -sure), axis=1)
        return cls(
            coins=pool.member[by_pair[:, 0]],
            order=order,
            said=np.take_along_axis(np.concatenate([gap, gap]) > 0, order, axis=1),
            names=(
                *(f"{name}: pairs with the highest" for name in names),
                *(f"{name}: widest pairs" for name in names),
            ),
        )

    def right(self, sizes: Sequence[int]) -> NDArray[np.int64]:
        """How many of its k surest guesses each way has right. **Shape**: k of `sizes` -> (w, sizes)."""
        longest = max(sizes)
        hits = self.coins[self.order[:, :longest]] == self.said[:, :longest]
        return np.asarray(np.cumsum(hits, axis=1)[:, [k - 1 for k in sizes]])

    def sizes(self) -> list[int]:
        """Numbers of coins that may be guessed: at most half of them, and all the smallest allows."""
        return [k for k in GUESS_COUNTS if k <= len(self.coins) / 2] or [max(1, len(self.coins) // 2)]

    def p_value(self, rng: np.random.Generator, *, times: int = MAX_COIN_THROWS) -> float:
        """Probability of guesses as good as the best of all ways and numbers, if coins were thrown after the scores.

        Exact but for the number of times: the coins are thrown again and everything is chosen again; the best is the
        one with the smallest binomial tail.
        """
        sizes = self.sizes()
        tails = [stats.binom.logsf(np.arange(k + 1) - 1, k, 0.5) for k in sizes]
        longest = max(sizes)
        order, said = self.order[:, :longest], self.said[:, :longest]

        def best(coins: NDArray[np.bool_]) -> float:
            hits = np.cumsum(coins[order] == said, axis=1)
            return min(float(tail[hits[:, k - 1]].min()) for k, tail in zip(sizes, tails, strict=True))

        seen = best(self.coins)
        again = [best(rng.random(len(self.coins)) < 0.5) for _ in range(times)]
        return (1 + sum(one <= seen + 1e-9 for one in again)) / (times + 1)


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The most that guesses show, at a confidence that holds for all ways and numbers at once.

    Args:
        epsilon: lower bound.
        way: how was guessed.
        guesses: how many.
        right: of these.
        most: what the bound would be if all of them were right.
    """

    epsilon: float
    way: str
    guesses: int
    right: int
    most: float


def bound(guesses: MembershipGuesses, *, delta: float = 0.0) -> Bound:
    """The largest of the bounds on epsilon of all ways and numbers of guesses, each at its share of the 5 %.

    NOTE[DIFF]: The paper fixes way and number beforehand. Of w ways and s numbers each bound holds with confidence
    1 - 0.05 / (w s), so that all hold together with 95 %, whichever is shown. To choose on one half of the coins and
    count on the other is as valid; it shows 20 copies two times in three where this shows them always, because ten of
    them in a half hardly stand out and ten guesses hardly show anything, and gains little where much leaks.

    References:
        Steinke, Nasr, Jagielski: Privacy auditing with one (1) training run (2023).
    """
    sizes = guesses.sizes()
    right = guesses.right(sizes)
    n, sure = len(guesses.coins), 1 - (1 - BOUND_CONFIDENCE) / right.size
    shown = [
        [epsilon_lower_bound(n, k, int(v), delta=delta, confidence=sure) for k, v in zip(sizes, row, strict=True)]
        for row in right
    ]
    tails = -stats.binom.logsf(right - 1, np.array(sizes), 0.5)  # decides where no bound is above nought
    way, size = (int(x) for x in np.unravel_index(np.lexsort((tails.ravel(), np.ravel(shown)))[-1], right.shape))
    return Bound(
        epsilon=shown[way][size],
        way=guesses.names[way],
        guesses=sizes[size],
        right=int(right[way, size]),
        most=ceiling(sizes[size], sure),
    )
