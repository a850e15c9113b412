"""A time and whether the event was seen by then: pairs such as `futime` and `status`, told by names and by cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.schema.columns import Boolean, Categorical, Column, Level, Numeric
from synthkit.schema.infer.column_names import name_words
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    import pandas as pd

_SURVIVAL_TIME_WORDS = frozenset(
    (
        *("time", "futime", "survtime", "survival", "followup", "followuptime", "fu", "os", "pfs", "dfs", "rfs", "efs"),
        *("ttd", "tte", "ttp", "stime", "dtime", "rtime", "ptime", "ftime", "lasttime", "timetoevent"),
    )
)
_TIME_SPAN_WORDS = frozenset(("days", "months", "weeks", "years", "duration", "follow", "survived"))
_EVENT_STATUS_WORDS = frozenset(
    (
        *("event", "death", "died", "dead", "fustat", "deceased", "mortality", "relapse", "recur", "recurrence"),
        *("progression", "failure", "fail", "pstat", "rstat", "censored", "censor", "cens", "censoring"),
    )
)
_WEAK_STATUS_WORDS = frozenset(("status", "state", "vital", "outcome", "delta", "stat"))
_CENSORING_WORDS = frozenset(("censored", "censor", "cens", "censoring"))
_CENSORED_LEVELS = frozenset(("alive", "living", "censored", "no", "none", "free", "false", "0"))
_OBSERVED_LEVELS = frozenset(
    ("dead", "died", "deceased", "event", "yes", "true", "relapse", "progressed", "recurred", "1")
)
_NOT_TIMES = frozenset(("date", "clock", "day", "zone", "start", "admission", "procedure", "hospital"))
MIN_DISTINCT_TIMES = 20  # different times that a time must have


@dataclass(frozen=True)
class SurvivalPair:
    """A time and its event.

    Args:
        time: numeric column of times.
        event: column that says whether the event was seen.
        levels: the event's two levels, not seen and seen.
        evidence: why, in words and counts.
    """

    time: str
    event: str
    levels: tuple[Level, Level]
    evidence: str


def find_survival_pairs(frame: pd.DataFrame, columns: Mapping[str, Column]) -> tuple[SurvivalPair, ...]:
    """Pairs of a time and an event, each column in one at most, in the order of the times.

    Args:
        frame: the rows.
        columns: the drafted kinds.
    """
    times = {c: strength for c, column in columns.items() if (strength := _time(c, column, frame))}
    events = {c: found for c, column in columns.items() if (found := _event(c, column)) is not None}
    ranked = sorted(
        ((_fit(t, e, times[t], events[e][0]), t, e) for t in times for e in events if t != e), key=lambda x: (-x[0], x)
    )
    taken: set[str] = set()
    out = []
    for fit, time, event in ranked:
        if fit >= 3 and not {time, event} & taken:
            taken |= {time, event}
            out.append(SurvivalPair(time, event, events[event][1], _evidence(frame, time, event, events[event][1])))
    return tuple(sorted(out, key=lambda pair: list(columns).index(pair.time)))


def _time(name: str, column: Column, frame: pd.DataFrame) -> int:
    """2 for the name of a time until something, 1 for a span of time, 0 for what is none."""
    parts = name_words(name)
    if not isinstance(column, Numeric) or _NOT_TIMES & set(parts):
        return 0
    said = (
        2
        if (_SURVIVAL_TIME_WORDS & set(parts) or "".join(parts) in _SURVIVAL_TIME_WORDS)
        else int(bool(_TIME_SPAN_WORDS & set(parts)))
    )
    if not said:
        return 0
    x = numbers(frame[name])
    x = x[np.isfinite(x)]
    return said if len(x) and x.min() >= 0 and len(np.unique(x)) >= MIN_DISTINCT_TIMES else 0


def _event(name: str, column: Column) -> tuple[int, tuple[Level, Level]] | None:
    """2 for the name of an event, 1 for a status, with its levels in order."""
    parts = name_words(name)
    if not isinstance(column, Boolean | Categorical) or len(column.levels) != 2:
        return None
    said = 2 if _EVENT_STATUS_WORDS & set(parts) else int(bool(_WEAK_STATUS_WORDS & set(parts)))
    if any(part.endswith(("death", "dead")) for part in parts):
        said = max(said, 1)
    inorder = _in_order(column, censored=bool(_CENSORING_WORDS & set(parts)))
    return (said, inorder) if said and inorder is not None else None


def _in_order(column: Boolean | Categorical, *, censored: bool) -> tuple[Level, Level] | None:
    first, second = column.levels
    if isinstance(first, int) and isinstance(second, int):
        low, high = sorted((first, second))
        inorder: tuple[Level, Level] = (low, high) if isinstance(first, bool) or high - low == 1 else (first, second)
        return (inorder[1], inorder[0]) if censored else inorder
    no, yes = (_last_word(level) for level in (first, second))
    if no in _CENSORED_LEVELS and yes in _OBSERVED_LEVELS:
        return (first, second)
    return (second, first) if yes in _CENSORED_LEVELS and no in _OBSERVED_LEVELS else None


def _last_word(level: Level) -> str:
    return (name_words(str(level)) or (str(level),))[-1]


def _fit(time: str, event: str, time_said: int, event_said: int) -> float:
    """How well two names belong together: what each says, and whether they share a beginning."""
    a, b = name_words(time), name_words(event)
    kin = bool(set(a) & set(b) - _SURVIVAL_TIME_WORDS - _WEAK_STATUS_WORDS) or a[0] == b[0] in (
        "os",
        "pfs",
        "dfs",
        "rfs",
        "efs",
    )
    letter = len(a[0]) == 1 and any(part.startswith(a[0]) for part in b)
    alone = 0.1 * (len(b) == 1)
    return time_said + event_said + kin + 0.5 * letter + alone


def _evidence(frame: pd.DataFrame, time: str, event: str, levels: tuple[Level, Level]) -> str:
    x = numbers(frame[time])
    present = frame[event].notna().to_numpy() & np.isfinite(x)
    seen = (frame[event] == levels[1]).fillna(value=False).to_numpy(dtype=bool) & present
    share = float(seen.sum()) / max(int(present.sum()), 1)
    many = len(np.unique(x[np.isfinite(x)]))
    return f"`{time}` has {many:,} different times, `{event}` two levels, the event is seen in {share:.0%} of the rows"


def event_kinds(found: tuple[SurvivalPair, ...], columns: Mapping[str, Column]) -> Iterator[tuple[str, Boolean]]:
    """Events of pairs as booleans, not seen first, where they are drafted otherwise."""
    for pair in found:
        column = columns[pair.event]
        if isinstance(column, Boolean | Categorical) and (
            isinstance(column, Categorical) or tuple(map(repr, column.levels)) != tuple(map(repr, pair.levels))
        ):
            yield pair.event, Boolean(levels=pair.levels, nullable=column.nullable, observed=column.observed)
