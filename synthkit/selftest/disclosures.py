"""What attacks on attributes and identities must find, and what they must not take for a leak."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.metrics.attacks.attribute_inference import attribute
from synthkit.metrics.attacks.identity_disclosure import identity, linkability
from synthkit.metrics.copying.copied_people import count_copied_people
from synthkit.metrics.fidelity.classifier_two_sample import c2st
from synthkit.metrics.fidelity.distributions import pairs
from synthkit.metrics.result import Score
from synthkit.selftest.answers import Answer, equals_figure, interval_covers, lies_within
from synthkit.selftest.made_up_people import Experiment, people, shuffled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthkit.metrics.evaluation_data import EvaluationData

DISCLOSURE_TOLERANCE = 0.02  # what an interval may miss by where chance is in it: it fails one time in twenty without


def learned(comparison: EvaluationData, secret: str, rng: np.random.Generator) -> Mapping[str, Score]:
    """What attackers who know all other columns learn of a secret."""
    scores, _ = attribute(comparison, rng, secret=secret, knowledge="all", prefix="x")
    return {s.metric: s for s in scores if isinstance(s, Score)}


def matched(comparison: EvaluationData, rng: np.random.Generator) -> Mapping[str, Score]:
    """Who is singled out, matched and linked."""
    scores = [*identity(comparison, rng)[0], *linkability(comparison, rng)[0]]
    return {s.metric: s for s in scores if isinstance(s, Score)}


def copied(rng: np.random.Generator) -> tuple[Answer, ...]:
    """The training rows are released: what they say of members is found, and of non-members is not."""
    here = Experiment.of(rng, units=1_200)
    comparison = here.against(here.train)
    found = learned(comparison, "glucose", rng)["x.excess"]
    known = matched(comparison, rng)
    return (
        lies_within("excess of a number that is copied", found.low, 0.5),
        lies_within("unique exact matches, excess", known["identity.unique_exact_matches"].value, 0.95),
        lies_within("people linked, excess, lower end", known["identity.linkability.k1"].low, 0.3),
        equals_figure("singled out who are members", known["identity.singling_out.clearest"].value, 1.0, off=0.1),
    )


def nobody(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Fresh rows, and a secret of two in a hundred that nothing predicts: nothing is disclosed."""
    here = Experiment.of(rng, units=1_200)
    comparison = here.against(people(1_200, rng))
    known = matched(comparison, rng)
    out = []
    for secret in ("rare", "glucose"):
        found = learned(comparison, secret, rng)["x.excess"]
        out.append(
            interval_covers(
                f"excess about {secret}", found.low - DISCLOSURE_TOLERANCE, found.high + DISCLOSURE_TOLERANCE, 0.0
            )
        )
    for name in ("unique_exact_matches", "replicated_uniques", "linkability.k5"):
        at = known[f"identity.{name}"]
        out.append(
            interval_covers(f"{name}, excess", at.low - DISCLOSURE_TOLERANCE, at.high + DISCLOSURE_TOLERANCE, 0.0)
        )
    at = known["identity.singling_out"]
    return (*out, interval_covers("singled out who are members", at.low - 0.05, at.high + 0.05, 0.5))


def signs(rng: np.random.Generator) -> tuple[Answer, ...]:
    """A number below nought is guessed as well as one above: turning its sign changes nothing."""
    here = Experiment.of(rng, units=1_200)
    rows = here.train
    seed = int(rng.integers(2**31))
    before = learned(here.against(rows), "balance", np.random.default_rng(seed))["x.excess"]

    pool = replace(
        here.pool,
        frame=here.pool.frame.assign(balance=-here.pool.frame["balance"]),
        reference=here.pool.reference.assign(balance=-here.pool.reference["balance"]),
    )
    turned = replace(here, pool=pool).against(rows.assign(balance=-rows["balance"]))
    after = learned(turned, "balance", np.random.default_rng(seed))["x.excess"]
    return (equals_figure("excess after the sign is turned", after.value, before.value, off=0.03),)


def few_copied(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Eight verbatim copies of people whom no attack looks at; then none: counted one by one, and nothing made up."""
    here = Experiment.of(rng, units=1_200)
    attacked = pd.MultiIndex.from_frame(here.members())
    never = here.train.loc[~pd.MultiIndex.from_frame(here.train).isin(attacked)]
    fresh = people(2_400, rng)
    rows = pd.concat([never.head(8), fresh.iloc[8:]], ignore_index=True)
    found, silent = (
        {s.metric: s for s in count_copied_people(here.against(each), rng)[0]}["copying.excess.whole_rows"]
        for each in (rows, fresh)
    )
    trained = len(here.train)
    return (
        equals_figure("people copied, of those trained on", found.value * trained, 8.0, off=1e-6),
        lies_within("people proven to be copied, of 1,000", 1_000 * found.low, 1.0),
        equals_figure("people copied by fresh rows", silent.value, 0.0),
    )


def relations_lost(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Single columns of the law and none of their relations: nobody is given away, and fidelity must say so."""
    here = Experiment.of(rng)
    rows = shuffled(people(2_000, rng), rng)
    comparison = here.against(rows)
    two_way = next(s for s in pairs(comparison, rng)[0] if s.metric == "fidelity.tv2")
    seen = c2st(comparison, rng)[0][0]
    return (
        lies_within(
            "two-way similarity below what real rows reach, by", (two_way.reference or 0) - two_way.value, 0.005
        ),
        lies_within("AUC of telling synthetic from real", seen.value, 0.65),
    )
