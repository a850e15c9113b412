"""Accuracy of the most confident membership guesses, their number fixed before anything was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthkit.metrics.attacks.epsilon_lower_bound import BOUND_CONFIDENCE
from synthkit.metrics.stats import intervals

if TYPE_CHECKING:
    from synthkit.metrics.attacks.membership_guesses import MembershipGuesses

MIN_SUREST_GUESSES = 100  # guesses, if there are twice as many coins: of so many people a share can be told
COINS_OF_A_GUESS = 10  # of many coins one in so many is guessed


@dataclass(frozen=True, kw_only=True)
class Surest:
    """How many of the surest guesses are right.

    Args:
        guesses: their number.
        right: of these; half of them by guessing.
        share: right ones among them, with an interval that holds for all strata at once.
    """

    guesses: int
    right: int
    share: intervals.Interval

    @classmethod
    def of(cls, guesses: MembershipGuesses, *, strata: int = 1) -> Surest:
        """Of the first way of guessing, all attacks together naming members; nothing is chosen after looking.

        A tenth of the coins is guessed, 100 at least and half of them at most. The interval is Clopper and Pearson's:
        the guesses are fixed by rows that know nothing of the coins unless they leak, so that right ones are binomial.

        Args:
            guesses: ways of guessing; the first is looked at.
            strata: of people whose intervals shall hold together (Bonferroni).
        """
        size = guess_count(len(guesses.coins))
        right = int(guesses.right([size])[0, 0])
        level = 1 - (1 - BOUND_CONFIDENCE) / strata
        return cls(guesses=size, right=right, share=intervals.clopper_pearson(right, size, level=level))


def guess_count(coins: int) -> int:
    """How many coins are guessed.

    Example:
        >>> [guess_count(coins) for coins in (1, 50, 400, 5_000)]
        [1, 25, 100, 500]
    """
    return max(1, min(max(MIN_SUREST_GUESSES, coins // COINS_OF_A_GUESS), coins // 2))
