"""Attribute inference: are secrets of members guessed better from the synthetic rows than those of non-members."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.metrics.attacks.attack_targets import MIN_ATTACKED
from synthkit.metrics.attacks.attribute_findings import (
    KNOWLEDGE_IN_NAMES,
    AttackOutcome,
    AttributeFindings,
    Context,
    Known,
    LevelExcess,
)
from synthkit.metrics.attacks.risk_difference import RiskDifference, coin_p_value
from synthkit.metrics.attacks.secret_inference import (
    SECRET_ATTACKS,
    SecretGuesses,
    most_frequent_value,
    population_guesses,
)
from synthkit.metrics.attacks.secrets import Knowledge, Secret
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Scored
from synthkit.metrics.stats.multiple_testing import holm
from synthkit.metrics.stats.precision_recall import best_prc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.attacks.attack_targets import AttackTargets
    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.metric import Metric, MetricOptions
    from synthkit.schema import Schema

MIN_PEOPLE_OF_LEVEL = 10  # members, and as many non-members, of a level that is looked at by itself


def attributes(schema: Schema, options: MetricOptions) -> dict[str, Metric]:
    """One metric a secret and set of known columns: the quasi-identifiers, if any are declared, and all others.

    A quick evaluation looks at the first of these only.
    """
    found: dict[str, Metric] = {}
    for secret in (name for name in schema.secrets if name in schema.described):
        sets = [known for known in KNOWLEDGE_IN_NAMES if known_columns(schema, secret, known)]
        for knowledge in sets[:1] if options.quick else sets:
            name = f"attribute.{secret}.{KNOWLEDGE_IN_NAMES[knowledge]}"
            found[name] = partial(attribute, secret=secret, knowledge=knowledge, prefix=name)
    return found


def known_columns(schema: Schema, secret: str, knowledge: Known) -> tuple[str, ...]:
    """Columns an attacker knows, in the order of the schema; never the secret, an identifier or the unit."""
    allowed = schema.quasi_identifiers if knowledge == "quasi_identifiers" else schema.described
    return tuple(name for name in schema.described if name in allowed and name != secret)


def attribute(
    comparison: EvaluationData, rng: np.random.Generator, *, secret: str, knowledge: Known, prefix: str
) -> Scored:
    r"""Guess a secret of members and of non-members from the synthetic rows alone: the gain on members is disclosure.

    Excess: $p_1 - p_0$, shares of right guesses about members and non-members. The headline is the strongest of three
    attacks, with an interval that holds for all three together ($z = 2.39$): choosing on one half of the people and
    measuring on the other would be as valid, and as wide as $z = 2.77$. One random row stands for a unit, so that
    people are independent; people whose secret is missing are not attacked.

    Args:
        comparison: the tables.
        rng: source of the chosen rows and of the models' seeds.
        secret: column that is guessed.
        knowledge: columns the attacker knows, `quasi_identifiers`, `all` others, or all those of `other_tables`.
        prefix: beginning of the scores' names.

    Raises:
        MetricError: nothing is known, the secret has no two values, or too few people have one.

    References:
        Consensus Privacy Metrics Framework for Synthetic Data (Pilgram et al., 2025); A Balanced Approach to Measuring
        Anonymity Loss (Francis & Wagner, 2024).
    """
    pool, schema = comparison.everybody, comparison.schema
    names = known_columns(schema, secret, knowledge)
    people = [fit.attacked.one_row_each(rng) for fit in comparison.fits]
    everyone = pd.concat(people, ignore_index=True)
    _check(secret, names, everyone, comparison)
    place = np.flatnonzero(everyone[secret].notna().to_numpy())
    targets = everyone.iloc[place].reset_index(drop=True)
    games = [_Game.of(fit, each, secret, names) for fit, each in zip(comparison.fits, people, strict=True)]
    wanted = games[0].secret
    outcomes = _attacked(games, pool, place, rng)
    best = _strongest(outcomes)
    context = _context(games, ~pool.member[place], rng)
    groups = wanted.groups(targets, comparison.attacked.reference, schema)
    levels = _by_group(outcomes, groups, pool.member[place])
    isolated = _isolated(best, pool, place)
    chances = holm([each.p for each in outcomes])
    found = AttributeFindings(
        best=best,
        outcomes=outcomes,
        p=min(chances),
        context=context,
        isolated=isolated,
        levels=levels,
        member=pool.member[place],
        secret=secret,
        knowledge=knowledge,
        prefix=prefix,
    )
    return found.scores(), {"attribute": [found.plain()]}


@dataclass(frozen=True, kw_only=True)
class _Game:
    """What an attacker of one fit knows, and what he would like to learn."""

    knowledge: Knowledge
    secret: Secret
    draws: tuple[pd.DataFrame, ...]
    truth: NDArray[np.float64]

    @classmethod
    def of(cls, fit: EvaluationData, people: pd.DataFrame, secret: str, names: tuple[str, ...]) -> _Game:
        """The game on those whose secret is known."""
        targets = people[people[secret].notna()].reset_index(drop=True)
        reference = fit.attacked.reference
        wanted = Secret.of(secret, fit.schema, reference, [targets, fit.released])
        known = Knowledge.of(names, fit.schema, reference, targets)
        return cls(knowledge=known, secret=wanted, draws=fit.seen, truth=wanted.values(targets))

    def right(self, guesses: SecretGuesses) -> NDArray[np.bool_]:
        """Whether each guess is right."""
        return self.secret.right(guesses.value, self.truth)


def _check(secret: str, names: tuple[str, ...], targets: pd.DataFrame, comparison: EvaluationData) -> None:
    if not names:
        msg = f"guesses of `{secret}` need a column that is known; however: there is none. Declare `quasi_identifiers`"
        raise MetricError(msg)
    known = targets[secret].notna().to_numpy()
    member = comparison.everybody.member
    fewest = min(int((known & member).sum()), int((known & ~member).sum()))
    if fewest < MIN_ATTACKED:
        msg = f"guesses need {MIN_ATTACKED} people on either side whose `{secret}` is known; however: {fewest}. "
        msg += "Hold more out"
        raise MetricError(msg)
    for fit in comparison.fits:
        for frame, whose in ((fit.released, "synthetic"), (fit.attacked.reference, "reference")):
            if not frame[secret].notna().any():
                msg = f"guesses of `{secret}` need rows in which it is known; however: none of the {whose} rows has one"
                raise MetricError(msg)
    if targets[secret].nunique() < 2:
        msg = f"`{secret}` must have two different values to be a secret; however: all who are attacked share one"
        raise MetricError(msg)


def _attacked(
    games: list[_Game], pool: AttackTargets, place: NDArray[np.intp], rng: np.random.Generator
) -> list[AttackOutcome]:
    member = pool.member[place]
    pair = None if pool.pair is None else pool.pair[place]

    def judged(name: str, guesses: list[SecretGuesses]) -> AttackOutcome:
        right = np.concatenate([game.right(each) for game, each in zip(games, guesses, strict=True)])
        sure = np.concatenate([each.sure for each in guesses])
        excess = RiskDifference.of(right, member, looks=len(SECRET_ATTACKS))
        return AttackOutcome(name=name, right=right, sure=sure, excess=excess, p=coin_p_value(right, member, pair))

    return [
        judged(name, [attack(game.knowledge, game.secret, game.draws, rng) for game in games])
        for name, attack in SECRET_ATTACKS.items()
    ]


def _strongest(outcomes: list[AttackOutcome]) -> AttackOutcome:
    """The attack with the largest excess, of those that are right about anybody."""
    some = [each for each in outcomes if each.right.any()] or outcomes
    return max(some, key=lambda each: each.excess.at.value)


def _context(games: list[_Game], outside: NDArray[np.bool_], rng: np.random.Generator) -> Context:
    """What is guessed without the synthetic rows; people of whom models were made are those of the first fit."""
    each = [population_guesses(game.knowledge, game.secret, rng) for game in games]
    right, base = [], []
    for name in each[0]:
        hits = np.concatenate([game.right(guessed[name]) for game, guessed in zip(games, each, strict=True)])[outside]
        right.append(float(hits.mean()))
        base.append(best_prc(hits, np.concatenate([guessed[name].sure for guessed in each])[outside]))
    common = [
        game.secret.right(np.full(len(game.truth), most_frequent_value(game.knowledge, game.secret)), game.truth)
        for game in games
    ]
    rows = int(games[0].knowledge.reference[games[0].secret.name].notna().sum())
    return Context(majority=float(np.concatenate(common).mean()), model=max(right), base=max(base), rows=rows)


def _isolated(best: AttackOutcome, pool: AttackTargets, place: NDArray[np.intp]) -> tuple[RiskDifference, float] | None:
    among = pool.isolated[place]
    member = pool.member[place][among]
    if min(int(member.sum()), int((~member).sum())) < MIN_PEOPLE_OF_LEVEL:
        return None
    pair = None if pool.pair is None else pool.pair[place][among]
    excess = RiskDifference.of(best.right[among], member, looks=len(SECRET_ATTACKS))
    return excess, min(1.0, len(SECRET_ATTACKS) * coin_p_value(best.right[among], member, pair))


def _by_group(
    outcomes: list[AttackOutcome], groups: dict[str, NDArray[np.bool_]], member: NDArray[np.bool_]
) -> list[LevelExcess]:
    """Of every level with enough people the attack with the largest excess; the intervals hold all together."""
    enough = {
        label: among
        for label, among in groups.items()
        if min(int((among & member).sum()), int((among & ~member).sum())) >= MIN_PEOPLE_OF_LEVEL
    }
    looks, found = len(enough) * len(outcomes), []
    for label, among in enough.items():
        tried = [(each.name, RiskDifference.of(each.right[among], member[among], looks=looks)) for each in outcomes]
        name, at = max(tried, key=lambda pair: pair[1].at.value)
        found.append(LevelExcess(label=label, attack=name, excess=at))
    return found


ATTRIBUTE_SPEC = MetricSpec(
    name="attribute",
    for_schema=attributes,
    labels={
        "excess": MetricLabel(
            "Secret guessed of members", "Right guesses about members less those about people not in the data.", "share"
        ),
        "isolated.excess": MetricLabel(
            "Secret guessed of unusual members", "The same among the half who are unlike others.", "share"
        ),
        "worst_level.excess": MetricLabel(
            "Secret guessed, worst level", "The same among those with the rare level that loses most.", "share"
        ),
    },
)
