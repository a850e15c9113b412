"""Who of a table was fitted, who was not and why, and who is attacked: in sentences from the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from synthkit.metrics.result import SIBLING_AUDITED

if TYPE_CHECKING:
    from synthkit.report.inputs import RunFacts

REFITTED_TO_ALL = (
    "All people were fitted once more afterwards: that is the release, and what is measured is its sibling."
)


def describe_split(facts: RunFacts) -> list[str]:
    """Where the units of a table went, and why; nothing if the split was not ours.

    Args:
        facts: of the evaluation: `people`, counts by role as `Split.people` gives them with `attacked`, how many in
            each fit; and `audited`, if all people were fitted once more.

    Example:
        >>> people = {"units": 300, "train": 190, "pool trained on": 30, "pool held out": 25, "reference": 26}
        >>> describe_split({"people": {**people, "test": 29, "attacked": [55, 54]}})[0]
        'Of 300 people 220 (73 %) were fitted, 30 of them because a fair coin said so.'
    """
    people = facts.get("people")
    if people is None:
        return []
    units, inside, outside = people["units"], people["pool trained on"], people["pool held out"]
    fitted = people["train"] + inside
    told = [
        f"Of {units:,} people {fitted:,} ({_share(fitted / units)}) were fitted, {inside:,} of them because a fair "
        "coin said so.",
        f"Not fitted were {units - fitted:,}, so that there is something to hold the release against: {outside:,} "
        f"whose coin said no, the controls of every attack; {people['test']:,} for tests of use; "
        f"{people['reference']:,} who stand for what an attacker knows of the population.",
        _attacked(people["attacked"]),
    ]
    told = [*_examined(facts), *told]
    return [*told, REFITTED_TO_ALL] if facts.get("audited") == SIBLING_AUDITED else told


def _examined(facts: RunFacts) -> list[str]:
    """Of a large table, how many rows stand for all, and how near a share of them is to that of all."""
    found = facts.get("examined")
    if not isinstance(found, dict):
        return []
    looked = found["looked_at"]
    within = f"{100 * HALF_WIDTH / looked**0.5:.2g} percentage points"
    return [
        f"The table has {found['rows']:,} rows, of which {found['learned']:,} were learned. Scores look at {looked:,} "
        f"of all rows, drawn at random: a share of them is within {within} of that of all rows, "
        "19 times in 20. The people told of below are those among them."
    ]


HALF_WIDTH = 1.96 * 0.5  # of the interval of a share, times the root of the rows; the widest there is


def _attacked(fits: Sequence[int]) -> str:
    first = f"Attacked were the {fits[0]:,} whose coin was tossed"
    if len(fits) == 1:
        return f"{first}."
    further = "1 further fit" if len(fits) == 2 else f"{len(fits) - 1} further fits"
    return (
        f"{first}, and {sum(fits[1:]):,} others in {further} of the same model with coins of their own, {sum(fits):,} "
        "in all: few people show little. Rows of further fits are never released."
    )


def describe_role_shares(shares: Mapping[str, float], *, final: bool = False) -> str:
    """The same under a budget, where nobody is counted: the public probabilities of the roles.

    Args:
        shares: probabilities by role, as in `split.Shares`.
        final: whether all were fitted once more afterwards.

    Example:
        >>> describe_role_shares({"train": 0.64, "pool": 0.18, "reference": 0.09, "test": 0.09})[:83]
        'Each person drew a role by public probabilities: 73 % are fitted, 9 % held out by a'
    """
    coin = shares["pool"] / 2
    told = (
        f"Each person drew a role by public probabilities: {_share(shares['train'] + coin)} are fitted, {_share(coin)} "
        f"held out by a coin, {_share(shares['test'])} for tests of use, and {_share(shares['reference'])} stand for "
        "what an attacker knows. How many it came to is INTERNAL."
    )
    return f"{told} {REFITTED_TO_ALL}" if final else told


def _share(x: float) -> str:
    return f"{100 * x:.0f} %"
