"""Membership inference: can an attacker tell who was trained on, better than by tossing a coin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats as distributions

from synthkit.io.json_types import JSON
from synthkit.metrics.attacks import preconditions
from synthkit.metrics.attacks.attack_data import AttackData
from synthkit.metrics.attacks.effect_grade import DEFAULT_EFFECT_LIMITS
from synthkit.metrics.attacks.effect_size import of_membership
from synthkit.metrics.attacks.membership_guesses import MAX_COIN_THROWS, Bound, MembershipGuesses, bound
from synthkit.metrics.attacks.membership_scores import MEMBERSHIP_ATTACKS, mean_rank
from synthkit.metrics.attacks.most_confident import Surest
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Evaluation, Failure, Found, Score
from synthkit.metrics.stats import intervals
from synthkit.metrics.stats.multiple_testing import holm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from synthkit.metrics.attacks.attack_targets import AttackTargets
    from synthkit.metrics.evaluation_data import EvaluationData

FALSE_POSITIVE_RATES = (0.001, 0.01, 0.1)
MIN_FALSE_ALARMS = 20  # non-members beyond a threshold, on average, for its rate to be shown
ALL_ATTACKS = "all together"
MEMBERSHIP_NOTE = "of telling people who were trained on from people who were not, by the synthetic rows alone"


@dataclass(frozen=True, kw_only=True)
class MembershipFindings:
    """What the attacks show of one stratum.

    Args:
        auc: of all attacks together, with its interval.
        chance_of_auc: probability of one as large if the coins had been thrown after the attack.
        chance_of_guesses: the same of the best of all ways of guessing few coins.
        bound: lower bound on epsilon.
        surest: how many of the surest guesses are right, their number fixed beforehand.
        each: AUC by attack.
        units: number of units looked at.
        coins: number of coins that decided who of them was trained on.
    """

    auc: intervals.Interval
    chance_of_auc: float
    chance_of_guesses: float
    bound: Bound
    surest: Surest
    each: dict[str, float]
    units: int
    coins: int


def attack_scores(data: AttackData, pool: AttackTargets, rng: np.random.Generator) -> NDArray[np.float64]:
    """Scores of every attack, the largest of each unit's rows. **Shape**: (attacks, m)."""
    scores = [pool.of_units(attack(data, rng)) for attack in MEMBERSHIP_ATTACKS.values()]
    if pool.likelihood is not None:
        scores.append(pool.of_units(pool.likelihood))
    return np.array(scores)


def attack_names(pool: AttackTargets) -> tuple[str, ...]:
    """Names of the attacks on a pool: the model's own likelihood is one of them if the model is to be released."""
    return (*MEMBERSHIP_ATTACKS, "likelihood") if pool.likelihood is not None else tuple(MEMBERSHIP_ATTACKS)


def membership_findings(
    scores: NDArray[np.float64],
    pool: AttackTargets,
    among: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    times: int = MAX_COIN_THROWS,
    strata: int = 1,
    names: Sequence[str] | None = None,
) -> MembershipFindings:
    """What scores of the units show about those `among` the ones looked at, one of so many `strata`.

    `names` are those of the attacks, if they are not the ones on one table.

    Inferential are the rank average of all attacks and its surest guesses, fixed before anything was seen, and the best
    way of guessing with its choice made again for every throw of the coins. All else is description.
    """
    every = np.concatenate([mean_rank(scores)[None], scores])
    called = (ALL_ATTACKS, *(names or attack_names(pool)))
    member = pool.member[among]
    guesses = MembershipGuesses.of(every, called, pool, among, rng)
    return MembershipFindings(
        auc=intervals.delong(every[0, among], member),
        chance_of_auc=_chance_of_auc(
            every[0, among], member, None if pool.pair is None else pool.pair[among], rng, times
        ),
        chance_of_guesses=guesses.p_value(rng, times=times),
        bound=bound(guesses),
        surest=Surest.of(guesses, strata=strata),
        each={name: intervals.auc(each[among], member) for name, each in zip(called[1:], every[1:], strict=True)},
        units=int(among.sum()),
        coins=len(guesses.coins),
    )


def comparable_scores(scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Scores of several fits as shares of people with a lower one in the same fit: only those can be compared.

    **Shape**: (attacks, m_k) each -> (attacks, sum of m_k); those of one fit alone are left as they are.
    """
    if len(scores) == 1:
        return scores[0]
    return np.concatenate([distributions.rankdata(each, axis=1) / (each.shape[1] + 1) for each in scores], axis=1)


def adjusted_p_values(found: dict[str, MembershipFindings]) -> dict[str, float]:
    """Probabilities of both tests on all strata, adjusted for their number."""
    raw = {
        f"{name}, {test}": chance
        for name, each in found.items()
        for test, chance in (("all attacks", each.chance_of_auc), ("few guesses", each.chance_of_guesses))
    }
    return dict(zip(raw, holm(list(raw.values())), strict=True))


def membership(comparison: EvaluationData, rng: np.random.Generator) -> Found:
    """Attack everybody in the pool; the coins that made them members or not say how much of it is chance.

    Raises:
        MetricError: there are too few people to attack.

    References:
        Steinke, Nasr, Jagielski: Privacy auditing with one (1) training run (2023). Yao, Krčo, Ganev, de Montjoye: The
        DCR delusion (2025), for attacks in place of distances. Meeus, Guépin, Creţu, de Montjoye: Achilles' heels
        (2023), for people who are unlike others.
    """
    pool = comparison.everybody
    known = [
        AttackData.of(fit.released, fit.attacked.reference, fit.attacked.frame, fit.schema, rng)
        for fit in comparison.fits
    ]
    each = [attack_scores(data, fit.attacked, rng) for data, fit in zip(known, comparison.fits, strict=True)]
    scores = comparable_scores(each)
    return judged_membership(
        scores,
        pool,
        lambda: preconditions.check(known[0], each[0], comparison.attacked, rng, everybody=pool),
        rng,
    )


def judged_membership(
    scores: NDArray[np.float64],
    pool: AttackTargets,
    checks: Callable[[], Sequence[preconditions.Precondition]],
    rng: np.random.Generator,
    *,
    names: Sequence[str] | None = None,
) -> Found:
    """Scores, panel and grade of what attacks show about the coins of a pool.

    Args:
        scores: of each attack. **Shape**: (attacks, m).
        pool: the people attacked.
        checks: looks at what the evidence rests on, after the attacks.
        rng: source of chance.
        names: of the attacks, if they are not the ones on one table.
    """
    strata = pool.strata
    found = {
        name: membership_findings(scores, pool, among, rng, strata=len(strata), names=names)
        for name, among in strata.items()
    }
    adjusted, checked = adjusted_p_values(found), checks()
    rates = _rates(mean_rank(scores), pool, rng)
    panel: dict[str, JSON] = {
        "design": pool.design,
        "units": len(pool.member),
        "p": adjusted,
        "checks": [check.plain() for check in checked],
        "strata": {name: _plain(each) for name, each in found.items()},
        "rates": [rate for rate, _ in rates],
        "roc": intervals.roc(mean_rank(scores), pool.member),
    }
    main = [score for name, each in found.items() for score in _scores(name, each, adjusted, pool)]
    return [*main, *(score for _, score in rates)], {"membership": panel | _graded(main, panel, adjusted, checked)}


def _graded(
    scores: Sequence[Score],
    panel: Mapping[str, JSON],
    adjusted: Mapping[str, float],
    checks: Sequence[preconditions.Precondition],
) -> dict[str, JSON]:
    """The grade of the effect at the stated default limit, and the test or the unsound precondition behind it."""
    effect = of_membership(Evaluation(run={}, scores=tuple(scores), panels={"membership": panel}))
    graded = effect.against(DEFAULT_EFFECT_LIMITS["membership"].value)
    surest = min(adjusted, key=lambda name: adjusted[name])
    unsound = "; ".join(check.name for check in checks if not check.holds)
    return {
        "detected": effect.detected,
        "verdict": None if graded is None else graded.value,
        "because": surest if effect.detected else unsound,
    }


def _scores(stratum: str, found: MembershipFindings, adjusted: dict[str, float], pool: AttackTargets) -> list[Score]:
    prefix = "membership" if stratum == "all" else f"membership.{stratum}"
    whom = "" if stratum == "all" else f", among the {stratum} half"
    per = "replacing one person by another" if pool.design == "pairs" else "adding or removing one person"
    auc = Score(
        metric=f"{prefix}.auc",
        value=found.auc.value,
        low=found.auc.low,
        high=found.auc.high,
        goal="low",
        reference=0.5,
        parts={**found.each, "p": found.chance_of_auc, "p, adjusted": adjusted[f"{stratum}, all attacks"]},
        note=f"AUC {MEMBERSHIP_NOTE}{whom}: mean rank of all attacks. Interval: DeLong; p: coins thrown again. An "
        "AUC near 0.5 "
        "can hide a few people who are found with certainty: read the bound on epsilon beside it.",
    )
    at = found.bound
    epsilon = Score(
        metric=f"{prefix}.epsilon_lower_bound",
        value=at.epsilon,
        low=at.epsilon,
        high=float("inf"),
        goal="low",
        reference=0.0,
        parts={
            "guesses": at.guesses,
            "right": at.right,
            "largest it could be": at.most,
            "p": found.chance_of_guesses,
            "p, adjusted": adjusted[f"{stratum}, few guesses"],
        },
        note=f"Epsilon that was lost at least{whom}, with confidence 95 %, for {per}: {at.right} of {at.guesses} "
        f"guesses right ({at.way}), of all ways and numbers of guesses what shows most; the confidence holds for all. "
        "Interval: open above, for a better attack may show more.",
    )
    return [auc, epsilon, _surest(prefix, whom, found.surest, pool)]


def _surest(prefix: str, whom: str, found: Surest, pool: AttackTargets) -> Score:
    people = "pairs of a person trained on and one who was not" if pool.design == "pairs" else "people"
    said = "in so many the right one was named" if pool.design == "pairs" else "so many had been trained on"
    return Score(
        metric=f"{prefix}.surest",
        value=found.share.value,
        low=found.share.low,
        high=found.share.high,
        goal="low",
        reference=0.5,
        parts={"guesses": found.guesses, "right": found.right},
        note=f"Of the {found.guesses:,} {people} of whom all attacks together are surest{whom}, {said}: "
        f"{found.right:,}. "
        "How many are guessed is fixed beforehand. Interval: Clopper-Pearson, for all strata at once.",
    )


def _rates(
    scores: NDArray[np.float64], pool: AttackTargets, rng: np.random.Generator
) -> list[tuple[dict[str, JSON], Score | Failure]]:
    """Members found at small rates of false alarm; the threshold is set on one half of the units, read on the other."""
    half = rng.permutation(len(scores)) < len(scores) // 2
    sets, reads = scores[half & ~pool.member], ~half
    out: list[tuple[dict[str, JSON], Score | Failure]] = []
    for fpr in FALSE_POSITIVE_RATES:
        metric = f"membership.tpr_at_fpr_{fpr:g}"
        if len(sets) < MIN_FALSE_ALARMS / fpr:
            reason = f"needs {MIN_FALSE_ALARMS / fpr:,.0f} people not trained on to set its threshold; there are "
            reason += f"{len(sets):,}"
            out.append(({"fpr": fpr, "not_assessed": reason}, Failure(metric=metric, reason=reason)))
            continue
        threshold = float(np.quantile(sets, 1 - fpr, method="higher"))
        hits = [scores[reads & side] > threshold for side in (pool.member, ~pool.member)]
        tpr, false = (intervals.clopper_pearson(int(h.sum()), len(h)) for h in hits)
        score = Score(
            metric=metric,
            value=tpr.value,
            low=tpr.low,
            high=tpr.high,
            goal="low",
            reference=false.value,
            parts={"false alarms": false.value, "false alarms, low": false.low, "false alarms, high": false.high},
            note=f"Share of members that all attacks together find where {fpr:.1%} of non-members are meant to be "
            "accused; the reference is the share that was. Threshold set on one half of the people, both read on the "
            "other. Interval: Clopper-Pearson.",
        )
        out.append(({"fpr": fpr, "tpr": tpr._asdict(), "false_alarms": false._asdict()}, score))
    return out


def _chance_of_auc(
    scores: NDArray[np.float64],
    member: NDArray[np.bool_],
    pair: NDArray[np.int64] | None,
    rng: np.random.Generator,
    times: int,
) -> float:
    """Probability of an AUC as large if coins are thrown again; ties count half."""
    ranks = distributions.rankdata(scores)
    seen, as_large = intervals.auc(scores, member), 0
    of_pair = None if pair is None else np.unique(pair, return_inverse=True)[1]
    for start in range(0, times, 200):
        many = min(200, times - start)
        if of_pair is None:
            again = rng.random((many, len(member))) < 0.5
        else:
            again = (rng.random((many, int(of_pair.max()) + 1)) < 0.5)[:, of_pair] ^ member
        n = again.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            aucs = (again @ ranks - n * (n + 1) / 2) / (n * (len(member) - n))
        as_large += int((np.nan_to_num(aucs, nan=0.5) >= seen - 1e-12).sum())
    return (1 + as_large) / (times + 1)


def _plain(found: MembershipFindings) -> dict[str, JSON]:
    at = found.bound
    return {
        "units": found.units,
        "coins": found.coins,
        "auc": found.auc._asdict(),
        "p_of_auc": found.chance_of_auc,
        "p_of_guesses": found.chance_of_guesses,
        "epsilon_lower_bound": at.epsilon,
        "largest_it_could_be": at.most,
        "way": at.way,
        "guesses": at.guesses,
        "right": at.right,
        "surest": {"guesses": found.surest.guesses, "right": found.surest.right, **found.surest.share._asdict()},
        "attacks": found.each,
    }


MEMBERSHIP_SPEC = MetricSpec(
    name="membership",
    measure=membership,
    labels={
        "membership.auc": MetricLabel(
            "Membership (AUC)", "Telling people who were trained on from people who were not; 0.5 is guessing."
        ),
        "membership.isolated.auc": MetricLabel(
            "Membership of unusual people (AUC)", "The same among the half who are unlike others."
        ),
        "membership.epsilon_lower_bound": MetricLabel(
            "Epsilon lost at least", "What the best guesses prove to have leaked; 0 if nothing is shown."
        ),
        "membership.isolated.epsilon_lower_bound": MetricLabel(
            "Epsilon lost at least by unusual people", "The same among the half who are unlike others."
        ),
        "membership.surest": MetricLabel(
            "Surest guesses that are right",
            "Of those of whom attackers are surest, members; half is guessing.",
            "share",
        ),
        "membership.isolated.surest": MetricLabel(
            "Surest guesses that are right, unusual people", "The same among the half who are unlike others.", "share"
        ),
        "membership.tpr_at_fpr_0.001": MetricLabel(
            "Members found at 0.1 % false alarms", "What can be said of a few, nearly for sure.", "share"
        ),
        "membership.tpr_at_fpr_0.01": MetricLabel(
            "Members found at 1 % false alarms", "What can be said of a few with confidence.", "share"
        ),
        "membership.tpr_at_fpr_0.1": MetricLabel(
            "Members found at 10 % false alarms", "What can be said with many errors.", "share"
        ),
    },
)
