"""Attribute inference: are secrets of members guessed better from the synthetic rows than those of non-members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.attacks.attack_targets import MIN_ATTACKED
from synthkit.metrics.attacks.risk_difference import RiskDifference, coin_p_value
from synthkit.metrics.attacks.secret_inference import (
    SECRET_ATTACKS,
    SecretGuesses,
    most_frequent_value,
    population_guesses,
)
from synthkit.metrics.attacks.secrets import Knowledge, Secret
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Score, Scored
from synthkit.metrics.stats.multiple_testing import holm
from synthkit.metrics.stats.precision_recall import anonymity_loss, best_prc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.attacks.attack_targets import AttackTargets
    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.metric import Metric, MetricOptions
    from synthkit.schema import Schema

Known = Literal["quasi_identifiers", "all"]
MIN_PEOPLE_OF_LEVEL = 10  # members, and as many non-members, of a level that is looked at by itself
KNOWLEDGE_IN_NAMES: Mapping[Known, str] = {"quasi_identifiers": "quasi_identifiers", "all": "all_columns"}
KNOWLEDGE_IN_WORDS = {"quasi_identifiers": "the quasi-identifiers", "all": "all other columns"}
NO_DISCLOSURE = "Guesses as good about people who were not in the data are science, not disclosure"


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
    allowed = schema.described if knowledge == "all" else schema.quasi_identifiers
    return tuple(name for name in schema.described if name in allowed and name != secret)


@dataclass(frozen=True, kw_only=True)
class AttackOutcome:
    """What one attack did.

    Args:
        name: of the attack.
        right: (n,) whether the guess about each person was right.
        sure: (n,) how sure it was.
        excess: of right guesses about members.
        p: probability of as much if coins alone decided who is a member.
    """

    name: str
    right: NDArray[np.bool_]
    sure: NDArray[np.float64]
    excess: RiskDifference
    p: float


@dataclass(frozen=True, kw_only=True)
class LevelExcess:
    """The strongest attack on people of one level of the secret, or in one tenth of it.

    Args:
        label: of the level.
        attack: its name.
        excess: of right guesses about members of that level.
    """

    label: str
    attack: str
    excess: RiskDifference

    def plain(self) -> dict[str, JSON]:
        """As data of a panel."""
        members, non_members = self.excess.counts
        counts = {"count_members": members, "count_non_members": non_members}
        return {"label": self.label, "attack": self.attack, **self.excess.plain(), **counts}


@dataclass(frozen=True, kw_only=True)
class Context:
    """What could be guessed by people who never saw the synthetic rows.

    Args:
        majority: share of people about whom the commonest value is right.
        model: share of non-members about whom the best model of the population is right.
        base: its precision and recall, the best of all such models.
        rows: people it was fitted to.
    """

    majority: float
    model: float
    base: float
    rows: int


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
        knowledge: columns the attacker knows, `quasi_identifiers` or `all` others.
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
class AttributeFindings:
    """All that was found about one secret and one set of known columns.

    Args:
        best: the attack with the largest excess.
        outcomes: of all attacks.
        p: of the strongest evidence of any attack, adjusted for their number.
        context: what is known without the synthetic rows.
        isolated: excess among the more isolated half and its p-value, if there are enough people.
        levels: by level or tenth of the secret, of the attack with the largest excess there.
        member: (n,) who was trained on.
        secret: its column.
        knowledge: what the attacker knows.
        prefix: beginning of the scores' names.
    """

    best: AttackOutcome
    outcomes: list[AttackOutcome]
    p: float
    context: Context
    isolated: tuple[RiskDifference, float] | None
    levels: list[LevelExcess]
    member: NDArray[np.bool_]
    secret: str
    knowledge: Known
    prefix: str

    @property
    def loss(self) -> float:
        """Anonymity loss: precision and recall on members, above those of the population's models."""
        attack = best_prc(self.best.right[self.member], self.best.sure[self.member])
        return anonymity_loss(attack, self.context.base)

    def scores(self) -> list[Score]:
        """The excess, and that among isolated people and in the worst level, where there are enough."""
        worst = max(self.levels, key=lambda each: each.excess.at.low, default=None)
        at, each = self.best.excess, self.context
        found = [self._score("excess", at, self._parts(), self._note())]
        if self.isolated is not None:
            note = (
                f"The same attack among the more isolated half of the people. Simultaneous interval. {NO_DISCLOSURE}."
            )
            found.append(self._score("isolated.excess", self.isolated[0], {"p": self.isolated[1]}, note))
        if worst is not None:
            note = f"The level or tenth of `{self.secret}` with the largest lower end, of {len(self.levels)}; interval "
            note += f"for all of them and all attacks together. {NO_DISCLOSURE}; majority is {each.majority:.1%}."
            found.append(self._score("worst_level.excess", worst.excess, {"levels": float(len(self.levels))}, note))
        return found

    def _score(self, name: str, excess: RiskDifference, parts: Mapping[str, float], note: str) -> Score:
        return Score(
            metric=f"{self.prefix}.{name}",
            value=excess.at.value,
            low=excess.at.low,
            high=excess.at.high,
            goal="low",
            reference=0.0,
            parts={"members": excess.members, "non-members": excess.non_members, **parts},
            note=note,
        )

    def _parts(self) -> dict[str, float]:
        return {
            "normalised": self.best.excess.normalised,
            "p": self.p,
            "anonymity loss": self.loss,
            "majority": self.context.majority,
            "model of the population": self.context.model,
            **{f"excess, {each.name}": each.excess.at.value for each in self.outcomes},
        }

    def _note(self) -> str:
        at, context = self.best.excess, self.context
        return (
            f"Right guesses of `{self.secret}` from {KNOWLEDGE_IN_WORDS[self.knowledge]} by {self.best.name}, the "
            "strongest of "
            f"{len(self.outcomes)} attacks: {at.members:.1%} of members less {at.non_members:.1%} of non-members. "
            f"{NO_DISCLOSURE}: a model of {context.rows:,} people not in the data is right about "
            f"{context.model:.1%}, the "
            f"commonest value about {context.majority:.1%}. Newcombe interval for all attacks together."
        )

    def plain(self) -> dict[str, JSON]:
        """As data of a panel."""
        people = int(self.member.sum()), int((~self.member).sum())
        return {
            "secret": self.secret,
            "knowledge": self.knowledge,
            "attack": self.best.name,
            **self.best.excess.plain(),
            "people": {"members": people[0], "non_members": people[1]},
            "normalised": self.best.excess.normalised,
            "p": self.p,
            "alc": self.loss,
            "majority": self.context.majority,
            "population_model": self.context.model,
            "population_rows": self.context.rows,
            "attacks": [{"attack": each.name, **each.excess.plain(), "p": each.p} for each in self.outcomes],
            "classes": [level.plain() for level in self.levels],
            "isolated": None if self.isolated is None else {**self.isolated[0].plain(), "p": self.isolated[1]},
        }


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
