"""One spending: a mechanism, what it tells, and how often it is run."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from synthkit.errors import ConfigError
from synthkit.privacy.accounting.events import EVENTS_BY_NAME, Event


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One spending.

    Args:
        what: what is released, in words: column names, never a value of the table.
        spent: the mechanism that releases it.
        times: how often it is run, each time with fresh noise, 1 or more.

    Raises:
        ConfigError: one of them cannot be meant.
    """

    what: str
    spent: Event
    times: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.what, str):
            msg = f"a charge must say in words what is released; however: {type(self.what).__name__}. Name the columns"
            raise ConfigError(msg)
        if EVENTS_BY_NAME.get(getattr(self.spent, "kind", "")) is not type(self.spent):
            msg = (
                f"a charge must name a mechanism of {', '.join(EVENTS_BY_NAME)}; however: {type(self.spent).__name__}. "
                "Use a record of synthkit.privacy.accounting.events"
            )
            raise ConfigError(msg)
        if not (isinstance(self.times, Integral) and not isinstance(self.times, bool) and self.times >= 1):
            msg = f"`times` of a charge must be a whole number of 1 or more; however: {self.times!r}. Correct it"
            raise ConfigError(msg)
        object.__setattr__(self, "times", int(self.times))
