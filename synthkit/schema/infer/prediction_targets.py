"""What somebody may want to predict from a table: told by names, levels and what the other columns say, not by place.

A column is scored: by its name up to 3, 1 for two levels and half of that for up to ten, 1 for levels such as good and
bad, half for the last place, and up to 1 for the share of other columns that say something about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthkit.schema.columns import Column, Discrete, Level
from synthkit.schema.infer.column_names import name_words
from synthkit.schema.infer.dependence import dependence_shares
from synthkit.schema.infer.survival_pairs import SurvivalPair

if TYPE_CHECKING:
    import pandas as pd

MIN_TARGET_SCORE = 2.5  # score from which on a column is proposed
MAX_PROPOSED_TARGETS = 3  # targets that are proposed
_STRONG_TARGET_WORDS = frozenset(
    (
        *("outcome", "target", "label", "readmitted", "readmission", "death", "died", "dead", "hospdead", "mortality"),
        *("survived", "default", "churn", "relapse", "recurrence", "deceased", "malignant", "remission", "binary"),
    )
)
_WEAK_TARGET_WORDS = frozenset(
    (
        *("class", "status", "diagnosis", "income", "response", "responder", "result", "credit", "disease", "event"),
        *("approved", "fraud", "complication", "y", "cured"),
    )
)
_BINARY_TARGET_WORDS = frozenset(
    ("income", "credit", "status", "disease", "y")
)  # with more levels they tell who somebody is
# Words of columns that tell something known before: who somebody is, what was before, how much.
_DEMOGRAPHIC_WORDS = frozenset(
    (
        *("personal", "marital", "civil", "family", "employment", "work", "worker", "social", "smoking", "checking"),
        *("history", "prior", "previous", "baseline", "amount", "type", "code", "limit", "existing", "age", "sex"),
        *("insurance", "payer", "education", "housing", "vaccination", "menopausal", "source", "reason", "veteran"),
    )
)
_OUTCOME_PAIRS = (
    *({"good", "bad"}, {"alive", "dead"}, {"living", "deceased"}, {"benign", "malignant"}, {"survived", "died"}),
    *({"success", "failure"}, {"positive", "negative"}, {"responder", "non responder"}, {"paid", "default"}),
)
_ADVERSE_LEVELS = ("dead", "died", "deceased", "bad", "malignant", "failure", "positive", "default", "yes", "true", "1")


@dataclass(frozen=True)
class Proposal:
    """A target that a draft suggests, and why.

    Args:
        target: the keys of a target of a schema.
        score: how much speaks for it.
        evidence: what does, in words.
    """

    target: Mapping[str, object]
    score: float
    evidence: str

    @property
    def column(self) -> str:
        """What is predicted."""
        return str(self.target["column"])


def proposals(
    frame: pd.DataFrame, columns: Mapping[str, Column], pairs: Sequence[SurvivalPair]
) -> tuple[Proposal, ...]:
    """Targets that evidence speaks for, best first: survival pairs, then columns with levels.

    Args:
        frame: the rows.
        columns: the drafted kinds of the columns that are learned.
        pairs: times and events.

    Example:
        >>> import pandas as pd
        >>> from synthkit.schema.columns import Boolean, Numeric
        >>> frame = pd.DataFrame({"died": [0, 1] * 20, "age": range(40)})
        >>> proposals(frame, {"died": Boolean(levels=(0, 1)), "age": Numeric()}, ())[0].target
        {'column': 'died', 'task': 'binary', 'positive': 1}
    """
    survival = tuple(Proposal({"column": p.time, "task": "survival", "event": p.event}, 4.0, p.evidence) for p in pairs)
    taken = {p.time for p in pairs} | {p.event for p in pairs}
    last = next(reversed(list(columns)), None)
    named = {c: _name(c, column) for c, column in columns.items() if isinstance(column, Discrete) and c not in taken}
    asked = [c for c, said in named.items() if said or _good_or_bad(columns[c])]
    told = dependence_shares(frame, columns, asked)
    scored = [_scored(c, columns[c], named[c], told[c], last=c == last) for c in asked]
    best = sorted(
        (p for p in scored if p.score >= MIN_TARGET_SCORE), key=lambda p: (-p.score, list(columns).index(p.column))
    )
    return (*survival, *best)[:MAX_PROPOSED_TARGETS]


def _name(name: str, column: Column) -> int:
    """What a name says: 3 for the name of an outcome, 2 for a part of one, 1 for a name that it may have."""
    parts = name_words(name)
    if _DEMOGRAPHIC_WORDS & set(parts):
        return 0
    whole, weak = (
        "".join(parts),
        _WEAK_TARGET_WORDS if len(_levels(column)) == 2 else _WEAK_TARGET_WORDS - _BINARY_TARGET_WORDS,
    )
    if whole in _STRONG_TARGET_WORDS:
        return 3
    if _STRONG_TARGET_WORDS & set(parts) or whole in weak:
        return 2
    return int(bool(weak & set(parts)))


def _levels(column: Column) -> tuple[Level, ...]:
    return getattr(column, "levels", None) or ()


def _good_or_bad(column: Column) -> bool:
    """Whether two levels say how something ended."""
    return {" ".join(name_words(str(level))) for level in _levels(column)} in _OUTCOME_PAIRS


def _scored(name: str, column: Column, said: int, told: float, *, last: bool) -> Proposal:
    levels, paired = _levels(column), _good_or_bad(column)
    few = 1.0 if len(levels) == 2 else 0.5 if 3 <= len(levels) <= 10 else 0.0
    score = said + few + paired + 0.5 * last + told
    why = ["its name speaks of an outcome"] * bool(said)
    why += [f"{len(levels)} levels"] * bool(levels) + ["that are good or bad"] * paired + ["the last column"] * last
    why += [f"{told:.0%} of the other columns say something about it"]
    return Proposal(_target(name, levels), round(score, 3), ", ".join(why))


def _target(name: str, levels: tuple[Level, ...]) -> dict[str, object]:
    if len(levels) != 2:
        return {"column": name, "task": "multiclass"}
    lowered = [" ".join(name_words(str(level))) or str(level) for level in levels]
    adverse = next((k for word in _ADVERSE_LEVELS for k in (1, 0) if lowered[k] == word), 1)
    return {"column": name, "task": "binary", "positive": levels[adverse]}
