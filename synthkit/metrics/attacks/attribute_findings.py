"""Findings of attribute inference: excess of right guesses by attack, among isolated people and by level, as scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from synthkit.io.json_types import JSON
from synthkit.metrics.result import Score
from synthkit.metrics.stats.precision_recall import anonymity_loss, best_prc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synthkit.metrics.attacks.risk_difference import RiskDifference

Known = Literal["quasi_identifiers", "all", "other_tables"]
KNOWLEDGE_IN_NAMES: Mapping[Known, str] = {"quasi_identifiers": "quasi_identifiers", "all": "all_columns"}
KNOWLEDGE_IN_WORDS = {
    "quasi_identifiers": "the quasi-identifiers",
    "all": "all other columns",
    "other_tables": "what is in other tables",
}
NO_DISCLOSURE = "Guesses as good about people who were not in the data are science, not disclosure"


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
