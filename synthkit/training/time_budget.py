"""A time budget in seconds becomes a number of steps: a few are timed and thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

RESERVE = 0.05  # share of the time budget kept for what a probe cannot see
WARM_UP_STEPS, MIN_TIMED_STEPS, MAX_TIMED_STEPS = 3, 5, 40  # steps not timed; least and most that are
TIMING_SHARE = 0.02  # share of the time budget after which timing ends


def seconds_a_step(makes: Iterator[object], wish: float) -> float:
    """Mean seconds of a step, after the first three, over 5 to 40 steps or a fiftieth of the budget.

    Args:
        makes: each item makes one step.
        wish: the time budget, seconds.
    """
    for _ in range(WARM_UP_STEPS):
        next(makes)
    started = time.perf_counter()
    for made in range(1, MAX_TIMED_STEPS + 1):
        next(makes)
        spent = time.perf_counter() - started
        if made >= MIN_TIMED_STEPS and spent > TIMING_SHARE * wish:
            break
    return spent / made


def fitting(seconds: float, wanted: int, step: float, check: float, checks: Callable[[int], int]) -> int:
    """The most steps that fit, checks included: n step + checks(n) check <= 0.95 seconds; at least one.

    Args:
        seconds: what is left of the budget.
        wanted: the most steps there may be.
        step: seconds a step.
        check: seconds of one evaluation.
        checks: how many evaluations a plan of n steps has.

    Example:
        >>> fitting(100.0, 10_000, step=0.1, check=1.0, checks=lambda n: 12)
        830
        >>> fitting(100.0, 500, step=0.1, check=1.0, checks=lambda n: 12)
        500
    """
    least, most = 1, wanted
    while least < most:
        n = (least + most + 1) // 2
        if n * step + checks(n) * check <= (1 - RESERVE) * seconds:
            least = n
        else:
            most = n - 1
    return least
