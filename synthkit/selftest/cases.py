"""All cases of which the answer is known, by name, the quickest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.metrics.runner import one_thread
from synthkit.runtime.seeds import Seeds
from synthkit.selftest import disclosures, leaks, linked_leaks
from synthkit.selftest.closed_forms import closed_form_answers

if TYPE_CHECKING:
    from synthkit.selftest.answers import Answer

SELFTEST_SEEDS = 10  # repetitions of the whole test


@dataclass(frozen=True, kw_only=True)
class Case:
    """One table, or set of numbers, and what must be found in it.

    Args:
        about: what is released, in words.
        run: the figures, from a generator that makes the people.
    """

    about: str
    run: Callable[[np.random.Generator], tuple[Answer, ...]]


SELFTEST_CASES: Mapping[str, Case] = {
    "figures": Case(about="closed forms and published numbers", run=closed_form_answers),
    "copies": Case(about="the training rows themselves", run=leaks.copies),
    "fresh": Case(about="other people of the same law", run=leaks.fresh),
    "isolated": Case(about="one row in twenty a copy of a person unlike others", run=leaks.isolated),
    "shaken": Case(about="training rows with noise", run=leaks.shaken),
    "contaminated": Case(about="the holdout itself", run=leaks.contaminated),
    "levels": Case(about="32 kinds of people", run=leaks.levels_only),
    "names": Case(about="other names, another order, text for an index", run=leaks.names_and_order),
    "disclosed": Case(about="the training rows: secrets and identities", run=disclosures.copied),
    "few copied": Case(about="eight copies of people whom no attack looks at", run=disclosures.few_copied),
    "undisclosed": Case(about="other people: secrets and identities", run=disclosures.nobody),
    "signs": Case(about="a number with its sign turned", run=disclosures.signs),
    "relations": Case(about="columns in an order of their own", run=disclosures.relations_lost),
    "linked copies": Case(
        about="linked tables: people copied whole, and by their rows", run=linked_leaks.linked_copies
    ),
    "linked fresh": Case(about="linked tables: other people of the same law", run=linked_leaks.linked_fresh),
    "linked canary": Case(about="linked tables: as many rows as the bounds allow", run=linked_leaks.linked_canary),
}


def run_case(name: str, seed: int, *, repetition: int = 0) -> tuple[Answer, ...]:
    """The answers of a case; the same seed makes the same people."""
    with one_thread():
        return SELFTEST_CASES[name].run(Seeds(seed).numpy(f"selftest {name} {repetition}"))
